"""The command that checks what there is: verify."""

from __future__ import annotations

from pathlib import Path

import typer

from mtls_openssl.cli import making, options
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.options import Choices, takes
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Authority, Key, Leaf, Manifest


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(verify)


@takes(options.RUN, options.DRY)
def verify(choices: Choices) -> None:
    """Check all certificates of a folder strictly (step 5.1)."""
    from mtls_openssl import plan  # noqa: PLC0415 - what a command needs, when it does
    from mtls_openssl.inspection.files import is_encrypted  # noqa: PLC0415
    from mtls_openssl.life import condition  # noqa: PLC0415
    from mtls_openssl.revocation import checking  # noqa: PLC0415

    folder: Path = choices["out"]
    files = condition.files_in(folder)
    names = condition.leaves_there(files) or ["server", "client"]
    middle = f"{INTERMEDIATE}.crt" if f"{INTERMEDIATE}.crt" in files else ""
    keys = [
        key
        for key in (f"{name}.key" for name in (ROOT, INTERMEDIATE, *names))
        # What is in an encrypted one is seen when it is used.
        if key in files and not is_encrypted(folder / key)
    ]
    lists = checking.files(folder)
    certificates = [f"{name}.crt" for name in names]
    making.run(
        choices,
        plan.verify(certificates, beside=(*keys, *lists), by=middle),
        None,
        checking.proving(folder, certificates, lists, middle),
        _as_they_are(choices, names),
    )


def _as_they_are(choices: Choices, names: list[str]) -> Manifest | None:
    """The purposes and the names of certificates whose files do not say what they are for."""
    from mtls_openssl.life import condition, describing  # noqa: PLC0415

    folder: Path = choices["out"]
    if set(names) <= {"server", "client"} or choices["dry_run"]:
        return None
    leaves: list[Leaf] = []
    with desk(choices, "verify") as asking:
        for name in names:
            read = condition.read(asking, folder, f"{name}.crt")
            leaf = describing.leaf_from(name, read) if read else None
            if leaf:
                leaves.append(leaf)
    nobody = Authority(ROOT, (), 0, Key("RSA"))
    above = Authority(INTERMEDIATE, (), 0, Key("RSA"))
    between = above if (folder / above.certificate_file).is_file() else None
    return Manifest(nobody, tuple(leaves), between)

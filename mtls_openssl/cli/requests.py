"""The command for a key that never travels: csr."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import adding, console, making, options, secret
from mtls_openssl.cli.files import argument
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.errors import FolderUnavailableError, SettingRefusedError, UsageError
from mtls_openssl.language import _, spoken
from mtls_openssl.manifest import Manifest, Role
from mtls_openssl.profiles import BAT

if TYPE_CHECKING:
    from mtls_openssl.pipeline import Handing, Result
    from mtls_openssl.plan import Plan, Wanted
    from mtls_openssl.proof import Proving
    from mtls_openssl.settings import Loaded

_SHORTEST_PASSPHRASE = 4
"""What openssl asks for at least when it reads a key (PEM_def_callback)."""
_LABEL = 2
_NAMES = ("dns", "ip", "email", "uri")

_NAME = (argument("name", str, "NAME", "What its files are called, such as alice."),)
ROLE = (
    option(bool, "--server", default=False, help="For a server."),
    option(bool, "--client", default=False, help="For a client."),
    *adding.PEER,
)


def add_to(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command()(csr)


@takes(
    _NAME, options.RUN, options.DRY, options.SETTINGS, options.SUBJECT, options.KEY_SIZE,
    adding.IDENTITY, ROLE, secret.NEW_PASSWORD,
)  # fmt: skip
def csr(choices: Choices) -> None:
    """Make a key here, where it is used, and a request that whoever has the CA can sign."""
    from mtls_openssl.plan import request  # noqa: PLC0415 - as all below: what a command needs
    from mtls_openssl.signing import proving  # noqa: PLC0415

    read = making.loaded(choices)
    role = role_of(choices)
    if role is Role.SERVER:
        _require_a_name(choices, read)
    wanted = wanted_of(choices, role, read)
    plan = request(wanted)
    if choices["dry_run"]:
        making.show(choices, plan, None, keep=True)
        return
    if choices["format"] is not options.Format.TEXT:
        raise UsageError(_("--format is the form of a dry run."), fix=_("add --dry-run"))
    refuse_to_replace(choices["out"] / wanted.leaf.key_file)
    secrets = {wanted.passphrase: _passphrase(choices, wanted)} if wanted.encrypted else {}
    result = made(choices, plan, None, proving.of_request(wanted), secrets)
    tell(choices, result, {})
    if not (choices["json"] or choices["quiet"]):
        key, file = wanted.leaf.key_file, wanted.leaf.request_file
        typer.echo("")
        typer.echo(spoken(_("=== Next Steps ===")))
        typer.echo(
            spoken(_("1. Send {file} to whoever has the CA; never send {key}", file=file, key=key))
        )
        typer.echo(spoken(_("2. There: {command}", command=_signing(wanted))))
        typer.echo(
            spoken(
                _(
                    "3. Put the {certificate} that comes back beside {key}",
                    certificate=wanted.leaf.certificate_file,
                    key=key,
                )
            )
        )


def _require_a_name(choices: Choices, read: Loaded) -> None:
    """See that a server has a name that somebody gave, or a domain for it.

    Raises:
        UsageError: it has none but that of an example.
    """
    domain = read.settings.domain
    if domain != BAT.values["domain"] or any(choices[name] for name in ("cn", *_NAMES)):
        return
    raise UsageError(
        _("Nothing says which name the server answers to."),
        cause=_(
            "{name}, which would be asked for, is only an example",
            name=f"{choices['name']}.{domain}",
        ),
        fix=_("add --dns www.example.com, or --ip ADDRESS"),
    )


def _signing(wanted: Wanted) -> str:
    """The command of whoever signs it, with every name that it asks for."""
    from mtls_openssl.scripting import prompt  # noqa: PLC0415

    leaf = wanted.leaf
    names = ",".join(name.partition(":")[2] for name in leaf.alternatives)
    granted = ("--grant-san", names) if names else ()
    side = (f"--{wanted.role or Role.CLIENT}", *(("--peer",) if leaf.peer else ()))
    command = prompt.line(
        "python", "-m", "mtls_openssl", "sign", leaf.request_file, *side, *granted
    )
    if wanted.role or not names:
        return command
    return _("{command} (for a server: --server in place of --client)", command=command)


def wanted_of(choices: Choices, role: Role | None, read: Loaded) -> Wanted:
    """The request that the options describe.

    Args:
        choices: what was typed.
        role: which side it is for; None to leave that to who signs.
        read: the settings.

    Raises:
        SettingsRefusedError: a value can't be used.
    """
    from mtls_openssl.plan import Wanted  # noqa: PLC0415
    from mtls_openssl.settings import one_leaf  # noqa: PLC0415

    more = ("name", "cn", "key", "peer")
    given = {name: choices[name] for name in (*more, *_NAMES) if choices[name]}
    leaf = one_leaf({**given, "p12": []}, role or Role.CLIENT, read.settings)
    if role is None and not any(name in given for name in _NAMES):
        leaf = dataclasses.replace(leaf, alternatives=())
    return Wanted(leaf, role, secret.is_named(choices, "new-password"))


def refuse_to_replace(key: Path) -> None:
    """See that there is no key yet where one is to be made.

    Raises:
        FolderUnavailableError: there is.
    """
    if key.exists():
        raise FolderUnavailableError(
            _("{file} is here already.", file=key),
            cause=_("a new key would make the certificate of the old one worthless"),
            fix=_("give another name, or move the old key away"),
        )


def role_of(choices: Choices) -> Role | None:
    """Which side the options of ROLE name; None if they name none.

    Raises:
        UsageError: they do not go together.
    """
    if choices["client"] and (choices["server"] or choices["peer"]):
        raise UsageError(
            _("--client does not go together with --server or --peer."),
            cause=_("a certificate is for one side of a connection, unless it is a peer's"),
            fix=_("give one of them"),
        )
    if choices["server"] or choices["peer"]:
        return Role.SERVER
    return Role.CLIENT if choices["client"] else None


def _passphrase(choices: Choices, wanted: Wanted) -> str:
    value = secret.chosen(choices, choices["out"] / wanted.leaf.key_file)
    if len(value) < _SHORTEST_PASSPHRASE:
        raise SettingRefusedError(
            _("The new password has less than {least} characters.", least=_SHORTEST_PASSPHRASE),
            cause=_("openssl would not take it when it reads the key"),
            fix=_("choose another password"),
        )
    return value


def made(
    choices: Choices,
    plan: Plan,
    manifest: Manifest | None,
    proving: Proving,
    secrets: Mapping[str, str],
    *,
    keep: bool = False,
    handing: Handing | None = None,
) -> Result:
    """Carry a plan out, with the progress shown.

    Args:
        choices: what was typed.
        plan: what to do.
        manifest: what it was made from; None where it was not made from any.
        proving: what must be proven besides.
        secrets: the pass phrases of keys, by the variable that openssl reads.
        keep: whether requests, serial and extension files stay.
        handing: who hands it over elsewhere.
    """
    from mtls_openssl import pipeline  # noqa: PLC0415
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    quiet = choices["quiet"] or choices["json"]
    target = pipeline.Target(
        folder=choices["out"],
        jobs=choices["jobs"] or making.processors(),
        limit=choices["timeout"],
        keep=keep,
        passphrases=secrets,
    )
    door = Door()
    found = find(choices["openssl"], door)
    progress = console.Progress(plan.stages, plan.commands, quiet=quiet, verbose=choices["verbose"])
    try:
        result = pipeline.make(
            plan,
            manifest,
            target,
            found,
            door=door,
            watcher=progress,
            proving=proving,
            handing=handing,
        )
    finally:
        progress.close()
    console.be_deaf()
    return result


def tell(choices: Choices, result: Result, more: Mapping[str, Any]) -> None:
    """Tell what came of a run.

    Args:
        choices: what was typed.
        result: what came of it.
        more: what a program is told besides.
    """
    from mtls_openssl import report  # noqa: PLC0415

    if choices["json"]:
        console.print_data({**report.data(result), **more})
    elif not choices["quiet"]:
        typer.echo("")
        for line in report.text(result):
            typer.echo(line)

"""The command that makes a page of a set: report."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.language import Text, _, spoken

if TYPE_CHECKING:
    from mtls_openssl.inventory.things import Stock
    from mtls_openssl.proof import Check

FILE = "mtls-report.html"

_REPORT = (
    option(
        Path | None, "--out-file", metavar="FILE", show_default="mtls-report.html in the folder",
        help="The page to write; one that was made before is replaced.",
    ),
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(report)


@takes(_REPORT, options.LOOK, options.P12_PASSWORD)
def report(choices: Choices) -> None:
    """Make one HTML page of a set: chain, days left, proof and log; no network, no secrets.

    The checks of `verify` are made again now, and the log is proven as by `audit verify`. Exit
    code 0: the page was written, whatever it tells.
    """
    from mtls_openssl.inventory import survey  # noqa: PLC0415 - as below: when needed
    from mtls_openssl.inventory.held import Terms  # noqa: PLC0415
    from mtls_openssl.page import making, record  # noqa: PLC0415
    from mtls_openssl.workspace.publishing import publish, require  # noqa: PLC0415

    folder: Path = choices["out"]
    file: Path = choices["out_file"] or folder / FILE
    require(file, making.SIGN)
    now = dt.datetime.now(dt.UTC)
    stock = survey.of_set(folder, Terms(now))
    log = record.of(folder)  # before the proof adds to it
    checks, left_out, version = _proven(choices, stock)
    contents = making.Contents(folder, now, stock, checks, left_out, log, version)
    page = making.page(contents).encode("utf-8", "backslashreplace")
    # It tells what the log tells, which is its owner's.
    file = publish(file, page, making.SIGN, mode=0o600)
    faults = [check for check in checks if check.fault]
    if choices["json"]:
        console.print_data(
            {
                "command": "report",
                "ok": True,
                "file": str(file),
                "checks": len(checks),
                "failed": [
                    {"file": check.subject, "claim": check.claim, "fault": check.fault}
                    for check in faults
                ],
                "left_out": [str(text) for text in left_out],
            }
        )
    elif not choices["quiet"]:
        typer.echo(spoken(_("{file} was written: open it in any browser.", file=file)))
        for check in faults:
            failed = _("{file}: {fault} (wanted: {claim})", file=check.subject,
                       fault=check.fault, claim=check.claim)  # fmt: skip
            typer.echo(spoken(_("Warning: {what}", what=failed)), err=True)


def _proven(choices: Choices, stock: Stock) -> tuple[Sequence[Check], Sequence[Text], str]:
    """The proof, what was left out of it, and the release of openssl that made it."""
    from mtls_openssl.desk import at  # noqa: PLC0415
    from mtls_openssl.errors import OpensslNotFoundError  # noqa: PLC0415
    from mtls_openssl.locate import find  # noqa: PLC0415
    from mtls_openssl.page.proving import prove  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    folder, door = choices["out"], Door()
    try:
        found = find(choices["openssl"], door)
    except OpensslNotFoundError as error:
        return (), (Text(error.what),), ""
    with at(folder, found, door=door, purpose="report", limit=choices["timeout"]) as desk:
        checks, left_out = prove(desk, folder, stock, _passwords(choices, folder))
        return checks, left_out, str(desk.version or "")


def _passwords(choices: Choices, folder: Path) -> dict[str, str]:
    """The passwords of the PKCS#12 files, if somebody has said them: nobody is asked."""
    from mtls_openssl.cli.password import password  # noqa: PLC0415
    from mtls_openssl.openssl.pkcs12 import CLIENT, PASSWORD_VARIABLE  # noqa: PLC0415
    from mtls_openssl.plan.naming import PASSWORD_ENDING  # noqa: PLC0415
    from mtls_openssl.plan.pieces import variable_of  # noqa: PLC0415

    known = {}
    for path in sorted(folder.glob("*.p12")):
        with contextlib.suppress(OSError, ValueError):
            beside = path.with_name(path.name + PASSWORD_ENDING)
            known[path.name] = beside.read_text("ascii").strip()
        if (variable := variable_of(path.name)) in os.environ:
            known[path.name] = os.environ[variable]
    if PASSWORD_VARIABLE in os.environ or any(choices[one.name] for one in options.P12_PASSWORD):
        known[CLIENT.file] = password(choices).value
    return known

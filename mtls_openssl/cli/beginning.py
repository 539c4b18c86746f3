"""The commands that a set begins with: import-bat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.files import argument
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import _, spoken

if TYPE_CHECKING:
    from mtls_openssl.batfile import Import

SETTINGS = "mtls.toml"

_LARGEST = 1024 * 1024
_BAT = (argument("file", Path, "FILE", "The batch file, such as generate_certs.bat."),)
_WRITE = (
    option(
        Path | None, "--write", metavar="FILE", help="File of settings to write.",
        show_default="mtls.toml in the folder",
    ),
)  # fmt: skip
_FORCE = (
    option(
        bool, "--force", default=False, help="Replace what is there; it goes to backup/ beside it."
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("import-bat")(import_bat)


@takes(_BAT, _WRITE, _FORCE, options.FOLDER, options.OUTPUT)
def import_bat(choices: Choices) -> None:
    """Make mtls.toml of a customised generate_certs.bat, and say what could not be carried over."""
    from mtls_openssl.batfile import read  # noqa: PLC0415 - as all below: when it is needed
    from mtls_openssl.batfile.writing import document  # noqa: PLC0415
    from mtls_openssl.beginning import placing  # noqa: PLC0415

    source: Path = choices["file"]
    file: Path = choices["write"] or choices["out"] / SETTINGS
    instead = _("name another one with --write, or add --force: the old one goes to backup/ then")
    placing.require_place(file, force=choices["force"], instead=instead)
    found = read(_bytes_of(source), source.name)
    backup = placing.put(
        file,
        document(found, source.name),
        command="import-bat",
        force=choices["force"],
        instead=instead,
    )
    console.be_deaf()
    _tell(choices, found, file, backup)


def _bytes_of(source: Path) -> bytes:
    try:
        with source.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise FolderUnavailableError(
            _("{file} can't be read: {why}", file=source, why=system_said(error)),
            fix=_("look at what there is, then name it again"),
        ) from error
    if len(content) > _LARGEST:
        raise FolderUnavailableError(
            _("{file} is too large for a batch file.", file=source),
            fix=_("look at what there is, then name it again"),
        )
    return content


def _tell(choices: Choices, found: Import, file: Path, backup: Path | None) -> None:
    from mtls_openssl.batfile.writing import told  # noqa: PLC0415

    if choices["json"]:
        console.print_data(
            {
                "ok": True,
                "file": str(file),
                "encoding": found.encoding,
                "settings": {**found.flat, **found.tables},
                "not_carried_over": [
                    {"line": one.line or None, "text": one.text, "why": str(one.why)}
                    for one in found.left
                ],
                "backup": str(backup) if backup else None,
            }
        )
        return
    if choices["quiet"]:
        return
    written = _(
        "Written: {file} (the batch file is {encoding})", file=file, encoding=found.encoding
    )
    typer.echo(spoken(written))
    if backup:
        typer.echo(spoken(_("What was there before is in {folder}", folder=backup)))
    if found.left:
        typer.echo(spoken(_("Not carried over:")))
        for one in found.left:
            typer.echo(f"  {spoken(told(one))}")
    else:
        typer.echo(spoken(_("All that it makes was carried over.")))
    command = "python -m mtls_openssl apply" if found.tables else "python -m mtls_openssl all"
    typer.echo(spoken(_("To make the set: {command}", command=command)))

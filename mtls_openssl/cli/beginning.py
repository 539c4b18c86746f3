"""The commands that a set begins with: init, import-bat, schema."""

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
    from mtls_openssl.settings import Settings

SETTINGS = "mtls.toml"

_LARGEST = 1024 * 1024
_BAT = (argument("file", Path, "FILE", "The batch file, such as generate_certs.bat."),)
_WRITE = (
    option(
        Path | None, "--write", metavar="FILE", help="File of settings to write.",
        show_default="mtls.toml in the folder",
    ),
)  # fmt: skip
_YES = (option(bool, "--yes", "-y", default=False, help="Ask nothing; for scripts."),)
_SCHEMA_FILE = (
    option(
        Path | None, "--write", metavar="FILE", help="File to write, such as mtls.schema.json.",
        show_default="it is printed",
    ),
)  # fmt: skip
_FORCE = (
    option(
        bool, "--force", default=False, help="Replace what is there; it goes to backup/ beside it."
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(init)
    app.command("import-bat")(import_bat)
    app.command()(schema)


@takes(
    _WRITE, _YES, options.SETTINGS[:1], options.SUBJECT, options.CA, options.LEAF,
    options.KEY_SIZE, options.SERVER, options.CLIENT, options.P12[:2], options.KEEP,
    options.FOLDER, options.OUTPUT,
)  # fmt: skip
def init(choices: Choices) -> None:
    """Write mtls.toml, with every default shown and explained; what is given counts at once."""
    from mtls_openssl.beginning import placing  # noqa: PLC0415 - as all below: when it is needed
    from mtls_openssl.beginning.example import SCHEMA_FILE, example  # noqa: PLC0415
    from mtls_openssl.settings import load  # noqa: PLC0415
    from mtls_openssl.settings.model import Settings  # noqa: PLC0415
    from mtls_openssl.templating import render  # noqa: PLC0415

    file: Path = choices["write"] or choices["out"] / SETTINGS
    instead = _("edit it, or name another one with --write")
    placing.require_place(file, force=False, instead=instead)
    given = {name: choices[name] for name in Settings.model_fields if choices[name] is not None}
    settings = load(given, environ={}, config=None).settings
    if console.is_interactive() and not (choices["yes"] or choices["json"] or choices["quiet"]):
        given |= _asked(given, settings)
        settings = load(given, environ={}, config=None).settings
    beside = (file.parent / SCHEMA_FILE).is_file()
    content = render(example(settings, given, name=file.name, schema=beside))
    placing.put(file, content, command="init", force=False, instead=instead)
    console.be_deaf()
    if choices["json"]:
        console.print_data({"ok": True, "file": str(file), "given": sorted(given)})
    elif not choices["quiet"]:
        typer.echo(spoken(_("Written: {file}", file=file)))
        make, apply = (_by(file, choices, command) for command in ("all", "apply"))
        typer.echo(spoken(_("Look through it, then make the set: {command}", command=make)))
        typer.echo(spoken(_("or, once it has tables such as [[client]]: {command}", command=apply)))


def _by(file: Path, choices: Choices, command: str) -> str:
    """A command of ours that goes by a file of settings."""
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415

    if file.name == SETTINGS:
        return ours(file.parent, command)
    return ours(choices["out"], command, "--config", str(file))


def _asked(given: dict[str, object], settings: Settings) -> dict[str, object]:
    """The few things that everybody has to say, where nobody has."""
    said: dict[str, object] = {}
    for name, question in (("org", _("Organisation")), ("domain", _("Domain of the server"))):
        if name not in given:
            usual = getattr(settings, name)
            answer = typer.prompt(spoken(question), default=usual, err=True)
            if answer != usual:
                said[name] = answer
    return said


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


@takes(_SCHEMA_FILE, options.OUTPUT)
def schema(choices: Choices) -> None:
    """Print the JSON Schema of mtls.toml, by which an editor checks it and completes it."""
    import json  # noqa: PLC0415

    from mtls_openssl.beginning import placing  # noqa: PLC0415
    from mtls_openssl.settings.schema import schema as made  # noqa: PLC0415

    file: Path | None = choices["write"]
    if file is None:
        console.print_data(made())
        return
    content = json.dumps(made(), indent=2, ensure_ascii=False) + "\n"
    backup = placing.put(file, content, command="schema", force=True, instead="")
    console.be_deaf()
    if choices["json"]:
        data = {"ok": True, "file": str(file), "backup": str(backup) if backup else None}
        console.print_data(data)
    elif not choices["quiet"]:
        typer.echo(spoken(_("Written: {file}", file=file)))
        line = f"#:schema ./{file.name}"
        typer.echo(spoken(_("The first line of mtls.toml beside it: {line}", line=line)))


def _bytes_of(source: Path) -> bytes:
    from mtls_openssl.workspace.missing import is_missing, no_file  # noqa: PLC0415

    try:
        with source.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        if is_missing(source, error):
            raise no_file(source) from None
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
    command = _by(file, choices, "apply" if found.tables else "all")
    typer.echo(spoken(_("To make the set: {command}", command=command)))

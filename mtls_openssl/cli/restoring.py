"""The command that brings a backup back: restore."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtls_openssl.cli import console, options, secret
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.files import heard, print_lines
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.errors import Exit, FolderUnavailableError, UsageError
from mtls_openssl.language import _, spoken

if TYPE_CHECKING:
    from mtls_openssl.restore import Case

_TIME = (
    inspect.Parameter(
        "time",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            str | None,
            typer.Argument(
                metavar="TIME",
                help=spoken(
                    _(
                        "The backup: its name, the beginning of it, or `latest`; without it all"
                        " are listed."
                    )
                ),
                show_default=False,
            ),
        ],
    ),
)
_HOW = (
    option(bool, "--yes", "-y", default=False, help="Bring it back without asking; for scripts."),
    option(bool, "--dry-run", default=False, help="Only show and prove what would change."),
)


def add_to(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command()(restore)


@takes(_TIME, _HOW, secret.PASSWORD, options.LOOK)
def restore(choices: Choices) -> None:
    """Bring a backup back, after showing the difference; what is there now is backed up first."""
    folder: Path = choices["out"].absolute()
    if not folder.is_dir():
        raise FolderUnavailableError(
            _("There is no folder {folder}.", folder=folder),
            fix=_("name the folder of the set with --out"),
        )
    if choices["time"] is None:
        _list(choices, folder)
    else:
        _restore(choices, folder)


def _list(choices: Choices, folder: Path) -> None:
    from mtls_openssl import restore  # noqa: PLC0415 - as all below: what a command needs, when
    from mtls_openssl.restore import record, telling  # noqa: PLC0415
    from mtls_openssl.restore.shelf import Shelf  # noqa: PLC0415
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415

    known = record.of(folder)
    with desk(choices, "restore") as at:
        at.heard = heard(choices)
        shelf = Shelf(at, lambda _path: None)
        cases = [restore.glance(shelf, folder, one, known) for one in restore.all_(folder)]
    if choices["json"]:
        console.print_data(
            {"ok": True, "folder": str(folder), "backups": [telling.data(one) for one in cases]}
        )
        return
    if choices["quiet"]:
        return
    for one in telling.listed(cases):
        print_lines(one)
    if bringing := telling.first_to_bring(cases):
        command = ours(folder, "restore", bringing.backup.name)
        typer.echo(spoken(_("To bring one back: {command}", command=command)))
    if not cases:
        typer.echo(spoken(_("There is no backup in {folder}.", folder=folder)))


def _restore(choices: Choices, folder: Path) -> None:
    from mtls_openssl import restore  # noqa: PLC0415
    from mtls_openssl.restore import bringing, record, telling  # noqa: PLC0415
    from mtls_openssl.restore.shelf import Shelf  # noqa: PLC0415

    backup = restore.chosen(folder, choices["time"])
    asked = secret.asked(choices)
    known = record.of(folder)
    with desk(choices, "restore") as at:
        at.heard = heard(choices)
        case = restore.examine(Shelf(at, asked), folder, backup, known, datetime.now(UTC))
    if not choices["json"] and not choices["quiet"]:
        print_lines(telling.lines(case))
        for line in telling.proof(case):
            typer.echo(spoken(line))
    bringing.refuse_incoherent(case)
    made: Path | None = None
    notes: tuple[str, ...] = ()
    done = bool(case.changes) and not choices["dry_run"]
    if done:
        if not choices["yes"]:
            _ask(choices, case)
        made, notes = restore.bring_back(case)
        console.be_deaf()
    _tell(choices, case, made, notes, done=done)


def _ask(choices: Choices, case: Case) -> None:
    if not console.is_interactive():
        raise UsageError(
            _(
                "Backup {name} was not brought back: nothing is changed without asking, and there"
                " is no terminal to ask at.",
                name=case.backup.name,
            ),
            fix=_("add --yes; --dry-run only shows what would change"),
        )
    if not typer.confirm(spoken(_("Bring it back now?")), err=choices["json"]):
        typer.echo(spoken(_("Nothing was changed.")), err=True)
        raise typer.Exit(Exit.NOT_PROVEN)


def _tell(
    choices: Choices, case: Case, made: Path | None, notes: tuple[str, ...], *, done: bool
) -> None:
    from mtls_openssl.restore import telling  # noqa: PLC0415
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415

    if choices["json"]:
        console.print_data(
            {
                "ok": True,
                "restored": done,
                "folder": str(case.folder),
                **telling.data(case),
                **telling.proof_data(case),
                "backup": str(made) if made else None,
            }
        )
        return
    if choices["quiet"]:
        return
    if not case.changes:
        typer.echo(spoken(_("All of it is there already; nothing was changed.")))
        command = ours(case.folder, "restore")
        typer.echo(spoken(_("To see what the others bring back: {command}", command=command)))
    if not done:
        return
    for note in notes:
        typer.echo(spoken(_("Note: {note}", note=note)))
    typer.echo(spoken(_("Backup {name} was brought back.", name=case.backup.name)))
    if made:
        typer.echo(spoken(_("What was there before is in {folder}", folder=made)))
        command = ours(case.folder, "restore", made.name)
        typer.echo(spoken(_("To undo it: {command}", command=command)))

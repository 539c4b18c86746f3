"""The command that has a set looked after without anybody: schedule."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.within import asked, within
from mtls_openssl.errors import Exit, FolderUnavailableError, UsageError
from mtls_openssl.language import Text, _, spoken

if TYPE_CHECKING:
    from mtls_openssl.elevation import Host
    from mtls_openssl.schedule import Plan
    from mtls_openssl.schedule.installing import Scheduler

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Kind(enum.StrEnum):
    """What runs commands regularly."""

    CRON = "cron"
    SYSTEMD = "systemd"
    SCHTASKS = "schtasks"


_WHEN = (
    within(help="Renew what ends within this time, such as 30d or 6w."),
    option(str, "--at", metavar="HH:MM", default="03:30", help="When, in this computer's time."),
)  # fmt: skip
_WHAT = (
    option(
        Kind | None, "--scheduler", "--for", show_default="schtasks on Windows, else cron",
        help="Whose words are printed.",
    ),
    option(bool, "--install", default=False, help="Put it into the schedule of this user."),
    option(bool, "--remove", default=False, help="Take it out of the schedule of this user."),
    option(bool, "--yes", "-y", default=False, help="Change it without asking; for scripts."),
)  # fmt: skip
_WORK = (*options.FOLDER, *options.OPENSSL, *options.OUTPUT)


def add_to(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command()(schedule)


@takes(_WHEN, _WHAT, _WORK)
def schedule(choices: Choices) -> None:
    """Print what has cron or the Task Scheduler renew in time and keep the CRL fresh; or do it."""
    from mtls_openssl.elevation import Host  # noqa: PLC0415 - as all below: when it is needed

    host = Host.here()
    plan = _plan(choices)
    usual = Kind.SCHTASKS if host.machine.windows else Kind.CRON
    kind: Kind = choices["scheduler"] or usual
    lines = list(_lines(kind, plan, remove=choices["remove"]))
    if not choices["install"] and not choices["remove"]:
        _print(choices, plan, kind, lines)
        return
    if choices["install"] and choices["remove"]:
        raise UsageError(_("--install and --remove do not go together."), fix=_("give one of them"))
    if kind is not usual:
        raise UsageError(
            _("For {kind} it is only printed.", kind=kind.value),
            fix=_("leave out --for, or do what is printed"),
        )
    _ask(choices, lines)
    _change(choices, plan, host)


def _plan(choices: Choices) -> Plan:
    from mtls_openssl.schedule import Plan, jobs  # noqa: PLC0415

    folder: Path = choices["out"].absolute()
    if not folder.is_dir():
        raise FolderUnavailableError(
            _("There is no folder {folder}.", folder=folder),
            fix=_("name the folder of the set with --out"),
        )
    time = _TIME.fullmatch(choices["at"].strip())
    if not time:
        raise UsageError(
            _("--at {value!r} is no time of the day.", value=choices["at"]),
            fix=_("give hours and minutes, such as 03:30"),
        )
    asked(choices)
    # The environment of a schedule is not this one.
    named = choices["openssl"] or os.environ.get("MTLS_OPENSSL")
    openssl = Path(named).absolute() if named else None
    soon = (choices["within"] or "").replace(" ", "")
    return Plan(folder, int(time[1]), int(time[2]), jobs(folder, soon, openssl))


def _lines(kind: Kind, plan: Plan, *, remove: bool) -> Iterator[str]:
    """What is typed, or written, for all of it."""
    from mtls_openssl.schedule import cron, systemd, tasks  # noqa: PLC0415

    if kind is Kind.CRON:
        yield from (cron.line(plan, job) for job in plan.jobs)
    elif kind is Kind.SCHTASKS:
        from mtls_openssl.scripting.quoting import cmd_line  # noqa: PLC0415

        told = tasks.delete if remove else tasks.create
        yield from (cmd_line(("schtasks", *told(plan, job))) for job in plan.jobs)
    else:
        for name, text in systemd.units(plan).items():
            yield f"# {systemd.FOLDER}/{name}"
            yield text
        yield from systemd.commands(plan)


def _print(choices: Choices, plan: Plan, kind: Kind, lines: Sequence[str]) -> None:
    notes = list(_notes(choices, kind))
    if choices["json"]:
        console.print_data(
            {
                "ok": True,
                "for": kind.value,
                "folder": str(plan.folder),
                "jobs": [
                    {"name": job.name, "argv": list(job.argv), "days": job.every}
                    for job in plan.jobs
                ],
                "lines": list(lines),
                "notes": [str(note) for note in notes],
            }
        )
        return
    for line in lines:
        typer.echo(line)
    if not choices["quiet"]:
        for note in notes:
            typer.echo(spoken(_("Note: {note}", note=note)), err=True)


def _notes(choices: Choices, kind: Kind) -> Iterator[Text]:
    if kind is Kind.CRON:
        yield _("`crontab -e` opens the table that these lines belong in; --install does it.")
    if kind is Kind.SCHTASKS:
        # Windows PowerShell 5.1 does not escape the double quotes within an argument.
        yield _(
            "These lines are for the command prompt, cmd.exe: PowerShell takes quotation marks"
            " within others otherwise. --install does it from either."
        )
        yield _(
            "It runs while this user is logged on; for a computer where nobody is, run it as an"
            " administrator with /RU SYSTEM behind it."
        )
    yield from _secrets(choices)


def _secrets(choices: Choices) -> Iterator[Text]:
    """What nobody is there to be asked for then."""
    from mtls_openssl.settings import SettingsRefusedError, load  # noqa: PLC0415

    config: Path = choices["out"] / "mtls.toml"
    try:
        loaded = load({}, environ={}, config=config if config.exists() else None)
    except SettingsRefusedError:
        return
    for name, source in loaded.passphrases.items():
        if not source.startswith("file:"):
            yield _(
                "The pass phrase of {file} comes from {source}, where the schedule finds none: say"
                " file:PATH in mtls.toml.",
                file=f"{name}.key",
                source=source,
            )


def _ask(choices: Choices, lines: Sequence[str]) -> None:
    if choices["yes"]:
        return
    if not console.is_interactive():
        raise UsageError(
            _(
                "The schedule was not changed: nothing is changed without asking, and there is no"
                " terminal to ask at."
            ),
            fix=_("add --yes; without --install and --remove it is only printed"),
        )
    for line in lines:
        typer.echo(line, err=choices["json"])
    question = _("Put this into your schedule?")
    if choices["remove"]:
        question = _("Take this out of your schedule?")
    if not typer.confirm(spoken(question), err=choices["json"]):
        typer.echo(spoken(_("Nothing was changed.")), err=True)
        raise typer.Exit(Exit.NOT_PROVEN)


def _change(choices: Choices, plan: Plan, host: Host) -> None:
    from mtls_openssl.desk import at  # noqa: PLC0415
    from mtls_openssl.locate import Search  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415
    from mtls_openssl.schedule.installing import Scheduler  # noqa: PLC0415

    def starting(argv: Sequence[str]) -> None:
        if choices["verbose"]:
            typer.echo(f"  {host.line(argv)}", err=choices["json"])

    verb = "remove" if choices["remove"] else "install"
    door = Door()
    with at(plan.folder, Search((), None), door=door, purpose=f"schedule --{verb}") as desk:
        said, changed = _changed(Scheduler(desk, host.machine, starting, plan.folder), plan, verb)
    console.be_deaf()
    if choices["json"]:
        console.print_data({"ok": True, "folder": str(plan.folder), "changed": changed})
        return
    if choices["quiet"]:
        return
    typer.echo(spoken(said))
    for note in _secrets(choices):
        typer.echo(spoken(_("Note: {note}", note=note)), err=True)


def _changed(scheduler: Scheduler, plan: Plan, verb: str) -> tuple[Text, bool]:
    folder = plan.folder
    if verb == "install":
        scheduler.install(plan)
        said = _(
            "From now on {folder} is looked after every day at {time}.",
            folder=folder,
            time=f"{plan.hour:02}:{plan.minute:02}",
        )
        return said, True
    if scheduler.remove(plan):
        return _("{folder} is no longer looked after by itself.", folder=folder), True
    return _("There was nothing for {folder} in the schedule.", folder=folder), False

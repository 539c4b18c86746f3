"""Tells crontab or schtasks, and reads back what it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import CommandFailedError, NotProvenError, UsageError
from mtls_openssl.language import Text, _
from mtls_openssl.locate import Machine
from mtls_openssl.locate.installers import system32
from mtls_openssl.schedule import cron, tasks
from mtls_openssl.schedule.jobs import Plan
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.steps import Command, Kind, Outcome

_TABLE = "crontab.txt"
# Of cron, and of BusyBox.
_NONE_YET = ("no crontab for", "can't open")
_UNREADABLE = "\ufffd"


class Scheduler:
    """What runs commands regularly on a computer.

    Args:
        desk: where its program is run.
        machine: the computer.
        starting: told of each command that changes something, before it runs.
        folder: the folder of the set.
    """

    def __init__(
        self,
        desk: Desk,
        machine: Machine,
        starting: Callable[[Sequence[str]], None],
        folder: Path,
    ) -> None:
        self._desk = desk
        self._machine = machine
        self._starting = starting
        self._folder = folder

    def install(self, plan: Plan) -> None:
        """Put the jobs of a plan into the schedule, in place of those that were there.

        Raises:
            UsageError: this computer has no such program.
            CommandFailedError: it did not do it.
            NotProvenError: it did, and the schedule does not have them.
            SettingRefusedError: a path can't be said in it.
        """
        if self._machine.windows:
            wanted = [tasks.create(plan, job) for job in plan.jobs]
            for argv in wanted:
                self._change(self._schtasks, argv)
            if not all(self._there(plan)):
                raise _unproven(_("a task is not there"))
            return
        before = self._crontab()
        after = cron.added(before, plan)
        if after != before:
            self._write(after)

    def remove(self, plan: Plan) -> bool:
        """Take the jobs of a plan's folder out of the schedule.

        Returns:
            Whether there were any.

        Raises:
            UsageError: this computer has no such program.
            CommandFailedError: it did not do it.
            NotProvenError: it did, and the schedule still has them.
        """
        if self._machine.windows:
            there = self._there(plan)
            for job, is_there in zip(plan.jobs, there, strict=True):
                if is_there:
                    self._change(self._schtasks, tasks.delete(plan, job))
            if any(there) and any(self._there(plan)):
                raise _unproven(_("a task is still there"))
            return any(there)
        before = self._crontab()
        after = cron.removed(before, plan)
        if after == before:
            return False
        self._write(after)
        return True

    @property
    def _schtasks(self) -> Path:
        return system32(self._machine) / "schtasks.exe"

    def _there(self, plan: Plan) -> list[bool]:
        """Whether there is a task for each job."""
        outcomes = [
            self._ask(self._schtasks, tasks.query(plan, job), verdict=True) for job in plan.jobs
        ]
        return [outcome.finished.exit == 0 for outcome in outcomes]

    def _crontab(self) -> str:
        outcome = self._ask(self._program, ("-l",), verdict=True)
        finished = outcome.finished
        if finished.exit == 0 and not outcome.problem:
            if _UNREADABLE in finished.stdout:
                raise CommandFailedError(
                    _("Your crontab is not UTF-8, and was not touched."),
                    fix=_by_hand(self._folder),
                )
            return finished.stdout
        # Whatever else is the matter: what is not known to be empty is not written over.
        if any(words in finished.stderr.lower() for words in _NONE_YET):
            return ""
        raise _failed(outcome, self._folder)

    @property
    def _program(self) -> Path:
        from mtls_openssl.trust.programs import find  # noqa: PLC0415 - elsewhere it is not needed

        found = find(self._machine, "crontab", ("usr/bin", "bin"))
        if found is None:
            raise UsageError(
                _("There is no crontab on this computer."),
                fix=_(
                    "install cron, or take timers of systemd: {command}",
                    command=ours(self._folder, "schedule", "--for", "systemd"),
                ),
            )
        return found

    def _write(self, crontab: str) -> None:
        (self._desk.scratch / _TABLE).write_text(crontab, encoding="utf-8", newline="\n")
        self._change(self._program, (_TABLE,))
        if self._crontab().rstrip("\n") != crontab.rstrip("\n"):
            raise _unproven(_("the crontab is not the one that was written"))

    def _change(self, program: Path, argv: Sequence[str]) -> None:
        self._starting((str(program), *argv))
        outcome = self._ask(program, argv)
        if outcome.problem:
            raise _failed(outcome, self._folder)

    def _ask(self, program: Path, argv: Sequence[str], *, verdict: bool = False) -> Outcome:
        return self._desk.ask(
            Command(
                tuple(argv),
                _("look into the schedule of this user")
                if verdict
                else _("change the schedule of this user"),
                Kind.TOOL,
                verdict=verdict,
                # Other people's lines may hold passwords: none of them is kept in the log.
                reveals_key=True,
                program=program,
            )
        )


def _by_hand(folder: Path) -> Text:
    return _("add the lines yourself: {command} prints them", command=ours(folder, "schedule"))


def _failed(outcome: Outcome, folder: Path) -> CommandFailedError:
    program = outcome.command.program
    words = " ".join(outcome.finished.stderr.split())
    return CommandFailedError(
        _(
            "{program} did not change the schedule: it {problem}.",
            program=program.name if program else "",
            problem=outcome.problem or _("failed"),
        ),
        cause=_("it says: {words}", words=words) if words else "",
        fix=_by_hand(folder),
    )


def _unproven(why: Text) -> NotProvenError:
    return NotProvenError(
        _("The schedule is not as it should be: {why}.", why=why),
        cause=_("another program may have changed it at the same time"),
        fix=_("run the same command again"),
    )

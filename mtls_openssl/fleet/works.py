"""Where the commands of a fleet are run: on all processors, each with its line in the log."""

from __future__ import annotations

import concurrent.futures
import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path

from mtls_openssl.audit import AuditLog
from mtls_openssl.fleet.away import Away
from mtls_openssl.pipeline import raise_for
from mtls_openssl.process import Door
from mtls_openssl.proof import Check
from mtls_openssl.runner import Room, run_one, write
from mtls_openssl.steps import Command, Outcome, Render

_TICK = 0.1
_FEW = 3


class Works:
    """The stage of a run, and those who work in it.

    Args:
        room: where and how commands are run.
        door: what starts the processes.
        log: where each command leaves its line.
        executor: who runs them, here.
        away: who makes keys and requests elsewhere; None to have that done here as well.
        meanwhile: called again and again while they are waited for; it may raise.

    Attributes:
        stage: the folder where all work happens.
        log: where each command leaves its line.
    """

    def __init__(
        self,
        room: Room,
        door: Door,
        log: AuditLog,
        executor: Executor,
        meanwhile: Callable[[], None],
        *,
        away: Executor | None = None,
    ) -> None:
        self.stage: Path = room.folder
        self.log = log
        self._room = room
        self._door = door
        self._executor = executor
        self._meanwhile = meanwhile
        self._away = Away(away, executor, room, log) if away else None
        self._number = 0

    def begin(self, command: Command, secrets: Mapping[str, str] | None = None) -> Future[Outcome]:
        """Have a command run as soon as a processor is free.

        Args:
            command: what to run.
            secrets: the passwords that it reads besides those of the room.
        """
        self._number += 1
        room = self._room
        if secrets:
            room = dataclasses.replace(room, secrets={**room.secrets, **secrets})
        return self._executor.submit(run_one, self._number, command, room, self._door, self.log)

    def begin_anywhere(self, command: Command) -> Future[Outcome]:
        """Have a command run that needs nothing of the stage: elsewhere, where that is wanted.

        Args:
            command: what to run.
        """
        if self._away is None:
            return self.begin(command)
        self._number += 1
        return self._away.begin(self._number, command)

    @property
    def hosts(self) -> dict[str, int]:
        """How many commands each other host has run."""
        return dict(self._away.hosts) if self._away else {}

    def give_up(self) -> None:
        """Wait for nothing that was sent away any more."""
        if self._away:
            self._away.give_up()

    def wait(self, futures: Collection[Future[Outcome]]) -> list[Outcome]:
        """Wait for commands, and refuse what failed.

        Raises:
            CommandFailedError: a command failed that was no question.
        """
        while True:
            self._meanwhile()
            _done, left = concurrent.futures.wait(
                futures, timeout=_TICK, return_when=concurrent.futures.FIRST_EXCEPTION
            )
            if not left:
                break
            if any(one.done() and (one.exception() or _failed(one.result())) for one in futures):
                self._door.close()
                self.give_up()
        outcomes = [one.result() for one in futures]
        self.refuse((), [one for one in outcomes if _failed(one)])
        return outcomes

    def ask(self, command: Command) -> Outcome:
        """Run a command to its end; the others go on beside it.

        Raises:
            CommandFailedError: it failed, and was no question.
        """
        self._number += 1
        with concurrent.futures.ThreadPoolExecutor(1) as one:
            arguments = (self._number, command, self._room, self._door, self.log)
            return self.wait([one.submit(run_one, *arguments)])[0]

    def refuse(self, checks: Iterable[Check], outcomes: Iterable[Outcome] = ()) -> None:
        """Refuse what failed, or did not pass its proof.

        Raises:
            CommandFailedError: a command failed.
            NotProvenError: a check has a fault.
        """
        # What is wrong with one is wrong with all, most likely.
        refused = [check for check in checks if check.fault][:_FEW]
        raise_for(tuple(outcomes), refused, self.log.path)

    def render(self, step: Render) -> None:
        """Write a file of the stage from its template, and its line.

        Raises:
            FolderUnavailableError: the file or the log can't be written.
        """
        self._number += 1
        write(self._number, step, self._room, self.log)


def _failed(outcome: Outcome) -> bool:
    return bool(outcome.problem) and not outcome.command.verdict

"""Errands of a run: sent to whoever can run them, and put where they belong when they come back.

Written against `concurrent.futures.Executor`: processes of this machine or a cluster, it is all
the same here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections import Counter
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from datetime import UTC, datetime
from pathlib import Path

from mtls_openssl.audit import AuditLog
from mtls_openssl.errors import UnreachableError
from mtls_openssl.fleet import errand
from mtls_openssl.fleet.errand import Brought, Errand
from mtls_openssl.language import _
from mtls_openssl.runner import Room, problem
from mtls_openssl.steps import Command, Ending, Finished, Outcome
from mtls_openssl.workspace.causes import unavailable

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@dataclasses.dataclass(eq=False)
class _Sent:
    """An errand that is under way.

    Args:
        number: the number of its command in the run.
        command: the command.
        outcome: what comes of it.
        sent: what it is to who runs it.
    """

    number: int
    command: Command
    outcome: Future[Outcome]
    sent: Future[Brought] | None = None


class Away:
    """The errands of a run.

    Args:
        executor: who runs them; everything that they need can be pickled.
        here: who puts in place what they bring back.
        room: where that is, with the configuration that they take along.
        log: where each has its line.

    Attributes:
        hosts: how many each host has run.
    """

    def __init__(self, executor: Executor, here: Executor, room: Room, log: AuditLog) -> None:
        self.hosts: Counter[str] = Counter()
        self._executor = executor
        self._here = here
        self._room = room
        self._log = log
        self._lock = threading.Lock()
        self._under_way: set[_Sent] = set()
        self._content = ""

    def begin(self, number: int, command: Command) -> Future[Outcome]:
        """Send a command away that needs nothing of the stage.

        Args:
            number: its number in the run.
            command: the command.

        Returns:
            What comes of it; it is there when its line is in the log and its files in the stage.
        """
        if command.reads or command.secrets:
            raise ValueError("nothing of the stage goes away")
        if not self._content:
            self._content = (self._room.folder / self._room.config).read_text("utf-8")
        one = _Sent(number, command, Future())
        with self._lock:
            self._under_way.add(one)
        asked = Errand(self._log.run, command, self._room.config, self._content, self._room.limit)
        try:
            one.sent = self._executor.submit(errand.run, asked)
        except BrokenExecutor as error:
            self._taken(one)
            raise _explained(error) from error
        one.sent.add_done_callback(lambda _sent: self._come(one))
        return one.outcome

    def give_up(self) -> None:
        """Wait for none of them any more: what they may still bring is not used."""
        while one := self._taken():
            if one.sent:
                one.sent.cancel()
            now = datetime.now(UTC)
            stopped = Finished(Ending.STOPPED, None, "", "", 0.0, now)
            said = problem(one.command, stopped, {})
            one.outcome.set_result(Outcome(one.number, one.command, stopped, said, {}, {}))

    def _taken(self, one: _Sent | None = None) -> _Sent | None:
        """Take an errand, this or any, off those that are under way; None if there is none."""
        with self._lock:
            if one is None and self._under_way:
                return self._under_way.pop()
            if one in self._under_way:
                self._under_way.discard(one)
                return one
            return None

    def _come(self, one: _Sent) -> None:
        # The thread is the executor's own, which has other things to do than to write files.
        try:
            self._here.submit(self._land, one)
        except RuntimeError:
            self._taken(one)  # the run is over

    def _land(self, one: _Sent) -> None:
        if one.sent is None or not self._taken(one):
            return
        try:
            outcome = self._landed(one, one.sent.result())
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            one.sent = None
            one.outcome.set_exception(_explained(error))
        else:
            one.sent = None  # a cluster keeps what it has brought for as long as somebody may ask
            one.outcome.set_result(outcome)

    def _landed(self, one: _Sent, brought: Brought) -> Outcome:
        command = dataclasses.replace(
            one.command,
            purpose=_("{purpose}, on {host}", purpose=one.command.purpose, host=brought.host),
        )
        written = {name: brought.files[name] for name in command.writes if name in brought.files}
        for name, content in written.items():
            _write(self._room.folder / name, content)
        outcome = Outcome(
            one.number,
            command,
            brought.finished,
            problem(command, brought.finished, written),
            {},
            {name: hashlib.sha256(content).hexdigest() for name, content in written.items()},
            brought.env,
        )
        where = f"{brought.host}:{brought.folder}"
        by = (f"{brought.host}:{brought.openssl}", brought.version)
        self._log.command(outcome, cwd=where, by=by)
        self.hosts[brought.host] += 1
        return outcome


def _write(file: Path, content: bytes) -> None:
    try:
        with os.fdopen(os.open(file, _NEW_FILE, 0o600), "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise unavailable(_("{path} can't be written", path=file), error) from error


def _explained(error: BaseException) -> BaseException:
    """What went wrong, for a person, where that is known."""
    if isinstance(error, BrokenExecutor | CancelledError):
        return UnreachableError(
            _("Those who make the keys have given up."),
            cause=str(error) or _("a process was ended, or the connection to it lost"),
            fix=_("run the same command again: it goes on where it was stopped"),
        )
    return error

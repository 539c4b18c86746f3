"""Commands that look at something, one by one: each runs through the runner and leaves its line.

They make nothing in the folder of a set, so they need no stage; what they make besides goes to
`scratch`, which is gone at the end.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mtls_openssl.audit import LOG, AuditLog, recording, sha256_of
from mtls_openssl.errors import Exit, FolderUnavailableError, system_said
from mtls_openssl.language import _
from mtls_openssl.locate import Search, Version
from mtls_openssl.process import Door, Serving
from mtls_openssl.runner import Room, run_one, serve, write
from mtls_openssl.steps import Command, Ending, Outcome, Render
from mtls_openssl.workspace import permissions
from mtls_openssl.workspace.folder import LOCK
from mtls_openssl.workspace.lock import FolderLock

_PATIENCE = 10.0
_TICK = 0.05
_READING = frozenset({"asn1parse", "crl", "pkcs12", "pkey", "req", "verify", "x509"})
"""The sub-commands of openssl whose answer is in the files that they read."""


class Desk:
    """Where single commands are run; make it with `at`.

    Attributes:
        scratch: a private folder, for what is gone at the end.
        log: the path of the log.
        version: the release of the openssl that answers; None where there is none.
        heard: who is told of each command that was asked, once it has ended.
    """

    def __init__(self, room: Room, log: AuditLog, door: Door, version: Version | None) -> None:
        self.scratch = room.folder
        self.log = log.path
        self.published: dict[str, str] = {}
        self.version = version
        self.heard: Callable[[Outcome], None] = lambda _outcome: None
        self._room = room
        self._log = log
        self._door = door
        self._number = 0
        self._answers: dict[object, Outcome] = {}

    def ask(
        self,
        command: Command,
        *,
        folder: Path | None = None,
        secrets: Mapping[str, str] | None = None,
        meanwhile: Callable[[], object] = int,
        door: Door | None = None,
    ) -> Outcome:
        """Run one command to its end; what was asked of the same files before is known.

        Args:
            command: what to run; file names in it are bare names of `folder`.
            folder: the folder that it runs in; the scratch folder where it is not given.
            secrets: the passwords that it reads, by the names in `command.secrets`.
            meanwhile: called again and again until the command has ended.
            door: what starts it, where that is not the desk's own.

        Returns:
            What came of it, well or not; `problem` says why it does not count as done.

        Raises:
            FolderUnavailableError: the log can't be written.
        """
        question = self._question(command, folder, secrets)
        if question in self._answers:
            return dataclasses.replace(self._answers[question], command=command)
        number, room = self._next(folder, secrets)
        through = door or self._door
        # In a thread of its own, so that an interrupted command has its line as well.
        with through.meanwhile(run_one, number, command, room, through, self._log) as awaited:
            outcome = awaited(meanwhile)
        self.heard(outcome)
        if question is not None and outcome.finished.ending is Ending.EXITED:
            self._answers[question] = outcome
        return outcome

    def _question(
        self, command: Command, folder: Path | None, secrets: Mapping[str, str] | None
    ) -> object:
        """What the answer of a command depends on; None where that is more than its files."""
        if command.program or command.writes or command.updates or command.trusts_machine:
            return None
        if command.argv[0] not in _READING or command.stdin is not None:
            return None
        place = (folder or self.scratch).absolute()
        try:
            files = tuple(sha256_of(place / name) for name in command.reads)
        except OSError:
            return None
        given = {f"env:{name}": value for name, value in (secrets or {}).items()}
        return tuple(given.get(part, part) for part in command.argv), place, files

    def render(self, step: Render) -> None:
        """Write a file of the scratch folder from its template, and its line.

        Raises:
            FolderUnavailableError: the file or the log can't be written.
        """
        self._number += 1
        write(self._number, step, self._room, self._log)

    @contextlib.contextmanager
    def serving(
        self,
        command: Command,
        *,
        folder: Path | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> Iterator[Serving]:
        """Run a program that keeps running, such as a server, until the block is left.

        Args:
            command: what to run.
            folder: as for `ask`.
            secrets: as for `ask`.

        Raises:
            FolderUnavailableError: the log can't be written.
        """
        number, room = self._next(folder, secrets)
        with serve(number, command, room, self._door, self._log) as serving:
            yield serving

    def _next(self, folder: Path | None, secrets: Mapping[str, str] | None) -> tuple[int, Room]:
        self._number += 1
        return self._number, dataclasses.replace(
            self._room, folder=folder or self.scratch, secrets=dict(secrets or {})
        )


@contextlib.contextmanager
def at(
    folder: Path,
    found: Search,
    *,
    door: Door,
    purpose: str,
    limit: float | None = None,
    held: bool = False,
) -> Iterator[Desk]:
    """A desk beside a folder.

    Its log is the folder's where that has one, which is open to us, and nobody is at work there;
    else the user's own (`own_log`): looking at a file leaves nothing beside it.

    Args:
        folder: the folder of a set, or any other.
        found: the openssl to use, and what was asked of which on the way to it; without one,
            only other programs can be asked.
        door: what starts the processes; closed at the end.
        purpose: the command of ours, for others who find the log busy.
        limit: seconds that any one command may take, instead of its own limit.
        held: whether the caller has the folder's lock, in a Workspace.

    Raises:
        FolderUnavailableError: neither log can be written.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(door.close)
        scratch = Path(tempfile.mkdtemp(prefix="mtls-openssl-")) / "desk"
        stack.callback(shutil.rmtree, scratch.parent, ignore_errors=True)
        permissions.private_folder(scratch)
        log = stack.enter_context(_log(folder, purpose, held=held))
        chosen = found.chosen
        openssl = chosen.path if chosen else Path(os.devnull)
        room = Room(openssl, scratch, os.devnull, limit=limit)
        with recording.ending(log):
            recording.searched(log, found)
            desk = Desk(room, log, door, chosen.version if chosen else None)
            yield desk
        log.end(Exit.DONE, _("done: {purpose}", purpose=purpose), desk.published)


def own_log() -> Path:
    """The log of what this user has looked at outside any set; MTLS_LOG_DIR names its folder."""
    named = os.environ.get("MTLS_LOG_DIR")
    if named:
        return Path(named) / LOG
    from platformdirs import user_state_path  # noqa: PLC0415 - for those who look only

    return user_state_path("mtls-openssl", appauthor=False) / LOG


@contextlib.contextmanager
def _log(folder: Path, purpose: str, *, held: bool) -> Iterator[AuditLog]:
    beside = folder / LOG
    if held and beside.is_file():
        with AuditLog.open(beside) as log:
            yield log
        return
    if os.path.isfile(beside) and os.access(folder, os.W_OK):  # noqa: PTH113 - no, if it is closed
        lock = FolderLock(folder / LOCK, purpose)
        try:
            lock.acquire()
        except FolderUnavailableError:
            pass  # somebody is at work there: what we look at has nothing to do with it
        else:
            with contextlib.ExitStack() as stack:
                stack.callback(lock.release)
                if found := _opened(beside):
                    yield stack.enter_context(found)
                    return
    own = own_log()
    try:
        own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FolderUnavailableError(
            _(
                "{folder} can't be made, which is where your own log belongs: {error}",
                folder=own.parent,
                error=system_said(error),
            ),
            fix=_("set the variable MTLS_LOG_DIR to a folder that you can write to"),
        ) from error
    lock = FolderLock(own.parent / LOCK, purpose)
    _acquire_patiently(lock)
    with contextlib.ExitStack() as stack:
        stack.callback(lock.release)
        yield stack.enter_context(AuditLog.open(own))


def _opened(beside: Path) -> AuditLog | None:
    try:
        return AuditLog.open(beside)
    except FolderUnavailableError as error:
        if isinstance(error.__cause__, PermissionError):
            return None  # whoever looks at the folder tells of it
        raise


def _acquire_patiently(lock: FolderLock) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            lock.acquire()
        except FolderUnavailableError:
            if time.monotonic() > until:
                raise
            time.sleep(_TICK)
        else:
            return

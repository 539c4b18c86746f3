"""Runs steps: independent ones at the same time, and none after the first failure.

Each command's audit line is written before anyone may raise.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mtls_openssl import templating
from mtls_openssl.audit import AuditLog, sha256_of
from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _
from mtls_openssl.openssl import diagnosis
from mtls_openssl.process import Door, Serving, clean_environment, foreign_environment
from mtls_openssl.steps import Command, Ending, Finished, Join, Outcome, Render, Step
from mtls_openssl.workspace.causes import unavailable

_TICK = 0.1
_PEM = (".key", ".csr", ".crt", ".pem")


class Watcher(Protocol):
    """Who is told how a run goes on. Called from one thread only."""

    def started(self, step: int, command: Command) -> None:
        """A command has been handed to openssl."""

    def finished(self, outcome: Outcome) -> None:
        """A command has ended."""

    def tick(self) -> None:
        """A moment has passed while commands are running."""


@dataclass(frozen=True)
class Room:
    """Where and how the commands of a run are run.

    Args:
        openssl: the absolute path of the program.
        folder: the folder that they run in.
        config: the name of the configuration file in it.
        secrets: the passwords, by the name of the variable that a command reads.
        limit: seconds that any one command may take, instead of its own limit.
        jobs: how many may run at the same time.
    """

    openssl: Path
    folder: Path
    config: str
    secrets: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    limit: float | None = None
    jobs: int = 1

    def environment(self, command: Command) -> tuple[dict[str, str], tuple[str, ...]]:
        """The environment of `command`, and the names of what we set in it."""
        secrets = {name: self.secrets[name] for name in command.secrets}
        if command.program:
            environment, names = foreign_environment()
        elif command.trusts_machine:
            environment, names = clean_environment(self._settings, trusts_machine=True)
        else:
            environment, names = self._usual
        return {**environment, **secrets}, (*names, *secrets)

    @functools.cached_property
    def _usual(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """What thousands of commands of a run are given."""
        return clean_environment(self._settings)

    @property
    def _settings(self) -> dict[str, str]:
        ours = {"OPENSSL_CONF": self.config}
        if sys.platform == "win32":
            # The -subj of a Windows openssl is in the ANSI code page otherwise.
            ours["OPENSSL_WIN32_UTF8"] = "1"
        return ours


def run(
    steps: Sequence[Step],
    room: Room,
    *,
    door: Door,
    log: AuditLog,
    watcher: Watcher,
    heed: Callable[[], None],
) -> Iterator[Outcome]:
    """Run `steps`, each as soon as what it reads is there.

    Args:
        steps: in the guide's order, which is also the order of their numbers, from 1.
        room: where and how.
        door: what starts the processes; closed at the first failure, and at the end.
        log: where each command leaves its line.
        watcher: who is told.
        heed: raises KeyboardInterrupt if the run is to stop; asked between any two actions.

    Yields:
        An Outcome for each command that was started, as it ends. After the first one with a
        problem no more are started, and those still running are ended and told as well.
    """
    numbered = dict(enumerate(steps, start=1))
    waits = _dependencies(numbered)
    first = _order(numbered, waits)
    waiting, done = set(numbered), set[int]()
    running: dict[concurrent.futures.Future[Outcome], int] = {}
    pool = concurrent.futures.ThreadPoolExecutor(room.jobs)
    try:
        while waiting or running:
            heed()
            written = False
            for number in sorted((one for one in waiting if waits[one] <= done), key=first):
                if written or len(running) == room.jobs:
                    break
                busy = {name for other in running.values() for name in _changes(numbered[other])}
                if not busy.isdisjoint(_changes(numbered[number])):
                    continue
                waiting.remove(number)
                if isinstance(step := numbered[number], Command):
                    watcher.started(number, step)
                    running[pool.submit(run_one, number, step, room, door, log)] = number
                else:
                    # In this thread: it takes a processor as a command does, for as long.
                    write(number, step, room, log)
                    done.add(number)
                    written = True
            if written:
                continue  # others may have waited for it
            ended, _running = concurrent.futures.wait(
                running, timeout=_TICK, return_when=concurrent.futures.FIRST_COMPLETED
            )
            watcher.tick()
            for future in ended:
                outcome = future.result()
                done.add(running.pop(future))
                if outcome.problem:
                    waiting.clear()
                    door.close()
                watcher.finished(outcome)
                yield outcome
    finally:
        door.close()
        pool.shutdown(cancel_futures=True)


def _order(
    steps: Mapping[int, Step], waits: Mapping[int, set[int]]
) -> Callable[[int], tuple[float, int, int]]:
    """What to sort by, so that no processor is left alone with what all others wait for.

    What may take long goes first, then what has the longest row of steps behind it.
    """
    behind = dict.fromkeys(steps, 0)
    for number in sorted(steps, reverse=True):
        for earlier in waits[number]:
            behind[earlier] = max(behind[earlier], behind[number] + 1)

    def first(number: int) -> tuple[float, int, int]:
        step = steps[number]
        limit = step.limit if isinstance(step, Command) else Command.limit
        return -limit, -behind[number], number

    return first


def _dependencies(steps: Mapping[int, Step]) -> dict[int, set[int]]:
    """For each step, the earlier ones that it must wait for: who writes what it touches.

    Those that only change the same file, such as that of the next serial number, may come in any
    order, if not at the same time.
    """
    waits: dict[int, set[int]] = {}
    writers: dict[str, set[int]] = {}
    changers: dict[str, set[int]] = {}
    for number, step in steps.items():
        writes = step.writes if isinstance(step, Command) else (step.name,)
        touches = {*writes, *_reads(step)}
        earlier = [writers.get(name, ()) for name in (*touches, *_changes(step))]
        waits[number] = set().union(*earlier, *(changers.get(name, ()) for name in touches))
        if number > 1:
            waits[number].add(1)  # our configuration, which every command reads
        for names, known in ((writes, writers), (_changes(step), changers)):
            for name in names:
                known.setdefault(name, set()).add(number)
    return waits


def _reads(step: Step) -> tuple[str, ...]:
    if isinstance(step, Render):
        return ()
    return step.reads if isinstance(step, Command) else step.parts


def _changes(step: Step) -> tuple[str, ...]:
    return step.updates if isinstance(step, Command) else ()


def write(number: int, step: Render | Join, room: Room, log: AuditLog) -> None:
    """Write a text file, and its line.

    Args:
        number: its number in the run, from 1.
        step: what is in it.
        room: where it goes.
        log: where the line goes.

    Raises:
        FolderUnavailableError: the file or the log can't be written.
    """
    path = room.folder / step.name
    parts = step.parts if isinstance(step, Join) else ()
    try:
        # openssl of Windows ends its lines as the system does; all are one text in the file.
        texts = [(room.folder / part).read_text("ascii", "replace") for part in parts]
        content = templating.render(step) if isinstance(step, Render) else "".join(texts)
        path.write_bytes(content.encode())
    except OSError as error:
        raise unavailable(_("{path} can't be written", path=path), error) from error
    if isinstance(step, Render):
        log.render(number, step, content, cwd=room.folder)
    else:
        log.join(number, step, content, _hashes(room.folder, parts), cwd=room.folder)


def run_one(number: int, command: Command, room: Room, door: Door, log: AuditLog) -> Outcome:
    """Run one command to its end, and write its line.

    Args:
        number: its number in the run, from 1.
        command: what to run.
        room: where and how.
        door: what starts the process.
        log: where the line goes.

    Returns:
        What came of it; it does not raise for anything that the program does.

    Raises:
        FolderUnavailableError: the log can't be written.
    """
    environment, names = room.environment(command)
    reads = _hashes(room.folder, (*command.reads, *command.updates))
    finished = door.run(
        command.program or room.openssl,
        command.argv,
        cwd=room.folder,
        env=environment,
        limit=room.limit or command.limit,
        stdin=command.stdin,
    )
    written = contents(room.folder, (*command.writes, *command.updates))
    outcome = Outcome(
        number,
        command,
        finished,
        problem(command, finished, written),
        reads,
        {name: hashlib.sha256(content).hexdigest() for name, content in written.items()},
        names,
    )
    log.command(outcome, cwd=room.folder)
    return outcome


@contextlib.contextmanager
def serve(
    number: int, command: Command, room: Room, door: Door, log: AuditLog
) -> Iterator[Serving]:
    """Run a program that keeps running, such as a server, and write its line when it has ended.

    Args:
        number: as all below, as for `run_one`.
        command: what to run; its time limit is the caller's business.
        room: where and how.
        door: what starts the process.
        log: where the line goes.

    Yields:
        The program; it is ended when the block is left, however that is.

    Raises:
        FolderUnavailableError: the log can't be written.
    """
    environment, names = room.environment(command)
    reads = _hashes(room.folder, command.reads)
    serving = door.start(
        command.program or room.openssl, command.argv, cwd=room.folder, env=environment
    )
    try:
        yield serving
    finally:
        finished = serving.end()
        said = problem(command, finished, contents(room.folder, command.writes))
        log.command(Outcome(number, command, finished, said, reads, {}, names), cwd=room.folder)


def _hashes(folder: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: sha256_of(folder / name) for name in names if (folder / name).is_file()}


def contents(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """What is in those files of a folder that are there, by name."""
    return {name: file.read_bytes() for name in names if (file := folder / name).is_file()}


def problem(command: Command, finished: Finished, written: Mapping[str, bytes]) -> str:
    """Why a command does not count as done.

    Args:
        command: what was run.
        finished: how it ended.
        written: what is in the files that it was to write and that are there, by name.

    Returns:
        The end of a sentence; empty if it does count.
    """
    match finished.ending:
        case Ending.NOT_STARTED:
            return _("could not be started: {words}", words=finished.stderr)
        case Ending.STOPPED:
            return _("was ended, because the run was stopped")
        case Ending.TIMED_OUT:
            return _(
                "did not come to an end within {seconds:.0f} s, and was killed",
                seconds=finished.seconds,
            )
    if finished.exit:
        return diagnosis.ended(finished.exit)
    for name in command.writes:
        content = written.get(name)
        if content is None:
            return _("said that all was well (exit code 0), but wrote no {file}", file=name)
        if not content:
            return _("said that all was well (exit code 0), but left {file} empty", file=name)
        if name.endswith(_PEM) and not _is_whole(content):
            return _("said that all was well (exit code 0), but left {file} damaged", file=name)
    return ""


def _is_whole(content: bytes) -> bool:
    """Whether it has the first and the last line of PEM (RFC 7468, section 2)."""
    text = content.strip()
    return text.startswith(b"-----BEGIN ") and text.endswith(b"-----")

"""The one writer of the log: every line is in the hands of the system before anyone goes on."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import stat
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from mtls_openssl.audit.line import FIRST_PREV, Line, sealed
from mtls_openssl.audit.tail import ForeignFileError, tail_of
from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import _
from mtls_openssl.steps import Join, Outcome, Render

CUT_OFF = _("the run was cut off before its end")
"""The purpose of the end line that is written in place of a run that could not."""

_KEPT_OUTPUT = 4000
_RESERVE_NAME = ".mtls.reserve"
_RESERVE_SIZE = 64 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


class AuditLog:
    """The log of one folder, open for one run; make it with `open`, under the folder's lock.

    Its methods may be called from several threads at the same time. Each of them raises
    FolderUnavailableError where the log can't be written, and leaves no part of a line behind.
    """

    def __init__(
        self, path: Path, descriptor: int, run: str, last: tuple[int, str], reserve: Path | None
    ) -> None:
        self.path = path
        self.run = run
        self._descriptor = descriptor
        self._last = last
        self._reserve = reserve
        self._lock = threading.Lock()
        self._openssl = ""
        self._version = ""

    @classmethod
    def open(
        cls, path: Path, *, run: str | None = None, reserve_in: Path | None = None
    ) -> AuditLog:
        """Open a log where it ends, or begin one; mend what a run that was cut off left.

        A line torn by a power loss is taken off, and its text kept in the end line that is
        written for its run. A run without its end line gets one.

        Args:
            path: the log.
            run: the id of the run; made up where it is not given.
            reserve_in: a folder on the same disk, removed after the run, for a block of bytes
                that is given up for the last lines when the disk is full.

        Raises:
            FolderUnavailableError: the file can't be opened or written, or is not a log.
        """
        reserve = reserve_in and reserve_in / _RESERVE_NAME
        try:
            if reserve:
                _allocate(reserve)
            descriptor = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            _remove(reserve)
            raise _unwritable(path, error) from error
        log = cls(path, descriptor, run or os.urandom(6).hex(), (0, FIRST_PREV), reserve)
        try:
            log._mend()
        except BaseException as error:
            log.close()
            if isinstance(error, ForeignFileError):
                raise _foreign(path) from None
            if isinstance(error, OSError):
                raise _unwritable(path, error) from error
            raise
        return log

    def identify(self, openssl: Path, version: str) -> None:
        """Say which openssl the lines from here on are about.

        Args:
            openssl: its path.
            version: what it says it is.
        """
        self._openssl = os.fspath(openssl)
        self._version = version

    def command(
        self, outcome: Outcome, *, cwd: Path | str, by: tuple[str, str] | None = None
    ) -> None:
        """Record a command that has ended, well or not.

        Args:
            outcome: what came of it. Of its output the last 4000 characters are kept, and
                none if it may hold a private key.
            cwd: the folder it ran in; on another host with that host, as HOST:FOLDER.
            by: the openssl that ran it where that is not the one of the other lines: its path,
                likewise, and its version.
        """
        openssl, version = by or (self._openssl, self._version)
        command, finished = outcome.command, outcome.finished
        kept = 0 if command.reveals_key else _KEPT_OUTPUT
        self._append(
            Line(
                seq=0,
                time=_text(finished.started),
                run=self.run,
                event="command",
                step=outcome.step,
                kind=command.kind.value,
                purpose=command.purpose,
                openssl=os.fspath(command.program) if command.program else openssl,
                openssl_version="" if command.program else version,
                argv=(command.program.name if command.program else "openssl", *command.argv),
                cwd=os.fspath(cwd),
                env=sorted(outcome.env),
                exit=finished.exit,
                ending=finished.ending.value,
                problem=outcome.problem,
                seconds=round(finished.seconds, 3),
                stdout=_end_of(finished.stdout, kept),
                stderr=_end_of(finished.stderr, kept),
                reads=dict(outcome.reads),
                writes=dict(outcome.writes),
            )
        )

    def render(self, step: int, render: Render, content: str, *, cwd: Path) -> None:
        """Record a text file that was rendered from a template.

        Args:
            step: its number in the plan, from 1.
            render: which file, and what it is for.
            content: its text, exactly as it was written, in UTF-8.
            cwd: the folder it is in.
        """
        self._written("render", step, render, content, {}, cwd=cwd)

    def join(
        self, step: int, join: Join, content: str, reads: Mapping[str, str], *, cwd: Path
    ) -> None:
        """Record a text file that was put together of others.

        Args:
            step: its number in the plan, from 1.
            join: which file, of which, and what it is for.
            content: its text, exactly as it was written.
            reads: SHA-256 of each of its parts, by name, in their order.
            cwd: the folder it is in.
        """
        self._written("join", step, join, content, reads, cwd=cwd)

    def _written(
        self,
        event: str,
        number: int,
        step: Render | Join,
        content: str,
        reads: Mapping[str, str],
        *,
        cwd: Path,
    ) -> None:
        self._append(
            Line(
                seq=0,
                time=_now(),
                run=self.run,
                event=event,
                step=number,
                purpose=step.purpose,
                openssl=self._openssl,
                openssl_version=self._version,
                cwd=os.fspath(cwd),
                stdout=content,
                reads=reads,
                writes={step.name: hashlib.sha256(content.encode()).hexdigest()},
            )
        )

    def publish(self, purpose: str, writes: Mapping[str, str]) -> None:
        """Record that a part of what a run makes is in place, and wait until the disk has it.

        Args:
            purpose: which part.
            writes: SHA-256 of each file as it was published, by name.
        """
        self._closing("publish", None, purpose, writes)

    def end(self, code: int, purpose: str, writes: Mapping[str, str]) -> None:
        """Close the run, and wait until the disk has the log.

        Args:
            code: our exit code.
            purpose: how it ended: "done", "failed: …", "interrupted".
            writes: SHA-256 of each file of the set as it was published, by name.
        """
        self._closing("end", int(code), purpose, writes)

    def _closing(
        self, event: str, code: int | None, purpose: str, writes: Mapping[str, str]
    ) -> None:
        self._append(
            Line(
                seq=0,
                time=_now(),
                run=self.run,
                event=event,
                purpose=purpose,
                openssl=self._openssl,
                openssl_version=self._version,
                exit=code,
                writes=dict(writes),
            )
        )
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def close(self) -> None:
        """Close the file and give the reserve back. Twice does no harm."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
        self._give_up_reserve()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _mend(self) -> None:
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            raise ForeignFileError
        tail = tail_of(self._descriptor)
        last = tail.last
        if last:
            self._last = (last["seq"], last["hash"])
        if tail.torn:
            os.ftruncate(self._descriptor, tail.kept)
        if tail.unended:
            self._write(b"\n", self._last)
        open_run = last["run"] if last and last["event"] != "end" else None
        if open_run is not None or tail.torn.strip():
            self._append(
                Line(
                    seq=0,
                    time=_now(),
                    run=open_run or tail.run_of_torn() or os.urandom(6).hex(),
                    event="end",
                    purpose=CUT_OFF,
                    stdout=tail.torn.strip(b"\0").decode("utf-8", "replace"),
                )
            )

    def _append(self, line: Line) -> None:
        with self._lock:
            seq, prev = self._last
            raw, digest = sealed(dataclasses.replace(line, seq=seq + 1, prev=prev))
            place = (seq + 1, digest)
            try:
                try:
                    self._write(raw, place)
                except OSError as error:
                    if error.errno not in _FULL or not self._give_up_reserve():
                        raise
                    self._write(raw, place)
            except OSError as error:
                raise _unwritable(self.path, error) from error

    def _write(self, raw: bytes, place: tuple[int, str]) -> None:
        size = os.fstat(self._descriptor).st_size
        try:
            rest = memoryview(raw)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            self._last = place
        except BaseException:
            # An interrupt may come after the last assignment: then the line is whole, and stays.
            if self._last is not place:
                os.ftruncate(self._descriptor, size)
            raise

    def _give_up_reserve(self) -> bool:
        reserve, self._reserve = self._reserve, None
        return _remove(reserve)


def _allocate(reserve: Path) -> None:
    # Random bytes: a disk that compresses or leaves out zeros would set nothing aside.
    with reserve.open("wb") as file:
        file.write(os.urandom(_RESERVE_SIZE))
        file.flush()
        os.fsync(file.fileno())


def _remove(reserve: Path | None) -> bool:
    try:
        if reserve:
            reserve.unlink()
            return True
    except OSError:
        # Gone with its folder already; there is nothing left to give up.
        pass
    return False


def _end_of(text: str, kept: int) -> str:
    return text[-kept:] if kept else ""


def _now() -> str:
    return _text(datetime.now(UTC))


def _text(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unwritable(path: Path, error: OSError) -> FolderUnavailableError:
    if error.errno in _FULL:
        return FolderUnavailableError(
            _("the log {path} can't be written: the disk is full", path=path),
            fix=_("free some space on the disk, then run the command again"),
        )
    return FolderUnavailableError(
        _("the log {path} can't be written: {error}", path=path, error=system_said(error)),
        cause=_("the folder or the file is not yours to write, or the disk is read-only"),
        fix=_("allow yourself to write there, or name another folder with --out"),
    )


def _foreign(path: Path) -> FolderUnavailableError:
    return FolderUnavailableError(
        _("{path} does not end as a log of this tool does, so nothing is added to it", path=path),
        cause=_("another program made or changed it"),
        fix=_("move it to another place, then run the command again; a new log is begun"),
    )

"""One run at a time in a folder, by a lock of the system's own that dies with its holder.

The filelock library is not used: importing it costs more than our whole lock takes, and it can't
tell the one who has to wait who is holding it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import errno
import json
import os
import sys
import time
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.frozen import dataclass
from mtls_openssl.language import Text, _
from mtls_openssl.workspace.causes import ELSEWHERE, unavailable

# Windows lets nobody read a locked byte: this one lies far beyond the text.
_LOCKED_BYTE = 1 << 30
_LONGEST_TEXT = 4096
_LAST_BREATH = 1.0
_TICK = 0.01


@dataclass(frozen=True)
class Holder:
    """Who holds a folder, as it stands in the lock file.

    Args:
        pid: the number of the process.
        host: the name of its machine.
        user: the name of its user.
        since: when it took the lock, in UTC.
        command: the command it runs.
    """

    pid: int
    host: str
    user: str
    since: str
    command: str

    @property
    def words(self) -> Text:
        """Who it is, in the middle of a sentence."""
        return _(
            "process {pid} on host {host}, started at {since} by {user}, running `{command}`",
            pid=self.pid,
            host=self.host,
            since=self.since,
            user=self.user,
            command=self.command,
        )


class FolderLock:
    """The lock of one folder.

    Args:
        path: the lock file.
        command: the command we run, for others to read.
    """

    def __init__(self, path: Path, command: str) -> None:
        self._path = path
        self._command = command
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, at once or not at all; what a dead process has started lets go of it soon.

        Raises:
            FolderUnavailableError: another process holds it, or no lock can be made here.
        """
        what = _("{path} can't be written, so the folder can't be locked", path=self._path)
        until = time.monotonic() + _LAST_BREATH
        try:
            while self._descriptor is None:
                self._try_once(until)
            self._sign(self._descriptor)
        except OSError as error:
            raise unavailable(what, error) from error

    def release(self) -> None:
        """Give the lock back and remove its file. May be called more than once."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        # POSIX: unlink while it is still ours. Windows removes no open file; once it is closed,
        # the removal fails if the next one has already opened it, and then it is theirs.
        if sys.platform == "win32":
            _unlock(descriptor)
            os.close(descriptor)
            _unlink_if_possible(self._path)
        else:
            _unlink_if_possible(self._path)
            os.close(descriptor)

    def _try_once(self, until: float) -> None:
        if self._path.is_symlink():
            raise FolderUnavailableError(
                _(
                    "{path} is a symbolic link, and not the lock file that belongs there",
                    path=self._path,
                ),
                fix=_("remove the link and run it again"),
            )
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._path, flags, 0o644)
        try:
            if not _lock(descriptor):
                holder = _read_holder(descriptor)
                # A child has the lock too until it becomes another program (flock(2), execve(2)).
                if not (holder and _is_dead(holder) and time.monotonic() < until):
                    raise _busy(self._path, holder)
                time.sleep(_TICK)
            elif _still_at(descriptor, self._path):
                self._descriptor = descriptor
        finally:
            if self._descriptor is None:
                os.close(descriptor)

    def _sign(self, descriptor: int) -> None:
        text = json.dumps(dataclasses.asdict(_ourselves(self._command)))
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text.encode())


def _lock(descriptor: int) -> bool:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            # A busy byte: EACCES says Microsoft's C library, and nothing at all Wine's.
            if error.errno not in {errno.EACCES, errno.EDEADLK, 0}:
                raise
            return False
        return True
    import fcntl  # noqa: PLC0415 - POSIX only

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        # Left to the closing of the file, it would be unlocked when the system finds the time.
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)


def _still_at(descriptor: int, path: Path) -> bool:
    # Between our open and our lock, the one before us may have removed the file: then our lock
    # is on a file that nobody else will ever find.
    if sys.platform == "win32":
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _unlink_if_possible(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        return  # the lock is what counts, and that is gone


def _read_holder(descriptor: int) -> Holder | None:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return Holder(**json.loads(os.read(descriptor, _LONGEST_TEXT)))
    except (OSError, ValueError, TypeError):
        return None  # it has only just taken the lock and not signed yet


def _busy(path: Path, holder: Holder | None) -> FolderUnavailableError:
    return FolderUnavailableError(
        _(
            "{folder} is in use by {holder}",
            folder=path.parent,
            holder=holder.words if holder else _("another process"),
        ),
        cause=_("one run at a time may work in a folder"),
        fix=_("wait until it has ended, or {otherwise}", otherwise=ELSEWHERE),
    )


def _ourselves(command: str) -> Holder:
    now = dt.datetime.now(dt.UTC)
    return Holder(os.getpid(), _host(), _user(), f"{now:%Y-%m-%dT%H:%M:%SZ}", command)


def _is_dead(holder: Holder) -> bool:
    """Whether it was a process of this computer, and is no more; Windows unlocks what it held."""
    if sys.platform == "win32" or holder.host != _host():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _host() -> str:
    if sys.platform == "win32":
        return os.environ.get("COMPUTERNAME", "unknown")
    return os.uname().nodename


def _user() -> str:
    if sys.platform == "win32":
        return os.environ.get("USERNAME", "unknown")
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())

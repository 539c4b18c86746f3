"""What the system's word for a failed file operation means to a person, and what mends it."""

from __future__ import annotations

import errno
import os
import sys

from mtls_openssl.errors import FolderUnavailableError

_ELSEWHERE = "choose another folder with --out"

_BY_ERRNO = {
    errno.ENOSPC: ("the disk is full", f"free some space and run it again, or {_ELSEWHERE}"),
    errno.EDQUOT: ("the disk quota is used up", f"free some space, or {_ELSEWHERE}"),
    errno.EROFS: ("it is on a read-only file system", _ELSEWHERE),
    errno.EACCES: ("you may not write there", f"run it as the folder's owner, or {_ELSEWHERE}"),
    errno.EPERM: ("you may not change it", f"run it as the folder's owner, or {_ELSEWHERE}"),
    errno.EEXIST: ("something that is not a folder has its name", f"move it away, or {_ELSEWHERE}"),
    errno.ENOTDIR: (
        "something that is not a folder has its name",
        f"move it away, or {_ELSEWHERE}",
    ),
    errno.ENAMETOOLONG: ("the path is too long", "choose a shorter one with --out"),
    errno.ELOOP: ("a symbolic link stands in its place", f"remove the link, or {_ELSEWHERE}"),
    errno.EXDEV: ("it lies on another disk than the folder", f"move it away, or {_ELSEWHERE}"),
    errno.ENOLCK: ("its file system has no locks", "choose a folder on a local disk with --out"),
}

# Windows has more to say than its errno: system error codes, winerror.h.
_BY_WINERROR = {
    32: ("another program holds it open", "close that program and run it again"),
    33: ("another program holds it open", "close that program and run it again"),
    206: _BY_ERRNO[errno.ENAMETOOLONG],
    123: ("its name holds a character that Windows does not allow", _ELSEWHERE),
}

_WINDOWS_PATH_LIMIT = 248
"""The longest path of a folder on Windows, in characters (CreateDirectoryW)."""


def unavailable(what: str, error: OSError) -> FolderUnavailableError:
    """The error to raise for a failed file operation.

    Args:
        what: what could not be done, and to which file, in one sentence.
        error: the system's own word for it.

    Returns:
        An error that says what, the likely cause, and what mends it.
    """
    cause, fix = _explain(error)
    return FolderUnavailableError(what, cause=cause, fix=fix)


def _explain(error: OSError) -> tuple[str, str]:
    number = error.errno or 0
    if sys.platform == "win32":
        by_winerror = _BY_WINERROR.get(error.winerror or 0)
        if by_winerror:
            return by_winerror
        # A path that is too long is reported as one that does not exist.
        if number == errno.ENOENT and len(os.fsdecode(error.filename or "")) > _WINDOWS_PATH_LIMIT:
            number = errno.ENAMETOOLONG
    system = (error.strerror or str(error)).rstrip(".")
    return _BY_ERRNO.get(number, (f"the system says: {system}", _ELSEWHERE))

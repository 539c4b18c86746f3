"""What the system's word for a failed file operation means to a person, and what mends it."""

from __future__ import annotations

import errno
import os
import sys

from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import _

_ELSEWHERE = _("choose another folder with --out")

_BY_ERRNO = {
    errno.ENOSPC: (
        _("the disk is full"),
        _("free some space and run it again, or {otherwise}", otherwise=_ELSEWHERE),
    ),
    errno.EDQUOT: (
        _("the disk quota is used up"),
        _("free some space, or {otherwise}", otherwise=_ELSEWHERE),
    ),
    errno.EROFS: (_("it is on a read-only file system"), _ELSEWHERE),
    errno.EACCES: (
        _("you may not write there"),
        _("run it as the folder's owner, or {otherwise}", otherwise=_ELSEWHERE),
    ),
    errno.EPERM: (
        _("you may not change it"),
        _("run it as the folder's owner, or {otherwise}", otherwise=_ELSEWHERE),
    ),
    errno.EEXIST: (
        _("something that is not a folder has its name"),
        _("move it away, or {otherwise}", otherwise=_ELSEWHERE),
    ),
    errno.ENOTDIR: (
        _("something that is not a folder has its name"),
        _("move it away, or {otherwise}", otherwise=_ELSEWHERE),
    ),
    errno.ENAMETOOLONG: (_("the path is too long"), _("choose a shorter one with --out")),
    errno.ELOOP: (
        _("a symbolic link stands in its place"),
        _("remove the link, or {otherwise}", otherwise=_ELSEWHERE),
    ),
    errno.EXDEV: (
        _("it lies on another disk than the folder"),
        _("move it away, or {otherwise}", otherwise=_ELSEWHERE),
    ),
    errno.ENOLCK: (
        _("its file system has no locks"),
        _("choose a folder on a local disk with --out"),
    ),
}

# Windows has more to say than its errno: system error codes, winerror.h.
_BY_WINERROR = {
    32: (_("another program holds it open"), _("close that program and run it again")),
    33: (_("another program holds it open"), _("close that program and run it again")),
    206: _BY_ERRNO[errno.ENAMETOOLONG],
    123: (_("its name holds a character that Windows does not allow"), _ELSEWHERE),
}

_NO_NAME = 123
"""ERROR_INVALID_NAME, as of a pattern that no file fits, which the shell has left as it is."""

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


def unreadable(what: str, error: OSError, *, fix: str) -> FolderUnavailableError:
    """The error to raise for what can't be read, or looked into.

    Args:
        what: what could not be read, in one sentence.
        error: the system's own word for it.
        fix: what mends it, unless its name is one that nothing can have.
    """
    if getattr(error, "winerror", 0) != _NO_NAME:
        return FolderUnavailableError(what, fix=fix)
    cause, _otherwise = _BY_WINERROR[_NO_NAME]
    return FolderUnavailableError(
        what, cause=cause, fix=_("look at what there is, then name it again")
    )


def _explain(error: OSError) -> tuple[str, str]:
    number = error.errno or 0
    if sys.platform == "win32":
        by_winerror = _BY_WINERROR.get(error.winerror or 0)
        if by_winerror:
            return by_winerror
        # A path that is too long is reported as one that does not exist.
        if number == errno.ENOENT and len(os.fsdecode(error.filename or "")) > _WINDOWS_PATH_LIMIT:
            number = errno.ENAMETOOLONG
    said = _("the system says: {words}", words=system_said(error))
    return _BY_ERRNO.get(number, (said, _ELSEWHERE))

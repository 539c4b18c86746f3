"""What the system's word for a failed file operation means to a person, and what mends it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import Text, _

ELSEWHERE = _("choose another folder with --out")
"""What mends most of it, for a command of a set."""

_SHORTER = _("choose a shorter one with --out")
_LOCAL = _("choose a folder on a local disk with --out")
_ALL_ELSEWHERE = (ELSEWHERE, _SHORTER, _LOCAL)

_BY_ERRNO = {
    errno.ENOSPC: (
        _("the disk is full"),
        _("free some space and run it again, or {otherwise}", otherwise=ELSEWHERE),
    ),
    errno.EDQUOT: (
        _("the disk quota is used up"),
        _("free some space, or {otherwise}", otherwise=ELSEWHERE),
    ),
    errno.EROFS: (_("it is on a read-only file system"), ELSEWHERE),
    errno.EACCES: (
        _("you may not write there"),
        _("run it as the folder's owner, or {otherwise}", otherwise=ELSEWHERE),
    ),
    errno.EPERM: (
        _("you may not change it"),
        _("run it as the folder's owner, or {otherwise}", otherwise=ELSEWHERE),
    ),
    errno.EEXIST: (
        _("something that is not a folder has its name"),
        _("move it away, or {otherwise}", otherwise=ELSEWHERE),
    ),
    errno.ENOTDIR: (
        _("something that is not a folder has its name"),
        _("move it away, or {otherwise}", otherwise=ELSEWHERE),
    ),
    errno.ENAMETOOLONG: (_("the path is too long"), _SHORTER),
    errno.ELOOP: (
        _("a symbolic link stands in its place"),
        _("remove the link, or {otherwise}", otherwise=ELSEWHERE),
    ),
    errno.EXDEV: (
        _("it lies on another disk than the folder"),
        _("move it away, or {otherwise}", otherwise=ELSEWHERE),
    ),
    errno.ENOLCK: (_("its file system has no locks"), _LOCAL),
}

# Windows has more to say than its errno: system error codes, winerror.h.
_BY_WINERROR = {
    32: (_("another program holds it open"), _("close that program and run it again")),
    33: (_("another program holds it open"), _("close that program and run it again")),
    206: _BY_ERRNO[errno.ENAMETOOLONG],
    123: (_("its name holds a character that Windows does not allow"), ELSEWHERE),
}

_NO_NAME = 123
"""ERROR_INVALID_NAME."""

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


@contextmanager
def advising(otherwise: Text) -> Iterator[None]:
    """Within it, what can't be written is told with another way out than --out.

    Args:
        otherwise: what to do where the folder can't be written, such as to name another one.
    """
    try:
        yield
    except FolderUnavailableError as error:
        error.fix = _instead(error.fix, otherwise)
        raise


def _instead(fix: str, otherwise: Text) -> str:
    if fix in _ALL_ELSEWHERE:
        return otherwise
    if isinstance(fix, Text) and fix.values.get("otherwise") == ELSEWHERE:
        return Text(fix.template, otherwise=otherwise)
    return fix


def is_no_name(error: OSError) -> bool:
    """Whether the system says that nothing can have the name, as Windows does of a pattern."""
    return getattr(error, "winerror", 0) == _NO_NAME or error.errno == errno.ENAMETOOLONG


def unreadable(what: str, error: OSError, *, fix: str) -> FolderUnavailableError:
    """The error to raise for what can't be read, or looked into.

    Args:
        what: what could not be read, in one sentence.
        error: the system's own word for it.
        fix: what mends it, unless its name is one that nothing can have.
    """
    if not is_no_name(error):
        return FolderUnavailableError(what, fix=fix)
    is_long = error.errno == errno.ENAMETOOLONG
    cause, _otherwise = _BY_ERRNO[errno.ENAMETOOLONG] if is_long else _BY_WINERROR[_NO_NAME]
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
    return _BY_ERRNO.get(number, (said, ELSEWHERE))

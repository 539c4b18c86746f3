"""What is said of a file that nobody finds by its name, or that nobody can give that name."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.language import _
from mtls_openssl.workspace.causes import is_no_name
from mtls_openssl.workspace.commit import BACKUP, LONGEST_NAME, is_bare

_WILD = re.compile(r"[*?]")
_NOT_ON_WINDOWS = re.compile(r'[\x00-\x1f\x7f\\:"<>|]')
_LOOK = _("look at what there is, then name it again")


def is_pattern(path: str | os.PathLike[str]) -> bool:
    """Whether a name stands for others: it has a `*` or `?`, and no file of Windows has."""
    return bool(_WILD.search(os.fspath(path)))


def matching(pattern: str) -> list[str]:
    """The files that fit a pattern, in their order; a bracket stands for itself.

    Args:
        pattern: with `*` and `?`.
    """
    return sorted(glob.glob(pattern.replace("[", "[[]")))  # noqa: PTH207 - its folder may be one


def is_missing(path: Path, error: OSError) -> bool:
    """Whether a file is not there, by what the system says of it.

    Args:
        path: as it was named.
        error: the system's own word for it; Windows says of a pattern that no file is called so.
    """
    is_not_there = isinstance(error, FileNotFoundError | NotADirectoryError)
    return is_not_there or (is_no_name(error) and is_pattern(path))


def no_file(path: Path) -> FolderUnavailableError:
    """The error for a file that is not there.

    Args:
        path: as it was named.
    """
    if is_pattern(path):
        return _nothing_fits(path)
    cause, fix = _("its name is spelt differently, or it is in another folder"), _LOOK
    if path.is_symlink():
        cause = _("it is a link to {target}, which is not there", target=path.readlink())
        fix = _("put the file there, or name another one")
    elif spelt := _as_spelt(path):
        cause = _("{file} is there: its name differs in upper and lower case only", file=spelt)
    return FolderUnavailableError(_("there is no file {file}", file=path), cause=cause, fix=fix)


def require_name(file: Path) -> None:
    """See that a file has a name that this program writes.

    Raises:
        UsageError: it has none.
    """
    if is_bare(file.name):
        return
    cause, fix = "", _("choose one that does not begin with a dot or a dash")
    if is_pattern(file.name):
        cause = _("* and ? stand for other characters, and no file is called so")
        fix = _("name the file that is to be written, without * and ?")
    elif _NOT_ON_WINDOWS.search(file.name):
        cause = _("its name holds a character that Windows does not allow")
        fix = _("choose one without it")
    elif len(file.name) > LONGEST_NAME:
        cause = _("its name has more than {count} characters", count=LONGEST_NAME)
        fix = _("choose a shorter one")
    elif file.name.lower() == BACKUP:
        cause = _("what is replaced goes to a folder of this name")
        fix = _("choose another name")
    raise UsageError(
        _("{file} is no name for a file that this command writes.", file=file.name),
        cause=cause,
        fix=fix,
    )


def _nothing_fits(pattern: Path) -> FolderUnavailableError:
    plain: list[str] = []
    for part in pattern.parts:
        if is_pattern(part):
            break
        plain.append(part)
    folder = Path(*plain).absolute()
    if not folder.is_dir():
        return FolderUnavailableError(_("There is no folder {folder}.", folder=folder), fix=_LOOK)
    if matching(os.fspath(pattern)):
        return FolderUnavailableError(
            _("{pattern} is a pattern, and no file is called so", pattern=pattern),
            cause=_("it stands in quotes, so that the shell has not put the files in its place"),
            fix=_("type it without quotes"),
        )
    return FolderUnavailableError(
        _("no file fits the pattern {pattern}", pattern=pattern),
        cause=_("it was looked for in {folder}", folder=folder),
        fix=_LOOK,
    )


def _as_spelt(path: Path) -> str | None:
    """A file beside it of the same name, in another case."""
    from mtls_openssl.plan.naming import Names  # noqa: PLC0415 - where something is missing

    try:
        return Names(os.listdir(path.parent)).spelt(path.name)  # noqa: PTH208 - names alone
    except OSError:
        return None

"""The files that are named: their bytes, and what is in a folder."""

from __future__ import annotations

import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.inspection.content import LARGEST
from mtls_openssl.language import _
from mtls_openssl.workspace.causes import unreadable
from mtls_openssl.workspace.missing import is_missing, no_file

_SMALL = 64 * 1024
"""Bytes that are read of a file that says it has none, as those of /proc do."""


def named(paths: Sequence[Path]) -> list[tuple[Path, bool]]:
    """The files that are meant: a folder stands for the files in it, but not in its folders.

    Args:
        paths: files, folders, `-` for standard input.

    Returns:
        Each file, and whether it was found in a folder; hidden ones are left out there.

    Raises:
        FolderUnavailableError: a folder can't be looked into, or has no file.
    """
    found: list[tuple[Path, bool]] = []
    for path in paths:
        if str(path) == "-" or not path.is_dir():
            found.append((path, False))
            continue
        try:
            within = sorted(file for file in path.iterdir() if file.is_file())
        except OSError as error:
            raise unreadable(
                _("{folder} can't be looked into: {why}", folder=path, why=system_said(error)),
                error,
                fix=_("run the command as the user who owns the folder"),
            ) from error
        shown = [(file, True) for file in within if not file.name.startswith(".")]
        if not shown:
            raise FolderUnavailableError(_("{folder} has no file", folder=path))
        found += shown
    return found


def bytes_of(path: Path) -> bytes:
    """All bytes of a file, or of standard input where the path is `-`.

    Raises:
        FolderUnavailableError: there is no such file, or it can't be read, or is too large.
    """
    if str(path) == "-":
        return sys.stdin.buffer.read(LARGEST)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FolderUnavailableError(
                _("{file} is a folder, not a file", file=path), fix=_("name a file in it")
            )
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
            raise FolderUnavailableError(_("{file} is a device, not a file", file=path))
        if status.st_size > LARGEST:
            raise FolderUnavailableError(
                _(
                    "{file} has {size} MB, which no certificate, key or CRL has",
                    file=path, size=status.st_size // 1024**2,
                )
            )  # fmt: skip
        # Room for the largest would be made first, which takes Windows longer than the reading.
        most = max(status.st_size, _SMALL) if stat.S_ISREG(status.st_mode) else LARGEST
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        if is_missing(path, error):
            raise no_file(path) from None
        raise unreadable(
            _("{file} can't be read: {why}", file=path, why=system_said(error)),
            error,
            fix=_("run the command as the user who owns the file"),
        ) from error
    except ValueError as error:  # a name with a zero byte
        raise FolderUnavailableError(_("{file} is no name of a file", file=path)) from error


def is_encrypted(key: Path) -> bool:
    """Whether a private key has a password (RFC 5958 section 3, RFC 1421 section 4.6.1.1).

    Raises:
        FolderUnavailableError: the file can't be read.
    """
    return b"ENCRYPTED" in bytes_of(key)

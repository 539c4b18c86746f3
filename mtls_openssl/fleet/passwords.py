"""The passwords of a fleet's PKCS#12 files: one file for whoever hands them out."""

from __future__ import annotations

import csv
import io
import os
import secrets
import string
from collections.abc import Iterable, Sequence
from pathlib import Path

from mtls_openssl.inventory import clients
from mtls_openssl.language import _
from mtls_openssl.workspace.causes import unavailable
from mtls_openssl.workspace.permissions import make_private
from mtls_openssl.workspace.publishing import replace

FILE = "clients.passwords.csv"
_HEADER = ("name", "file", "password")
_LETTERS = "".join(sorted({*string.ascii_letters} - {*"lIO"}))
_CHARACTERS = _LETTERS + "23456789"
_LENGTH = 24

Entry = tuple[str, str, str]
"""The name of a client, a file of it, and the password of that."""


def made_up() -> str:
    """A new password: 139 bits, of letters and digits that nobody takes for others.

    It begins with a letter: what begins with a sign is a formula to a spreadsheet.
    """
    rest = (secrets.choice(_CHARACTERS) for _number in range(_LENGTH - 1))
    return secrets.choice(_LETTERS) + "".join(rest)


def known(folder: Path) -> dict[tuple[str, str], str]:
    """The passwords that are written down, by the name of the client and of the file.

    Raises:
        FolderUnavailableError: the file can't be read.
    """
    lines = [line for line in _read(folder / FILE)[1:] if len(line) == len(_HEADER)]
    return {(name, packed): password for name, packed, password in lines}


def tidy(folder: Path) -> None:
    """Take out the passwords of those whom a run that was cut off did not come to put in place.

    Raises:
        FolderUnavailableError: the file can't be read or written.
    """
    file = folder / FILE
    lines = _read(file)
    kept = [line for line in lines[1:] if line and clients.is_there(folder, line[0])]
    if len(kept) + 1 >= len(lines):
        return
    try:
        replace(file, _written([_HEADER, *kept]), 0o600)
        make_private(file)
    except OSError as error:
        raise unavailable(_("{path} can't be written", path=file), error) from error


def add(folder: Path, entries: Sequence[Entry]) -> None:
    """Write down passwords, for good.

    Args:
        folder: the folder of the set.
        entries: them.

    Raises:
        FolderUnavailableError: the file can't be written.
    """
    file = folder / FILE
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(file, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            new = not os.fstat(descriptor).st_size
            make_private(file)
            os.write(descriptor, _written([_HEADER, *entries] if new else entries))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unavailable(_("{path} can't be written", path=file), error) from error


def _read(file: Path) -> list[list[str]]:
    """The lines of the file, its header first; none where there is no file."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return list(csv.reader(stream))
    except FileNotFoundError:
        return []
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        cause = error if isinstance(error, OSError) else OSError(str(error))
        raise unavailable(_("{path} can't be read", path=file), cause) from error


def _written(lines: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()

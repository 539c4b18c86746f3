"""Which files a person means who names a folder."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.workspace.commit import BACKUP, CLIENTS

NAMES = (".crt", ".cer", ".pem", ".der", ".crl", ".p12", ".pfx", ".p7b", ".p7c")
"""The endings of what should have a certificate in it, or a list of them."""

_PRIVATE = (".p12", ".pfx")

LARGEST = 16 * 1024 * 1024
"""Bytes of a file in a folder that are read; named by itself it may be larger."""

_MOST_KEPT = 5


def is_private(path: Path) -> bool:
    """Whether a file is one of a private key by its name, such as client.p12 or privkey.pem."""
    suffix = path.suffix.lower()
    return suffix in _PRIVATE or (suffix == ".pem" and "key" in path.stem.lower())


def files(folder: Path, *, deep: bool) -> Iterator[Path]:
    """The files in a folder, in the order of their names; a folder's own come before its folders'.

    Links to files are followed, as of /etc/letsencrypt/live; links to folders are not. Hidden ones
    are left out, and so are backups.

    Args:
        folder: the folder.
        deep: whether its folders are looked into; else only those of a fleet, `clients/NAME/`.

    Raises:
        OSError: the folder itself can't be looked into.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    shown = [entry for entry in entries if not entry.name.startswith(".")]
    folders = []
    for entry in shown:
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry)
        elif _is_file(entry):
            yield Path(entry.path)
    for entry in folders:
        if entry.name.lower() != BACKUP and (deep or entry.name == CLIENTS):
            try:
                yield from files(Path(entry.path), deep=True)
            except OSError:
                yield Path(entry.path)  # it can't be read, which is told of it as of a file


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except PermissionError:
        return True  # a link to where we may not look; whoever reads it tells of that


def backups(folder: Path) -> tuple[str, ...]:
    """The names of the backups of a set, the oldest first."""
    try:
        return tuple(sorted(one.name for one in (folder / BACKUP).iterdir() if one.is_dir()))
    except OSError:
        return ()


def kept(folder: Path, name: str) -> list[Path]:
    """What the backups have under the name of a file, the newest first and five at the most.

    Where they may not be looked into there is nothing.
    """
    places = (folder / BACKUP / one / name for one in reversed(backups(folder)))
    # Not is_file(), which raises for what is in a folder that is closed to us.
    found = (path for path in places if os.path.isfile(path))  # noqa: PTH113
    return list(itertools.islice(found, _MOST_KEPT))

"""The clients of a fleet: each in `clients/NAME/`, or in `clients/NAME.zip`."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.inventory import certificate
from mtls_openssl.inventory.der import NotDerError
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.workspace.commit import CLIENTS

ZIP = ".zip"
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----")


@dataclasses.dataclass(frozen=True)
class Client:
    """A client that is there.

    Args:
        name: what it is called.
        path: the file of its certificate, or the archive with it.
        pem: its certificate; empty if it can't be read.
        described: what that says; None if it can't be read.
        closed: whether it can't be read since this user may not.
    """

    name: str
    path: Path
    pem: str = ""
    described: Description | None = None
    closed: bool = False


def is_there(folder: Path, name: str) -> bool:
    """Whether a client is in the folder of a set."""
    place = folder / CLIENTS / name
    return os.path.lexists(place) or os.path.lexists(f"{place}{ZIP}")


def names(folder: Path) -> list[str]:
    """The names of the clients in the folder of a set, in their order.

    Raises:
        OSError: their folder can't be looked into.
    """
    try:
        with os.scandir(folder / CLIENTS) as found:
            return sorted(
                entry.name if entry.is_dir() else entry.name.removesuffix(ZIP)
                for entry in found
                if not entry.name.startswith(".") and (entry.is_dir() or _is_zip(entry.name))
            )
    except (FileNotFoundError, NotADirectoryError):
        return []


def all_in(folder: Path) -> Iterator[Client]:
    """Each client in the folder of a set, read.

    Raises:
        OSError: their folder can't be looked into.
    """
    for name in names(folder):
        yield one(folder, name)


def one(folder: Path, name: str) -> Client:
    """A client in the folder of a set."""
    place = folder / CLIENTS / name
    path, archive = place / f"{name}.crt", place.with_name(f"{name}{ZIP}")
    try:
        if not path.exists() and archive.is_file():
            path = archive
            with zipfile.ZipFile(archive) as packed:
                text = packed.read(f"{name}.crt").decode("ascii", "replace")
        else:
            text = path.read_text("ascii", "replace")
        described, _own = certificate.read(der_of(text))
    except (OSError, KeyError, zipfile.BadZipFile, NotDerError) as error:
        return Client(name, path, closed=isinstance(error, PermissionError))
    return Client(name, path, block_of(text), described)


def block_of(text: str) -> str:
    """The first PEM block in a text; empty where there is none."""
    block = _BLOCK.search(text)
    return block[0] if block else ""


def der_of(text: str) -> bytes:
    """The bytes of the first PEM block in a text.

    Raises:
        NotDerError: there is none.
    """
    block = _BLOCK.search(text)
    try:
        return base64.b64decode(block[2]) if block else b""
    except binascii.Error as error:
        raise NotDerError from error


def entry(folder: Path, name: str) -> str:
    """What a client is called in the folder of a set: `clients/NAME`, or the archive there."""
    place = f"{CLIENTS}/{name}"
    return place if (folder / place).is_dir() else f"{place}{ZIP}"


def files(folder: Path, name: str) -> frozenset[str]:
    """The names of all files of a client; none where they can't be looked into."""
    place = folder / entry(folder, name)
    try:
        if place.is_dir():
            return frozenset(file.name for file in place.iterdir() if file.is_file())
        with zipfile.ZipFile(place) as archive:
            return frozenset(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return frozenset()


def content(folder: Path, name: str, file: str) -> bytes:
    """What is in a file of a client; nothing where there is none, or it can't be read."""
    place = folder / entry(folder, name)
    try:
        if place.is_dir():
            return (place / file).read_bytes()
        with zipfile.ZipFile(place) as archive:
            return archive.read(file)
    except (OSError, KeyError, zipfile.BadZipFile):
        return b""


def set_of(path: Path) -> Path | None:
    """The folder of the set whose fleet a file belongs to; None for any other file."""
    place = path.parent if _is_zip(path.name) else path.parent.parent
    return place.parent if place.name == CLIENTS else None


def _is_zip(name: str) -> bool:
    return name.lower().endswith(ZIP)

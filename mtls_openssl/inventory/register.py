"""What `index.txt`, the register of `openssl ca`, says of revoked certificates (openssl-ca(1)).

A line has six fields with tabs between them: V, R or E; until when; when it was revoked and, after
a comma, why; the serial number; the file; the subject.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.inventory import der
from mtls_openssl.inventory.certificate import time
from mtls_openssl.openssl.x509 import Description, Name

FILE = "index.txt"
_FIELDS = 6
_UTC_LENGTH = 13
_LONG_SERIAL = 16
"""Hex digits: such a number is random, and no other CA has given it."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A certificate that was revoked.

    Args:
        serial: its serial number, hex.
        subject: its subject as `X509_NAME_oneline` writes it.
        date: when it was revoked, UTC; None if the line does not tell.
        reason: why, in openssl's word; empty if it does not say.
    """

    serial: str
    subject: str
    date: dt.datetime | None
    reason: str


def revoked(folder: Path) -> tuple[Entry, ...]:
    """The revoked certificates in the register of a folder; none where there is no register."""
    try:
        lines = (folder / FILE).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ()
    return tuple(_entries(lines))


def _entries(lines: list[str]) -> Iterator[Entry]:
    for line in lines:
        fields = line.split("\t")
        if len(fields) == _FIELDS and fields[0] == "R":
            date, _comma, reason = fields[2].partition(",")
            yield Entry(fields[3].upper(), fields[5], _time(date), reason.partition(",")[0])


def entry_of(certificate: Description, entries: tuple[Entry, ...]) -> Entry | None:
    """The entry of a certificate; None if it is not among the revoked ones.

    Args:
        certificate: what it says.
        entries: of the register of its CA, or of the CA that is thought to be it.
    """
    for entry in entries:
        # Small numbers are given by every CA.
        if entry.serial == certificate.serial.upper() and (
            len(entry.serial) >= _LONG_SERIAL or entry.subject == oneline(certificate.subject)
        ):
            return entry
    return None


def oneline(name: Name) -> str:
    r"""A name as `X509_NAME_oneline` writes it.

    >>> oneline((("O", "x"), ("CN", "é")))
    '/O=x/CN=\\xC3\\xA9'
    """
    return "".join(
        f"/{kind}=" + "".join(_letter(byte) for byte in value.encode()) for kind, value in name
    )


def _letter(byte: int) -> str:
    return chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02X}"  # noqa: PLR2004 - ASCII


def _time(text: str) -> dt.datetime | None:
    tag = der.UTC_TIME if len(text) == _UTC_LENGTH else der.GENERALIZED_TIME
    data = text.encode("ascii", "replace")
    try:
        return time(der.element(bytes((tag, len(data))) + data))
    except ValueError:
        return None

"""Who is revoked by `index.txt`, the register of `openssl ca`, in the folder of any authority."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.openssl import ca
from mtls_openssl.openssl.ca import Entry, Status
from mtls_openssl.openssl.x509 import Description, Name

_LONG = 16
"""Hex digits of a serial number that is random, so that no other CA has given it."""


def revoked(folder: Path) -> tuple[Entry, ...]:
    """The revoked certificates in the register of a folder; none where there is no register.

    A line that is none does not hide the others: what they revoke is revoked.
    """
    try:
        lines = (folder / ca.INDEX).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ()
    return tuple(
        entry for line in lines if line.startswith(Status.REVOKED) for entry in _parsed(line)
    )


def _parsed(line: str) -> Iterator[Entry]:
    try:
        yield from ca.parse(line)
    except ValueError:
        return


def entry_of(certificate: Description, entries: tuple[Entry, ...]) -> Entry | None:
    """The entry of a certificate; None if it is not among the revoked ones.

    Args:
        certificate: what it says.
        entries: of the register of its CA, or of the CA that is thought to be it.
    """
    for entry in entries:
        # Small numbers are given by every CA.
        if entry.serial == certificate.serial.upper() and (
            len(entry.serial) >= _LONG or entry.subject == oneline(certificate.subject)
        ):
            return entry
    return None


def oneline(name: Name) -> str:
    r"""A name as X509_NAME_oneline(3) writes it.

    >>> oneline((("O", "x"), ("CN", "é")))
    '/O=x/CN=\\xC3\\xA9'
    """
    return "".join(
        f"/{kind}=" + "".join(_letter(byte) for byte in value.encode()) for kind, value in name
    )


def _letter(byte: int) -> str:
    return chr(byte) if 0x20 <= byte <= 0x7E else f"\\x{byte:02X}"  # noqa: PLR2004 - ASCII

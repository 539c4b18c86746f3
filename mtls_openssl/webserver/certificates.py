"""The certificates of a set, read back by openssl: each one of a file, not only the first."""

from __future__ import annotations

import base64
import binascii
import contextlib
import dataclasses
import hashlib
import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import _
from mtls_openssl.openssl import x509
from mtls_openssl.openssl.extensions import ALTERNATIVE_NAME, BASIC_CONSTRAINTS
from mtls_openssl.steps import Command, Kind

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate of a set.

    Args:
        der: itself, as signed.
        description: what it says.
    """

    der: bytes
    description: x509.Description

    @property
    def thumbprint(self) -> str:
        """Its SHA-1 in upper-case hex, as Windows names it."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def is_ca(self) -> bool:
        """Whether it may sign others (RFC 5280, 4.2.1.9)."""
        constraints = self.description.extensions.get(BASIC_CONSTRAINTS)
        return bool(constraints and "CA:TRUE" in constraints.values)

    @property
    def is_root(self) -> bool:
        """Whether a chain ends with it: it is its own issuer."""
        return self.description.subject == self.description.issuer

    @property
    def name(self) -> str:
        """Its common name, or what it has instead."""
        attributes = self.description.subject
        names = [value for attribute, value in attributes if attribute == "CN"]
        return names[-1] if names else ", ".join(value for _attribute, value in attributes)


def content(file: Path) -> bytes:
    """What is in a file.

    Raises:
        FolderUnavailableError: it can't be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise FolderUnavailableError(
            _("{file} can't be read", file=file),
            cause=system_said(error),
            fix=_("run it as the owner of the file"),
        ) from error


def read(desk: Desk, folder: Path, name: str) -> tuple[Certificate, ...]:
    """The certificates in a file of a set, in its order.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        name: the name of the file.

    Raises:
        FolderUnavailableError: the file can't be read, or holds no certificate.
    """
    file = folder / name
    blocks = _PEM.findall(content(file))
    try:
        bodies = [base64.b64decode(b"".join(block.split()), validate=True) for block in blocks]
    except binascii.Error as error:
        raise _not_one(file) from error
    if not bodies:
        raise _not_one(file)
    return tuple(_read(desk, file, number, der) for number, der in enumerate(bodies, start=1))


def _read(desk: Desk, file: Path, number: int, der: bytes) -> Certificate:
    part = f"{file.stem}-{number}.crt"
    body = base64.encodebytes(der).decode("ascii")
    pem = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
    (desk.scratch / part).write_text(pem, encoding="ascii", newline="\n")
    outcome = desk.ask(
        Command(
            x509.describe(part),
            _("read certificate {number} of {file}", number=number, file=file.name),
            Kind.LOOK,
            reads=(part,),
            verdict=True,
        )
    )
    try:
        return Certificate(der, x509.parse(outcome.finished.stdout))
    except ValueError as error:
        raise _not_one(file) from error


def _not_one(file: Path) -> FolderUnavailableError:
    return FolderUnavailableError(
        _("{file} is not a certificate that openssl can read", file=file),
        cause=_("it is no PEM file, or damaged"),
        fix=_("python -m mtls_openssl inspect shows what it is"),
    )


def names(certificate: Certificate) -> tuple[str, ...]:
    """The names that a server's certificate is for, as a request's Host header has them.

    What is neither the name of a host nor an address is left out: a certificate of somebody
    else's may say anything.
    """
    alternatives = certificate.description.extensions.get(ALTERNATIVE_NAME)
    found = []
    for value in alternatives.values if alternatives else ():
        kind, _colon, name = value.partition(":")
        if kind == "DNS" and _HOST.fullmatch(name.lower()):
            found.append(name.lower())
        elif kind == "IP Address":
            with contextlib.suppress(ValueError):  # openssl prints <invalid> for one of five bytes
                found.append(_bracketed(ipaddress.ip_address(name)))
    return tuple(dict.fromkeys(found))


def _bracketed(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)


def covers(names: Sequence[str], host: str) -> bool:
    """Whether one of a certificate's names is that of `host` (RFC 9525, section 6.3)."""
    _label, _dot, domain = host.lower().partition(".")
    return host.lower() in names or f"*.{domain}" in names


def depth(authorities: Sequence[Certificate]) -> int:
    """How many CAs stand above a client's certificate, at the most.

    Args:
        authorities: the CAs that clients are issued by, and those above them.
    """
    above = {one.description.subject: one.description.issuer for one in authorities if one.is_ca}

    def height(subject: x509.Name, below: frozenset[x509.Name]) -> int:
        issuer = above[subject]
        if issuer == subject or issuer not in above or issuer in below:
            return 1
        return 1 + height(issuer, below | {subject})

    return max((height(subject, frozenset()) for subject in above), default=1)

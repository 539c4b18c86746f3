"""What was read: certificates, requests, keys, PKCS#12 files, CRLs. Frozen, without behaviour."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from pathlib import Path

from mtls_openssl.inspection.content import Kind
from mtls_openssl.openssl import crl, req, x509
from mtls_openssl.openssl.pkcs12 import Contents
from mtls_openssl.openssl.pkey import PublicKey


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate.

    Args:
        described: what it says.
        pem: the certificate itself.
        name: its friendly name in a PKCS#12 file; empty if it has none.
    """

    described: x509.Description
    pem: str
    name: str = ""

    @property
    def public_key(self) -> str:
        """Its public key, PEM."""
        return self.described.public_key


@dataclasses.dataclass(frozen=True)
class Request:
    """A certificate signing request.

    Args:
        described: what it asks for.
        pem: the request itself.
        proven: whether its signature is its own key's.
    """

    described: req.Description
    pem: str
    proven: bool

    @property
    def public_key(self) -> str:
        """Its public key, PEM."""
        return self.described.public_key


@dataclasses.dataclass(frozen=True)
class Key:
    """A key, of which only the public half is kept.

    Args:
        private: whether it is a private key.
        protection: the algorithms that it is encrypted with; empty if it is not.
        kind: which kind of key it is; None if it was not opened.
        public_key: its public half, PEM; empty if it was not opened.
        name: its friendly name in a PKCS#12 file; empty if it has none.
        wrong: whether a password was given for it, and is not the right one.
    """

    private: bool
    protection: tuple[str, ...] = ()
    kind: PublicKey | None = None
    public_key: str = ""
    name: str = ""
    wrong: bool = False


@dataclasses.dataclass(frozen=True)
class Bundle:
    """A PKCS#12 or PKCS#7 file.

    Args:
        items: the certificates and keys in it.
        contents: what a PKCS#12 file is made with; None for PKCS#7, or if it was not opened.
        locked: why it was not opened, in one sentence; empty if it was.
        wrong: whether a password was given for it, and is not the right one.
    """

    items: tuple[Item, ...] = ()
    contents: Contents | None = None
    locked: str = ""
    wrong: bool = False


@dataclasses.dataclass(frozen=True)
class RevocationList:
    """A CRL.

    Args:
        described: what it says.
        pem: the list itself.
    """

    described: crl.Description
    pem: str


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Parameters that stand beside a key, or alone (dhparam)."""


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """A part that can't be read.

    Args:
        why: in one sentence.
        said: what openssl said.
    """

    why: str
    said: str = ""


Thing = Certificate | Request | Key | Bundle | RevocationList | Parameters | Unreadable


@dataclasses.dataclass(frozen=True)
class Item:
    """One part of a file, read.

    Args:
        kind: what it is.
        form: PEM or DER.
        label: the label of PEM; empty for DER.
        line: the line that it begins in, from 1; 0 for DER, and for what was in a bundle.
        folder: the folder in which openssl finds it, while the desk stands.
        name: its name in there.
        thing: what was read.
        raw: openssl's own text about it.
    """

    kind: Kind
    form: str
    label: str
    line: int
    folder: Path
    name: str
    thing: Thing
    raw: str = ""


@dataclasses.dataclass(frozen=True)
class Holding:
    """A file, and what it holds.

    Args:
        path: the file, as it was named.
        size: its size in bytes.
        items: in its order.
        notes: what else a person should know of how it is written.
    """

    path: Path
    size: int
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_foreign(self) -> bool:
        """Whether there is nothing of ours in it."""
        return all(item.kind is Kind.UNKNOWN and not item.label for item in self.items)

    @property
    def flat(self) -> tuple[Item, ...]:
        """Every part, with those of a PKCS#12 or PKCS#7 file in its place."""
        found: list[Item] = []
        for item in self.items:
            found += item.thing.items if isinstance(item.thing, Bundle) else (item,)
        return tuple(found)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Every certificate in it."""
        return tuple(item.thing for item in self.flat if isinstance(item.thing, Certificate))


def fingerprint(pem: str, algorithm: str = "sha256") -> str:
    """The hash of what a PEM block holds, in lower-case hex; for a public key that of its SPKI."""
    body = "".join(line for line in pem.splitlines() if line and "-----" not in line)
    return hashlib.new(algorithm, base64.b64decode(body), usedforsecurity=False).hexdigest()

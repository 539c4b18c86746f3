"""What is in a file, read without a process: certificates, lists, keys' public halves."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import zipfile
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.content import Kind, Part, taken_apart
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.inventory import certificate, container, places, revocation
from mtls_openssl.inventory.der import NotDerError
from mtls_openssl.language import _
from mtls_openssl.openssl import crl, x509

_LARGEST_MEMBER = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate in a file.

    Args:
        number: which part of the file it is, from 1.
        described: what it says.
        sha256: its fingerprint, hex.
    """

    number: int
    described: x509.Description
    sha256: str


@dataclasses.dataclass(frozen=True)
class RevocationList:
    """A list of revoked certificates in a file; as Certificate."""

    number: int
    described: crl.Description
    sha256: str


@dataclasses.dataclass(frozen=True)
class Key:
    """A private key in a file.

    Args:
        encrypted: whether it has a password.
        public: what tells its public key from others (`keys`); empty if it does not tell.
    """

    encrypted: bool
    public: str = ""


@dataclasses.dataclass(frozen=True)
class File:
    """What is in a file.

    Args:
        path: the file.
        name: the same, from the folder on that is looked at.
        certificates: in its order.
        lists: in its order.
        keys: in its order.
        is_bundle: whether it is PKCS#12, which openssl has to open.
        faults: what of it can't be read, and why.
        closed: why this user may not look into it, a client of a fleet; empty if that is no fault.
        modified: when it was last written, in seconds since 1970; 0 if that is not known.
    """

    path: Path
    name: str
    certificates: tuple[Certificate, ...] = ()
    lists: tuple[RevocationList, ...] = ()
    keys: tuple[Key, ...] = ()
    is_bundle: bool = False
    faults: tuple[str, ...] = ()
    closed: str = ""
    modified: float = 0.0

    @property
    def is_foreign(self) -> bool:
        """Whether there is nothing in it that belongs here."""
        found = (self.certificates, self.lists, self.keys, self.is_bundle)
        return not any((*found, self.faults, self.closed))


def read(path: Path, name: str, *, named: bool = False) -> File:
    """Read a file.

    Args:
        path: the file.
        name: what it is called here.
        named: whether it was named by itself, so that it must have something in it.

    Returns:
        What is in it. What can't be read is a fault of it, where it was named or its name
        promises a certificate; in any other file of a folder there may be anything.

    Raises:
        FolderUnavailableError: it can't be read, or is too large.
    """
    promising = named or path.suffix.lower() in places.NAMES
    content = taken_apart(bytes_of(path))
    found = _Found()
    for part in content.parts:
        found.take(part)
    if not content.parts and promising:
        found.faults.append(content.fault)
    if not promising and content.form == "DER" and not found.is_bundle:
        # Much else begins like DER.
        found.faults.clear()
    return File(
        path,
        name,
        tuple(found.certificates),
        tuple(found.lists),
        tuple(found.keys),
        found.is_bundle,
        tuple(found.faults),
        modified=_modified(path),
    )


def of_archive(path: Path, name: str) -> File:
    """A client of a fleet that is in an archive: its certificate, and its key.

    Args:
        path: the archive.
        name: what it is called here.

    Raises:
        PermissionError: it is private to somebody else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            texts = [
                archive.read(f"{path.stem}{ending}")
                for ending in (".crt", ".key")
                if archive.getinfo(f"{path.stem}{ending}").file_size < _LARGEST_MEMBER
            ]
    except PermissionError:
        raise
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        why = _("it is no archive of a client, or a damaged one: {why}", why=str(error))
        return File(path, name, faults=(why,))
    found = _Found()
    for part in taken_apart(b"\n".join(texts)).parts:
        found.take(part)
    return File(
        path,
        name,
        tuple(found.certificates),
        keys=tuple(found.keys),
        faults=tuple(found.faults),
        modified=_modified(path),
    )


def of_server(pems: tuple[str, ...], name: str) -> File:
    """What a server sent, as if it were a file.

    Args:
        pems: its certificates.
        name: what it is called.
    """
    found = _Found()
    for part in taken_apart("\n".join(pems).encode()).parts:
        found.take(part)
    return File(Path(name), name, tuple(found.certificates), faults=tuple(found.faults))


def refused(error: FolderUnavailableError, path: Path, name: str) -> File:
    """A file that can't be read."""
    return File(path, name, faults=(error.what,))


class _Found:
    """What has been found in a file so far."""

    def __init__(self) -> None:
        self.certificates: list[Certificate] = []
        self.lists: list[RevocationList] = []
        self.keys: list[Key] = []
        self.is_bundle = False
        self.faults: list[str] = []
        self._number = 0

    def take(self, part: Part) -> None:
        self._number += 1
        if part.fault:
            if part.kind in {Kind.CERTIFICATE, Kind.CRL, Kind.KEY, Kind.PKCS7}:
                self.faults.append(part.fault)
            return
        if part.kind is Kind.KEY and (part.cipher or part.label == "ENCRYPTED PRIVATE KEY"):
            self.keys.append(Key(encrypted=True))
            return
        try:
            data = part.data if part.form == "DER" else _bytes(part.data)
            kind = container.kind(data) if part.kind is Kind.UNKNOWN else part.kind
            self._take(kind, data, part.label)
        except NotDerError:
            self.faults.append(_DAMAGED.get(part.kind, _DAMAGED[Kind.UNKNOWN]))

    def _take(self, kind: Kind, data: bytes, label: str) -> None:
        match kind:
            case Kind.CERTIFICATE:
                described, own = certificate.read(data)
                print_ = hashlib.sha256(own).hexdigest()
                self.certificates.append(Certificate(self._number, described, print_))
            case Kind.CRL:
                listed, own = revocation.read(data)
                print_ = hashlib.sha256(own).hexdigest()
                self.lists.append(RevocationList(self._number, listed, print_))
            case Kind.KEY if container.is_encrypted_key(data):
                self.keys.append(Key(encrypted=True))
            case Kind.KEY:
                public = "" if label == "DSA PRIVATE KEY" else container.public_of(data)
                self.keys.append(Key(encrypted=False, public=public))
            case Kind.PKCS7:
                for within, inner in container.within(data):
                    self._take(within, inner, "")
                    self._number += 1
            case Kind.PKCS12:
                self.is_bundle = True
            case Kind.UNKNOWN:
                raise NotDerError


_DAMAGED = {
    Kind.CERTIFICATE: _("it is a certificate, but a damaged one"),
    Kind.CRL: _("it is a CRL, but a damaged one"),
    Kind.PKCS7: _("it is PKCS#7, but damaged, or not of certificates"),
    Kind.UNKNOWN: _("it is DER, but cut off, damaged or of no kind that is known here"),
}


def _bytes(pem: bytes) -> bytes:
    # The headers of a traditional key have a colon.
    lines = [line for line in pem.split(b"\n") if line and b"-----" not in line]
    try:
        return base64.b64decode(b"".join(line for line in lines if b":" not in line), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotDerError from error


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0

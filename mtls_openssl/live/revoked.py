"""The CRLs of a set in its server's hands, and a client that they must keep out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.files import bytes_of, is_encrypted
from mtls_openssl.inspection.objects import Key
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import ca
from mtls_openssl.workspace import commit

REVOKED = ("revoked.crt", "revoked.key")
"""What the files of a revoked client are called in the scratch folder."""

_TRUSTED = "trusted.pem"


@dataclasses.dataclass(frozen=True)
class Lists:
    """What a server is given to check revocation with.

    Args:
        trusted: the file with its authorities, and with their CRLs where there are any.
        crl: whether there are.
        left_out: why no revoked client is at hand, although there are; None if one is.
    """

    trusted: Path
    crl: bool = False
    left_out: Text | None = None


def prepare(desk: Desk, folder: Path) -> Lists:
    """Put the CRLs of a set where its server finds them, and a revoked client beside them.

    Args:
        desk: where openssl is asked; all of it goes to its scratch folder.
        folder: the folder of the set, in which nothing changes.

    Raises:
        FolderUnavailableError: the CRL can't be read.
    """
    crls = register.standing(desk, folder)
    trusted = desk.scratch / _TRUSTED
    # openssl takes the CRLs in a file of CAs as well (X509_load_cert_crl_file).
    names = (f"{ROOT}.crt", f"{INTERMEDIATE}.crt", register.LIST)
    parts = [bytes_of(folder / name) for name in names if (folder / name).is_file()]
    trusted.write_bytes(b"\n".join(parts))
    if crls is None:
        return Lists(trusted)
    listed = {ca.plain(entry.serial) for one in crls.lists for entry in one.revoked}
    if not listed:
        why = _("a revoked client was not tried: nobody is revoked, says {file}",
                file=register.LIST)  # fmt: skip
        return Lists(trusted, crl=True, left_out=why)
    reader = Reader(desk, lambda _path: None)
    for pair in _pairs(folder):
        if _is_listed(reader, *pair, listed):
            for path, name in zip(pair, REVOKED, strict=True):
                _copy(path, desk.scratch / name)
            return Lists(trusted, crl=True)
    why = _("a revoked client was not tried: there is none here with its key")
    return Lists(trusted, crl=True, left_out=why)


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Certificates and what may be their keys, in the folder and in its backups."""
    backups = sorted((folder / commit.BACKUP).glob("*/"), reverse=True)
    for one in (folder, *backups):
        for path in sorted(one.glob("*.crt")):
            # Renewed with the same key, an old certificate lies in a backup without it.
            keys = (path.with_suffix(".key"), folder / f"{path.stem}.key")
            key = next((key for key in keys if key.is_file()), None)
            if path.is_file() and key and not is_encrypted(key):
                yield path, key


def _is_listed(reader: Reader, path: Path, key: Path, listed: set[str]) -> bool:
    """Whether a certificate is on a CRL, would be good for a client else, and the key is its."""
    try:
        certificate = next(iter(reader.read(path).certificates), None)
        described = certificate.described if certificate else None
        if described is None or ca.plain(described.serial) not in listed:
            return False
        keys = [item.thing for item in reader.read(key).items if isinstance(item.thing, Key)]
    except FolderUnavailableError:
        return False
    usages = described.extensions.get("X509v3 Extended Key Usage")
    return (
        described.not_after > datetime.now(UTC)
        and (usages is None or "TLS Web Client Authentication" in usages.values)
        and any(one.public_key == described.public_key for one in keys)
    )


def _copy(path: Path, to: Path) -> None:
    # The scratch folder lets nobody else in, and what is in it is private from its first byte.
    to.touch(mode=0o600)
    to.write_bytes(bytes_of(path))

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
        trusted: the file with its authorities and their CRLs.
        left_out: why no revoked client is at hand; None if one is.
    """

    trusted: Path
    left_out: Text | None


def prepare(desk: Desk, folder: Path) -> Lists | None:
    """Put the CRLs of a set where its server finds them, and a revoked client beside them.

    Args:
        desk: where openssl is asked; all of it goes to its scratch folder.
        folder: the folder of the set, in which nothing changes.

    Returns:
        What the server is given; None where the set has no CRL.

    Raises:
        FolderUnavailableError: the CRL can't be read.
    """
    crls = register.standing(desk, folder)
    if crls is None:
        return None
    trusted = desk.scratch / _TRUSTED
    # openssl takes the CRLs in a file of CAs as well (X509_load_cert_crl_file).
    names = (f"{ROOT}.crt", f"{INTERMEDIATE}.crt", register.LIST)
    parts = [bytes_of(folder / name) for name in names if (folder / name).is_file()]
    trusted.write_bytes(b"\n".join(parts))
    listed = {ca.plain(entry.serial) for one in crls.lists for entry in one.revoked}
    if not listed:
        return Lists(
            trusted, _("a revoked client was not tried: nobody is revoked, says {file}",
                       file=register.LIST),
        )  # fmt: skip
    for pair in _pairs(folder):
        if _is_listed(desk, pair[0], listed):
            for path, name in zip(pair, REVOKED, strict=True):
                _copy(path, desk.scratch / name)
            return Lists(trusted, None)
    return Lists(trusted, _("a revoked client was not tried: there is none here with its key"))


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Certificates with a key beside them, in the folder and in its backups."""
    backups = sorted((folder / commit.BACKUP).glob("*/"), reverse=True)
    for one in (folder, *backups):
        for path in sorted(one.glob("*.crt")):
            key = path.with_suffix(".key")
            if path.is_file() and key.is_file() and not is_encrypted(key):
                yield path, key


def _is_listed(desk: Desk, path: Path, listed: set[str]) -> bool:
    """Whether a certificate is on a CRL, and would be good for a client without it."""
    try:
        certificates = Reader(desk, lambda _path: None).read(path).certificates
    except FolderUnavailableError:
        return False
    described = certificates[0].described if certificates else None
    if described is None or ca.plain(described.serial) not in listed:
        return False
    usages = described.extensions.get("X509v3 Extended Key Usage")
    return described.not_after > datetime.now(UTC) and (
        usages is None or "TLS Web Client Authentication" in usages.values
    )


def _copy(path: Path, to: Path) -> None:
    # The scratch folder lets nobody else in, and what is in it is private from its first byte.
    to.touch(mode=0o600)
    to.write_bytes(bytes_of(path))

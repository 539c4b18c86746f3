"""What a set has of revocation: its CRLs, its register, and whom they are about."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError, MtlsError
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.language import _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import crl
from mtls_openssl.openssl.ca import Entry, Status
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.register import Standing
from mtls_openssl.steps import Command, Kind


@dataclasses.dataclass(frozen=True)
class Lists:
    """What there is of revocation.

    Args:
        crls: the CRLs in crl.pem; None if there is no such file.
        entries: what the register says.
        trouble: why one of the two can't be read at all.
        authorities: who must have a CRL among them, by the name of the file.
        leaves: every other certificate of the folder, by the name of its file.
        signed: whether the first CRL is signed by the authority that issues.
    """

    crls: Standing | None = None
    entries: tuple[Entry, ...] = ()
    trouble: MtlsError | None = None
    authorities: Mapping[str, Description] = dataclasses.field(default_factory=dict)
    leaves: Mapping[str, Description] = dataclasses.field(default_factory=dict)
    signed: bool = True

    @property
    def revoked(self) -> Mapping[str, Entry]:
        """The entries of the register that are revoked, by serial number."""
        return {one.serial: one for one in self.entries if one.status is Status.REVOKED}


def gather(desk: Desk, folder: Path) -> Lists:
    """Read what there is of revocation.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
    """
    if not ((folder / register.LIST).is_file() or register.is_kept(folder)):
        return Lists()
    reader = Reader(desk, lambda _path: None)
    names = sorted(path.name for path in folder.glob("*.crt") if path.is_file())
    found = {name: one for name in names if (one := _certificate(reader, folder / name))}
    above = [f"{ROOT}.crt", f"{INTERMEDIATE}.crt"]
    lists = Lists(
        authorities={name: found[name] for name in above if name in found},
        leaves={name: one for name, one in found.items() if name not in above},
    )
    try:
        crls = register.standing(desk, folder)
        signed = bool(crls and crls.lists) and _is_signed(desk, folder)
        return dataclasses.replace(
            lists, crls=crls, signed=signed, entries=register.entries(folder)
        )
    except FolderUnavailableError as error:
        return dataclasses.replace(lists, trouble=error)


def _certificate(reader: Reader, path: Path) -> Description | None:
    try:
        certificates = reader.read(path).certificates
    except FolderUnavailableError:
        return None  # whoever looks at the files tells of it
    return certificates[0].described if certificates else None


def _is_signed(desk: Desk, folder: Path) -> bool:
    authority = f"{register.issuer_of(folder)}.crt"
    command = Command(
        crl.check(register.LIST, authority),
        _("check that {file} is signed by {authority}", file=register.LIST, authority=authority),
        Kind.LOOK,
        reads=(register.LIST, authority),
        verdict=True,
    )
    finished = desk.ask(command, folder=folder).finished
    return crl.is_ok(f"{finished.stdout}\n{finished.stderr}")

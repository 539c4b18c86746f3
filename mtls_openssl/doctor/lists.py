"""What a set has of revocation: its CRLs, its register, and whom they are about."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError, MtlsError, system_said
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.language import _
from mtls_openssl.life.condition import files_in
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import ca, crl
from mtls_openssl.openssl.ca import Entry
from mtls_openssl.openssl.x509 import Description, Name
from mtls_openssl.plan import CHAIN
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
        fleet: the names of the clients of a fleet that are revoked.
    """

    crls: Standing | None = None
    entries: tuple[Entry, ...] = ()
    trouble: MtlsError | None = None
    authorities: Mapping[str, Description] = dataclasses.field(default_factory=dict)
    leaves: Mapping[str, Description] = dataclasses.field(default_factory=dict)
    signed: bool = True
    fleet: tuple[str, ...] = ()

    @property
    def revoked(self) -> Mapping[str, Entry]:
        """Who the register calls revoked, by serial number."""
        return {one.serial: one for one in self.entries if one.status is ca.Status.REVOKED}

    @property
    def listed(self) -> frozenset[tuple[Name, str]]:
        """Whom the CRLs call revoked: who issued it, and its serial number."""
        return frozenset(
            (one.issuer, ca.plain(entry.serial))
            for one in (self.crls.lists if self.crls else ())
            for entry in one.revoked
        )


@dataclasses.dataclass(frozen=True)
class Serial:
    """What tells the certificate of a client of a fleet from all others.

    Args:
        name: the name of the client.
        issuer: who issued it.
        serial: its serial number, as the register has it.
    """

    name: str
    issuer: Name
    serial: str


def gather(desk: Desk, folder: Path, fleet: Collection[Serial]) -> Lists:
    """Read what there is of revocation.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        fleet: the certificates of its fleet.
    """
    files = files_in(folder)
    if not files & {register.LIST, ca.INDEX}:
        return Lists()
    reader = Reader(desk, lambda _path: None)
    names = sorted(file for file in files if _is_one(file))
    found = {name: one for name in names if (one := _certificate(reader, folder / name))}
    above = [f"{ROOT}.crt", f"{INTERMEDIATE}.crt"]
    lists = Lists(
        authorities={name: found[name] for name in above if name in found},
        leaves={name: one for name, one in found.items() if name not in above},
    )
    try:
        crls = register.standing(desk, folder)
        signed = bool(crls and crls.lists) and _is_signed(desk, folder)
        lists = dataclasses.replace(
            lists, crls=crls, signed=signed, entries=register.entries(folder)
        )
    except FolderUnavailableError as error:
        return dataclasses.replace(lists, trouble=error)
    except PermissionError as error:  # a link to where we may not look
        trouble = FolderUnavailableError(system_said(error))
        trouble.__cause__ = error
        return dataclasses.replace(lists, trouble=trouble)
    return dataclasses.replace(lists, fleet=tuple(_out(lists, fleet)))


def _is_one(file: str) -> bool:
    # A chain file holds once more what another one does.
    return file.endswith(".crt") and not f".{file}".endswith(f".{CHAIN}")


def _out(lists: Lists, fleet: Collection[Serial]) -> Iterator[str]:
    """The clients of a fleet that are revoked."""
    revoked, listed = lists.revoked, lists.listed
    for one in fleet:
        if one.serial in revoked or (one.issuer, one.serial) in listed:
            yield one.name


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

"""Finds what an authority has issued so far: in its folder, its fleet, and the backups of both."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.inspection.objects import Certificate, fingerprint
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.inventory import clients
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.openssl import ca, verify
from mtls_openssl.openssl.x509 import Description, Name
from mtls_openssl.plan import CHAIN
from mtls_openssl.plan.naming import folded
from mtls_openssl.register.files import LIST, ROOT_LIST
from mtls_openssl.scripting import prompt
from mtls_openssl.steps import Command, Kind
from mtls_openssl.workspace import commit

_SUFFIXES = {".crt", ".cer", ".pem"}
_NOT_LEAVES = {f"{ROOT}.crt", f"{INTERMEDIATE}.crt", CHAIN, LIST, ROOT_LIST}
_AT_ONCE = 100
_NOT_ITS_OWN = re.compile("signature failure|unable to|self.signed")
"""What `verify` says of a certificate that somebody else has signed."""


@dataclasses.dataclass(frozen=True)
class Issued:
    """A certificate that an authority has issued.

    Args:
        name: whose it is: what its file is called before the dot.
        path: the file; the folder's own rather than one of a backup.
        described: what it says.
        pem: the certificate itself.
    """

    name: str
    path: Path
    described: Description
    pem: str

    @property
    def serial(self) -> str:
        """Its serial number, as the register has it."""
        return ca.plain(self.described.serial)


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in a folder, and below its backups.

    Args:
        issued: what the authority has issued, each serial number once, the newest first.
        authority: who the authority is.
        strangers: names of certificates in the folder that somebody else has issued.
        unread: files that could not be read, and a sentence on each.
    """

    issued: tuple[Issued, ...]
    authority: Name = ()
    strangers: tuple[str, ...] = ()
    unread: tuple[tuple[Path, Text], ...] = ()

    def of(self, name: str) -> tuple[Issued, ...]:
        """Every certificate that was issued to a name, whatever its upper and lower case."""
        return tuple(one for one in self.issued if folded(one.name) == folded(name))

    def unread_of(self, name: str) -> tuple[Path, ...]:
        """The files of a name that could not be read, whatever its upper and lower case."""
        return tuple(path for path, _why in self.unread if folded(_name(path)) == folded(name))

    @property
    def names(self) -> tuple[str, ...]:
        """Everybody that a certificate was issued to."""
        return tuple(sorted({one.name for one in self.issued}))


def gather(desk: Desk, folder: Path, issuer: str, only: str = "") -> Findings:
    """Find what an authority has issued.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        issuer: the authority, as its files are called before the dot.
        only: the one client of a fleet that is looked for, in any case; empty for all of them.

    Raises:
        FolderUnavailableError: its own certificate can't be read.
        CommandFailedError: openssl did not come to an end, or could not be started.
    """
    reader = Reader(desk, lambda _path: None)
    own = next(iter(reader.read(folder / f"{issuer}.crt").certificates), None)
    if own is None:
        raise FolderUnavailableError(
            _("{file} can't be read as a certificate.", file=folder / f"{issuer}.crt"),
            fix=_(
                "see what is wrong with the set: {command}", command=prompt.ours(folder, "doctor")
            ),
        )
    unread: list[tuple[Path, Text]] = []
    found = dict[str, tuple[Path, Certificate]]()
    for path, one in (
        *_certificates(reader, folder, unread), *_clients(folder, unread, only)
    ):  # fmt: skip
        found.setdefault(fingerprint(one.pem), (path, one))
    rivals = [pair for pair in found.values() if _is_leaf(pair[1].described)]
    names = [pair for pair in rivals if pair[1].described.issuer == own.described.subject]
    issued = dict[str, Issued]()
    signed = _signed(desk, own, [one for _path, one in names])
    for (path, one), good in zip(names, signed, strict=True):
        if good:
            entry = Issued(_name(path), path, one.described, one.pem)
            issued.setdefault(entry.serial, entry)
    ours = {one.path for one in issued.values()}
    return Findings(
        tuple(sorted(issued.values(), key=lambda one: one.described.not_before, reverse=True)),
        own.described.subject,
        tuple(_name(path) for path, _one in rivals if path.parent == folder and path not in ours),
        tuple(unread),
    )


def _certificates(
    reader: Reader, folder: Path, unread: list[tuple[Path, Text]]
) -> Iterator[tuple[Path, Certificate]]:
    """The first certificate of every file: whose it is; behind it stand those of authorities."""
    known = set[bytes]()
    for path in _files(folder):
        try:
            content = bytes_of(path)
            if content in known:
                continue
            known.add(content)
            certificates = reader.read(path).certificates
        except FolderUnavailableError as error:
            unread.append((path, _("{what}", what=error.what)))
            continue
        if certificates:
            yield path, certificates[0]
        elif path.suffix != ".pem":  # crl.pem, dhparam.pem
            unread.append((path, _("{file} holds no certificate", file=path)))


def _clients(
    folder: Path, unread: list[tuple[Path, Text]], only: str
) -> Iterator[tuple[Path, Certificate]]:
    """The certificates of a fleet, read without a process: there may be thousands."""
    places = (folder, *_backups(folder))
    found = ((place, name) for place in places for name in clients.names(place))
    meant = (pair for pair in found if not only or folded(pair[1]) == folded(only))
    for one in (clients.one(place, name) for place, name in meant):
        if one.described is None:
            unread.append((one.path, _("{file} holds no certificate", file=one.path)))
        else:
            yield one.path, Certificate(one.described, one.pem)


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in _within(folder) if path.name not in _NOT_LEAVES)
    for one in _backups(folder):
        yield from _within(one)


def _backups(folder: Path) -> list[Path]:
    """The folders of the backups, newest first."""
    place = folder / commit.BACKUP
    below = place.iterdir() if place.is_dir() else ()
    return sorted((path for path in below if path.is_dir()), reverse=True)


def _within(folder: Path) -> Iterator[Path]:
    # `alice.crt` before `alice.chain.crt`, which holds the same.
    files = [path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES]
    yield from sorted(
        (path for path in files if path.is_file() and not path.name.startswith(".")),
        key=lambda path: (len(path.name), path.name),
    )


def _name(path: Path) -> str:
    return path.name.removesuffix(f".{CHAIN}").removesuffix(path.suffix)


def _is_leaf(described: Description) -> bool:
    return described.subject != described.issuer


def _signed(desk: Desk, own: Certificate, certificates: Sequence[Certificate]) -> list[bool]:
    """Whether each of them bears the authority's signature, whatever its age."""
    (desk.scratch / "issuer.pem").write_text(f"{own.pem}\n", "ascii")
    names = [f"issued-{number}.pem" for number in range(len(certificates))]
    for name, one in zip(names, certificates, strict=True):
        (desk.scratch / name).write_text(f"{one.pem}\n", "ascii")
    good = set[str]()
    for at in range(0, len(names), _AT_ONCE):
        some = names[at : at + _AT_ONCE]
        said = _verify(desk, some)
        good |= {name for name in some if verify.is_ok(said, name)}
    # One that has some other fault was issued all the same.
    good |= {
        name
        for name in names
        if name not in good and not _NOT_ITS_OWN.search(verify.reason(_verify(desk, [name])))
    }
    return [name in good for name in names]


def _verify(desk: Desk, names: Sequence[str]) -> str:
    finished = desk.ask(
        Command(
            verify.issued_by("issuer.pem", names),
            _("check what the authority has issued"),
            Kind.LOOK,
            reads=("issuer.pem", *names),
            verdict=True,
        )
    ).finished
    return f"{finished.stdout}\n{finished.stderr}"

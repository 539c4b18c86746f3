"""Who is examined: the files of a set, read once, and what openssl says of them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.audit import LOG, Verdict, verify
from mtls_openssl.desk import Desk
from mtls_openssl.doctor import lists, members, unlike
from mtls_openssl.doctor.lists import Lists, Serial
from mtls_openssl.doctor.members import Members
from mtls_openssl.doctor.surroundings import Surroundings, gather
from mtls_openssl.doctor.unlike import Unlike
from mtls_openssl.errors import FolderUnavailableError, MtlsError
from mtls_openssl.fleet import renewing
from mtls_openssl.fleet.renewing import Due
from mtls_openssl.inspection.content import Content, taken_apart
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.inspection.objects import Bundle, Certificate, Holding, Key, fingerprint
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.inventory import clients, places
from mtls_openssl.inventory.clients import Client
from mtls_openssl.language import _
from mtls_openssl.life.decision import Wish
from mtls_openssl.locate import Search
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Role
from mtls_openssl.openssl import ca
from mtls_openssl.openssl import verify as verification
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.steps import Command, Kind
from mtls_openssl.workspace.commit import CLIENTS

BUNDLES = ("client.p12", "server.p12")
"""The PKCS#12 files of the batch file's set."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What the doctor is asked.

    Args:
        folder: the folder of the set.
        now: the time.
        domain: the name that the server must be valid for; empty if none was given.
        reader: the one of `profiles.P12_FOR` who must be able to read the bundles; empty for none.
        passwords: those of the bundles that are known, by the bundle's name.
        named: whether the openssl to use was named.
    """

    folder: Path
    now: datetime
    domain: str = ""
    reader: str = ""
    passwords: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    named: bool = False


@dataclasses.dataclass(frozen=True)
class File:
    """One file of the set.

    Args:
        name: its name.
        modified: when it was last written; None if it is not there.
        trouble: why it can't be read at all; None if it can.
        content: its parts; None if it is not there or can't be read.
        holding: what openssl read of them; None if there is no openssl.
    """

    name: str
    modified: datetime | None = None
    trouble: MtlsError | None = None
    content: Content | None = None
    holding: Holding | None = None

    @property
    def there(self) -> bool:
        """Whether there is such a file."""
        return self.modified is not None

    @property
    def certificate(self) -> Description | None:
        """What it says as a certificate; None if it is no readable one."""
        thing = self._first
        return thing.described if isinstance(thing, Certificate) else None

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its certificate; empty if it has none."""
        thing = self._first
        return fingerprint(thing.pem) if isinstance(thing, Certificate) else ""

    @property
    def key(self) -> Key | None:
        """Its private key; None if it is no readable one."""
        thing = self._first
        return thing if isinstance(thing, Key) and thing.private else None

    @property
    def bundle(self) -> Bundle | None:
        """What it holds as PKCS#12; None if it is no readable one."""
        thing = self._first
        return thing if isinstance(thing, Bundle) else None

    @property
    def public_key(self) -> str:
        """The public key of its certificate or key, PEM; empty if it has none to show."""
        thing = self._first
        return thing.public_key if isinstance(thing, Certificate | Key) else ""

    @property
    def _first(self) -> object:
        return self.holding.items[0].thing if self.holding else None


@dataclasses.dataclass(frozen=True)
class Patient:
    """All that the examinations go by.

    Args:
        request: what the doctor is asked.
        search: which openssl there is.
        absence: why there is none that can be used; None if there is one.
        files: the files of the set by their names, those that are missing too.
        members: which files these are, and what each certificate is for.
        faults: what `verify` objects to in a certificate, by its owner: how far above it, in
            which words; of all but the root's.
        strict: the same, as the strictest validators see it.
        spares: files of the backup that fit the other half of their pair, by name.
        verdict: the proof of the log; None if there is no log.
        broken_log: why the log could not be proven; None if it could.
        config: what openssl says when it is run by hand here; empty if all is well.
        surroundings: what was found around the set.
        lists: what there is of revocation.
        unlike: what is not as mtls.toml describes it.
        fleet: who of a fleet nears the end; None where there is none, or nobody can tell.
        closed: the certificates and archives of a fleet, or its folder, that this user may not
            look into.
        damaged: the clients of a fleet whose certificate can't be read for another reason.
    """

    request: Request
    search: Search
    absence: MtlsError | None
    files: Mapping[str, File]
    members: Members
    faults: Mapping[str, tuple[tuple[int, str], ...]]
    strict: Mapping[str, tuple[tuple[int, str], ...]]
    spares: Mapping[str, Path]
    verdict: Verdict | None
    broken_log: MtlsError | None
    config: str
    surroundings: Surroundings
    lists: Lists = dataclasses.field(default_factory=Lists)
    unlike: tuple[Unlike, ...] = ()
    fleet: Due | None = None
    closed: tuple[Path, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of the set."""
        return self.request.folder

    def certificate(self, owner: str) -> Description | None:
        """The certificate of an owner, such as `ca` or `client`; None if it can't be read."""
        file = self.files.get(f"{owner}.crt")
        return file.certificate if file else None

    @property
    def certificates(self) -> Mapping[str, Description]:
        """What each certificate of a leaf says that can be read, by its owner."""
        found = {owner: self.certificate(owner) for owner in self.members.leaves}
        return {owner: one for owner, one in found.items() if one}

    @property
    def ca(self) -> Description | None:
        """The certificate of the CA; None if it can't be read."""
        return self.certificate("ca")


def proven_log(folder: Path) -> tuple[Verdict | None, MtlsError | None]:
    """The proof of a folder's log; to be made before a desk adds to it.

    Args:
        folder: the folder of the set.
    """
    if not os.path.lexists(folder / LOG):
        return None, None
    try:
        return verify(folder / LOG, folder=folder), None
    except MtlsError as error:
        return None, error


def look(
    desk: Desk,
    request: Request,
    search: Search,
    absence: MtlsError | None,
    log: tuple[Verdict | None, MtlsError | None],
) -> Patient:
    """Read all there is, once.

    Args:
        desk: where openssl is asked.
        request: what is asked of us.
        search: which openssl there is.
        absence: why there is none that can be used.
        log: what `proven_log` gave.

    Raises:
        CommandFailedError: openssl did not come to an end, or could not be started.
        FolderUnavailableError: our own log can't be written.
    """
    reader = Reader(desk, lambda path: request.passwords.get(path.name), request.passwords)
    able = search.chosen is not None
    read: dict[str, File] = {}

    def file(name: str) -> File:
        if name not in read:
            read[name] = _file(request.folder / name, reader if able else None)
        return read[name]

    fleet = _fleet(request)
    found = members.gather(request.folder, lambda name: file(name).certificate)
    files = {name: file(name) for name in (*found.halves, *found.bundles)}
    patient = Patient(
        request, search, absence, files, found, {}, {}, {}, *log, "", Surroundings(),
        fleet=fleet.due, closed=tuple(fleet.closed), damaged=tuple(fleet.damaged),
    )  # fmt: skip
    if not able:
        return patient
    strict = {owner: _verified(desk, patient, owner, strictly=True) for owner in found.owners[1:]}
    return dataclasses.replace(
        patient,
        # What passes the strictest validators passes the others.
        faults={
            owner: _verified(desk, patient, owner) if refused else ()
            for owner, refused in strict.items()
        },
        strict=strict,
        spares=dict(_spare(patient, name, reader) for name in found.halves),
        config=_by_hand(desk, search),
        surroundings=gather(desk, request.folder, servers=_servers(found)),
        lists=lists.gather(desk, request.folder, fleet.serials),
        unlike=unlike.gather(desk, request.folder, found, request.passwords, request.now),
    )


class _Fleet:
    """What there is of a fleet, which is read once: who nears the end, and what each has."""

    def __init__(self) -> None:
        self.due: Due | None = None
        self.serials: list[Serial] = []
        self.closed: list[Path] = []
        self.damaged: list[str] = []

    def add(self, one: Client) -> None:
        if one.described:
            serial = ca.plain(one.described.serial)
            self.serials.append(Serial(one.name, one.described.issuer, serial))
        elif one.closed:
            self.closed.append(one.path)
        else:
            self.damaged.append(one.name)


def _fleet(request: Request) -> _Fleet:
    folder, fleet = request.folder, _Fleet()
    try:
        if not clients.names(folder):
            return fleet
    except PermissionError:
        fleet.closed.append(folder / CLIENTS)
        return fleet
    except OSError:
        return fleet
    # What can't be read is told of where it is looked at.
    with contextlib.suppress(OSError, FolderUnavailableError):
        issuer = register.issuer_of(folder)
        fleet.due = renewing.due(folder, issuer, Wish(request.now), fleet.add)
    return fleet


def _servers(found: Members) -> tuple[str, ...]:
    return tuple(name for name, role in found.leaves.items() if role is Role.SERVER)


def _file(path: Path, reader: Reader | None) -> File:
    try:
        modified = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except OSError:
        return File(path.name)
    try:
        content = taken_apart(bytes_of(path))
        return File(path.name, modified, None, content, reader.read(path) if reader else None)
    except FolderUnavailableError as error:
        return File(path.name, modified, error)


def _verified(
    desk: Desk, patient: Patient, owner: str, *, strictly: bool = False
) -> tuple[tuple[int, str], ...]:
    name = f"{owner}.crt"
    layered = patient.members.layered and owner != INTERMEDIATE
    between = f"{INTERMEDIATE}.crt" if layered else ""
    if between and patient.files[between].trouble:
        return ()  # whether it stands between can't be seen
    # Whatever is wrong with the authority between has a finding of its own.
    between = between if between and _is_plain(patient.files[between]) else ""
    if not all(_is_plain(patient.files[one]) for one in (f"{ROOT}.crt", name)):
        return ()
    role = patient.members.leaves.get(owner)
    argv = (
        verification.strict(
            name, "-no_check_time", *(("-purpose", role.purpose) if role else ()), by=between
        )
        if strictly
        else verification.chain_at_any_time(name, by=between)
    )
    purpose = _("check that the CA issued {file}, whatever its age", file=name)
    if strictly:
        purpose = _("check that the CA issued {file}, as the strictest validators do", file=name)
    command = Command(
        argv, purpose, Kind.LOOK,
        reads=("ca.crt", *filter(None, (between,)), name), verdict=True,
    )  # fmt: skip
    finished = desk.ask(command, folder=patient.folder).finished
    return tuple(verification.faults(f"{finished.stdout}\n{finished.stderr}"))


def _is_plain(file: File) -> bool:
    return bool(file.certificate and file.content and file.content.plain)


def _spare(patient: Patient, name: str, reader: Reader) -> tuple[str, Path]:
    """A file of the backup with the same public key as the other half of its pair."""
    nothing = name, Path()
    stem, _dot, ending = name.rpartition(".")
    other = patient.files[f"{stem}.{'key' if ending == 'crt' else 'crt'}"].public_key
    if not other or patient.files[name].public_key == other:
        return nothing
    for path in places.kept(patient.folder, name):
        if _file(path, reader).public_key == other:
            return name, path
    return nothing


def _by_hand(desk: Desk, search: Search) -> str:
    """What openssl says when a person types one of the guide's commands on this computer."""
    if search.chosen is None:
        return ""
    command = Command(
        ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", "by-hand.key", "-subj", "/CN=by hand", "-out", "by-hand.csr"),
        _("see whether openssl works with this computer's own configuration"),
        Kind.TOOL,
        verdict=True,
        program=search.chosen.path,
    )  # fmt: skip
    outcome = desk.ask(command)
    lines = outcome.finished.stderr.strip().splitlines() or [outcome.problem]
    return lines[0] if outcome.problem else ""

"""Makes a tree of files: each certificate below the CA that issued it, with what belongs to it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from mtls_openssl.inspection.objections import is_self_issued
from mtls_openssl.inspection.order import issued
from mtls_openssl.inventory import judging, keys, register
from mtls_openssl.inventory.places import NAMES
from mtls_openssl.inventory.reading import File, Key, RevocationList
from mtls_openssl.inventory.things import Node, Place, Role, Severity, State, Verdict
from mtls_openssl.language import Text, _
from mtls_openssl.openssl.x509 import Description, Name

_ORDER = (
    Role.ROOT, Role.INTERMEDIATE, Role.SERVER, Role.BOTH, Role.CLIENT, Role.OTHER, Role.PKCS12,
    Role.CRL, Role.NOTHING,
)  # fmt: skip
_HOUR = 3600.0
_FOREVER = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclasses.dataclass(frozen=True)
class Opened:
    """What a PKCS#12 file holds.

    Args:
        file: its certificates.
        fault: why it was not opened; empty if it was.
    """

    file: File
    fault: str = ""


@dataclasses.dataclass(frozen=True)
class Terms:
    """What is asked.

    Args:
        now: the time, UTC.
        within: how long before its end a certificate ends soon.
        public_key: gives the public half, PEM, of a private key that does not tell it by itself;
            empty where there is nobody who could.
        opened: opens a PKCS#12 file; None where there is no password for it.
    """

    now: dt.datetime
    within: dt.timedelta
    public_key: Callable[[Path], str] = lambda _path: ""
    opened: Callable[[Path], Opened | None] = lambda _path: None


@dataclasses.dataclass
class _Held:
    """A certificate, and every place that it stands in."""

    described: Description
    sha256: str
    places: list[tuple[File, Place]]
    key: str = ""
    strange: str = ""
    bundles: list[Node] = dataclasses.field(default_factory=list)
    ends: dt.datetime | None = None
    issuer: _Held | None = None

    @property
    def file(self) -> File:
        return self.places[0][0]


def grown(files: Sequence[File], folder: Path, terms: Terms) -> tuple[Node, ...]:
    """The trees of some files.

    Args:
        files: the files, read.
        folder: where they are.
        terms: what is asked.
    """
    held = _held(files)
    _hang(held)
    _give_keys(held, files, terms)
    loose = _give_bundles(held, files, terms)
    lists = _lists(files)
    revoked = _Revoked(lists, folder)
    return _Growing(held, lists, revoked, terms).trees(
        [*loose, *(_broken(file, fault) for file in files for fault in file.faults)]
    )


def _held(files: Iterable[File]) -> list[_Held]:
    """Each certificate once, in the order of its best place."""
    found: dict[str, _Held] = {}
    for file in files:
        alone = len(file.certificates) == 1
        for one in file.certificates:
            held = found.setdefault(one.sha256, _Held(one.described, one.sha256, []))
            held.places.append((file, Place(file.name, one.number, alone)))
    for held in found.values():
        # Its own file rather than a chain, and of a chain the one that it begins.
        held.places.sort(
            key=lambda place: (
                len(place[0].certificates),
                place[1].number,
                _rank(place[0].path.suffix.lower()),
                len(PurePath(place[1].file).parts),
                len(place[1].file),
                place[1].file,
            )
        )
    return list(found.values())


def _rank(suffix: str) -> int:
    """How much a name looks like the one that a person gave a certificate."""
    return 0 if suffix in {".crt", ".cer"} else 1 if suffix in NAMES else 2


def _hang(held: Sequence[_Held]) -> None:
    """Find who issued each; of several with the same name and key, who lasts longest."""
    by_name: dict[Name, list[_Held]] = {}
    for one in held:
        if judging.role(one.described).is_ca:
            by_name.setdefault(one.described.subject, []).append(one)
    for one in held:
        if is_self_issued(one.described):
            continue
        issuers = [
            other
            for other in by_name.get(one.described.issuer, ())
            if other is not one and issued(other.described, one.described)
        ]
        one.issuer = max(issuers, key=lambda other: other.described.not_after, default=None)
    for one in held:
        _cut_circle(one)


def _cut_circle(one: _Held) -> None:
    # Two CAs may have certified each other.
    seen, at = {id(one)}, one
    while at.issuer is not None:
        if id(at.issuer) in seen:
            at.issuer = None
            return
        at = at.issuer
        seen.add(id(at))


def _give_keys(held: Sequence[_Held], files: Sequence[File], terms: Terms) -> None:
    fitting: dict[tuple[Path, str], str] = {}
    named: dict[Path, list[tuple[File, Key]]] = {}
    for file in files:
        for key in file.keys:
            fitting.setdefault((file.path.parent, key.public), file.name)
            named.setdefault(file.path.with_suffix(""), []).append((file, key))
    for one in held:
        pem = one.described.public_key
        public = keys.of_public(pem)
        for file, place in one.places:
            # Only the first certificate of a file is the one that its key is for.
            near = named.get(file.path.with_suffix(""), ()) if place.number == 1 else ()
            for other, key in near:
                match = _matches(other, key, public, pem, terms)
                one.key = one.key or ("" if match is False else other.name)
                one.strange = other.name if match is False else one.strange
            one.key = one.key or (public and fitting.get((file.path.parent, public), ""))


def _matches(file: File, key: Key, public: str, pem: str, terms: Terms) -> bool | None:
    """Whether a key is the one of a public key; None where that can't be told."""
    if key.encrypted:
        return None
    if key.public and public:
        return key.public == public
    asked = terms.public_key(file.path)
    return "".join(asked.split()) == "".join(pem.split()) if asked else None


def _give_bundles(held: Sequence[_Held], files: Sequence[File], terms: Terms) -> list[Node]:
    """Hang each PKCS#12 file below the certificate of its name; the others come back."""
    owners = {file.path.with_suffix(""): one for one in held for file, _place in one.places[:1]}
    loose = []
    for file in files:
        if not file.is_bundle:
            continue
        owner = _owner(file, owners)
        opened = terms.opened(file.path)
        if opened and not opened.fault and owner is None:
            within = {one.sha256 for one in opened.file.certificates}
            owner = next((one for one in held if one.sha256 in within), None)
        node = _bundle(file, opened, owner, terms)
        if owner:
            owner.bundles.append(node)
        else:
            loose.append(node)
    return loose


def _owner(file: File, owners: Mapping[Path, _Held]) -> _Held | None:
    """The certificate that a PKCS#12 file is named after: NAME.p12, NAME.READER.p12."""
    stem = file.path.with_suffix("")
    while stem.name:
        if stem in owners:
            return owners[stem]
        if not stem.suffix:
            return None
        stem = stem.with_suffix("")
    return None


def _bundle(file: File, opened: Opened | None, owner: _Held | None, terms: Terms) -> Node:
    places = (Place(file.name),)
    if opened is None:
        notes = list[Text]()
        # Some minutes lie between the two when a set is copied; months when one was renewed.
        if owner and 0 < file.modified < owner.file.modified - _HOUR:
            notes.append(
                _(
                    "it is older than {file}: it may hold the certificate before",
                    file=owner.file.name,
                )
            )
        verdict = Verdict(State.FINE) if owner else Verdict(State.CLOSED)
        return Node(Role.PKCS12, places, verdict, notes=tuple(notes))
    if opened.fault:
        return Node(Role.PKCS12, places, Verdict(State.BROKEN, Severity.OVER, opened.fault))
    ends = min((one.described.not_after for one in opened.file.certificates), default=None)
    names = tuple(one.sha256 for one in opened.file.certificates)
    if owner and owner.sha256 not in names:
        why = _("it holds another certificate than {file}: pack it again", file=owner.file.name)
        verdict = Verdict(State.SUPERSEDED, Severity.SOON, why)
    elif ends and ends < terms.now:
        verdict = Verdict(State.OVER, Severity.OVER)
    elif ends and ends - terms.now <= terms.within:
        verdict = Verdict(State.SOON, Severity.SOON)
    else:
        verdict = Verdict(State.FINE)
    first = opened.file.certificates[0].described if opened.file.certificates else None
    return Node(
        Role.PKCS12, places, verdict, ends=ends, certificate=None if owner else first
    )  # fmt: skip


def _lists(files: Iterable[File]) -> list[tuple[RevocationList, list[Place]]]:
    """Each list of revoked certificates once, with every place that it stands in."""
    found: dict[str, tuple[RevocationList, list[Place]]] = {}
    for file in files:
        for one in file.lists:
            place = Place(file.name, one.number, len(file.lists) == 1)
            found.setdefault(one.sha256, (one, []))[1].append(place)
    for _one, places in found.values():
        # The form that servers read comes first.
        places.sort(key=lambda place: (not place.file.endswith(".pem"), place.file))
    return list(found.values())


class _Revoked:
    """Who is revoked: by the newest list of each CA, and by the register beside a certificate."""

    def __init__(self, lists: Iterable[tuple[RevocationList, list[Place]]], folder: Path) -> None:
        self._serials: dict[tuple[Name, str], tuple[str, str]] = {}
        newest: dict[Name, RevocationList] = {}
        for one, _places in lists:
            listed = one.described
            known = newest.get(listed.issuer)
            if known is None or listed.last_update >= known.described.last_update:
                newest[listed.issuer] = one
        for issuer, one in newest.items():
            for entry in one.described.revoked:
                day = f"{entry.date:%Y-%m-%d}"
                self._serials[issuer, entry.serial] = (day, entry.reason)
        self._folder = folder
        # A folder of thousands has one register.
        self._register = functools.cache(register.revoked)

    def why(self, one: _Held) -> str:
        """That a certificate is revoked, in words; empty if it is not."""
        described = one.described
        known = self._serials.get((described.issuer, described.serial))
        if not known and not is_self_issued(described):
            entries = self._register(one.file.path.parent)
            if entries and (entry := register.entry_of(described, entries)):
                known = (f"{entry.date:%Y-%m-%d}" if entry.date else "-", entry.reason)
        if not known:
            return ""
        day, reason = known
        if reason:
            return _("revoked on {date}: {reason}", date=day, reason=reason)
        return _("revoked on {date}", date=day)


class _Growing:
    """Puts the trees together."""

    def __init__(
        self,
        held: Sequence[_Held],
        lists: Sequence[tuple[RevocationList, list[Place]]],
        revoked: _Revoked,
        terms: Terms,
    ) -> None:
        self._held = held
        self._lists = lists
        self._revoked = revoked
        self._terms = terms
        self._below: dict[int, list[_Held]] = {}
        self._makers = {listed.sha256: self._maker(listed) for listed, _places in lists}
        for one in held:
            if one.issuer:
                self._below.setdefault(id(one.issuer), []).append(one)

    def trees(self, loose: Iterable[Node]) -> tuple[Node, ...]:
        roots = [self._node(one, _FOREVER) for one in self._held if one.issuer is None]
        strays = [
            self._list(one, places)
            for one, places in self._lists
            if self._makers[one.sha256] is None
        ]
        return _sorted([*roots, *strays, *loose])

    def _node(self, one: _Held, above: dt.datetime) -> Node:
        described, terms = one.described, self._terms
        ends = min(above, described.not_after)
        verdict = judging.of_certificate(
            described,
            ends,
            revoked=self._revoked.why(one),
            mismatch=one.strange if not one.key else "",
            now=terms.now,
            within=terms.within,
        )
        below = self._below.get(id(one), [])
        children = [self._node(other, ends) for other in below]
        if judging.role(described).is_ca:
            children += [
                self._list(listed, places)
                for listed, places in self._lists
                if self._makers[listed.sha256] is one
            ]
        return Node(
            judging.role(described),
            tuple(place for _file, place in one.places),
            verdict,
            described.not_before,
            described.not_after,
            described,
            sha256=one.sha256,
            key=one.key,
            notes=tuple(self._notes(one)),
            children=_sorted([*one.bundles, *children]),
        )

    def _notes(self, one: _Held) -> Iterator[Text]:
        if one.issuer is None and not is_self_issued(one.described):
            issuer = judging.common_name(one.described.issuer)
            yield _("issued by {issuer}, which is not here", issuer=issuer)

    def _list(self, one: RevocationList, places: list[Place]) -> Node:
        listed = one.described
        return Node(
            Role.CRL,
            tuple(places),
            judging.of_list(listed, self._terms.now, self._terms.within),
            listed.last_update,
            listed.next_update,
            crl=listed,
            sha256=one.sha256,
        )

    def _maker(self, one: RevocationList) -> _Held | None:
        """The CA whose list it is; of several with the same name and key, who lasts longest."""
        cas = [held for held in self._held if judging.made(held.described, one.described)]
        return max(cas, key=lambda held: held.described.not_after, default=None)


def _broken(file: File, fault: str) -> Node:
    return Node(
        Role.NOTHING, (Place(file.name),), Verdict(State.BROKEN, Severity.OVER, fault)
    )  # fmt: skip


def _sorted(nodes: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(nodes, key=lambda node: (_ORDER.index(node.role), node.places[0])))

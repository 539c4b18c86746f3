"""The certificates of some files: each once, with who issued it and which key is its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath

from mtls_openssl.inspection.objections import is_self_issued
from mtls_openssl.inspection.order import issued
from mtls_openssl.inventory import judging, keys
from mtls_openssl.inventory.places import NAMES
from mtls_openssl.inventory.reading import File, Key
from mtls_openssl.inventory.things import Node, Place
from mtls_openssl.openssl.x509 import Description, Name


@dataclasses.dataclass(frozen=True)
class Opened:
    """What a PKCS#12 file holds.

    Args:
        file: its certificates.
        fault: why it can't be read; empty if it can.
        closed: why it was not opened; empty if it was.
    """

    file: File
    fault: str = ""
    closed: str = ""


@dataclasses.dataclass(frozen=True)
class Terms:
    """What is asked.

    Args:
        now: the time, UTC.
        within: how long before its end a certificate ends soon; None for when it is to be renewed.
        public_key: gives the public half, PEM, of a private key that does not tell it by itself;
            empty where there is nobody who could.
        opened: opens a PKCS#12 file; None where there is no password for it.
    """

    now: dt.datetime
    within: dt.timedelta | None = None
    public_key: Callable[[Path], str] = lambda _path: ""
    opened: Callable[[Path], Opened | None] = lambda _path: None


@dataclasses.dataclass
class Held:
    """A certificate, and what belongs to it.

    Args:
        described: what it says.
        sha256: its fingerprint, hex.
        places: every place that it stands in, the best first.
        key: the file of its key; empty if that is not here.
        strange: the file of a key that has its name and is another one's; empty if there is none.
        bundles: the PKCS#12 files with it.
        issuer: who issued it; None if that is not here.
    """

    described: Description
    sha256: str
    places: list[tuple[File, Place]]
    key: str = ""
    strange: str = ""
    bundles: list[Node] = dataclasses.field(default_factory=list)
    issuer: Held | None = None

    @property
    def file(self) -> File:
        """The file of its best place."""
        return self.places[0][0]


def gathered(files: Sequence[File], terms: Terms) -> list[Held]:
    """The certificates of some files.

    Args:
        files: the files, read.
        terms: what is asked.
    """
    held = _held(files)
    _hang(held)
    _give_keys(held, files, terms)
    return held


def _held(files: Iterable[File]) -> list[Held]:
    """Each certificate once, in the order of its best place."""
    found: dict[str, Held] = {}
    for file in files:
        alone = len(file.certificates) == 1
        for one in file.certificates:
            held = found.setdefault(one.sha256, Held(one.described, one.sha256, []))
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


def _hang(held: Sequence[Held]) -> None:
    """Find who issued each; of several with the same name and key, who lasts longest."""
    by_name: dict[Name, list[Held]] = {}
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


def _cut_circle(one: Held) -> None:
    # Two CAs may have certified each other.
    seen, at = {id(one)}, one
    while at.issuer is not None:
        if id(at.issuer) in seen:
            at.issuer = None
            return
        at = at.issuer
        seen.add(id(at))


def _give_keys(held: Sequence[Held], files: Sequence[File], terms: Terms) -> None:
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

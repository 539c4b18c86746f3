"""Makes a tree of files: each certificate below the CA that issued it, with what belongs to it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mtls_openssl.inspection.objections import is_self_issued
from mtls_openssl.inventory import bundles, entered, judging, strangers
from mtls_openssl.inventory.held import Held, Terms, gathered
from mtls_openssl.inventory.reading import File, RevocationList
from mtls_openssl.inventory.things import Node, Place, Role, Severity, State, Verdict
from mtls_openssl.language import Text, _
from mtls_openssl.openssl.extensions import ALTERNATIVE_NAME
from mtls_openssl.openssl.x509 import Name
from mtls_openssl.workspace.commit import CLIENTS

_ORDER = (
    Role.ROOT, Role.INTERMEDIATE, Role.SERVER, Role.BOTH, Role.CLIENT, Role.OTHER, Role.PKCS12,
    Role.CRL, Role.NOTHING,
)  # fmt: skip
_FOREVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def grown(files: Sequence[File], folder: Path, terms: Terms) -> tuple[Node, ...]:
    """The trees of some files.

    Args:
        files: the files, read.
        folder: where they are.
        terms: what is asked.
    """
    held = gathered(files, terms)
    loose = bundles.hung(held, files, terms)
    lists = _lists(files)
    revoked = _Revoked(lists, folder)
    return _Growing(held, lists, revoked, terms).trees(
        [
            *loose,
            *(_broken(file, fault) for file in files for fault in file.faults),
            *(_closed(file) for file in files if file.closed),
        ]
    )


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
        self._register = functools.cache(entered.revoked)

    def why(self, one: Held) -> str:
        """That a certificate is revoked, in words; empty if it is not."""
        described = one.described
        known = self._serials.get((described.issuer, described.serial)) or self._registered(one)
        if not known:
            return ""
        day, reason = known
        if reason:
            return _("revoked on {date}: {reason}", date=day, reason=reason)
        return _("revoked on {date}", date=day)

    def _registered(self, one: Held) -> tuple[str, str] | None:
        if is_self_issued(one.described):
            return None
        # openssl keeps the register in the folder of the certificates, or above it.
        near = one.file.path.parent
        above = near if near == self._folder else near.parent
        # Above the folder of a client of a fleet, `clients/NAME/`, it is two folders up.
        upper = above.parent if above.name == CLIENTS else above
        for folder in dict.fromkeys((near, above, upper)):
            if entry := entered.entry_of(one.described, self._register(folder)):
                return (f"{entry.revoked:%Y-%m-%d}" if entry.revoked else "-"), entry.reason
        return None


class _Growing:
    """Puts the trees together."""

    def __init__(
        self,
        held: Sequence[Held],
        lists: Sequence[tuple[RevocationList, list[Place]]],
        revoked: _Revoked,
        terms: Terms,
    ) -> None:
        self._held = held
        self._lists = lists
        self._revoked = revoked
        self._terms = terms
        self._below: dict[int, list[Held]] = {}
        self._makers = {listed.sha256: self._maker(listed) for listed, _places in lists}
        self._sets = strangers.Sets(held)
        self._newest: dict[tuple[object, ...], Held] = {}
        for one in held:
            newest = self._newest.setdefault(_names(one), one)
            if one.described.not_after > newest.described.not_after:
                self._newest[_names(one)] = one
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

    def _node(self, one: Held, above: dt.datetime) -> Node:
        described, terms = one.described, self._terms
        ends = min(above, described.not_after)
        verdict = judging.of_certificate(
            described,
            ends,
            revoked=self._revoked.why(one),
            mismatch=one.strange if not one.key else "",
            strange=self._sets.why(one),
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
            notes=tuple(self._notes(one, verdict)),
            children=_sorted([*(_with(bundle, verdict) for bundle in one.bundles), *children]),
        )

    def _notes(self, one: Held, verdict: Verdict) -> Iterator[Text]:
        newest = self._newest[_names(one)]
        if newest is not one and verdict.severity:
            yield _("a newer one for the same names is {file}", file=newest.file.name)
        if one.issuer is None and not is_self_issued(one.described):
            issuer = judging.common_name(one.described.issuer)
            yield _("issued by {issuer}, which is not here", issuer=issuer)

    def _list(self, one: RevocationList, places: list[Place]) -> Node:
        listed = one.described
        return Node(
            Role.CRL,
            tuple(places),
            judging.of_list(listed, self._terms.now),
            listed.last_update,
            listed.next_update,
            crl=listed,
            sha256=one.sha256,
        )

    def _maker(self, one: RevocationList) -> Held | None:
        """The CA whose list it is; of several with the same name and key, who lasts longest."""
        cas = [held for held in self._held if judging.made(held.described, one.described)]
        return max(cas, key=lambda held: held.described.not_after, default=None)


def _with(bundle: Node, verdict: Verdict) -> Node:
    """A PKCS#12 file that was not looked into stands as the certificate that it is named after."""
    if verdict.state not in {State.REVOKED, State.OVER, State.STRANGER} or (
        bundle.ends or bundle.verdict.severity
    ):
        return bundle
    return dataclasses.replace(bundle, verdict=Verdict(verdict.state))


def _names(one: Held) -> tuple[object, ...]:
    """Whom a certificate is for, and for what."""
    names = one.described.extensions.get(ALTERNATIVE_NAME)
    return one.described.subject, names and names.values, judging.role(one.described)


def _broken(file: File, fault: str) -> Node:
    return Node(
        Role.NOTHING, (Place(file.name),), Verdict(State.BROKEN, Severity.OVER, fault)
    )  # fmt: skip


def _closed(file: File) -> Node:
    verdict = Verdict(State.CLOSED, Severity.UNKNOWN, file.closed)
    return Node(Role.NOTHING, (Place(file.name),), verdict)


def _sorted(nodes: Iterable[Node]) -> tuple[Node, ...]:
    return tuple(sorted(nodes, key=lambda node: (_ORDER.index(node.role), node.places[0])))

"""PKCS#12 files: which certificate each belongs to, and whether it holds that one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mtls_openssl.inventory.held import Held, Opened, Terms
from mtls_openssl.inventory.reading import File
from mtls_openssl.inventory.things import Node, Place, Role, Severity, State, Verdict
from mtls_openssl.language import Text, _
from mtls_openssl.openssl.x509 import renewal

_HOUR = 3600.0


def hung(held: Sequence[Held], files: Sequence[File], terms: Terms) -> list[Node]:
    """Hang each PKCS#12 file below the certificate of its name; the others come back."""
    owners = {file.path.with_suffix(""): one for one in held for file, _place in one.places[:1]}
    loose = []
    for file in files:
        if not file.is_bundle:
            continue
        owner = _owner(file, owners)
        opened = terms.opened(file.path)
        if opened and owner is None:
            within = {one.sha256 for one in opened.file.certificates}
            owner = next((one for one in held if one.sha256 in within), None)
        node = _bundle(file, opened, owner, terms)
        if owner:
            owner.bundles.append(node)
        else:
            loose.append(node)
    return loose


def _owner(file: File, owners: Mapping[Path, Held]) -> Held | None:
    """The certificate that a PKCS#12 file is named after: NAME.p12, NAME.READER.p12."""
    stem = file.path.with_suffix("")
    while stem.name:
        if stem in owners:
            return owners[stem]
        if not stem.suffix:
            return None
        stem = stem.with_suffix("")
    return None


def _bundle(file: File, opened: Opened | None, owner: Held | None, terms: Terms) -> Node:
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
    if opened.closed:
        return Node(Role.PKCS12, places, Verdict(State.CLOSED, why=opened.closed))
    if opened.fault:
        return Node(Role.PKCS12, places, Verdict(State.BROKEN, Severity.OVER, opened.fault))
    inside = [one.described for one in opened.file.certificates]
    first = min(inside, key=lambda one: one.not_after, default=None)
    names = tuple(one.sha256 for one in opened.file.certificates)
    if owner and owner.sha256 not in names:
        why = _("it holds another certificate than {file}: pack it again", file=owner.file.name)
        verdict = Verdict(State.SUPERSEDED, Severity.SOON, why)
    elif first and first.not_after < terms.now:
        verdict = Verdict(State.OVER, Severity.OVER)
    elif first and first.not_after - terms.now <= renewal(
        first.not_before, first.not_after, terms.within
    ):
        verdict = Verdict(State.SOON, Severity.SOON)
    else:
        verdict = Verdict(State.FINE)
    shown = None if owner or not inside else inside[0]
    return Node(
        Role.PKCS12, places, verdict, ends=first.not_after if first else None, certificate=shown
    )

"""What was asked and what is granted, side by side, for a person or for a program. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mtls_openssl.inspection import telling
from mtls_openssl.inspection.telling import shown
from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import Role
from mtls_openssl.openssl.pkey import PublicKey
from mtls_openssl.signing.asking import Asked
from mtls_openssl.signing.granting import Grant, Withheld

Row = tuple[str, str, str]
"""A label, what was asked, what is granted."""

_ROLES = {Role.SERVER: _("server"), Role.CLIENT: _("client")}


def rows(asked: Asked, grant: Grant | None) -> Iterator[Row]:
    """A request, and what is granted of it, row by row.

    Args:
        asked: what it asks for.
        grant: what is granted; None before that is decided.
    """
    leaf = grant.leaf if grant else None
    yield "", _("asked"), _("granted") if leaf else ""
    yield (
        _("subject"),
        telling.name(asked.subject) or _("(empty)"),
        telling.name(leaf.subject) if leaf else "",
    )
    yield (
        _("for"),
        _listed(asked.purposes),
        joined("", (_ROLES[leaf.role], f" ({', '.join(leaf.usages)})")) if leaf else "",
    )
    yield _("names"), _listed(asked.alternatives), _listed(leaf.alternatives) if leaf else ""
    yield (
        _("an authority"),
        _("yes, {constraints}", constraints=_listed(asked.constraints))
        if any(one != "CA:FALSE" for one in asked.constraints)
        else _("no"),
        _("no") if leaf else "",
    )
    if asked.usages:
        yield _("key usage"), _listed(asked.usages), ""
    if asked.others:
        yield _("other extensions"), _listed(asked.others), _("none") if leaf else ""
    yield _("key"), telling.key(asked.key), _("the same") if leaf else ""
    if leaf:
        yield _("days"), "", str(leaf.days)
        yield _("file"), shown(str(asked.path)), leaf.certificate_file


def remarks(grant: Grant) -> Iterator[Text]:
    """What is not granted, and what should be known besides, a line each."""
    for one in grant.withheld:
        yield _("  Not granted: {what} ({why})", what=shown(one.what), why=one.why)
    for note in grant.notes:
        yield _("  Note: {note}", note=note)


def data(asked: Asked, grant: Grant | None, fault: str = "") -> dict[str, Any]:
    """The same for a program.

    Args:
        asked: what it asks for.
        grant: what is granted; None if nothing is.
        fault: why nothing is.
    """
    leaf = grant.leaf if grant else None
    return {
        "file": str(asked.path),
        "name": leaf.name if leaf else None,
        "asked": {
            "subject": [list(pair) for pair in asked.subject],
            "names": list(asked.alternatives),
            "extended_key_usage": list(asked.purposes),
            "key_usage": list(asked.usages),
            "basic_constraints": list(asked.constraints),
            "other_extensions": list(asked.others),
            "key": _key(asked.key),
            "signature_right": asked.proven,
        },
        "granted": {
            "subject": [list(pair) for pair in leaf.subject],
            "names": list(leaf.alternatives),
            "role": leaf.role.value,
            "extended_key_usage": list(leaf.usages),
            "days": leaf.days,
            "ca": False,
        }
        if leaf
        else None,
        "refused": [_withheld(one) for one in grant.withheld] if grant else [],
        "notes": [str(note) for note in grant.notes] if grant else [],
        "fault": fault or None,
    }


def _withheld(one: Withheld) -> dict[str, str]:
    return {"what": one.what, "why": str(one.why)}


def _key(key: PublicKey) -> dict[str, Any]:
    return {"kind": key.kind, "bits": key.bits or None, "curve": key.curve or None}


def _listed(words: tuple[str, ...]) -> Text | str:
    return shown(", ".join(words)) if words else _("none")

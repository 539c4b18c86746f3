"""What was read, as data for a program: everything, in English, whatever the language is. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

from mtls_openssl.inspection import order
from mtls_openssl.inspection.matching import Match, Member
from mtls_openssl.inspection.objections import is_ca, is_self_issued, objections
from mtls_openssl.inspection.objects import (
    Bundle,
    Certificate,
    Holding,
    Item,
    Key,
    Parameters,
    Request,
    RevocationList,
    Unreadable,
    fingerprint,
)
from mtls_openssl.language import _
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl import readers
from mtls_openssl.openssl.extensions import Extension
from mtls_openssl.openssl.pkey import PublicKey


def holding(found: Holding, now: dt.datetime) -> dict[str, Any]:
    """A file and all that is in it.

    Args:
        found: the file, read.
        now: the time that days are counted from, UTC.
    """
    chain = [certificate.described for certificate in found.certificates]
    verdict = order.judged(chain) if len(chain) > 1 else None
    return {
        "file": str(found.path),
        "ok": not faults(found),
        "size": found.size,
        "notes": [str(note) for note in found.notes],
        "order": {"verdict": verdict[0].value, "chain": list(verdict[1])} if verdict else None,
        "parts": [item(one, now) for one in found.items],
    }


def faults(found: Holding) -> list[str]:
    """Why parts of a file can't be read; a password that is not given is no fault."""
    reasons = []
    for one in found.items:
        match one.thing:
            case Unreadable(why=why):
                reasons.append(why)
            case Bundle(wrong=True, locked=why):
                reasons.append(why)
            case Key(wrong=True):
                reasons.append(_("the password is not the one of this key"))
    return reasons


def item(one: Item, now: dt.datetime) -> dict[str, Any]:
    """One part of a file."""
    found = {"kind": one.kind.value, "form": one.form, "label": one.label, "line": one.line}
    match one.thing:
        case Certificate() as certificate:
            return found | _certificate(certificate, now)
        case Request() as request:
            return found | _request(request)
        case Key() as key:
            return found | _key(key)
        case Bundle() as bundle:
            return found | _bundle(bundle, now)
        case RevocationList() as crl:
            return found | _crl(crl, now)
        case Unreadable() as unreadable:
            return found | {"error": str(unreadable.why), "openssl": unreadable.said}
        case Parameters():
            return found


def match(found: Match) -> dict[str, Any]:
    """What belongs together."""
    return {
        "ok": bool(found.common),
        "public_key_sha256": found.common or None,
        "groups": [
            {"public_key_sha256": key, "members": [_member(member) for member in members]}
            for key, members in found.groups.items()
        ],
        "closed": [_member(member) for member in found.closed],
    }


def _member(member: Member) -> dict[str, Any]:
    return {
        "file": str(member.holding.path),
        "part": member.number,
        "kind": member.item.kind.value,
    }


def _certificate(certificate: Certificate, now: dt.datetime) -> dict[str, Any]:
    described = certificate.described
    constraints = described.extensions.get(ext.BASIC_CONSTRAINTS)
    lengths = [
        int(value.removeprefix("pathlen:"))
        for value in (constraints.values if constraints else ())
        if value.startswith("pathlen:")
    ]
    return {
        "friendly_name": certificate.name or None,
        "version": described.version,
        "subject": [list(pair) for pair in described.subject],
        "issuer": [list(pair) for pair in described.issuer],
        "self_issued": is_self_issued(described),
        "not_before": described.not_before.isoformat(),
        "not_after": described.not_after.isoformat(),
        "days_left": (described.not_after - now).days,
        "in_date": described.not_before <= now <= described.not_after,
        "ca": is_ca(described),
        "path_length": lengths[0] if lengths else None,
        **_extensions(described.extensions),
        "key": _kind(described.key),
        "signature_algorithm": described.signature,
        "serial": described.serial,
        "sha256": fingerprint(certificate.pem),
        "sha1": fingerprint(certificate.pem, "sha1"),
        "public_key_sha256": fingerprint(described.public_key),
        "objections": [
            {
                "code": one.code,
                "what": str(one.what),
                "who": list(one.who),
                "source": one.source,
            }
            for one in objections(described)
        ],
    }


def _request(request: Request) -> dict[str, Any]:
    described = request.described
    return {
        "subject": [list(pair) for pair in described.subject],
        **_extensions(described.extensions),
        "key": _kind(described.key),
        "signature_algorithm": described.signature,
        "signature_right": request.proven,
        "public_key_sha256": fingerprint(described.public_key),
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "friendly_name": key.name or None,
        "private": key.private,
        "encrypted": bool(key.protection) if key.private else False,
        "encryption": list(key.protection),
        "opened": bool(key.public_key),
        "key": _kind(key.kind),
        "public_key_sha256": fingerprint(key.public_key) if key.public_key else None,
    }


def _bundle(bundle: Bundle, now: dt.datetime) -> dict[str, Any]:
    can, can_not = readers.who(bundle.contents) if bundle.contents else ((), ())
    return {
        "opened": not bundle.locked,
        "error": str(bundle.locked) or None,
        "algorithms": list(bundle.contents.algorithms) if bundle.contents else [],
        "read_by": [str(reader.name) for reader in can],
        "not_read_by": [str(reader.name) for reader in can_not],
        "parts": [item(one, now) for one in bundle.items],
    }


def _crl(found: RevocationList, now: dt.datetime) -> dict[str, Any]:
    described = found.described
    until = described.next_update
    return {
        "issuer": [list(pair) for pair in described.issuer],
        "number": described.number,
        "last_update": described.last_update.isoformat(),
        "next_update": until.isoformat() if until else None,
        "days_left": (until - now).days if until else None,
        "signature_algorithm": described.signature,
        "sha256": fingerprint(found.pem),
        "revoked": [
            {"serial": one.serial, "date": one.date.isoformat(), "reason": one.reason or None}
            for one in described.revoked
        ],
    }


def _extensions(found: dict[str, Extension]) -> dict[str, Any]:
    return {
        "names": list(ext.alternatives(found.get(ext.ALTERNATIVE_NAME))),
        "key_usage": list(ext.usages(found.get(ext.KEY_USAGE))),
        "extended_key_usage": list(ext.usages(found.get(ext.EXTENDED_KEY_USAGE))),
        "key_identifier": ext.key_identifier(found.get(ext.SUBJECT_KEY_IDENTIFIER)) or None,
        "issuer_key_identifier": (
            ext.key_identifier(found.get(ext.AUTHORITY_KEY_IDENTIFIER)) or None
        ),
        "extensions": {
            name: {"critical": one.critical, "values": list(one.values)}
            for name, one in found.items()
        },
    }


def _kind(key: PublicKey | None) -> dict[str, Any] | None:
    return {"kind": key.kind, "bits": key.bits or None, "curve": key.curve or None} if key else None

"""What there is, as data for a program: everything, in English, whatever the language is. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from mtls_openssl.inventory import judging
from mtls_openssl.inventory.things import Node, Role, Severity, Stock
from mtls_openssl.openssl import extensions as ext

_WORDS = {
    Severity.FINE: "fine",
    Severity.SOON: "soon",
    Severity.OVER: "over",
    Severity.UNKNOWN: "unknown",
}


def status(
    stocks: Sequence[Stock],
    problems: Sequence[dict[str, Any]],
    now: dt.datetime,
    within: dt.timedelta | None,
) -> dict[str, Any]:
    """What was found in all places.

    Args:
        stocks: the places.
        problems: what could not be looked at, as `report.error_data` tells it.
        now: the time that days are counted from, UTC.
        within: how long before its end a certificate ends soon; None for when it is to be renewed.
    """
    severity = judging.gravest(judging.worst(stock.nodes) for stock in stocks)
    if problems and severity is not Severity.OVER:
        severity = Severity.UNKNOWN
    return {
        "command": "status",
        "ok": severity is Severity.FINE,
        "state": _WORDS[severity],
        "time": now.isoformat(timespec="seconds"),
        "within": None if within is None else within.days,
        "places": [_stock(stock, now) for stock in stocks],
        "problems": list(problems),
    }


def _stock(stock: Stock, now: dt.datetime) -> dict[str, Any]:
    things = [(node, issuer) for root in stock.nodes for node, issuer in _flat(root, None)]
    by_role = {Role.CRL: "crls", Role.PKCS12: "pkcs12", Role.NOTHING: "broken"}
    found: dict[str, list[dict[str, Any]]] = {
        "certificates": [], "crls": [], "pkcs12": [], "broken": []
    }  # fmt: skip
    for node, above in things:
        found[by_role.get(node.role, "certificates")].append(_node(node, above, now))
    return {
        "place": stock.place,
        "kind": stock.kind,
        "state": _WORDS[judging.worst(stock.nodes)],
        **found,
        "backups": list(stock.backups),
        "passed_over": list(stock.passed_over),
    }


def _flat(node: Node, above: Node | None) -> Iterator[tuple[Node, Node | None]]:
    yield node, above
    for child in node.children:
        yield from _flat(child, node)


def _node(node: Node, above: Node | None, now: dt.datetime) -> dict[str, Any]:
    told: dict[str, Any] = {
        "file": node.places[0].file,
        "part": node.places[0].number,
        "also_in": [{"file": place.file, "part": place.number} for place in node.places[1:]],
        "role": node.role.value or None,
        "below": above.places[0].file if above else None,
        "state": node.verdict.state.value,
        "severity": _WORDS[node.verdict.severity],
        "why": str(node.verdict.why) or None,
        "notes": [str(note) for note in node.notes],
        "days_left": judging.days_left(node.ends, now) if node.ends else None,
        "not_after": node.ends.isoformat() if node.ends else None,
    }
    if node.certificate:
        one = node.certificate
        told |= {
            "subject": [list(pair) for pair in one.subject],
            "common_name": judging.common_name(one.subject),
            "issuer": [list(pair) for pair in one.issuer],
            "names": list(ext.alternatives(one.extensions.get(ext.ALTERNATIVE_NAME))),
            "not_before": one.not_before.isoformat(),
            "serial": one.serial,
            "sha256": node.sha256,
            "key_file": node.key or None,
        }
    if node.crl:
        told |= {
            "issuer": [list(pair) for pair in node.crl.issuer],
            "number": node.crl.number,
            "last_update": node.crl.last_update.isoformat(),
            "next_update": told["not_after"],
            "revoked": len(node.crl.revoked),
            "sha256": node.sha256,
        }
    return told

"""What there is, as a line of a Nagios plugin (Monitoring Plugins Development Guidelines). Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from mtls_openssl.inspection.telling import shown
from mtls_openssl.inventory import judging, telling
from mtls_openssl.inventory.survey import flat
from mtls_openssl.inventory.things import Node, Severity, State, Stock
from mtls_openssl.language import Text, _, clauses, joined, spoken
from mtls_openssl.openssl.x509 import renewal

_WORDS = {
    Severity.FINE: "OK",
    Severity.SOON: "WARNING",
    Severity.OVER: "CRITICAL",
    Severity.UNKNOWN: "UNKNOWN",
}
_MOST_TOLD = 5
_MOST_MEASURED = 20
"""Nagios reads no more than some kilobytes."""


def line(
    stocks: Sequence[Stock], problems: Sequence[str], now: dt.datetime, within: dt.timedelta | None
) -> tuple[str, Severity]:
    """The line, and the exit code that goes with it.

    Args:
        stocks: the places.
        problems: what could not be looked at, a sentence each.
        now: the time that days are counted from, UTC.
        within: how long before its end a certificate ends soon; None for when it is to be renewed.
    """
    nodes = tuple(node for stock in stocks for node in flat(stock))
    severity = judging.gravest(node.verdict.severity for node in nodes)
    if problems and severity is not Severity.OVER:
        severity = Severity.UNKNOWN
    told = [*problems, *_alarms(nodes, now)]
    more = len(told) - _MOST_TOLD
    if more > 0:
        told[_MOST_TOLD:] = [_("and {count} more", count=more)]
    if not told:
        told = [_calm(nodes, now)]
    text = spoken(joined(_("; "), told)).replace("|", "/")
    text = " ".join(shown(" ".join(text.split())).split())
    return f"CERTIFICATES {_WORDS[severity]} - {text} | {_measured(nodes, now, within)}", severity


def _alarms(nodes: Sequence[Node], now: dt.datetime) -> list[Text]:
    alarms = sorted(
        (node for node in nodes if node.verdict.severity),
        key=lambda node: (-node.verdict.severity, node.ends or now),
    )
    return [_alarm(node, now) for node in alarms]


def _alarm(node: Node, now: dt.datetime) -> Text:
    state: str = node.verdict.state.told
    if node.ends:
        state = clauses((state, judging.left(node.ends, now)))
    who = telling.name(node)
    file = _("{file} ({name})", file=node.file, name=who) if who else node.file
    if node.verdict.why:
        return _("{file}: {state} ({why})", file=file, state=state, why=node.verdict.why)
    return _("{file}: {state}", file=file, state=state)


def _calm(nodes: Sequence[Node], now: dt.datetime) -> Text:
    counted = telling.counted(nodes)
    ending = telling.first(nodes, now)
    if ending is None or ending.ends is None:
        return counted
    return _(
        "{counts}; the first to end is {file}, {left}",
        counts=counted, file=ending.file, left=judging.left(ending.ends, now),
    )  # fmt: skip


def _measured(nodes: Sequence[Node], now: dt.datetime, within: dt.timedelta | None) -> str:
    counts = {
        "certificates": sum(node.certificate is not None for node in nodes),
        "soon": sum(node.verdict.severity is Severity.SOON for node in nodes),
        "over": sum(node.verdict.severity is Severity.OVER for node in nodes),
    }
    parts = [f"{name}={count};;;0" for name, count in counts.items()]
    timed = sorted(
        (
            (node.ends, node)
            for node in nodes
            if node.ends and node.verdict.state is not State.REVOKED
        ),
        key=lambda one: (one[0], one[1].file),
    )
    for ends, node in [one for one in timed if one[1].certificate][:1]:
        parts.append(f"days_left={judging.days_left(ends, now)};{_limits(node, within)}")
    for ends, node in timed[:_MOST_MEASURED] if len(timed) > 1 else ():
        parts.append(f"'{_label(node)}'={judging.days_left(ends, now)};{_limits(node, within)}")
    return " ".join(parts)


def _limits(node: Node, within: dt.timedelta | None) -> str:
    """From which days on it is a warning, and critical."""
    one = node.certificate
    return f"{renewal(one.not_before, one.not_after, within).days}:;0:" if one else ";0:"


def _label(node: Node) -> str:
    # A label may have anything but an equals sign and a quote.
    return shown(node.file).replace("'", "_").replace("=", "_").replace("|", "_")

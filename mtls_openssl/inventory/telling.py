"""What there is, as rows for a person. Pure; `data` has the same for a program."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mtls_openssl.inspection.telling import shown
from mtls_openssl.inventory import judging
from mtls_openssl.inventory.survey import flat
from mtls_openssl.inventory.things import Node, Role, Severity, State, Stock
from mtls_openssl.language import Text, _, clauses
from mtls_openssl.openssl import extensions as ext

LINES = ("├─ ", "└─ ", "│  ", "   ")
"""What a tree is drawn with: before one of several, before the last, beside, and below."""

ASCII_LINES = ("|- ", "`- ", "|  ", "   ")
_MOST_PLACES = 3


@dataclasses.dataclass(frozen=True)
class Row:
    """One thing.

    Args:
        branch: the lines of the tree before it.
        below: the lines of the tree before what is said of it besides.
        cells: file, whom it is for, what it is, until when, how long that is, how it stands.
        severity: how much that matters.
        details: what is said of it besides.
    """

    branch: str
    below: str
    cells: tuple[str, ...]
    severity: Severity
    details: tuple[str, ...]


def rows(
    stock: Stock, now: dt.datetime, lines: Sequence[str] = LINES, *, alarms: bool = False
) -> Iterator[Row]:
    """The tree of a place.

    Args:
        stock: what is there.
        now: the time that days are counted from, UTC.
        lines: what the tree is drawn with.
        alarms: whether only what is not fine is told, without a tree.
    """
    if alarms:
        for node in flat(stock):
            if node.verdict.severity:
                yield _row(node, "", "", now)
        return
    for node in stock.nodes:
        yield from _rows(node, "", "", now, lines)


def _rows(
    node: Node, branch: str, before: str, now: dt.datetime, lines: Sequence[str]
) -> Iterator[Row]:
    fork, last, beside, nothing = lines
    yield _row(node, branch, before + (beside if node.children else nothing), now)
    for number, child in enumerate(node.children, start=1):
        is_last = number == len(node.children)
        yield from _rows(
            child, before + (last if is_last else fork), before + (nothing if is_last else beside),
            now, lines,
        )  # fmt: skip


def _row(node: Node, branch: str, below: str, now: dt.datetime) -> Row:
    until = f"{node.ends:%Y-%m-%d}" if node.ends else ""
    left = judging.left(node.ends, now) if node.ends else ""
    cells = (shown(node.file), name(node), node.role.told, until, left, node.verdict.state.told)
    return Row(branch, below, cells, node.verdict.severity, tuple(_details(node)))


def name(node: Node) -> str:
    """Whom a thing is for, or what is in it, in a few words."""
    if node.certificate:
        return shown(judging.common_name(node.certificate.subject)) or _("(empty)")
    if node.crl:
        revoked = len(node.crl.revoked)
        if node.crl.number is None:
            return _("{count} revoked", count=revoked)
        return _("number {number}, {count} revoked", number=node.crl.number, count=revoked)
    return ""


def names(node: Node) -> tuple[str, ...]:
    """The names that a certificate stands for, without their kind."""
    if node.certificate is None:
        return ()
    found = ext.alternatives(node.certificate.extensions.get(ext.ALTERNATIVE_NAME))
    return tuple(shown(one.partition(":")[2]) for one in found)


def _details(node: Node) -> Iterator[str]:
    if node.verdict.why:
        yield node.verdict.why
    others = [one for one in names(node) if one != name(node)]
    if others and node.role in {Role.SERVER, Role.BOTH, Role.CLIENT}:
        yield _("also for {names}", names=", ".join(others))
    # A chain is where it should be as well.
    if places := [shown(str(place)) for place in node.places[1:] if place.alone]:
        listed = ", ".join(places[:_MOST_PLACES])
        more = len(places) - _MOST_PLACES
        if more > 0:
            yield _("also in {files} and {count} more", files=listed, count=more)
        else:
            yield _("also in {files}", files=listed)
    yield from node.notes


def summary(stock: Stock, now: dt.datetime) -> Iterator[Text]:
    """What a place comes to, in some sentences."""
    nodes = tuple(flat(stock))
    certificates = [node for node in nodes if node.certificate]
    yield _("{counts}.", counts=counted(nodes))
    ending = first(nodes, now)
    if ending and ending.ends and len(certificates) > 1:
        yield _(
            "The first to end is {file}: {date}, {left}.",
            file=ending.file, date=f"{ending.ends:%Y-%m-%d}", left=judging.left(ending.ends, now),
        )  # fmt: skip
    if stock.backups:
        yield _(
            "Backups: {count}, the latest of {time}.",
            count=len(stock.backups), time=stock.backups[-1],
        )  # fmt: skip
    if stock.passed_over:
        yield _("Passed over, since they can't be read: {count}.", count=len(stock.passed_over))


def counted(nodes: Iterable[Node]) -> Text:
    """How many certificates there are, and how they stand."""
    several = tuple(nodes)
    certificates = sum(node.certificate is not None for node in several)
    # A bundle that stands as its certificate does is counted with that.
    states = Counter(
        node.verdict.state
        for node in several
        if node.role is not Role.PKCS12
        or node.verdict.severity
        or node.verdict.state is State.CLOSED
    )
    total = _("{count} certificate{count:|s}", count=certificates)
    parts = [
        _("{state}: {count}", state=state.told, count=states[state])
        for state in State
        if states[state] and state is not State.FINE
    ]
    if not parts:
        return clauses((total, _("all fine")))
    return clauses((total, *parts))


def first(nodes: Iterable[Node], now: dt.datetime) -> Node | None:
    """The certificate that ends first of all that have not ended and are not revoked."""
    ending = [
        node
        for node in nodes
        if node.certificate
        and node.ends
        and node.ends >= now
        and node.verdict.state is not State.REVOKED
    ]
    return min(ending, key=lambda node: node.ends or now, default=None)

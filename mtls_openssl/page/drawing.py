"""The chain as a picture: who issued what, from the left to the right. Pure: only numbers."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from mtls_openssl.inventory import judging, telling
from mtls_openssl.inventory.things import Node, Role, State
from mtls_openssl.language import Text, _, clauses, spoken, width

_WIDTH, _HEIGHT = 248, 66
_ACROSS, _DOWN = 56, 14
_EDGE = 2
_MOST = 12
"""How many of what a CA has issued are drawn; the table below has them all."""
_NAME, _LINE = 24, 34
"""Columns of text that a box has room for."""


@dataclasses.dataclass(frozen=True)
class Box:
    """One box.

    Args:
        x: its left edge.
        y: its upper edge.
        kind: `certificate`, `list` or `more`.
        tone: what it is shown in, a class of the style.
        name: its first line; as the others cut to what there is room for.
        what: its second line.
        file: its third line.
        whole: all of it, for who can't see the picture or points at the box.
        target: the row of the table that it leads to.
    """

    x: int
    y: int
    kind: str
    tone: str
    name: str
    what: str
    file: str
    whole: str
    target: str


@dataclasses.dataclass(frozen=True)
class Picture:
    """The picture.

    Args:
        width: of all of it.
        height: of all of it.
        boxes: the boxes.
        lines: the paths between them, as SVG has them.
    """

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    box: tuple[int, int] = (_WIDTH, _HEIGHT)


def drawn(nodes: Sequence[Node], now: dt.datetime, targets: dict[int, str]) -> Picture:
    """The picture of some trees.

    Args:
        nodes: the trees.
        now: the time that days are counted from, UTC.
        targets: the row of the table for each thing, by its identity.
    """
    pen = _Pen(now, targets)
    for node in _chosen(nodes):
        pen.draw(node, 0)
    if len(nodes) > _MOST:
        pen.more(len(nodes) - _MOST, 0)
    right = max((box.x for box in pen.boxes), default=0) + _WIDTH + _EDGE
    return Picture(right, max(pen.below - _DOWN, 0) + _EDGE, tuple(pen.boxes), tuple(pen.lines))


class _Pen:
    def __init__(self, now: dt.datetime, targets: dict[int, str]) -> None:
        self.boxes: list[Box] = []
        self.lines: list[str] = []
        self.below = _EDGE
        self._now = now
        self._targets = targets

    def draw(self, node: Node, depth: int) -> int:
        """Draw a thing and what it has issued; its middle."""
        issued = [child for child in node.children if child.role is not Role.PKCS12]
        shown = _chosen(issued)
        middles = [self.draw(child, depth + 1) for child in shown]
        if len(issued) > len(shown):
            middles.append(self.more(len(issued) - len(shown), depth + 1))
        # On one line with the first, so that nobody has to look for it where there are many.
        middle = middles[0] if middles else self._next()
        x, y = _EDGE + depth * (_WIDTH + _ACROSS), middle - _HEIGHT // 2
        self.boxes.append(self._box(node, x, y))
        start, end = x + _WIDTH, x + _WIDTH + _ACROSS
        half = (start + end) // 2
        for other in middles:
            self.lines.append(f"M{start} {middle}C{half} {middle} {half} {other} {end} {other}")
        return middle

    def more(self, count: int, depth: int) -> int:
        """Say that there are more."""
        middle = self._next()
        text = spoken(_("and {count} more", count=count))
        x = _EDGE + depth * (_WIDTH + _ACROSS)
        self.boxes.append(
            Box(x, middle - _HEIGHT // 2, "more", "calm", text, "", "", text, "certificates")
        )
        return middle

    def _next(self) -> int:
        middle = self.below + _HEIGHT // 2
        self.below += _HEIGHT + _DOWN
        return middle

    def _box(self, node: Node, x: int, y: int) -> Box:
        name = spoken(telling.name(node)) if node.certificate else spoken(node.role.told)
        parts: list[str] = [node.role.told] if node.certificate else [telling.name(node)]
        if node.ends:
            parts.append(judging.left(node.ends, self._now))
        state = node.verdict.state
        if state is State.REVOKED or (node.verdict.severity and state is not State.SOON):
            parts[-1:] = [state.told]
        bundles = [child.file for child in node.children if child.role is Role.PKCS12]
        what = spoken(clauses(parts))
        files = " + ".join((node.file, *bundles))
        whole = f"{name}: {what}; {files}; {spoken(state.told)}"
        return Box(
            x, y, "certificate" if node.certificate else "list", tone(node),
            cut(name or node.file, _NAME), cut(what, _LINE), cut(files, _LINE), whole,
            self._targets.get(id(node), ""),
        )  # fmt: skip


def _chosen(nodes: Sequence[Node]) -> Sequence[Node]:
    """Those that are drawn, in their order: the CAs and the worst first."""
    if len(nodes) <= _MOST:
        return nodes
    ranked = sorted(
        range(len(nodes)),
        key=lambda at: (not nodes[at].role.is_ca, -nodes[at].verdict.severity, at),
    )
    return [nodes[at] for at in sorted(ranked[:_MOST])]


def tone(node: Node) -> str:
    """What a thing is shown in, a class of the style: never the only thing that tells its state."""
    if node.verdict.state in {State.REVOKED, State.CLOSED} and not node.verdict.severity:
        return "calm"
    return ("fine", "soon", "over", "over")[node.verdict.severity]


def cut(text: str, columns: int) -> str:
    """A text that has no more than so many columns, with an ellipsis where it was cut."""
    if width(text) <= columns:
        return text
    kept = ""
    for letter in text:
        if width(kept + letter) > columns - 1:
            break
        kept += letter
    return kept.rstrip() + "…"


def heading(count: int) -> Text:
    """What the picture is, for who can't see it."""
    return _("{count} certificates and lists, each joined to the CA that issued it", count=count)

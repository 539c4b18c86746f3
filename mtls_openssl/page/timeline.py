"""Where on the time line something stands. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Sequence

from mtls_openssl.inventory.things import Node

_DAY = dt.timedelta(days=1)
_PAST, _FUTURE = 400 * _DAY, 1830 * _DAY
_SHORTEST = 45 * _DAY
_MARGIN = 0.04
_MOST_TICKS = 5
_STEPS = (1, 2, 3, 6, 12, 24, 60)
"""Months from one tick to the next."""


@dataclasses.dataclass(frozen=True)
class Bar:
    """How long something is good, in hundredths of the width.

    Args:
        begin: where it begins.
        now: where it goes on from today; its end if it is over by then.
        end: where it ends.
        goes_on: whether it ends behind the right edge.
    """

    begin: float
    now: float
    end: float
    goes_on: bool


@dataclasses.dataclass(frozen=True)
class Tick:
    """A day that is marked.

    Args:
        at: where, in hundredths of the width.
        text: its month, or its year.
    """

    at: float
    text: str


@dataclasses.dataclass(frozen=True)
class Scale:
    """A time line.

    Args:
        first: the day at its left edge.
        last: the day at its right edge.
        now: today.
    """

    first: dt.datetime
    last: dt.datetime
    now: dt.datetime

    def at(self, time: dt.datetime) -> float:
        """Where a time is, in hundredths of the width; not outside of it."""
        share = (time - self.first) / (self.last - self.first)
        return round(min(max(share, 0), 1) * 100, 2)

    def bar(self, begins: dt.datetime, ends: dt.datetime) -> Bar:
        """How long something is good."""
        begin, end = self.at(begins), self.at(ends)
        return Bar(begin, min(max(self.at(self.now), begin), end), end, ends > self.last)

    def ticks(self) -> Iterator[Tick]:
        """The first days of months or years, so many that they can be read."""
        months = (self.last - self.first) / _DAY / 30.4
        step = next((one for one in _STEPS if months / one <= _MOST_TICKS), _STEPS[-1])
        year, month = self.first.year, self.first.month
        while True:
            month += 1
            year, month = (year + 1, 1) if month > 12 else (year, month)  # noqa: PLR2004
            day = self.first.replace(
                year=year, month=month, day=1, hour=0, minute=0, second=0, microsecond=0
            )
            if day > self.last:
                return
            if (year * 12 + month - 1) % step == 0:
                at = self.at(day)
                text = f"{year}" if step >= 12 else f"{year}-{month:02}"  # noqa: PLR2004
                if _MARGIN * 100 < at < 100 - _MARGIN * 100:
                    yield Tick(at, text)


def scale(nodes: Sequence[Node], now: dt.datetime) -> Scale:
    """The time line that several things are shown on.

    A CA may last ten years longer than all it issued: then it goes on behind the right edge, or
    the days of the others could not be told apart.

    Args:
        nodes: what is shown.
        now: today, UTC.
    """
    shown = [node for node in nodes if not node.role.is_ca] or list(nodes)
    begins = [node.begins for node in shown if node.begins]
    ends = [node.ends for node in shown if node.ends]
    first = max(min([*begins, now]), now - _PAST)
    last = min(max([*ends, now + _SHORTEST]), now + _FUTURE)
    margin = (last - first) * _MARGIN
    return Scale(first - margin, last + 2 * margin, now)

"""What the numbers and the hashes of a log's lines tell of those that are not as written."""

from __future__ import annotations

import bisect
import collections
import dataclasses
import enum
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mtls_openssl.audit.line import FIRST_PREV
from mtls_openssl.language import Text, _


class Flaw(enum.Enum):
    """What was done to a log."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    REORDERED = "reordered"
    UNFINISHED = "unfinished"
    FILE = "file"
    """The log is as it was, and a file of the set is not what the log saw last."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Args:
        line: the number of the line in the file as it is now, from 1.
        flaw: what was done.
        what: what is wrong, in words that go after "line 5: ".
    """

    line: int
    flaw: Flaw
    what: str


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A line as it was found.

    Args:
        number: its number in the file, from 1.
        damage: why its content can't be believed; empty if it can.
        seq: the number it says it has; 0 if it can't be read, as with all below.
        prev: the hash it recalls.
        hash: the hash it ends with.
        run: its run.
        published: the files that it says are in place; None where it tells of none.
        ends: whether it is the end of its run.
    """

    number: int
    damage: str = ""
    seq: int = 0
    prev: str = ""
    hash: str = ""
    run: str = ""
    published: Mapping[str, str] | None = None
    ends: bool = False


_BEFORE_THE_FIRST = Entry(0, hash=FIRST_PREV)


def proven(entries: Sequence[Entry]) -> tuple[list[Entry], list[Fault]]:
    """The lines that were written by us, in the order they were written, and what is wrong.

    Each line is compared with the hash and the number that the lines around it hold
    themselves, so that one line's fault is not repeated by all that follow it.

    Args:
        entries: every line of the log, in the order of the file.
    """
    faults: list[Fault] = []
    whole = [entry for entry in entries if not entry.damage]
    single = _without_added(whole, entries, faults)
    kept = _ascending(single)
    moved = _out_of_place(single, kept, faults)
    damaged = [entry for entry in entries if entry.damage]
    faults += _between(kept, damaged, {entry.seq for entry in moved})
    return sorted([*kept, *moved], key=lambda entry: entry.seq), faults


def _without_added(
    whole: Sequence[Entry], entries: Sequence[Entry], faults: list[Fault]
) -> Sequence[Entry]:
    """The lines without those that have the number of another one."""
    by_seq: dict[int, list[Entry]] = collections.defaultdict(list)
    for entry in whole:
        by_seq[entry.seq].append(entry)
    if len(by_seq) == len(whole):
        return whole
    recalled = {entry.prev for entry in whole}
    hashes = {entry.hash for entry in (_BEFORE_THE_FIRST, *entries)}
    before = (_BEFORE_THE_FIRST, *entries)

    def likely(entry: Entry) -> tuple[bool, bool, bool, int]:
        follows = before[entry.number - 1].hash == entry.prev
        return entry.hash in recalled, entry.prev in hashes, follows, -entry.number

    genuine = {seq: max(same, key=likely) for seq, same in by_seq.items()}
    for entry in whole:
        other = genuine[entry.seq]
        if entry is not other:
            what = _("added: it takes the number of line {line}", line=other.number)
            if entry.hash == other.hash:
                what = _("added: it is a copy of line {line}", line=other.number)
            faults.append(Fault(entry.number, Flaw.ADDED, what))
    return [entry for entry in whole if entry is genuine[entry.seq]]


def _ascending(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The most lines, in the order of the file, whose numbers go up."""
    if all(one.seq < two.seq for one, two in itertools.pairwise(entries)):
        return entries
    lowest: list[int] = []  # the lowest number that so many ascending lines can end with
    lengths = []
    for entry in entries:
        length = bisect.bisect_left(lowest, entry.seq)
        lowest[length : length + 1] = [entry.seq]
        lengths.append(length)
    kept: list[Entry] = []
    for entry, length in zip(reversed(entries), reversed(lengths), strict=True):
        if length == len(lowest) - len(kept) - 1 and (not kept or entry.seq < kept[-1].seq):
            kept.append(entry)
    return kept[::-1]


def _out_of_place(
    entries: Sequence[Entry], kept: Sequence[Entry], faults: list[Fault]
) -> list[Entry]:
    """The lines that are not among those kept, but belong to the chain."""
    if len(kept) == len(entries):
        return []
    places = {entry.seq: entry for entry in entries}
    nowhere = Entry(0)
    moved = []
    for seq in sorted(places.keys() - {entry.seq for entry in kept}):
        lost = places[seq]
        if (
            places.get(lost.seq - 1, nowhere).hash == lost.prev
            or places.get(lost.seq + 1, nowhere).prev == lost.hash
        ):
            moved.append(lost)
            what = _(
                "reordered: it has the number {number}, and its neighbours do not fit",
                number=lost.seq,
            )
            faults.append(Fault(lost.number, Flaw.REORDERED, what))
        else:
            what = _(
                "added: it says it is number {number}, and no other line knows of it",
                number=lost.seq,
            )
            faults.append(Fault(lost.number, Flaw.ADDED, what))
    return moved


def _between(
    kept: Sequence[Entry], damaged: Sequence[Entry], moved: Iterable[int]
) -> Iterator[Fault]:
    """What was changed, removed or added between each line and the next."""
    first = 0
    for one, two in itertools.pairwise((_BEFORE_THE_FIRST, *kept)):
        last = first
        while last < len(damaged) and damaged[last].number < two.number:
            last += 1
        gap = range(one.seq + 1, two.seq)
        if gap or last > first:
            missing = len(gap) - sum(seq in gap for seq in moved)
            yield from _in_gap(gap, missing, damaged[first:last], two)
        if not gap and two.prev != one.hash:
            yield _rewritten(one, two)
        first = last
    for entry in damaged[first:]:
        yield _changed(entry)


def _in_gap(gap: range, missing: int, damaged: Sequence[Entry], after: Entry) -> Iterator[Fault]:
    by_likelihood = sorted(damaged, key=lambda entry: entry.seq not in gap)
    for entry in by_likelihood[:missing]:
        yield _changed(entry)
    for entry in by_likelihood[missing:]:
        what = _(
            "added: the lines around it follow each other without it, and {damage}",
            damage=entry.damage,
        )
        yield Fault(entry.number, Flaw.ADDED, what)
    removed = missing - len(damaged)
    if removed > 0:
        yield Fault(after.number, Flaw.REMOVED, _removed(gap, removed))


def _removed(gap: range, count: int) -> Text:
    if len(gap) == 1:
        return _("removed: number {number}, from before this line", number=gap[0])
    if count == len(gap):
        return _(
            "removed: numbers {first} to {last}, from before this line",
            first=gap[0],
            last=gap[-1],
        )
    return _(
        "removed: {count} of the numbers {first} to {last}, from before this line",
        count=count,
        first=gap[0],
        last=gap[-1],
    )


def _changed(entry: Entry) -> Fault:
    return Fault(entry.number, Flaw.CHANGED, _("changed: {damage}", damage=entry.damage))


def _rewritten(one: Entry, two: Entry) -> Fault:
    if one is _BEFORE_THE_FIRST:
        what = _("changed: it is the first line, and yet recalls one before it")
        return Fault(two.number, Flaw.CHANGED, what)
    what = _("changed, and given a new hash: line {line} recalls another one", line=two.number)
    return Fault(one.number, Flaw.CHANGED, what)

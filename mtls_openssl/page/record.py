"""The end of a log, run by run, the newest first; a line that is none does not hide the others."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.audit import LOG, Line, Verdict, verify
from mtls_openssl.audit.line import NotALineError, opened, record_of
from mtls_openssl.errors import MtlsError

SHOWN = 500
"""How many lines a page has: more of them make a browser slow, and no reader goes through them."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line of the log.

    Args:
        number: its number in the file, from 1.
        line: what it says; None if it is no line of a log.
    """

    number: int
    line: Line | None


@dataclasses.dataclass(frozen=True)
class Run:
    """The lines of one run, in their order.

    Args:
        id: the run's; empty for lines that are none.
        entries: its lines.
    """

    id: str
    entries: tuple[Entry, ...]


@dataclasses.dataclass(frozen=True)
class Record:
    """A log and its proof.

    Args:
        path: the log.
        verdict: what its proof found; None if there is no log, or it can't be read.
        problem: why there is none.
        runs: the newest runs, the newest first.
        lines: how many lines it has.
        shown: how many of them are in `runs`.
    """

    path: Path
    verdict: Verdict | None = None
    problem: MtlsError | None = None
    runs: tuple[Run, ...] = ()
    lines: int = 0
    shown: int = 0


def of(folder: Path, most: int = SHOWN) -> Record:
    """The log of a folder, and its proof.

    Args:
        folder: the folder of a set.
        most: how many of its lines are wanted.
    """
    path = folder / LOG
    try:
        verdict = verify(path, folder=folder)
        last = collections.deque(_entries(path), maxlen=most)
    except MtlsError as error:
        return Record(path, problem=error)
    lines = last[-1].number if last else 0
    return Record(path, verdict, None, tuple(_runs(last))[::-1], lines, len(last))


def _entries(path: Path) -> Iterator[Entry]:
    with opened(path) as log:
        for number, raw in enumerate(log, 1):
            try:
                yield Entry(number, Line(**record_of(raw)))
            except NotALineError:
                yield Entry(number, None)


def _runs(entries: collections.deque[Entry]) -> Iterator[Run]:
    together = list[Entry]()
    for entry in entries:
        if together and _run(entry) != _run(together[0]):
            yield Run(_run(together[0]), tuple(together))
            together = []
        together.append(entry)
    if together:
        yield Run(_run(together[0]), tuple(together))


def _run(entry: Entry) -> str:
    return entry.line.run if entry.line else ""

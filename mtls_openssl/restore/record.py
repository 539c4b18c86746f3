"""What the log knows: which run made a backup, and what each file was made from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from mtls_openssl.audit import LOG, Line, read
from mtls_openssl.errors import MtlsError
from mtls_openssl.restore.backups import Backup

_NOTHING: frozenset[str] = frozenset()
_LONGEST_COMMIT = timedelta(minutes=1)
"""The one line of a run without commands is written when its files are in place."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that put files into the folder.

    Args:
        id: its id.
        begun: the time of its first line.
        ended: the time of its last.
        published: SHA-256 of each file that it put there, by name.
    """

    id: str
    begun: datetime
    ended: datetime
    published: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Record:
    """What the log of a folder tells.

    Args:
        runs: those that put files there, oldest first.
        made_from: SHA-256 of what a command read, by the SHA-256 of what it wrote.
    """

    runs: tuple[Run, ...] = ()
    made_from: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)

    def maker(self, backup: Backup, held: Mapping[str, str]) -> Run | None:
        """The run that made a backup; None if none is on record.

        Args:
            backup: the backup.
            held: the SHA-256 of each file in it, by name.
        """
        # Its name has no fractions of a second, in which several runs may have come and gone. The
        # one that made it found the files there that are in it now.
        before: dict[str, str] = {}
        likely: list[tuple[int, Run]] = []
        maybe: list[Run] = []
        for run in self.runs:
            if run.begun - _LONGEST_COMMIT <= backup.time <= run.ended:
                found = all(before.get(name, digest) == digest for name, digest in held.items())
                if found and _replaces(run.published, held):
                    likely.append((len(before.keys() & held.keys()), run))
                maybe.append(run)
            before |= run.published
        if likely:
            return max(likely, key=lambda one: one[0])[1]
        # Where somebody has changed files by hand, the one that put most of them there anew.
        return max(maybe, key=lambda run: len(run.published.keys() & held.keys()), default=None)

    def knows(self, digest: str) -> bool:
        """Whether it is on record how a file was made."""
        return digest in self.made_from

    def put_together(self, digests: Mapping[str, str]) -> bool:
        """Whether one run put all of some files there; SHA-256 of each, by name."""
        return any(digests.items() <= run.published.items() for run in self.runs)

    def comes_from(self, digest: str, other: str) -> bool:
        """Whether a file was made from another, in one step or several; both by SHA-256."""
        seen: set[str] = set()
        waiting = {digest}
        while waiting:
            one = waiting.pop()
            seen.add(one)
            waiting |= self.made_from.get(one, _NOTHING) - seen
        return other in seen


def of(folder: Path) -> Record:
    """The record of a folder; an empty one where it has no log that can be read."""
    if not (folder / LOG).is_file():
        return Record()
    try:
        return _told(list(read(folder / LOG)))
    except MtlsError:
        return Record()


def _told(lines: list[Line]) -> Record:
    begun: dict[str, datetime] = {}
    runs: list[Run] = []
    made_from: dict[str, frozenset[str]] = {}
    published: dict[str, dict[str, str]] = {}
    for line in lines:
        time = datetime.fromisoformat(line.time)
        begun.setdefault(line.run, time)
        if line.event in {"publish", "end"}:
            published.setdefault(line.run, {}).update(line.writes)
        if line.event == "end" and published[line.run]:
            runs.append(Run(line.run, begun[line.run], time, published[line.run]))
        if line.event == "command":
            for digest in line.writes.values():
                known = made_from.get(digest, _NOTHING)
                made_from[digest] = known | frozenset(line.reads.values())
    return Record(tuple(runs), made_from)


def _replaces(published: Mapping[str, str], held: Mapping[str, str]) -> bool:
    """Whether a run put something else there than a backup holds."""
    both = held.keys() & published.keys()
    return any(held[name] != published[name] for name in both)

"""The nouns of a run: who is to be there, how, and what came of it. No behaviour."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Protocol

from mtls_openssl.manifest import Leaf, Manifest


class Whom(Protocol):
    """Who gets a certificate."""

    @property
    def count(self) -> int:
        """How many."""

    def leaves(self) -> Iterator[Leaf]:
        """Each of them in turn."""


class Watcher(Protocol):
    """Who is told how it goes on. Called from one thread only."""

    def progress(self, made: int, left: int) -> None:
        """So many have been made, and so many are left."""

    def tick(self) -> None:
        """A moment has passed."""


@dataclasses.dataclass(frozen=True)
class Order:
    """What a run is given.

    Args:
        folder: the folder of the set.
        manifest: whose authorities issue.
        whom: who is to be there; of a renewal those who are, and get a new certificate.
        jobs: how many openssl processes may run at the same time.
        zipped: whether each goes into an archive; one that is in one stays there.
        renews: whether this is a renewal.
        rekey: whether whoever is renewed gets a new key.
        reissues: whether whoever is there and not as wanted is issued again.
        limit: seconds that any one openssl command may take, instead of its own limit.
        passphrases: those of the authorities' keys, by the variable that openssl reads.
        executor: who makes keys and requests, of whom only what can be pickled is asked; whoever
            gives it ends it. Threads of this process if it is not given.
        hands: how many of them it makes at the same time.
    """

    folder: Path
    manifest: Manifest
    whom: Whom
    jobs: int
    zipped: bool = False
    renews: bool = False
    rekey: bool = False
    reissues: bool = False
    limit: float | None = None
    passphrases: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    executor: Executor | None = None
    hands: int = 0


@dataclasses.dataclass
class Done:
    """What came of it.

    Args:
        folder: the folder of the set.
        wanted: how many were wanted.
        made: how many were made now.
        again: how many of these were there, and not as they are wanted now.
        there: how many were there already, and were left so.
        others: how many of these are not as they are wanted now.
        named: the names of the first few of those.
        revoked: the names of those who were left so and are revoked.
        entered: how many were there and not in the register.
        strangers: names of clients that another authority has issued, or nobody can read.
        passwords: the file with the passwords; None if none was made.
        backup: where that is which was replaced.
        notes: what a person should know besides.
        hosts: how many keys each other host has made.
        seconds: how long it took.
    """

    folder: Path
    wanted: int
    made: int = 0
    again: int = 0
    there: int = 0
    others: int = 0
    named: list[str] = dataclasses.field(default_factory=list)
    revoked: list[str] = dataclasses.field(default_factory=list)
    entered: int = 0
    strangers: Sequence[str] = ()
    passwords: Path | None = None
    backup: Path | None = None
    notes: tuple[str, ...] = ()
    hosts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0

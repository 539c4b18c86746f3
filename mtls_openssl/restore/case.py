"""One backup held against the folder: what would become of each file. Frozen, no behaviour."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from pathlib import Path

from mtls_openssl.inspection.objects import Certificate
from mtls_openssl.language import Text
from mtls_openssl.proof import Check
from mtls_openssl.restore.backups import Backup
from mtls_openssl.restore.record import Run


class Fate(enum.StrEnum):
    """What becomes of one file."""

    RETURNS = "returns"
    """It is not in the folder, and comes back."""
    REPLACED = "replaced"
    SAME = "same"
    KEPT = "kept"
    """It is part of the register, and stays as it is."""
    MERGED = "merged"
    """It is part of the register, and comes to hold all that was ever on record."""
    LEAVES = "leaves"
    """It fits nothing that will be there, and goes to the new backup."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One file.

    Args:
        name: its name, as the folder spells it.
        fate: what becomes of it.
        after: the certificate that it would hold; None if it is none.
        before: the certificate that it holds now, if it would be another.
        kept_as: its name in the backup, where that spells it otherwise.
    """

    name: str
    fate: Fate
    after: Certificate | None = None
    before: Certificate | None = None
    kept_as: str = ""


@dataclasses.dataclass(frozen=True)
class Client:
    """A client of a fleet, of which all files come back together.

    Args:
        name: what it is called.
        entry: what it is in the backup: `clients/NAME`, or an archive of that name.
        fate: what becomes of it.
        before: what it is in the folder, likewise.
        digests: the SHA-256 of each of its files in both, by path.
    """

    name: str
    entry: str
    fate: Fate
    before: tuple[str, ...] = ()
    digests: Mapping[Path, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Case:
    """What a backup would change.

    Args:
        folder: the folder of the set.
        backup: the backup.
        run: the run that made it; None if none is on record.
        entries: what becomes of each file that it is about.
        clients: what becomes of each client of a fleet; nothing at a glance.
        sources: where each file lies that would come.
        contents: the bytes of each file that would be put together anew.
        digests: the SHA-256 of every file that all this goes by; empty for one that is not there.
        checks: what was proven of what would come out.
        notes: what a person should know, a sentence each.
        ways: what to do where it does not fit together.
    """

    folder: Path
    backup: Backup
    run: Run | None
    entries: tuple[Entry, ...]
    clients: tuple[Client, ...] = ()
    sources: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    contents: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    digests: Mapping[Path, str] = dataclasses.field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    notes: tuple[Text, ...] = ()
    ways: tuple[Text, ...] = ()

    @property
    def changes(self) -> tuple[Entry | Client, ...]:
        """What would not be as it is."""
        kept = (one for one in self.entries if one.fate not in {Fate.SAME, Fate.KEPT})
        return (*kept, *self.coming)

    @property
    def coming(self) -> tuple[Client, ...]:
        """The clients that would come from the backup."""
        return tuple(one for one in self.clients if one.fate is not Fate.SAME)

    @property
    def refused(self) -> tuple[Check, ...]:
        """The checks that what would come out does not pass."""
        return tuple(check for check in self.checks if check.fault)

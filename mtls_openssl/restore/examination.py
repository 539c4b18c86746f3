"""Holds a backup against the folder as it is: what would change, and what would come out."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from mtls_openssl.audit import LOG
from mtls_openssl.inspection.objects import Certificate, fingerprint
from mtls_openssl.language import Text, _
from mtls_openssl.openssl.ca import KEPT
from mtls_openssl.plan.naming import Names, folded, owner_of
from mtls_openssl.proof import Check
from mtls_openssl.restore import coherence, fleet
from mtls_openssl.restore.backups import Backup, all_
from mtls_openssl.restore.book import Book, issuer
from mtls_openssl.restore.case import Case, Client, Entry, Fate
from mtls_openssl.restore.coherence import Result
from mtls_openssl.restore.record import Record
from mtls_openssl.restore.shelf import BETWEEN, CA, Set, Shelf
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.settings.names import TAKEN
from mtls_openssl.workspace import commit

_ENDINGS = (".chain.crt", ".crt", ".key", ".csr", ".p12.password", ".p12")


def glance(shelf: Shelf, folder: Path, backup: Backup, known: Record) -> Case:
    """What a backup would change, without a proof of what would come out.

    Args:
        shelf: where files are read.
        folder: the folder of the set.
        backup: the backup.
        known: what the log of the folder knows.

    Raises:
        FolderUnavailableError: a file can't be read.
        CommandFailedError: openssl did not come to an end, or could not be started.
    """
    spelt = _as_spelt_here(folder, backup)
    entries = [_entry(shelf, folder, backup, name, spelt[name]) for name in backup.files]
    held = {name: shelf.digest(backup.path / name) for name in backup.files}
    held |= fleet.held_by_some(backup)
    seen = Case(folder, backup, known.maker(backup, held), tuple(entries))
    before = _files_of(folder)
    fates = Book(shelf, seen, before, {**before, **_coming(seen)}).fates
    entries = [one for one in entries if one.name not in fates]
    entries += [Entry(name, fate) for name, fate in fates.items()]
    return dataclasses.replace(seen, entries=tuple(sorted(entries, key=lambda one: one.name)))


def examine(shelf: Shelf, folder: Path, backup: Backup, known: Record, now: datetime) -> Case:
    """What a backup would change, and whether what would come out fits together.

    Args:
        shelf: where files are read.
        folder: the folder of the set.
        backup: the backup.
        known: what the log of the folder knows.
        now: the time.

    Raises:
        FolderUnavailableError: a file can't be read.
        CommandFailedError: openssl did not come to an end, or could not be started.
    """
    examiner = _Examiner(shelf, glance(shelf, folder, backup, known), known)
    return examiner.case(now)


class _Examiner:
    def __init__(self, shelf: Shelf, seen: Case, known: Record) -> None:
        self._shelf = shelf
        self._seen = seen
        self._known = known
        self._before: Set = _files_of(seen.folder)
        self._sources: Set = _coming(seen)
        self._leaving: set[str] = set()

    def case(self, now: datetime) -> Case:
        self._leaving |= set(self._outdated())
        told = self._checked()
        while more := self._brought_along(told):
            self._leaving |= more
            told = self._checked()
        after = self._after()
        book = Book(self._shelf, self._seen, self._before, after)
        backup = self._seen.backup
        clients = fleet.compared(self._seen.folder, backup)
        coming = [one for one in clients if one.fate is not Fate.SAME]
        told = (*told, *fleet.checks(self._shelf, backup, coming, after))
        checks = tuple(one for one in told if isinstance(one, Check))
        unknown = [one for one in told if isinstance(one, Text)]
        leaving = {**dict.fromkeys(sorted(self._leaving), Fate.LEAVES), **book.fates}
        entries = [one for one in self._seen.entries if one.name not in leaving]
        entries += [
            Entry(name, fate, before=self._certificate(self._before.get(name)))
            for name, fate in leaving.items()
        ]
        refused = [check for check in checks if check.fault]
        return dataclasses.replace(
            self._seen,
            entries=tuple(sorted(entries, key=lambda one: one.name)),
            clients=clients,
            sources={**self._sources, **book.sources},
            contents=book.contents,
            digests=self._digests(),
            checks=checks,
            notes=(
                *unknown,
                *self._ages(now),
                *book.notes,
                *fleet.notes(backup, coming, book.revoked, now),
                *self._left_behind(coming, after),
            ),
            ways=tuple(self._ways(refused)) if refused else (),
        )

    def _after(self) -> Set:
        after = {**self._before, **self._sources}
        return {name: path for name, path in after.items() if name not in self._leaving}

    def _checked(self) -> tuple[Check | Text, ...]:
        changed = {*self._sources, *self._leaving}
        result = Result(self._before, self._after(), changed)
        return tuple(coherence.checks(self._shelf, self._known, result))

    def _left_behind(self, coming: Sequence[Client], after: Set) -> Iterator[Text]:
        """Who of the fleet stays, and is of an authority that goes."""
        old, new = issuer(self._shelf, self._before), issuer(self._shelf, after)
        if new and (old is None or old.public_key != new.public_key):
            authority = after.get(BETWEEN) or after[CA]
            yield from fleet.left_behind(self._seen.folder, coming, authority)

    def _outdated(self) -> Iterator[str]:
        """What was made of a certificate or a bundle that is not there any more then."""
        after = {**self._before, **self._sources}
        held = {one.name for one in self._seen.entries}
        others = {name.removesuffix(".crt") for name in self._sources if self._is_another(name)}
        for name in self._before:
            if name in held:
                continue
            bundle = coherence.password_of(name)
            if bundle in self._sources:
                if not self._opens(name, bundle):
                    yield name
            elif coherence.owner(name, after) in others and not (
                coherence.is_bundle(bundle or name)
                and (bundle or name) in self._before
                and coherence.fits(self._shelf, self._known, bundle or name, after)
            ):
                yield name

    def _opens(self, name: str, bundle: str) -> bool:
        """Whether it is on record that a password was made for a bundle that comes back."""
        both = {name: self._before[name], bundle: self._sources[bundle]}
        return self._known.put_together(
            {one: self._shelf.digest(path) for one, path in both.items()}
        )

    def _is_another(self, name: str) -> bool:
        """Whether the certificate in `name` would be another than now, of another key if a CA's."""
        if not coherence.is_certificate(name):
            return False
        old, new = self._certificate(self._before.get(name)), self._certificate(self._sources[name])
        if old is None or new is None:
            return True
        if name == CA:
            return old.public_key != new.public_key
        return fingerprint(old.pem) != fingerprint(new.pem)

    def _brought_along(self, told: tuple[Check | Text, ...]) -> set[str]:
        """What the run that made the backup put there, and what fits nothing any more."""
        published = self._seen.run.published if self._seen.run else {}
        found: set[str] = set()
        for check in told:
            if not isinstance(check, Check) or not check.fault or check.subject in self._sources:
                continue
            theirs = {
                name
                for name in self._siblings(check.subject)
                if name not in self._sources
                and published.get(name) == self._shelf.digest(self._before[name])
            }
            if check.subject in theirs:
                found |= theirs
        return found - self._leaving

    def _siblings(self, name: str) -> Iterator[str]:
        """The files of the folder that stand or fall with one of them."""
        stem = name.removesuffix(".crt")
        for other in self._before:
            if other in {name, f"{stem}.key"} or coherence.owner(other, self._before) == stem:
                yield other

    def _ages(self, now: datetime) -> Iterator[Text]:
        for name, path in sorted(self._sources.items()):
            certificate = self._certificate(path) if coherence.is_certificate(name) else None
            if certificate and certificate.described.not_after < now:
                yield _(
                    "{file} has expired on {date:%Y-%m-%d}: nobody accepts it any more.",
                    file=name,
                    date=certificate.described.not_after,
                )

    def _ways(self, refused: list[Check]) -> Iterator[Text]:
        """What could be done instead: another backup with the CA that they belong to."""
        concerned = [check.subject for check in refused]
        for backup in all_(self._seen.folder):
            files = {name: backup.path / name for name in backup.files}
            if backup.name == self._seen.backup.name or CA not in files:
                continue
            after = self._after()
            together = {**after, **files}
            names = [name for name in concerned if coherence.is_certificate(name)]
            if names and not any(
                name in together and self._shelf.objection(name, together) for name in names
            ):
                yield _(
                    "restore the whole set of that CA first: {command}",
                    command=ours(self._seen.folder, "restore", backup.name),
                )
                return
        if any(commit.is_of_client(name) for name in concerned):
            yield _(
                "move these clients out of the backup first, and have new ones issued: {command}",
                command=ours(self._seen.folder, "issue"),
            )
        staying = [name for name in concerned if name in self._before and name not in self._sources]
        if staying:
            yield _(
                "move {files} to another folder first: they belong to the set that is there now",
                files=", ".join(dict.fromkeys(staying)),
            )
            return
        yield _(
            "restore another backup, of the whole set: {command}",
            command=ours(self._seen.folder, "restore"),
        )

    def _certificate(self, path: Path | None) -> Certificate | None:
        return self._shelf.certificate(path) if path and path.name.endswith(".crt") else None

    def _digests(self) -> Mapping[Path, str]:
        """Of what was looked at, and of what goes and comes: other files are not our business."""
        moved = {*self._sources, *self._leaving}
        for path in (self._before.get(name) for name in moved):
            if path:
                self._shelf.digest(path)
        for path in self._sources.values():
            self._shelf.digest(path)
        gone = {self._seen.folder / name: "" for name in moved if name not in self._before}
        return {**self._shelf.digests, **gone}


def _coming(seen: Case) -> Set:
    """The files of a backup that would come, and are no part of the register."""
    return {
        one.name: seen.backup.path / (one.kept_as or one.name)
        for one in seen.entries
        if one.fate in {Fate.RETURNS, Fate.REPLACED} and one.name not in KEPT
    }


def _as_spelt_here(folder: Path, backup: Backup) -> Mapping[str, str]:
    """What the files of a backup are called in the folder, where upper and lower case may differ.

    Whose others are here already has the new ones called like them. What commands look for under a
    name of their own keeps that.
    """
    here = [path.name for path in folder.iterdir() if _whose(path.name)]
    files, stems = Names(here), Names(map(_whose, here))
    spelt: dict[str, str] = {}
    for name in backup.files:
        whose = next((stem for stem in _stems(name) if stems.spelt(stem)), "")
        usual = f"{stems.spelt(whose) or whose}{name[len(whose) :]}"
        called = (files.spelt(name) or usual) if _whose(name) else name
        # Where case counts, a backup may have two that are one here.
        is_others = called in backup.files or called in spelt.values()
        spelt[name] = name if is_others else called
    return spelt


def _whose(name: str) -> str:
    """Whose a file of a set is, as people call it; empty for what has its name from commands."""
    stem = next((name.removesuffix(end) for end in _ENDINGS if name.endswith(end)), "")
    return "" if folded(stem) in TAKEN else stem


def _stems(name: str) -> Iterator[str]:
    """Whose a file may be: `a.b` and `a` for `a.b.crt`."""
    while stem := owner_of(name):
        yield stem
        name = stem


def _entry(shelf: Shelf, folder: Path, backup: Backup, kept_as: str, name: str) -> Entry:
    path, current = backup.path / kept_as, folder / name
    after = shelf.certificate(path) if name.endswith(".crt") else None
    if name in KEPT or name == LOG:
        return Entry(name, Fate.KEPT)
    entry = Entry(name, Fate.RETURNS, after, kept_as="" if kept_as == name else kept_as)
    if not os.path.lexists(current):
        return entry
    if current.is_file() and shelf.digest(path) == shelf.digest(current):
        return dataclasses.replace(entry, fate=Fate.SAME)
    before = shelf.certificate(current) if name.endswith(".crt") and current.is_file() else None
    return dataclasses.replace(entry, fate=Fate.REPLACED, before=before)


def _files_of(folder: Path) -> Set:
    """The files of a set, by their names; what is no file, or none that could be one, is not."""
    found = (path for path in folder.iterdir() if path.is_file() and commit.is_bare(path.name))
    return {_found_as(path): path for path in found if path.name != LOG}


def _found_as(path: Path) -> str:
    """The name of a file; that of commands where the system finds it by that."""
    usual = path.with_name(folded(path.name))
    is_found = not _whose(path.name) and usual.exists() and usual.samefile(path)
    return usual.name if is_found else path.name

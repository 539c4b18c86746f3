"""Sees that all that is asked for can be had, before anything is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from mtls_openssl.fleet.table import Row
from mtls_openssl.language import Text, _
from mtls_openssl.life.taken import Taken, taken
from mtls_openssl.manifest import Leaf
from mtls_openssl.plan.naming import folded
from mtls_openssl.settings import Refusal, Settings, SettingsRefusedError, leaf_in_row

_MOST_TOLD = 50
_FIXES_TOLD = 3


class Asked(Protocol):
    """A table or a series."""

    def rows(self) -> Iterator[Row]:
        """Each client in turn; may be asked for again."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The clients that are asked for, all of them fit to be made.

    Args:
        asked: who is asked for.
        settings: what holds where nothing is said.
        readers: for whom each is packed as PKCS#12; none for no such file.
        count: how many.
    """

    asked: Asked
    settings: Settings
    readers: tuple[str, ...]
    count: int

    def leaves(self) -> Iterator[Leaf]:
        """Each of them in turn, made anew each time: none is kept."""
        for row in self.asked.rows():
            leaf, _refusals = leaf_in_row(_given(row, self.readers), row.source, self.settings)
            if leaf is not None:
                yield leaf


def wanted(asked: Asked, settings: Settings, readers: Sequence[str], folder: Path) -> Wanted:
    """See that all that is asked for can be had.

    Args:
        asked: who is asked for.
        settings: what holds where nothing is said.
        readers: for whom each is packed as PKCS#12.
        folder: the folder of the set.

    Raises:
        SettingsRefusedError: something can't be had; it tells of every row.
        FolderUnavailableError: the folder can't be looked into.
    """
    refusals: list[Refusal] = []
    count = 0
    for refused in _looked_at(asked, settings, tuple(readers), taken(folder)):
        count += 1
        refusals += refused
        if len(refusals) >= _MOST_TOLD:
            break
    if refusals:
        raise SettingsRefusedError(refusals, fixes=_FIXES_TOLD)
    return Wanted(asked, settings, tuple(readers), count)


def _looked_at(
    asked: Asked, settings: Settings, readers: tuple[str, ...], there: Taken
) -> Iterator[Iterable[Refusal]]:
    seen: dict[str, str] = {}
    for row in asked.rows():
        if row.fault:
            allowed = _("a value for each column; one that holds the separator stands in quotes")
            yield [Refusal(_("the row"), "", row.source, row.fault, allowed, _edit(row))]
            continue
        given = _given(row, readers)
        leaf, refusals = leaf_in_row(given, row.source, settings)
        if "name" not in row.values:
            refusals = list(map(_named_apart, refusals))
        name = str(given["name"])
        before = seen.setdefault(folded(name), row.source)
        if before != row.source:
            refusals.append(_refusal(row, name, _("is in {place} already", place=before)))
        elif leaf and (why := _whose(leaf, there)):
            refusals.append(_refusal(row, name, why))
        yield [_mended(refusal, row) for refusal in refusals]


def _mended(refusal: Refusal, row: Row) -> Refusal:
    return dataclasses.replace(refusal, fix=row.fixes.get(refusal.field, refusal.fix))


def _whose(leaf: Leaf, there: Taken) -> Text | None:
    """Who has the name of a client already, other than itself; None for nobody."""
    if file := there.files.spelt(leaf.certificate_file):
        return _("is {file} of the set", file=file)
    client = there.clients.spelt(leaf.name)
    if client in {None, leaf.name}:
        return None
    return _("differs in upper and lower case only from {name} of the fleet", name=client)


def _given(row: Row, readers: tuple[str, ...]) -> dict[str, object]:
    """The values of a row; whoever has no name is called as in the certificate."""
    name = row.values.get("name", row.values.get("cn", ""))
    return {**row.values, "name": name, "p12": list(readers)}


def _refusal(row: Row, name: str, why: str) -> Refusal:
    allowed = _("a name that nobody else has")
    return Refusal("name", repr(name), row.source, why, allowed, _edit(row))


def _named_apart(refusal: Refusal) -> Refusal:
    """A refusal of a common name that is no file's name, and may stay for all that."""
    if refusal.field != "name":
        return refusal
    fix = _("say what the files of each are called: in a column name, or with --name beside --cn")
    return dataclasses.replace(refusal, fix=fix)


def _edit(row: Row) -> str:
    return _("edit {place}", place=row.source)

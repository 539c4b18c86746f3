"""The proof of a log: nothing in it was changed, removed, added or reordered since.

The chain has no key. Who writes anew every line from some point to the end, or takes whole runs
off the end, leaves a chain without a fault; then only the files of the set tell of it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from mtls_openssl.audit.chain import Entry, Fault, Flaw, proven
from mtls_openssl.audit.line import NotALineError, is_sealed, opened, record_of, sha256_of
from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import _
from mtls_openssl.workspace.commit import CLIENTS, is_bare

_SET = (
    *("ca.key", "ca.crt", "server.key", "server.crt"),
    *("client.key", "client.crt", "client.p12", "server.p12", "truststore.p12"),
)
_PUBLISHING = {"publish", "end"}
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the proof of a log found.

    Args:
        lines: how many lines the file has.
        runs: how many runs they tell of.
        faults: what is wrong, in the order of the lines; empty if nothing is.
        notes: what is worth knowing and is no fault.
    """

    lines: int
    runs: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def verify(path: Path, *, folder: Path | None) -> Verdict:
    """Prove a log.

    Args:
        path: the log.
        folder: the folder of the set, to compare its files with what the log saw last; None to
            look at the log only.

    Raises:
        FolderUnavailableError: there is no log, it is empty, or it can't be read.
    """
    faults: list[Fault] = []
    with opened(path) as log:
        entries = list(_entries(log, faults))
    if not entries:
        raise FolderUnavailableError(
            _("the log {path} is empty: no run is on record", path=path),
            cause=_("its lines were removed, or the first run was cut off before its first line"),
            fix=_("name the folder of the set with --out"),
        )
    genuine, found = proven(entries)
    faults += found
    if genuine and not genuine[-1].ends and not entries[-1].damage:
        what = _(
            "the last run has no end line: the log's tail was removed, or a run is still going "
            "or was cut off"
        )
        faults.append(Fault(genuine[-1].number, Flaw.UNFINISHED, what))
    notes: list[str] = []
    if folder:
        faults += _files(genuine, folder, notes)
    return Verdict(
        lines=len(entries),
        runs=len({entry.run for entry in genuine}),
        faults=tuple(sorted(faults, key=lambda fault: fault.line)),
        notes=tuple(notes),
    )


def _entries(log: IO[bytes], faults: list[Fault]) -> Iterator[Entry]:
    """Each line as it was found; what an editor did to all lines alike is one fault."""
    returns: list[int] = []
    for number, line in enumerate(log, 1):
        if number == 1 and line.startswith(_UTF16):
            yield Entry(1, _("an editor saved the file as UTF-16, and no line of it can be read"))
            return
        raw = line.removesuffix(b"\n")
        marked = number == 1 and raw.startswith(_BOM)
        entry = _entry(number, raw.removeprefix(_BOM if marked else b"").removesuffix(b"\r"))
        if marked and not entry.damage:
            what = _("changed: an editor put a byte order mark in front of it")
            faults.append(Fault(1, Flaw.CHANGED, what))
        if raw.endswith(b"\r") and not entry.damage:
            returns.append(number)
        if not line.endswith(b"\n"):
            if entry.damage:
                entry = Entry(number, _("it is cut off, as by a power loss"))
            else:
                what = _("changed: the newline at its end is missing")
                faults.append(Fault(number, Flaw.CHANGED, what))
        yield entry
    if returns:
        what = _("changed: its line ending became that of Windows, as an editor saves it")
        if returns[1:]:
            what = _(
                "changed: its line ending, and those of {count} more lines, became that of"
                " Windows, as an editor saves it",
                count=len(returns) - 1,
            )
        faults.append(Fault(returns[0], Flaw.CHANGED, what))


def _entry(number: int, raw: bytes) -> Entry:
    try:
        record = record_of(raw)
    except NotALineError as error:
        return Entry(number, error.why)
    return Entry(
        number,
        "" if is_sealed(raw) else _("its content does not match its own hash"),
        record["seq"],
        record["prev"],
        record["hash"],
        record["run"],
        record["writes"] if record["event"] in _PUBLISHING else None,
        record["event"] == "end",
    )


def _files(genuine: Sequence[Entry], folder: Path, notes: list[str]) -> Iterator[Fault]:
    seen = {
        name: (digest, entry.number)
        for entry in genuine
        for name, digest in (entry.published or {}).items()
    }
    for name, (digest, number) in seen.items():
        file = folder / name
        try:
            if not _is_in(name) or not file.is_file():
                notes.append(
                    _(
                        "{file} is not in the folder; the log saw it last in line {line}",
                        file=name,
                        line=number,
                    )
                )
                continue
            same = sha256_of(file) == digest
        except OSError as error:
            notes.append(_("{file} can't be read: {error}", file=name, error=system_said(error)))
            continue
        if not same:
            yield Fault(
                number, Flaw.FILE, _("{file} is not the file that the log saw last", file=name)
            )
    notes.extend(
        _("{file} is in the folder, and no run in the log published it", file=name)
        for name in _SET
        if name not in seen and os.path.lexists(folder / name)
    )


def _is_in(name: str) -> bool:
    """Whether a name in the log is one that a file of a set can have: none that leads out."""
    first, *more = name.split("/")
    # clients/NAME/NAME.key: the folders of a fleet.
    return all(map(is_bare, (*more, first))) and (not more or first == CLIENTS)

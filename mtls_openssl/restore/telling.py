"""What a backup holds and what would change, as lines for a person and as data. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mtls_openssl.inspection import telling
from mtls_openssl.inspection.objects import Certificate, fingerprint
from mtls_openssl.inspection.telling import Line, shown
from mtls_openssl.language import Text, _, joined
from mtls_openssl.restore import fleet
from mtls_openssl.restore.case import Case, Entry, Fate
from mtls_openssl.workspace.commit import CLIENTS

_FATES = {
    Fate.RETURNS: _("comes back"),
    Fate.REPLACED: _("is replaced"),
    Fate.SAME: _("stays: it is the same"),
    Fate.KEPT: _("stays as it is now, so that nothing is forgotten"),
    Fate.MERGED: _("comes to hold all that was ever on record"),
    Fate.LEAVES: _("goes to the new backup: it fits nothing that will be there"),
}
_OF_CLIENTS = {
    Fate.RETURNS: _("come back"),
    Fate.REPLACED: _("are replaced"),
    Fate.SAME: _("stay: they are the same"),
}
_RUN = 12
"""Characters of the id of a run."""


def listed(cases: Sequence[Case]) -> Iterator[Iterator[Line]]:
    """The lines of each backup; those in a row that bring nothing back are told as one.

    Args:
        cases: the backups, the newest first.
    """
    for nothing, row in itertools.groupby(cases, _brings_nothing):
        alike = list(row)
        if nothing and len(alike) > 1:
            yield _as_one(alike, latest=alike[0] is cases[0])
        else:
            yield from (lines(case, latest=case is cases[0]) for case in alike)


def first_to_bring(cases: Iterable[Case]) -> Case | None:
    """The first backup of which something comes back."""
    return next((case for case in cases if not _brings_nothing(case)), None)


def _brings_nothing(case: Case) -> bool:
    return not (case.changes or case.backup.clients or case.backup.strange)


def _as_one(cases: Sequence[Case], *, latest: bool) -> Iterator[Line]:
    newest, oldest = cases[0].backup.name, cases[-1].backup.name
    newest = _("{name} (the latest)", name=newest) if latest else newest
    count = len(cases)
    yield "", _("{newest} to {oldest}: {count} backups", newest=newest, oldest=oldest, count=count)
    names = sorted({entry.name for case in cases for entry in case.entries})
    yield _("they hold"), shown(", ".join(names))
    yield _("come back"), _("none: they are here already, or part of the register")


def lines(case: Case, *, latest: bool = False) -> Iterator[Line]:
    """What a backup would change, line by line.

    Args:
        case: the backup, held against the folder.
        latest: whether it is the newest.
    """
    name = case.backup.name
    yield "", _("{name} (the latest)", name=name) if latest else name
    if case.run:
        made = _(
            "run {run}, which put there {files}",
            run=shown(case.run.id)[:_RUN],
            files=shown(", ".join(_folded(case.run.published))),
        )
        yield _("made by"), made
    else:
        yield _("made by"), _("no run that is on record")
    for entry in case.entries:
        yield shown(entry.name), _told(entry)
    yield from _clients(case)
    for strange in case.backup.strange:
        yield shown(strange), _("stays in the backup: it is no file of a set")


def _folded(names: Iterable[str]) -> tuple[str, ...]:
    """Names of files, with those of all clients of a fleet as one."""
    fleets = f"{CLIENTS}/"
    return tuple(dict.fromkeys(fleets if name.startswith(fleets) else name for name in names))


def _clients(case: Case) -> Iterator[Line]:
    if case.backup.clients and not case.clients:  # at a glance
        named = fleet.named(case.backup.clients)
        yield CLIENTS, _("clients of a fleet: {names}", names=named)
    for fate, text in _OF_CLIENTS.items():
        if names := [client.name for client in case.clients if client.fate is fate]:
            yield CLIENTS, joined(": ", (text, fleet.named(names)))


def proof(case: Case) -> Iterator[Text]:
    """What was proven of what would come out, and what a person should know besides."""
    if case.checks and not case.refused:
        yield _("Proven: what comes out fits together, by {count} checks.", count=len(case.checks))
    for note in case.notes:
        yield _("Note: {note}", note=note)


def data(case: Case) -> dict[str, Any]:
    """The same for a program."""
    fates = {client.name: client.fate.value for client in case.clients}
    return {
        "name": case.backup.name,
        "time": case.backup.time.isoformat(),
        "run": case.run.id if case.run else None,
        "published": sorted(_folded(case.run.published)) if case.run else [],
        "files": [
            {
                "file": entry.name,
                "change": entry.fate.value,
                "certificate": _certificate_data(entry.after),
                "now": _certificate_data(entry.before),
            }
            for entry in case.entries
        ],
        "clients": [{"client": name, "change": fates.get(name)} for name in case.backup.clients],
        "passed_over": list(case.backup.strange),
    }


def proof_data(case: Case) -> dict[str, Any]:
    """What was proven, for a program."""
    return {
        "checks": [
            {
                "file": check.subject,
                "claim": str(check.claim),
                "passed": not check.fault,
                "fault": str(check.fault),
            }
            for check in case.checks
        ],
        "notes": [str(note) for note in case.notes],
    }


def _told(entry: Entry) -> Text:
    fate = _FATES[entry.fate]
    after, before = _certificate(entry.after), _certificate(entry.before)
    if after and before:
        return _("{what}: {certificate}; now: {other}", what=fate, certificate=after, other=before)
    if after or before:
        return joined(": ", (fate, after or before))
    return fate


def _certificate(certificate: Certificate | None) -> Text:
    if certificate is None:
        return Text("")
    described = certificate.described
    return _(
        "{name}, serial number {serial}, {first:%Y-%m-%d} to {last:%Y-%m-%d}",
        name=telling.name(described.subject) or _("(empty)"),
        serial=described.serial,
        first=described.not_before,
        last=described.not_after,
    )


def _certificate_data(certificate: Certificate | None) -> dict[str, Any] | None:
    if certificate is None:
        return None
    described = certificate.described
    return {
        "subject": [list(pair) for pair in described.subject],
        "serial": described.serial,
        "not_before": described.not_before.isoformat(),
        "not_after": described.not_after.isoformat(),
        "sha256": fingerprint(certificate.pem),
    }

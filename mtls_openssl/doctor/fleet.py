"""The clients of a fleet: whether they are in date, and who is revoked."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.doctor import closed, mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.inventory.strangers import issued_again
from mtls_openssl.language import _, few
from mtls_openssl.workspace.commit import CLIENTS

_SHOWN = 3


def readable(patient: Patient) -> Iterator[Finding]:
    """Which clients of a fleet are closed to whoever asks, all of them together."""
    paths = patient.closed
    if not paths:
        return
    what = None
    if paths[0].name != CLIENTS:
        what = _(
            "You may not look at {count} client{count:|s} of the fleet: {names}.",
            count=len(paths),
            names=few([path.stem for path in paths], _SHOWN),
        )
    file = paths[0].relative_to(patient.folder).as_posix()
    yield closed.finding(patient, "fleet-unreadable", file, what)


def whole(patient: Patient) -> Iterator[Finding]:
    """Whether every client of a fleet has a certificate, all of them together."""
    names = patient.damaged
    if names:
        yield Finding(
            "fleet-damaged",
            Severity.ERROR,
            CLIENTS,
            _(
                "{count} client{count:|s} of the fleet {count:has|have} no certificate that can be"
                " read: {names}.",
                count=len(names),
                names=few(names, _SHOWN),
            ),
            _("nobody lets them in, and nobody can tell until when they were to be let in"),
            _(
                "bring back what a backup has: {command}; or {otherwise}",
                command=mending.ours(patient, "restore"),
                otherwise=issued_again(patient.folder),
            ),
        )


def dates(patient: Patient) -> Iterator[Finding]:
    """Whether the clients of a fleet last long enough; those that are revoked need not."""
    due = patient.fleet
    if due is None or not (due.names or due.elsewhere):
        return
    names = (*due.names, *due.elsewhere)
    shown = few(names, _SHOWN)
    what = _(
        "{count} client{count:|s} of the fleet near{count:s|} the end: {names}.",
        count=len(names),
        names=shown,
    )
    if due.ended:
        what = _(
            "{ended} client{ended:|s} of the fleet {ended:has|have} expired, of {count} near the"
            " end: {names}.",
            ended=due.ended,
            count=len(names),
            names=shown,
        )
    yield Finding(
        "fleet-expires",
        Severity.ERROR if due.ended else Severity.WARNING,
        CLIENTS,
        what,
        _("everybody refuses a client from the day that its certificate ends"),
        mending.ours(patient, "renew", *() if due.names else ("--rekey",)),
    )


def revoked(patient: Patient) -> Iterator[Finding]:
    """Which clients of a fleet are revoked, all of them together."""
    names = patient.lists.fleet
    if not names:
        return
    yield Finding(
        "fleet-revoked",
        Severity.NOTE,
        CLIENTS,
        _(
            "{count} client{count:|s} of the fleet {count:is|are} revoked: {names}.",
            count=len(names),
            names=few(names, _SHOWN),
        ),
        _("whoever checks with the CRL refuses them"),
        _(
            "leave it so, if that was meant; else: {command}",
            command=mending.ours(patient, "renew", "NAME", "--rekey"),
        ),
    )


def strangers(patient: Patient) -> Iterator[Finding]:
    """Whether the authority of the folder has issued the clients of a fleet."""
    names = patient.fleet.strangers if patient.fleet else ()
    if names:
        yield Finding(
            "fleet-of-another",
            Severity.ERROR,
            CLIENTS,
            _(
                "{count} client{count:|s} of the fleet {count:is|are} of another authority:"
                " {names}.",
                count=len(names),
                names=few(names, _SHOWN),
            ),
            _("nobody who trusts this CA lets them in"),
            issued_again(patient.folder),
        )

"""The clients of a fleet: whether they are in date."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.doctor import mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.language import _
from mtls_openssl.workspace.commit import CLIENTS

_SHOWN = 3


def dates(patient: Patient) -> Iterator[Finding]:
    """Whether the clients of a fleet last long enough; those that are revoked need not."""
    due = patient.fleet
    if due is None or not (due.names or due.elsewhere):
        return
    names = (*due.names, *due.elsewhere)
    shown = ", ".join(names[:_SHOWN]) + ("…" if len(names) > _SHOWN else "")
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

"""The log: is it unbroken, and are the files those that it saw last."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator

from mtls_openssl.audit import LOG, Flaw
from mtls_openssl.doctor import closed, mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.inventory import places
from mtls_openssl.language import _


def log(patient: Patient, known: Collection[str]) -> Iterator[Finding]:
    """Whether the log can be believed, and the folder is as it says.

    Args:
        patient: whose log it is.
        known: the files of which something is the matter already.
    """
    proof = mending.ours(patient, "audit", "verify")
    if patient.broken_log and closed.is_closed(patient.broken_log.__cause__):
        yield closed.finding(patient, "log-unreadable", LOG)
    elif patient.broken_log:
        yield Finding(
            "log-unreadable",
            Severity.WARNING,
            LOG,
            _("{what}.", what=patient.broken_log.what),
            _("what was run here is not on record any more"),
            _("move {file} away; the next run begins a new one", file=LOG),
        )
    if patient.verdict is None:
        return
    broken = [
        fault for fault in patient.verdict.faults if fault.flaw not in {Flaw.FILE, Flaw.UNFINISHED}
    ]
    if broken:
        yield Finding(
            "log-broken",
            Severity.ERROR,
            LOG,
            _("The log is not as it was written: line {line}: {what}.",
              line=broken[0].line, what=broken[0].what),
            _("somebody or something has changed the record of what was run here"),
            proof,
        )  # fmt: skip
    for fault in patient.verdict.faults:
        changed = [name for name in patient.files if fault.what.startswith(f"{name} ")]
        if fault.flaw is not Flaw.FILE or not changed or changed[0] in known:
            continue
        if _is_kept(patient, changed[0]):
            yield Finding(
                "file-older",
                Severity.NOTE,
                changed[0],
                _("{file} is an earlier one, which a backup has as well.", file=changed[0]),
                _("it was brought back by hand; the log has the hash of the one made last"),
                _(
                    "nothing, if that was meant; else look what the backups have: {command}",
                    command=mending.ours(patient, "restore"),
                ),
            )
        else:
            yield Finding(
                "file-changed",
                Severity.WARNING,
                changed[0],
                _("{file} is not the file that was made here.", file=changed[0]),
                _("it was put here by hand, or changed; the log has the hash of the one made"),
                proof,
            )


def _is_kept(patient: Patient, name: str) -> bool:
    file = patient.folder / name
    with contextlib.suppress(OSError):
        content = file.read_bytes()
        return any(path.read_bytes() == content for path in places.kept(patient.folder, name))
    return False

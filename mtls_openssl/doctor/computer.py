"""What is examined first: openssl, its configuration, the clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mtls_openssl.doctor import mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.errors import MtlsError
from mtls_openssl.language import _
from mtls_openssl.scripting import prompt

_NEVER_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock that is right showed less since this program was written."""

_INSTALL = prompt.line("python", "-m", "mtls_openssl", "install")
_SKEW = timedelta(hours=1)


def openssl(patient: Patient) -> Iterator[Finding]:
    """Whether there is an openssl, and what is to be known of it."""
    chosen = patient.search.chosen
    if chosen is None:
        error = patient.absence or MtlsError(_("No openssl was found."))
        yield Finding(
            "openssl-missing",
            Severity.ERROR,
            "openssl",
            error.what,
            error.cause or _("without it nothing can be made, and next to nothing examined"),
            error.fix if patient.request.named else _INSTALL,
        )
        return
    if chosen.note:
        yield Finding(
            "openssl-old",
            Severity.WARNING,
            str(chosen.path),
            _("{note}.", note=chosen.note),
            _("faults in it that become known are not mended any more"),
            _INSTALL,
        )
    for candidate in patient.search.candidates:
        if candidate.problem:
            yield Finding(
                "openssl-passed-over",
                Severity.NOTE,
                str(candidate.path),
                _(
                    "It was passed over: {problem}; {taken} is used.",
                    problem=candidate.problem,
                    taken=chosen.path,
                ),
                _("the guide's commands, typed by hand, may be given to it all the same"),
                _("put the folder of {taken} before it in the PATH", taken=chosen.path),
            )


def configuration(patient: Patient) -> Iterator[Finding]:
    """Whether the guide's commands work by hand: ours bring a configuration of their own."""
    if not patient.config:
        return
    named = os.environ.get("OPENSSL_CONF")
    yield Finding(
        "openssl-config",
        Severity.NOTE,
        f"OPENSSL_CONF={named}" if named else "openssl.cnf",
        _("openssl does not work with this computer's own configuration: {said}",
          said=patient.config),
        _("it does no harm here, but `openssl req`, typed by hand, fails"),
        _unset() if named else _("install OpenSSL again, with its openssl.cnf"),
    )  # fmt: skip


def _unset() -> str:
    if os.name == "nt":
        return prompt.line("reg", "delete", r"HKCU\Environment", "/v", "OPENSSL_CONF", "/f")
    return "unset OPENSSL_CONF"


def clock(patient: Patient) -> Iterator[Finding]:
    """Whether the clock can be right."""
    now = patient.request.now
    ahead = [
        file for file in patient.files.values() if file.modified and file.modified > now + _SKEW
    ]
    if now < _NEVER_BEFORE:
        what = _("This computer's clock says {now}, which can't be.", now=f"{now:%Y-%m-%d %H:%M}")
    elif ahead:
        what = _(
            "This computer's clock says {now}, and {file} was written later, on {then}.",
            now=f"{now:%Y-%m-%d %H:%M}",
            file=ahead[0].name,
            then=f"{ahead[0].modified:%Y-%m-%d %H:%M}",
        )
    else:
        return
    yield Finding(
        "clock",
        Severity.ERROR if now < _NEVER_BEFORE else Severity.WARNING,
        "clock",
        what,
        _("whether a certificate is in date is told by the clock"),
        mending.clock(),
    )

"""What is the matter around a set: with the trust in its CA, and with nginx and IIS."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.doctor import mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.language import Text, _, joined
from mtls_openssl.manifest import Role
from mtls_openssl.scripting import prompt


def trust(patient: Patient) -> Iterator[Finding]:
    """Whether who trusts the CA here trusts the certificate that it has now."""
    around = patient.surroundings
    install = mending.ours(patient, "trust", "install")
    if around.stale:
        yield Finding(
            "trust-stale",
            Severity.WARNING,
            "ca.crt",
            _(
                "This computer trusts an earlier certificate of the CA: {stores}.",
                stores=joined(", ", around.stale),
            ),
            _("what was wrong with the earlier one is so for its programs still"),
            install,
        )
    if around.halved:
        yield Finding(
            "trust-halved",
            Severity.WARNING,
            "ca.crt",
            _(
                "The CA is there, but not trusted: {stores}.",
                stores=joined(", ", around.halved),
            ),
            _("it was put there by hand, and the rest of the work was left out"),
            install,
        )


def strangers(patient: Patient) -> Iterator[Finding]:
    """Whether there are roots in Windows that are none."""
    found = patient.surroundings.strangers
    if found:
        thumbprint, subject = found[0]
        yield Finding(
            "root-strangers",
            Severity.WARNING,
            subject,
            _("Windows has {subject} among its roots, which is no root.", subject=subject),
            _("IIS refuses every client's certificate then, with 403.16 (KB 942061)"),
            prompt.line("certutil", "-delstore", "Root", thumbprint),
        )


def nginx(patient: Patient) -> Iterator[Finding]:
    """Whether the nginx that serves the set can be started."""
    around = patient.surroundings
    if around.refusal:
        yield Finding(
            "nginx-refuses",
            Severity.ERROR,
            around.nginx,
            _("nginx refuses its configuration: {said}", said=around.refusal),
            _("it goes on as it was until it is started anew, and then not at all"),
            _("mend what it names; then: {command}", command="nginx -t"),
        )


def iis(patient: Patient) -> Iterator[Finding]:
    """Whether IIS serves the certificate that the set has now, and asks clients for theirs."""
    around, leaves = patient.surroundings, patient.members.leaves
    servers = [name for name, role in leaves.items() if role is Role.SERVER] or ["server"]
    files = ", ".join(f"{name}.crt" for name in servers)
    named = () if len(servers) == 1 else ("--name", servers[0])
    script = mending.ours(patient, "iis", *named, "--write", "mtls-iis.ps1")
    if around.outdated:
        yield Finding(
            "iis-stale",
            Severity.WARNING,
            f"{servers[0]}.crt",
            _(
                "IIS serves an earlier {file}: {endpoints}.",
                file=files,
                endpoints=joined(", ", around.outdated),
            ),
            _("it has a copy of its own, which a new certificate does not change"),
            script,
        )
    if around.late:
        yield Finding(
            "iis-late",
            Severity.WARNING,
            f"{servers[0]}.crt",
            _(
                "IIS asks for the client's certificate only after the handshake: {endpoints}.",
                endpoints=joined(", ", around.late),
            ),
            _("with TLS 1.3 or HTTP/2 nobody answers then: 403.7, or the connection is reset"),
            script,
        )


def not_trusted(patient: Patient) -> tuple[Text, ...]:
    """What is no fault, and good to know of a set on this computer."""
    around = patient.surroundings
    if around.trusted or around.stale or around.halved or not around.stores or not patient.ca:
        return ()
    return (
        _(
            "This computer does not trust the CA; if its own browsers and services are to: {fix}",
            fix=mending.ours(patient, "trust", "install"),
        ),
    )

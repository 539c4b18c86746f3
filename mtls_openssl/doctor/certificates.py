"""Each certificate by itself: in date, for its purpose, for its names, and fit for validators."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from mtls_openssl.doctor import mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.inspection.content import Kind
from mtls_openssl.inspection.objections import APPLE_LONGEST, is_ca, objections, serves
from mtls_openssl.inspection.telling import remaining
from mtls_openssl.language import _
from mtls_openssl.manifest import ROOT, Role
from mtls_openssl.openssl import ca
from mtls_openssl.openssl.extensions import EXTENDED_KEY_USAGE
from mtls_openssl.openssl.x509 import Description, renewal

_RENEWED = ("repair-ca", "--ca-days", "3650")
_REPAIRED = {
    "ca-key-usage",
    "ca-cert-sign",
    "ca-constraints-critical",
    "ca-subject-key-identifier",
    "version-1",
}
_MILD = {
    "apple-days", "ec-curve", "ec-key-encipherment", "key-kind", "serial-length",
    "serial-positive", "wildcard",
}  # fmt: skip
_STRANGE = {
    Role.SERVER: _("it may not be used by a server (extendedKeyUsage lacks serverAuth)"),
    Role.CLIENT: _("it may not be used by a client (extendedKeyUsage lacks clientAuth)"),
}


def dates(patient: Patient) -> Iterator[Finding]:
    """Whether the certificates are in date, the CA's first: what it issued ends with it.

    Those that are revoked need not be.
    """
    now = patient.request.now
    for owner in patient.members.owners:
        certificate = patient.certificate(owner)
        if certificate is None or ca.plain(certificate.serial) in patient.lists.revoked:
            continue
        name = f"{owner}.crt"
        again = _renewed(patient, owner)
        if certificate.not_after <= now:
            yield Finding(
                "expired",
                Severity.ERROR,
                name,
                _("{file} has expired on {date}.", file=name, date=_day(certificate.not_after)),
                _("everybody refuses it, and with a CA all that it has issued"),
                again,
            )
        elif certificate.not_before > now:
            yield Finding(
                "not-yet-valid",
                Severity.ERROR,
                name,
                _(
                    "{file} is not valid before {date}, and it is {now} here.",
                    file=name,
                    date=f"{certificate.not_before:%Y-%m-%d %H:%M}",
                    now=f"{now:%Y-%m-%d %H:%M}",
                ),
                _("the clock of this computer is slow, or that of the one that made it was fast"),
                mending.clock(),
            )
        elif certificate.not_after - now <= renewal(certificate.not_before, certificate.not_after):
            yield Finding(
                "expires-soon",
                Severity.WARNING,
                name,
                _(
                    "{file} expires on {date}: {left}.",
                    file=name,
                    date=_day(certificate.not_after),
                    left=remaining(certificate.not_after, now),
                ),
                _("from then on everybody refuses it, and with a CA all that it has issued"),
                again,
            )


def outlived(patient: Patient) -> Iterator[Finding]:
    """Whether an authority ends before what it has issued."""
    for name in patient.members.authorities:
        ca = patient.certificate(name)
        others = {owner: patient.certificate(owner) for owner in patient.members.owners}
        issued = [
            one for owner, one in others.items()
            if ca and one and owner != name and one.issuer == ca.subject
        ]  # fmt: skip
        if ca and any(one.not_after > ca.not_after for one in issued):
            yield Finding(
                "ca-outlived",
                Severity.NOTE,
                f"{name}.crt",
                _("The CA ends on {date}, before what it has issued.", date=_day(ca.not_after))
                if name == ROOT
                else _(
                    "{file} ends on {date}, before what it has issued.",
                    file=f"{name}.crt",
                    date=_day(ca.not_after),
                ),
                _("certificates are refused from the day that their CA ends"),
                _renewed(patient, name),
            )


def authority(patient: Patient) -> Iterator[Finding]:
    """Whether each authority is one that strict validators accept."""
    for name in patient.members.authorities:
        ca = patient.certificate(name)
        if ca is None:
            continue
        if not is_ca(ca):
            leaf = name != ROOT or any(
                serves(ca, role.usage) and EXTENDED_KEY_USAGE in ca.extensions for role in Role
            )
            yield Finding(
                "not-a-ca",
                Severity.ERROR,
                f"{name}.crt",
                _("{file} is not the certificate of a CA.", file=f"{name}.crt"),
                _("nothing that claims to be issued by it is accepted"),
                mending.made_again(patient, name) if leaf else mending.ours(patient, "repair-ca"),
            )
            continue
        yield from _root(name, ca)
        yield from _several(patient, name, ca)
        yield from _objections(patient, name, ca)


def _root(name: str, ca: Description) -> Iterator[Finding]:
    if name == ROOT and ca.issuer != ca.subject:
        yield Finding(
            "not-a-root",
            Severity.ERROR,
            "ca.crt",
            _("ca.crt is no root: {issuer} has issued it.", issuer=_common_name(ca.issuer)),
            _("a chain is verified up to a root, and none is here"),
            _("put the root's certificate into ca.crt, below this one"),
        )


def _several(patient: Patient, name: str, ca: Description) -> Iterator[Finding]:
    """Whether an authority's file has more in it than its certificate, and those above it."""
    read = patient.files[f"{name}.crt"].content
    count = sum(part.kind is Kind.CERTIFICATE for part in read.parts) if read else 0
    if count > 1 and (name != ROOT or ca.issuer == ca.subject):
        yield Finding(
            "several-certificates",
            Severity.WARNING if name == ROOT else Severity.ERROR,
            f"{name}.crt",
            _("{file} holds {count} certificates.", file=f"{name}.crt", count=count),
            _("whoever is given it trusts all of them; what is issued here is of the first")
            if name == ROOT
            else _("the chain files are made of it, and servers and clients send them all"),
            _(
                "unless that is meant, leave the first alone in it: {command}",
                command=mending.left_alone(patient, f"{name}.crt"),
            ),
        )


def leaves(patient: Patient) -> Iterator[Finding]:
    """Whether servers and clients have a certificate for their purpose, that nobody objects to."""
    for owner, role in patient.members.leaves.items():
        certificate = patient.certificate(owner)
        if certificate is None:
            continue
        name = f"{owner}.crt"
        if role and not serves(certificate, role.usage):
            what = _("it is the certificate of a CA") if is_ca(certificate) else _STRANGE[role]
            yield Finding(
                "purpose",
                Severity.ERROR,
                name,
                _("{file}: {why}.", file=name, why=what),
                _("the other side refuses it: unsupported certificate purpose"),
                _placed(patient, owner),
            )
        yield from _objections(patient, owner, certificate)


def names(patient: Patient) -> Iterator[Finding]:
    """Whether a server's certificate is for the name that its clients ask for."""
    domain, roles = patient.request.domain, patient.members.leaves
    servers = {
        owner: one for owner, one in patient.certificates.items() if roles[owner] is Role.SERVER
    }
    if not domain or not servers or any(covers(one, domain) for one in servers.values()):
        return
    owner, server = next(iter(servers.items()))
    hosts, addresses = mending.alternatives(server)
    yield Finding(
        "names",
        Severity.ERROR,
        f"{owner}.crt",
        _(
            "{file} is not for {domain}, but for {names}.",
            file=f"{owner}.crt",
            domain=domain,
            names=", ".join((*hosts, *addresses)) or _("no name at all"),
        ),
        _("clients that ask for a name refuse a certificate without it"),
        mending.for_name(patient, owner, domain),
    )


def covers(server: Description, domain: str) -> bool:
    """Whether a server's certificate is for a name (RFC 9525, section 6.3).

    Args:
        server: what it says.
        domain: a host, an IP address, or a domain whose `server.` the guide makes.
    """
    hosts, addresses = mending.alternatives(server)
    if mending.is_address(domain):
        return str(ipaddress.ip_address(domain)) in addresses
    wanted = {domain.lower(), f"server.{domain.lower()}"}
    stars = {f"*.{name.partition('.')[2]}" for name in wanted}
    return bool((wanted | stars) & {host.lower() for host in hosts})


def _objections(patient: Patient, owner: str, certificate: Description) -> Iterator[Finding]:
    name = f"{owner}.crt"
    for found in objections(certificate):
        if found.code == "key-kind":
            mend = mending.rekeyed(patient, owner)
        elif found.code == "apple-days":
            mend = mending.shortened(patient, owner, APPLE_LONGEST)
        elif owner != ROOT:
            mend = mending.made_again(patient, owner)
        elif found.code in _REPAIRED:
            mend = mending.ours(patient, "repair-ca")
        else:
            mend = mending.made_again(patient, ROOT)
        yield Finding(
            found.code,
            Severity.WARNING if found.code in _MILD else Severity.ERROR,
            name,
            _("{file}: {why}.", file=name, why=found.what),
            _("refused by {who} ({source})", who=", ".join(found.who), source=found.source),
            mend,
        )


def _placed(patient: Patient, owner: str) -> str:
    """The two certificates in each other's place, or a new one."""
    other = "client" if owner == "server" else "server"
    key = patient.files[f"{owner}.key"].public_key
    if key and f"{other}.crt" in patient.files and patient.files[f"{other}.crt"].public_key == key:
        return mending.swapped(patient, f"{owner}.crt", f"{other}.crt")
    return mending.made_again(patient, owner)


def _renewed(patient: Patient, owner: str) -> str:
    if owner == ROOT:
        return mending.ours(patient, *_RENEWED)
    if owner in patient.members.authorities:
        return mending.certified_again(patient, owner)
    return mending.renewed(patient, owner)


def _common_name(name: tuple[tuple[str, str], ...]) -> str:
    return next((value for kind, value in reversed(name) if kind == "CN"), str(name))


def _day(time: object) -> str:
    return f"{time:%Y-%m-%d}"

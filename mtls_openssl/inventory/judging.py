"""How each thing stands: in date, revoked, with its own key, and not longer than its CA. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from mtls_openssl.inspection.objections import is_ca, is_self_issued
from mtls_openssl.inspection.telling import remaining
from mtls_openssl.inventory.things import Node, Role, Severity, State, Verdict
from mtls_openssl.language import Text, _
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl.crl import Description as List
from mtls_openssl.openssl.crl import runs_out
from mtls_openssl.openssl.x509 import Description, Name, renewal


def role(certificate: Description) -> Role:
    """What a certificate is for (RFC 5280, 4.2.1.9 and 4.2.1.12)."""
    # The CA of a version 1 certificate can't say that it is one.
    if is_ca(certificate) or (certificate.version == 1 and is_self_issued(certificate)):
        return Role.ROOT if is_self_issued(certificate) else Role.INTERMEDIATE
    purposes = ext.usages(certificate.extensions.get(ext.EXTENDED_KEY_USAGE))
    serves = not purposes or "anyExtendedKeyUsage" in purposes
    server, client = serves or "serverAuth" in purposes, serves or "clientAuth" in purposes
    if server and client:
        return Role.BOTH
    if server or client:
        return Role.SERVER if server else Role.CLIENT
    return Role.OTHER


def of_certificate(
    certificate: Description,
    ends: dt.datetime,
    *,
    revoked: str,
    mismatch: str,
    strange: str = "",
    now: dt.datetime,
    within: dt.timedelta | None,
) -> Verdict:
    """How a certificate stands.

    Args:
        certificate: what it says.
        ends: when it ends in truth, which is when the first of its CAs does.
        revoked: that it is revoked, in words; empty if it is not.
        mismatch: the file of a key beside it that is another one's; empty if there is none.
        strange: that another authority has issued it than its set's, in words; empty if none has.
        now: the time.
        within: how long before its end it ends soon; None for when it is to be renewed.
    """
    if revoked:
        # A client that has left is to be kept out; a server or a CA is kept out with everybody.
        gone = role(certificate) is Role.CLIENT
        return Verdict(State.REVOKED, Severity.FINE if gone else Severity.OVER, revoked)
    if certificate.not_after < now:
        return Verdict(State.OVER, Severity.OVER)
    if certificate.not_before > now:
        why = _("the clock of this computer is slow, or that of the one that made it was fast")
        return Verdict(State.NOT_YET, Severity.OVER, why)
    if mismatch:
        why = _("{file} is the key of another certificate", file=mismatch)
        return Verdict(State.MISMATCH, Severity.OVER, why)
    if strange:
        return Verdict(State.STRANGER, Severity.OVER, strange)
    within = renewal(certificate.not_before, certificate.not_after, within)
    if ends < now:
        return _outlived(ends, now, within)
    if certificate.not_after - now <= within:
        return Verdict(State.SOON, Severity.SOON)
    if ends < certificate.not_after:
        return _outlived(ends, now, within)
    return Verdict(State.FINE)


def _outlived(ends: dt.datetime, now: dt.datetime, within: dt.timedelta) -> Verdict:
    day = f"{ends:%Y-%m-%d}"
    if ends < now:
        why = _("its CA has expired on {date}, and everybody refuses it since", date=day)
        return Verdict(State.OUTLIVED, Severity.OVER, why)
    why = _("certificates are refused from the day that their CA ends: {date}", date=day)
    severity = Severity.SOON if ends - now <= within else Severity.FINE
    return Verdict(State.OUTLIVED, severity, why)


def of_list(listed: List, now: dt.datetime) -> Verdict:
    """How a list of revoked certificates stands.

    Args:
        listed: what it says.
        now: the time.
    """
    if listed.next_update is None:
        return Verdict(State.FINE, why=_("it does not say when the next one comes"))
    if listed.next_update < now:
        return Verdict(
            State.OVER,
            Severity.OVER,
            _("a server that reads it refuses every client until there is a new one"),
        )
    if listed.last_update > now:
        why = _("the clock of this computer is slow, or that of the one that made it was fast")
        return Verdict(State.NOT_YET, Severity.OVER, why)
    if runs_out(listed, now):
        return Verdict(
            State.SOON,
            Severity.SOON,
            _("once it has ended, a server that reads it refuses every client"),
        )
    return Verdict(State.FINE)


def made(issuer: Description, issued: Description | List) -> bool:
    """Whether a certificate or a list names this CA: by name, and by key where both say it."""
    wanted = ext.key_identifier(issued.extensions.get(ext.AUTHORITY_KEY_IDENTIFIER))
    has = ext.key_identifier(issuer.extensions.get(ext.SUBJECT_KEY_IDENTIFIER))
    return (
        issued.issuer == issuer.subject
        and role(issuer).is_ca
        and (not wanted or not has or wanted == has)
    )


def common_name(name: Name) -> str:
    """What a person calls the holder of a name: its common name, else what it has."""
    for kind in ("CN", "OU", "O"):
        if found := [value for one, value in name if one == kind]:
            return found[-1]
    return ", ".join(f"{one}={value}" for one, value in name)


def worst(nodes: tuple[Node, ...]) -> Severity:
    """The worst of several trees."""
    found = [node.verdict.severity for node in nodes]
    return gravest([*found, *(worst(node.children) for node in nodes)])


def gravest(several: Iterable[Severity]) -> Severity:
    """The worst of several: what is over for certain is worse than what could not be seen."""
    found = set(several)
    return Severity.OVER if Severity.OVER in found else max(found, default=Severity.FINE)


def days_left(until: dt.datetime, now: dt.datetime) -> int:
    """Whole days until then; negative once it is over."""
    return (until - now).days


def left(until: dt.datetime, now: dt.datetime) -> Text:
    """How long something is good yet, or since when it is not."""
    if until < now:
        return _("ended {days} day{days:|s} ago", days=(now - until).days)
    return remaining(until, now)

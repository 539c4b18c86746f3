"""Revocation: whether the CRLs are good, and for how long; and who is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.doctor import closed, mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.errors import MtlsError
from mtls_openssl.inspection.telling import remaining
from mtls_openssl.language import _
from mtls_openssl.manifest import Role
from mtls_openssl.openssl import ca
from mtls_openssl.openssl.crl import runs_out
from mtls_openssl.register import LIST

_LOCKED_OUT = _(
    "nginx, and whoever else checks with it, refuses everybody, with a good certificate too"
)


def crls(patient: Patient) -> Iterator[Finding]:
    """Whether the CRLs let in who is to be let in: they are there, of this CA, and not over."""
    lists, again = patient.lists, mending.ours(patient, "crl")
    if lists.trouble and closed.is_closed(lists.trouble.__cause__):
        if (file := _file(lists.trouble)) not in patient.files:
            yield closed.finding(patient, "register", file)
    elif lists.trouble:
        yield Finding(
            "register",
            Severity.ERROR,
            ca.INDEX,
            lists.trouble.what,
            _("nobody can be revoked, and no CRL be made, without it"),
            lists.trouble.fix,
        )
    if lists.crls is None:
        return
    lacking = [name for name, one in lists.authorities.items() if not lists.crls.of(one.subject)]
    if not lists.crls.lists:
        yield Finding(
            "crl-damaged",
            Severity.ERROR,
            LIST,
            _("{file} holds no CRL that can be read.", file=LIST),
            _("a web server that is given it does not start"),
            again,
        )
    elif lacking:
        yield Finding(
            "crl-lacking",
            Severity.ERROR,
            LIST,
            _("{file} has no CRL of {authority}.", file=LIST, authority=lacking[0]),
            _LOCKED_OUT,
            again,
        )
    elif not lists.signed:
        yield Finding(
            "crl-foreign",
            Severity.ERROR,
            LIST,
            _("{file} is not signed by the CA of this folder.", file=LIST),
            _LOCKED_OUT,
            again,
        )
    yield from _ends(patient, again)


def _file(trouble: MtlsError) -> str:
    """The name of the file that is closed."""
    return Path(getattr(trouble.__cause__, "filename", None) or ca.INDEX).name


def _ends(patient: Patient, again: str) -> Iterator[Finding]:
    now = patient.request.now
    for one in patient.lists.crls.lists if patient.lists.crls else ():
        if one.next_update is None:
            continue
        end = f"{one.next_update:%Y-%m-%d %H:%M} UTC"
        if one.next_update <= now:
            yield Finding(
                "crl-expired",
                Severity.ERROR,
                LIST,
                _("The CRL in {file} has ended on {date}.", file=LIST, date=end),
                _LOCKED_OUT,
                again,
            )
        elif runs_out(one, now):
            yield Finding(
                "crl-ends-soon",
                Severity.WARNING,
                LIST,
                _(
                    "The CRL in {file} ends on {date}: {left}.",
                    file=LIST,
                    date=end,
                    left=remaining(one.next_update, now),
                ),
                _("from then on everybody who checks with it refuses everybody"),
                again,
            )


def revoked(patient: Patient) -> Iterator[Finding]:
    """Whether a certificate of the folder is revoked, and whether the CRL says so."""
    listed, serials = patient.lists.listed, patient.lists.revoked
    for name, one in patient.lists.leaves.items():
        serial = ca.plain(one.serial)
        on_list = (one.issuer, serial) in listed
        if not (on_list or serial in serials):
            continue
        reason = serials[serial].reason if serial in serials else ""
        owner = name.removesuffix(".crt")
        yield Finding(
            "revoked",
            _severity(owner, patient.members.leaves.get(owner)),
            name,
            _("{file} is revoked ({reason}).", file=name, reason=reason or "unspecified"),
            _("whoever checks with the CRL refuses it"),
            mending.ours(patient, "renew", owner, "--rekey")
            if _is_needed(owner, patient.members.leaves.get(owner))
            else _("leave it so, if that was meant; else have a new one issued"),
        )
    yield from _unlisted(patient, {serial for _issuer, serial in listed})


def _severity(owner: str, role: Role | None) -> Severity:
    if role is Role.SERVER:
        return Severity.ERROR
    return Severity.WARNING if _is_needed(owner, role) else Severity.NOTE


def _is_needed(owner: str, role: Role | None) -> bool:
    # Everybody needs the servers; one client of many that has left is as it should be.
    return role is Role.SERVER or owner == Role.CLIENT.value


def _unlisted(patient: Patient, listed: set[str]) -> Iterator[Finding]:
    left = [
        entry
        for entry in patient.lists.entries
        if entry.status is ca.Status.REVOKED
        and entry.expires > patient.request.now
        and entry.serial not in listed
    ]
    if left:
        yield Finding(
            "revoked-unlisted",
            Severity.WARNING,
            ca.INDEX,
            _(
                "{count} certificate{count:|s} {count:is|are} revoked in the register, and the CRL"
                " does not say so.",
                count=len(left),
            ),
            _("nobody hears of it, and they are let in still: {subject}", subject=left[0].shown),
            mending.ours(patient, "crl"),
        )

"""What belongs together: a key and its certificate, a certificate and its CA, a serial and one."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.doctor import closed, mending, recovering
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import Patient
from mtls_openssl.inspection.objections import is_ca, objections
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import Role
from mtls_openssl.plan.naming import owner_of

_AT_EACH_START = _("a web server asks for it at each start, and on Windows nobody can answer")
_LOCKED = {
    Role.SERVER: (Severity.WARNING, _AT_EACH_START),
    Role.CLIENT: (Severity.NOTE, _("that is safe; each program that uses it must be told")),
}


def ca_key(patient: Patient) -> Iterator[Finding]:
    """Whether each authority's private key is its certificate's."""
    yield from _keys(patient, patient.members.authorities)


def leaf_keys(patient: Patient) -> Iterator[Finding]:
    """Whether the private keys of servers and clients are their certificates'."""
    yield from _keys(patient, tuple(patient.members.leaves))


def _keys(patient: Patient, owners: tuple[str, ...]) -> Iterator[Finding]:
    for owner in owners:
        name = f"{owner}.key"
        key, file = patient.files[name].key, patient.files[f"{owner}.crt"]
        issues = owner in patient.members.authorities
        if key and key.protection and not key.public_key:
            if issues:
                continue  # as it should be; what is in it is seen when it is used
            severity, why = _LOCKED[patient.members.leaves[owner] or Role.CLIENT]
            yield Finding(
                "key-password",
                severity,
                name,
                _("{file} has a password.", file=name),
                why,
                mending.converted(patient, name),
            )
        elif key and file.certificate and key.public_key != file.public_key:
            yield Finding(
                "key-mismatch",
                Severity.ERROR,
                name,
                _strange_key(patient, name, key.public_key),
                _("no program starts with a key and a certificate that don't fit")
                if not issues
                else _("what is issued with it, nobody accepts who trusts ca.crt"),
                recovering.brought_back(patient, name)
                or recovering.brought_back(patient, file.name)
                or mending.made_again(patient, owner),
            )


def _strange_key(patient: Patient, name: str, public_key: str) -> Text:
    certificate = f"{owner_of(name)}.crt"
    for owner in patient.members.owners:
        other = f"{owner}.crt"
        if patient.files[other].public_key == public_key:
            return _(
                "{key} is the key of {other}, and not of {certificate}.",
                key=name,
                other=other,
                certificate=certificate,
            )
    return _("{key} is not the key of {certificate}.", key=name, certificate=certificate)


def chain(patient: Patient) -> Iterator[Finding]:
    """Whether the CA has issued what is here, also to the strictest validators."""
    members = patient.members
    issuers = [one for name in members.authorities if (one := patient.certificate(name))]
    if patient.ca is None or not is_ca(patient.ca):
        return
    for owner in members.owners[1:]:
        leaf, name = patient.certificate(owner), f"{owner}.crt"
        if leaf is None or is_ca(leaf) is (owner in members.leaves):
            continue
        own = [words for depth, words in patient.faults.get(owner, ()) if depth == 0]
        strict = [words for depth, words in patient.strict.get(owner, ()) if depth == 0]
        if own:
            yield Finding(
                "chain",
                Severity.ERROR,
                name,
                _("{file} was issued by another CA of the same name.", file=name)
                if leaf.issuer in [one.subject for one in issuers]
                else _(
                    "{file} was issued by another CA: {issuer}.",
                    file=name,
                    issuer=", ".join(f"{kind}={value}" for kind, value in leaf.issuer),
                ),
                _("who trusts ca.crt refuses it: {said}", said=own[0]),
                mending.made_again(patient, owner),
            )
        elif strict and not objections(leaf):
            yield Finding(
                "strict",
                Severity.ERROR,
                name,
                _("Strict validators refuse {file}: {said}.", file=name, said=strict[0]),
                _("Python 3.13 and others are strict unless told otherwise (RFC 5280)"),
                mending.made_again(patient, owner),
            )


def chain_files(patient: Patient) -> Iterator[Finding]:
    """Whether the files that are sent with a certificate hold it, and who issued it."""
    barred = patient.members.barred
    if barred and barred not in patient.files:
        yield closed.finding(patient, "unreadable", barred)
    for name in patient.members.stale:
        there = (patient.folder / name).is_file()
        yield Finding(
            "chain-file",
            Severity.ERROR if there else Severity.WARNING,
            name,
            _("{file} is missing, or out of date", file=name),
            _("who is given it sends a certificate that nobody can trace to the root"),
            mending.joined_again(patient, name),
        )


def serials(patient: Patient) -> Iterator[Finding]:
    """Whether each certificate of the CA has a serial number of its own."""
    first: dict[tuple[object, str], str] = {}
    for owner, one in patient.certificates.items():
        other = first.setdefault((one.issuer, one.serial), owner)
        prints = {patient.files[f"{name}.crt"].fingerprint for name in (owner, other)}
        if len(prints) > 1:
            yield Finding(
                "serial-twice",
                Severity.WARNING,
                f"{owner}.crt",
                _(
                    "{first} and {second} have the same serial number.",
                    first=f"{other}.crt",
                    second=f"{owner}.crt",
                ),
                _("Firefox refuses both (SEC_ERROR_REUSED_ISSUER_AND_SERIAL), and neither can be"
                  " revoked without the other"),
                mending.made_again(patient, owner),
            )  # fmt: skip

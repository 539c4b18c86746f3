"""What belongs together: a key and its certificate, a certificate and its CA, a serial and one."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.doctor import mending
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import LEAVES, OWNERS, Patient
from mtls_openssl.inspection.objections import is_ca, objections
from mtls_openssl.language import Text, _

_AT_EACH_START = _("a web server asks for it at each start, and on Windows nobody can answer")
_LOCKED = {
    "ca": (Severity.NOTE, _("that is safe, but nothing can be issued until it is taken off")),
    "server": (Severity.WARNING, _AT_EACH_START),
    "client": (Severity.NOTE, _("that is safe; each program that uses it must be told")),
}


def ca_key(patient: Patient) -> Iterator[Finding]:
    """Whether the CA's private key is its certificate's."""
    yield from _keys(patient, ("ca",))


def leaf_keys(patient: Patient) -> Iterator[Finding]:
    """Whether the private keys of server and client are their certificates'."""
    yield from _keys(patient, tuple(LEAVES))


def _keys(patient: Patient, owners: tuple[str, ...]) -> Iterator[Finding]:
    for owner in owners:
        name = f"{owner}.key"
        key, file = patient.files[name].key, patient.files[f"{owner}.crt"]
        if key and key.protection and not key.public_key:
            severity, why = _LOCKED[owner]
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
                if owner in LEAVES
                else _("what is issued with it, nobody accepts who trusts ca.crt"),
                mending.restored(patient, name)
                or mending.restored(patient, file.name)
                or mending.issued_again(patient, owner if owner in LEAVES else "all"),
            )


def _strange_key(patient: Patient, name: str, public_key: str) -> Text:
    certificate = f"{name.partition('.')[0]}.crt"
    for owner in OWNERS:
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
    ca = patient.ca
    if ca is None or not is_ca(ca):
        return
    for owner in LEAVES:
        leaf, name = patient.certificate(owner), f"{owner}.crt"
        if leaf is None or is_ca(leaf):
            continue
        own = [words for depth, words in patient.faults.get(owner, ()) if depth == 0]
        strict = [words for depth, words in patient.strict.get(owner, ()) if depth == 0]
        if own:
            yield Finding(
                "chain",
                Severity.ERROR,
                name,
                _("{file} was issued by another CA of the same name.", file=name)
                if leaf.issuer == ca.subject
                else _(
                    "{file} was issued by another CA: {issuer}.",
                    file=name,
                    issuer=", ".join(f"{kind}={value}" for kind, value in leaf.issuer),
                ),
                _("who trusts ca.crt refuses it: {said}", said=own[0]),
                mending.issued_again(patient, owner),
            )
        elif strict and not objections(leaf):
            yield Finding(
                "strict",
                Severity.ERROR,
                name,
                _("Strict validators refuse {file}: {said}.", file=name, said=strict[0]),
                _("Python 3.13 and others are strict unless told otherwise (RFC 5280)"),
                mending.issued_again(patient, owner),
            )


def serials(patient: Patient) -> Iterator[Finding]:
    """Whether each certificate of the CA has a serial number of its own."""
    server, client = patient.certificate("server"), patient.certificate("client")
    same = server and client and (server.issuer, server.serial) == (client.issuer, client.serial)
    if same and patient.files["server.crt"].fingerprint != patient.files["client.crt"].fingerprint:
        yield Finding(
            "serial-twice",
            Severity.WARNING,
            "client.crt",
            _("server.crt and client.crt have the same serial number."),
            _("Firefox refuses both (SEC_ERROR_REUSED_ISSUER_AND_SERIAL), and neither can be"
              " revoked without the other"),
            mending.issued_again(patient, "client"),
        )  # fmt: skip

"""Each file by itself: is it there, can it be read, and is it what its name says."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.doctor import closed, mending, recovering
from mtls_openssl.doctor.finding import Finding, Severity
from mtls_openssl.doctor.patient import File, Patient
from mtls_openssl.inspection.content import Content, Kind
from mtls_openssl.inspection.objects import Unreadable
from mtls_openssl.language import _
from mtls_openssl.life import below
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.plan.naming import owner_of

_KINDS = {"crt": Kind.CERTIFICATE, "key": Kind.KEY, "p12": Kind.PKCS12}
_CALLED = {
    Kind.CERTIFICATE: _("a certificate"),
    Kind.KEY: _("a private key"),
    Kind.PUBLIC_KEY: _("a public key"),
    Kind.REQUEST: _("a certificate signing request"),
    Kind.PKCS12: _("a PKCS#12 file"),
    Kind.PKCS7: _("a PKCS#7 file"),
    Kind.CRL: _("a CRL"),
    Kind.PARAMETERS: _("parameters"),
    Kind.UNKNOWN: _("something else"),
}


def presence(patient: Patient) -> Iterator[Finding]:
    """Whether every file is there that another one needs."""
    there = {name for name, file in patient.files.items() if file.there}
    if not there:
        yield Finding(
            "no-set",
            Severity.ERROR,
            str(patient.folder),
            _("There is no set in {folder}.", folder=patient.folder),
            _("there is nothing to examine"),
            mending.begun(patient),
        )
        return
    authorities = patient.members.authorities
    for owner in patient.members.owners:
        certificate, key = f"{owner}.crt", f"{owner}.key"
        if owner == INTERMEDIATE and not {certificate, key} & there and _never_was(patient):
            continue  # that the file of settings has one is told as what is not as described
        if certificate not in there and (owner in authorities or key in there):
            yield _missing(patient, certificate, owner)
        elif key not in there and certificate in there and owner not in authorities:
            if patient.members.keeps_key(owner):
                yield _missing(patient, key, owner)
        elif key not in there and owner == authorities[-1]:
            yield Finding(
                "ca-key-absent",
                Severity.NOTE,
                key,
                _("The CA's private key is not here.")
                if owner == ROOT
                else _("The private key of the intermediate authority is not here."),
                _("that is safest, but nothing can be issued here"),
                recovering.brought_back(patient, key)
                or _("put it here when a certificate is to be issued or repaired"),
            )
        elif owner in patient.members.leaves and certificate not in there:
            yield Finding(
                f"no-{owner}",
                Severity.NOTE,
                certificate,
                _("There is no certificate for the {owner} here.", owner=_OWNERS[owner]),
                _("mutual TLS takes one on either side"),
                mending.ours(patient, owner)
                if patient.members.usual
                else mending.ours(patient, owner, "add", owner),
            )
    described = patient.members.loaded is not None
    if "client.p12" not in there and {"client.key", "client.crt"} <= there and not described:
        yield Finding(
            "no-p12",
            Severity.NOTE,
            "client.p12",
            _("The client's key and certificate are not packed as client.p12."),
            _("Windows, browsers and Java take them in no other form"),
            mending.ours(patient, "p12"),
        )


_OWNERS = {"server": _("server"), "client": _("client")}


def _never_was(patient: Patient) -> bool:
    """Whether nothing is known of an authority below the root, such as that it has issued."""
    return not below.issuing(patient.folder, list(patient.members.leaves))


def _missing(patient: Patient, name: str, owner: str) -> Finding:
    return Finding(
        "missing",
        Severity.ERROR,
        name,
        _("{file} is not there.", file=name),
        _("without it none of the others can be verified")
        if owner in patient.members.authorities
        else _("a certificate is of no use without its key, nor a key without its certificate"),
        _again(patient, name),
    )


def _again(patient: Patient, name: str) -> str:
    """The command that brings a file back, or makes it again."""
    if name in patient.members.bundles:
        return mending.packed_again(patient, name)
    owner = owner_of(name)
    again = mending.made_again
    if owner == INTERMEDIATE and _is_a_key(patient.files[f"{owner}.key"]):
        again = mending.certified_again
    return recovering.brought_back(patient, name) or again(patient, owner)


def _is_a_key(file: File) -> bool:
    """Whether a file may be a private key, as far as it could be read."""
    if file.content is None:
        return file.there
    return not _broken(file, file.content) and _kind(file, file.content) is Kind.KEY


def content(patient: Patient) -> Iterator[Finding]:
    """Whether every file is what its name says."""
    for name, file in patient.files.items():
        if file.trouble and closed.is_closed(file.trouble.__cause__):
            yield closed.finding(patient, "unreadable", name)
        elif file.trouble:
            yield Finding(
                "unreadable",
                Severity.ERROR,
                name,
                file.trouble.what,
                _("what can't be read can't be used either"),
                _("move it away; then: {command}", command=_again(patient, name)),
            )
        elif file.content is not None:
            yield from _read(patient, file, file.content)


def _read(patient: Patient, file: File, read: Content) -> Iterator[Finding]:
    ending = file.name.rpartition(".")[2]
    wanted, again = _KINDS[ending], _again(patient, file.name)
    kinds = [part.kind for part in read.parts]
    broken = _broken(file, read)
    if broken:
        yield Finding(
            "damaged",
            Severity.ERROR,
            file.name,
            _("{file}: {why}.", file=file.name, why=broken),
            _("no program can read it"),
            again,
        )
    elif _kind(file, read) not in {wanted, Kind.PARAMETERS}:
        yield Finding(
            "wrong-kind",
            Severity.ERROR,
            file.name,
            _(
                "{file} holds {found}, and not {wanted}.",
                file=file.name,
                found=_CALLED[_kind(file, read)],
                wanted=_CALLED[wanted],
            ),
            _("a program that is given it refuses to start, or takes it for damaged"),
            again,
        )
    elif read.form == "DER" and ending != "p12":
        yield Finding(
            "der",
            Severity.ERROR,
            file.name,
            _("{file} is DER, the binary form.", file=file.name),
            _("openssl, nginx and the guide's commands read PEM there, which is text"),
            mending.converted(patient, file.name),
        )
    elif read.notes:
        yield Finding(
            "encoding",
            Severity.ERROR,
            file.name,
            _("{file}: {note}.", file=file.name, note=read.notes[0]),
            _("an editor saved it like that; OpenSSL 1.1.1 and many programs can't read it"),
            mending.converted(patient, file.name),
        )
    elif wanted is Kind.CERTIFICATE and Kind.KEY in kinds:
        yield Finding(
            "key-in-certificate",
            Severity.ERROR,
            file.name,
            _("{file} holds a private key besides the certificate.", file=file.name),
            _("a certificate is handed out to everybody, and its key would be too"),
            again,
        )


def _broken(file: File, read: Content) -> str:
    """Why a file can't be read; empty if it can."""
    why = read.fault or next((part.fault for part in read.parts if part.fault), "")
    if not why and file.holding:
        thing = file.holding.items[0].thing
        why = thing.why if isinstance(thing, Unreadable) else ""
    return why


def _kind(file: File, read: Content) -> Kind:
    # Without openssl nobody knows what a DER file is.
    items = file.holding.items if file.holding else ()
    kinds = [item.kind for item in items] or [part.kind for part in read.parts]
    wanted = _KINDS[file.name.rpartition(".")[2]]
    return wanted if wanted in kinds or kinds == [Kind.UNKNOWN] else kinds[0]

"""The checks that a finished set must pass before anything is called done.

They are openssl commands of their own, run and logged as the others, and what they print is read
here and held against what was asked for. An exit code alone proves nothing.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mtls_openssl.openssl import dhparam as dh
from mtls_openssl.openssl import pkcs12, pkey, verify, x509
from mtls_openssl.settings import Settings
from mtls_openssl.steps import Command, Ending, Kind, Outcome

_PURPOSES = {"server": "sslserver", "client": "sslclient"}
_USAGES = {
    "sslserver": "TLS Web Server Authentication",
    "sslclient": "TLS Web Client Authentication",
}


@dataclasses.dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Args:
        subject: the file that it is about.
        claim: what must be true of it.
        fault: why it is not, in one sentence; empty if it is.
    """

    subject: str
    claim: str
    fault: str = ""


def commands(files: Sequence[str], settings: Settings | None) -> tuple[Command, ...]:
    """The checks of a set, as openssl commands.

    Args:
        files: the files of the set to be proven, keys and certificates by the guide's names.
        settings: what was asked for; None for a set that we did not make, of which only what
            holds for every set is asked.
    """
    return tuple(_commands(files, settings))


def judge(
    outcomes: Iterable[Outcome], settings: Settings | None, folder: Path
) -> tuple[Check, ...]:
    """Read what the checks printed.

    Args:
        outcomes: of the run, in any order; other commands than checks are passed over.
        settings: as for `commands`.
        folder: where the files are.

    Returns:
        Every check that was made, passed or not.
    """
    # One that was ended because another had failed says nothing about what it looked at.
    answers = {
        outcome.command.argv: outcome
        for outcome in outcomes
        if outcome.finished.ending is Ending.EXITED
    }
    return tuple(_checks(answers, settings, folder))


def _commands(files: Sequence[str], settings: Settings | None) -> Iterator[Command]:
    for owner in ("ca", "server", "client"):
        key, certificate = f"{owner}.key", f"{owner}.crt"
        if certificate not in files:
            continue
        yield Command(
            verify.strict(certificate, *_strict_options(owner, settings)),
            f"prove {certificate} to the strictest validators (RFC 5280)",
            Kind.PROOF,
            reads=tuple(dict.fromkeys(("ca.crt", certificate))),
            verdict=True,
        )
        yield Command(
            x509.describe(certificate),
            f"read {certificate} back",
            Kind.PROOF,
            reads=(certificate,),
            verdict=True,
        )
        if key in files:
            yield Command(
                pkey.public_key(key),
                f"prove that {key} and {certificate} belong together",
                Kind.PROOF,
                reads=(key,),
                verdict=True,
            )
    if "client.p12" in files:
        yield Command(
            pkcs12.open_again("client.p12"),
            "prove that client.p12 opens with its password",
            Kind.PROOF,
            reads=("client.p12",),
            secrets=(pkcs12.PASSWORD_VARIABLE,),
            verdict=True,
        )
    if dh.FILE in files:
        yield Command(
            dh.check(),
            "prove that the modulus is a safe prime",
            Kind.PROOF,
            reads=(dh.FILE,),
            verdict=True,
            limit=600,
        )


def _strict_options(owner: str, settings: Settings | None) -> tuple[str, ...]:
    if owner not in _PURPOSES:
        return ()
    purpose = ("-purpose", _PURPOSES[owner])
    if owner == "client" or settings is None:
        return purpose
    if settings.server_dns:
        return (*purpose, "-verify_hostname", settings.server_dns[0].replace("*", "any", 1))
    return (*purpose, "-verify_ip", settings.server_ip[0])


def _checks(
    answers: Mapping[tuple[str, ...], Outcome], settings: Settings | None, folder: Path
) -> Iterator[Check]:
    for owner in ("ca", "server", "client"):
        key, certificate = f"{owner}.key", f"{owner}.crt"
        if guide := answers.get(verify.chain(certificate)):
            yield _verified(guide, certificate, "the CA issued it, and it is in date")
        if strict := answers.get(verify.strict(certificate, *_strict_options(owner, settings))):
            yield _verified(strict, certificate, "the strictest validators accept it (RFC 5280)")
        described = None
        if read_back := answers.get(x509.describe(certificate)):
            described, fault = _described(read_back)
            if fault:
                yield Check(certificate, "it can be read back", fault)
            elif described and settings:
                yield from _as_asked(owner, certificate, described, settings)
        if public := answers.get(pkey.public_key(key)):
            yield from _paired(public, certificate, described, key)
    if opened := answers.get(pkcs12.open_again("client.p12")):
        yield _packed(opened, folder)
    if dh_checked := answers.get(dh.check()):
        good = dh_checked.finished.exit == 0
        yield Check(dh.FILE, "its modulus is a safe prime", "" if good else _said(dh_checked))


def _as_asked(
    owner: str, certificate: str, described: x509.Description, settings: Settings
) -> Iterator[Check]:
    subject = {
        "ca": settings.ca_subject,
        "server": settings.server_subject,
        "client": settings.client_subject,
    }[owner]
    days = settings.ca_days if owner == "ca" else settings.cert_days
    lasts = (described.not_after - described.not_before).days
    constraints = "CA:TRUE" if owner == "ca" else "CA:FALSE"
    yield _equal(certificate, "it names whom it is for, to the letter", described.subject, subject)
    yield _equal(certificate, "it lasts as long as asked, in days", lasts, days)
    yield _equal(
        certificate,
        "it is a CA only if it should be",
        _values(described, "X509v3 Basic Constraints"),
        (constraints,),
    )
    if owner != "ca":
        yield _equal(
            certificate,
            "it serves its one purpose",
            _values(described, "X509v3 Extended Key Usage"),
            (_USAGES[_PURPOSES[owner]],),
        )
        yield _equal(
            certificate,
            "it stands for the names asked for, and for no other",
            tuple(map(_alternative, _values(described, "X509v3 Subject Alternative Name"))),
            _alternatives(owner, settings),
        )


def _described(read_back: Outcome) -> tuple[x509.Description | None, str]:
    """What a certificate says, or why that can't be told."""
    if read_back.finished.exit:
        return None, _said(read_back)
    try:
        return x509.parse(read_back.finished.stdout), ""
    except ValueError as error:
        return None, str(error)


def _paired(
    public: Outcome, certificate: str, described: x509.Description | None, key: str
) -> Iterator[Check]:
    claim = f"it belongs to {key}"
    if public.finished.exit:
        yield Check(certificate, claim, _said(public))
    elif described:
        matches = public.finished.stdout.strip() == described.public_key != ""
        fault = "" if matches else f"its public key is not that of {key}"
        yield Check(certificate, claim, fault)


def _alternatives(owner: str, settings: Settings) -> tuple[str, ...]:
    if owner == "client":
        return (settings.client_san,) if settings.client_san else ()
    return (
        *(f"DNS:{name}" for name in settings.server_dns),
        *(f"IP:{address}" for address in settings.server_ip),
    )


def _alternative(printed: str) -> str:
    kind, _, value = printed.partition(":")
    return f"IP:{ipaddress.ip_address(value)}" if kind == "IP Address" else f"{kind}:{value}"


def _values(described: x509.Description, name: str) -> tuple[str, ...]:
    extension = described.extensions.get(name)
    return extension.values if extension else ()


def _packed(opened: Outcome, folder: Path) -> Check:
    claim = "it opens with its password, and holds the key and the chain"
    if opened.finished.exit != 0:
        return Check("client.p12", claim, _said(opened))
    contents = pkcs12.parse(opened.finished.stdout, opened.finished.stderr)
    expected = {_pem(folder / "client.crt"), _pem(folder / "ca.crt")}
    if {_lines(pem) for pem in contents.certificates} != expected:
        return Check("client.p12", claim, "it does not hold client.crt and ca.crt")
    if contents.keys != 1:
        return Check("client.p12", claim, f"it holds {contents.keys} keys, not one")
    return Check("client.p12", claim)


def _pem(file: Path) -> str:
    text = file.read_text("ascii", "replace")
    begin = text.find("-----BEGIN CERTIFICATE-----")
    return _lines(text[begin:])


def _lines(pem: str) -> str:
    return "\n".join(pem.split())


def _verified(outcome: Outcome, certificate: str, claim: str) -> Check:
    if outcome.finished.exit == 0 and verify.is_ok(outcome.finished.stdout, certificate):
        return Check(certificate, claim)
    why = verify.reason(outcome.finished.stderr + "\n" + outcome.finished.stdout)
    return Check(certificate, claim, why or _said(outcome))


def _said(outcome: Outcome) -> str:
    lines = (outcome.finished.stderr or outcome.finished.stdout).strip().splitlines()
    said = lines[0] if lines else "nothing"
    return f"openssl ended with exit code {outcome.finished.exit} and said: {said}"


def _equal(certificate: str, claim: str, found: object, expected: object) -> Check:
    fault = "" if found == expected else f"it says {found!r}, where {expected!r} was asked for"
    return Check(certificate, claim, fault)

"""The checks that a finished set must pass before anything is called done.

They are openssl commands of their own, run and logged as the others, and what they print is read
here and held against what was asked for. An exit code alone proves nothing.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mtls_openssl import keytool
from mtls_openssl.language import Text, _, joined
from mtls_openssl.openssl import dhparam as dh
from mtls_openssl.openssl import pkcs12, pkey, readers, verify, x509
from mtls_openssl.settings import Settings
from mtls_openssl.steps import Command, Ending, Kind, Outcome

_PURPOSES = {"server": "sslserver", "client": "sslclient"}
_CONTENTS = {
    pkcs12.CLIENT: _("it opens with its password, and holds the key and the chain"),
    pkcs12.SERVER: _(
        "it opens with its password, and holds the key and its certificate, without the root"
    ),
    pkcs12.TRUSTSTORE: _(
        "it opens with its password, and holds the CA's certificate as one that Java trusts"
    ),
}
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


@dataclasses.dataclass(frozen=True)
class Proving:
    """What one command of ours must prove besides what every set must pass.

    Args:
        commands: the checks, as openssl commands that run after all others.
        judge: reads what all commands of the run printed.
    """

    commands: tuple[Command, ...] = ()
    judge: Callable[[Sequence[Outcome]], Iterable[Check]] = lambda _: ()


NOTHING_BESIDES = Proving()


def commands(
    files: Sequence[str], settings: Settings | None, *, java: Path | None = None
) -> tuple[Command, ...]:
    """The checks of a set, as openssl commands.

    Args:
        files: the files of the set to be proven, keys and certificates by the guide's names.
        settings: what was asked for; None for a set that we did not make, of which only what
            holds for every set is asked.
        java: keytool, which is asked what Java sees in a truststore, if it is there.
    """
    listed = (_listing(java),) if java and pkcs12.TRUSTSTORE.file in files else ()
    return (*_commands(files, settings), *listed)


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
            _("prove {file} to the strictest validators (RFC 5280)", file=certificate),
            Kind.PROOF,
            reads=tuple(dict.fromkeys(("ca.crt", certificate))),
            verdict=True,
        )
        yield Command(
            x509.describe(certificate),
            _("read {file} back", file=certificate),
            Kind.PROOF,
            reads=(certificate,),
            verdict=True,
        )
        if key in files:
            yield Command(
                pkey.public_key(key),
                _("prove that {key} and {file} belong together", key=key, file=certificate),
                Kind.PROOF,
                reads=(key,),
                verdict=True,
            )
    for bundle in pkcs12.BUNDLES:
        if bundle.file in files:
            yield Command(
                pkcs12.open_again(bundle.file),
                _("prove that {file} opens with its password", file=bundle.file),
                Kind.PROOF,
                reads=(bundle.file,),
                secrets=(pkcs12.PASSWORD_VARIABLE,),
                verdict=True,
            )
    if dh.FILE in files:
        yield Command(
            dh.check(),
            _("prove that the modulus is a safe prime"),
            Kind.PROOF,
            reads=(dh.FILE,),
            verdict=True,
            limit=600,
        )


def _listing(java: Path) -> Command:
    return Command(
        keytool.listing(pkcs12.TRUSTSTORE.file),
        _("ask Java whom it would trust"),
        Kind.PROOF,
        reads=(pkcs12.TRUSTSTORE.file,),
        secrets=(pkcs12.PASSWORD_VARIABLE,),
        verdict=True,
        program=java,
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
            yield _verified(guide, certificate, _("the CA issued it, and it is in date"))
        if strict := answers.get(verify.strict(certificate, *_strict_options(owner, settings))):
            yield _verified(strict, certificate, _("the strictest validators accept it (RFC 5280)"))
        described = None
        if read_back := answers.get(x509.describe(certificate)):
            described, fault = _described(read_back)
            if fault:
                yield Check(certificate, _("it can be read back"), fault)
            elif described and settings:
                yield from _as_asked(owner, certificate, described, settings)
        if public := answers.get(pkey.public_key(key)):
            yield from _paired(public, certificate, described, key)
    yield from _bundles(answers, settings, folder)
    if dh_checked := answers.get(dh.check()):
        good = dh_checked.finished.exit == 0
        yield Check(dh.FILE, _("its modulus is a safe prime"), "" if good else _said(dh_checked))


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
    yield _equal(
        certificate, _("it names whom it is for, to the letter"), described.subject, subject
    )
    yield _equal(certificate, _("it lasts as long as asked, in days"), lasts, days)
    yield _equal(
        certificate,
        _("it is a CA only if it should be"),
        _values(described, "X509v3 Basic Constraints"),
        (constraints,),
    )
    if owner != "ca":
        yield _equal(
            certificate,
            _("it serves its one purpose"),
            _values(described, "X509v3 Extended Key Usage"),
            (_USAGES[_PURPOSES[owner]],),
        )
        yield _equal(
            certificate,
            _("it stands for the names asked for, and for no other"),
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
        return None, error.args[0]


def _paired(
    public: Outcome, certificate: str, described: x509.Description | None, key: str
) -> Iterator[Check]:
    claim = _("it belongs to {key}", key=key)
    if public.finished.exit:
        yield Check(certificate, claim, _said(public))
    elif described:
        matches = public.finished.stdout.strip() == described.public_key != ""
        fault = "" if matches else _("its public key is not that of {key}", key=key)
        yield Check(certificate, claim, fault)


def _alternatives(owner: str, settings: Settings) -> tuple[str, ...]:
    if owner == "client":
        return (settings.client_san,) if settings.client_san else ()
    return (
        *(f"DNS:{name}" for name in settings.server_dns),
        *(f"IP:{address}" for address in settings.server_ip),
    )


def _alternative(printed: str) -> str:
    kind, _colon, value = printed.partition(":")
    return f"IP:{ipaddress.ip_address(value)}" if kind == "IP Address" else f"{kind}:{value}"


def _values(described: x509.Description, name: str) -> tuple[str, ...]:
    extension = described.extensions.get(name)
    return extension.values if extension else ()


def _bundles(
    answers: Mapping[tuple[str, ...], Outcome], settings: Settings | None, folder: Path
) -> Iterator[Check]:
    for bundle in pkcs12.BUNDLES:
        if opened := answers.get(pkcs12.open_again(bundle.file)):
            yield from _packed(opened, bundle, settings, folder)
    file = pkcs12.TRUSTSTORE.file
    if listed := answers.get(keytool.listing(file)):
        trusted = keytool.entries(listed.finished.stdout) == (keytool.TRUSTED,)
        words = " ".join(listed.finished.stdout.split())
        fault = "" if trusted else _("keytool said: {words}", words=words)
        yield Check(file, _("Java lists it as one certificate that it trusts"), fault)


def _packed(
    opened: Outcome, bundle: pkcs12.Bundle, settings: Settings | None, folder: Path
) -> Iterator[Check]:
    file, claim = bundle.file, _CONTENTS[bundle]
    if opened.finished.exit != 0:
        yield Check(file, claim, _said(opened))
        return
    contents = pkcs12.parse(opened.finished.stdout, opened.finished.stderr)
    expected = {pem for name in bundle.certificates for pem in _pems(folder / name)}
    fault = ""
    if {_lines(pem) for pem in contents.certificates} != expected:
        held = joined(_(" and "), bundle.certificates)
        fault = _("it does not hold {files}", files=held)
    elif contents.keys != (1 if bundle.key else 0):
        fault = _("it holds {count} keys, not none", count=contents.keys)
        if bundle.key:
            fault = _("it holds {count} keys, not one", count=contents.keys)
    elif not bundle.key and contents.trusted != len(expected):
        fault = _("it lacks the mark by which Java trusts a certificate")
    yield Check(file, claim, fault)
    if settings:
        wanted = pkcs12.as_printed(settings.p12_name)
        called = wanted.lower() in map(str.lower, contents.names)
        fault = "" if called else _not_as_asked(contents.names, wanted)
        yield Check(file, _("it has the name asked for"), fault)
        if settings.p12_for:
            claim = _("it has the algorithms that {reader} reads", reader=settings.p12_for)
            yield Check(file, claim, readers.fault(contents, settings.p12_for))


def packed(outcomes: Iterable[Outcome]) -> Mapping[str, pkcs12.Contents]:
    """What each PKCS#12 file holds that was opened again, by its name."""
    opened = {outcome.command.argv: outcome.finished for outcome in outcomes}
    return {
        bundle.file: pkcs12.parse(finished.stdout, finished.stderr)
        for bundle in pkcs12.BUNDLES
        if (finished := opened.get(pkcs12.open_again(bundle.file))) and finished.exit == 0
    }


def _pems(file: Path) -> Iterator[str]:
    for text in file.read_text("ascii", "replace").split("-----BEGIN CERTIFICATE-----")[1:]:
        body, end, _rest = text.partition("-----END CERTIFICATE-----")
        yield _lines(f"-----BEGIN CERTIFICATE-----{body}{end}")


def _lines(pem: str) -> str:
    return "\n".join(pem.split())


def _verified(outcome: Outcome, certificate: str, claim: str) -> Check:
    if outcome.finished.exit == 0 and verify.is_ok(outcome.finished.stdout, certificate):
        return Check(certificate, claim)
    why = verify.reason(outcome.finished.stderr + "\n" + outcome.finished.stdout)
    return Check(certificate, claim, why or _said(outcome))


def _said(outcome: Outcome) -> str:
    lines = (outcome.finished.stderr or outcome.finished.stdout).strip().splitlines()
    return _(
        "openssl ended with exit code {code} and said: {words}",
        code=outcome.finished.exit,
        words=lines[0] if lines else _("nothing"),
    )


def _equal(certificate: str, claim: str, found: object, expected: object) -> Check:
    return Check(certificate, claim, "" if found == expected else _not_as_asked(found, expected))


def _not_as_asked(found: object, expected: object) -> Text:
    return _("it says {found!r}, where {wanted!r} was asked for", found=found, wanted=expected)

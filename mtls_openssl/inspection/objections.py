"""What strict validators object to in a certificate: each rule with its source. Pure.

It holds what can be said of a certificate by itself; whether a chain leads to somebody who is
trusted is `openssl verify`'s business.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from mtls_openssl.language import Text, _
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl.x509 import Description

APPLE_LONGEST = 825
"""Days that a server's certificate may last for Apple, also one of a private CA (HT210176)."""

_APPLE_SINCE = datetime(2019, 7, 1, tzinfo=UTC)
_SHORTEST_RSA = 2048
_LONGEST_SERIAL = 40
_CURVES = {"prime256v1", "secp384r1", "secp521r1"}
_STRICT = ("openssl verify -x509_strict", "Python 3.13")
_BROWSERS = (*("Chrome", "Firefox", "Safari"), "Edge")


@dataclasses.dataclass(frozen=True)
class Objection:
    """Something that a validator refuses.

    Args:
        code: a name for programs; it does not change.
        what: what is not as it should be, in one sentence.
        who: who refuses it.
        source: where it says so.
    """

    code: str
    what: Text
    who: tuple[str, ...]
    source: str


def objections(certificate: Description) -> tuple[Objection, ...]:
    """Everything that a validator would object to.

    Args:
        certificate: what it says, all of it (`x509.parse_text`).
    """
    return tuple(found for rule in _RULES for found in rule(certificate))


def is_ca(certificate: Description) -> bool:
    """Whether it says that it is a CA's (RFC 5280, 4.2.1.9)."""
    found = certificate.extensions.get(ext.BASIC_CONSTRAINTS)
    return found is not None and "CA:TRUE" in found.values


def is_self_issued(certificate: Description) -> bool:
    """Whether issuer and subject are the same (RFC 5280, 3.2)."""
    return certificate.issuer == certificate.subject


def serves(certificate: Description, purpose: str) -> bool:
    """Whether it may be used for `serverAuth` or `clientAuth` (RFC 5280, 4.2.1.12)."""
    found = ext.usages(certificate.extensions.get(ext.EXTENDED_KEY_USAGE))
    return not is_ca(certificate) and (
        not found or purpose in found or "anyExtendedKeyUsage" in found
    )


def _version(certificate: Description) -> Iterator[Objection]:
    if certificate.version < 3:  # noqa: PLR2004 - the version with extensions
        yield Objection(
            "version-1",
            _("it is of version 1, without extensions: nobody can tell what it is for"),
            ("Go", "GnuTLS", *_BROWSERS),
            "RFC 5280 4.1.2.1, 6.1.4(k)",
        )


def _authority(certificate: Description) -> Iterator[Objection]:
    if not is_ca(certificate) or certificate.version < 3:  # noqa: PLR2004
        return
    found = certificate.extensions
    usages = ext.usages(found.get(ext.KEY_USAGE))
    if ext.KEY_USAGE not in found:
        yield Objection(
            "ca-key-usage",
            _("it is a CA's, and does not say that its key may sign certificates (no keyUsage)"),
            _STRICT,
            "RFC 5280 4.2.1.3; OpenSSL error 92",
        )
    elif "keyCertSign" not in usages:
        yield Objection(
            "ca-cert-sign",
            _("it is a CA's, and its keyUsage has no keyCertSign: what it signs is refused"),
            ("OpenSSL", "Go", "Java", ".NET", *_BROWSERS),
            "RFC 5280 4.2.1.3, 6.1.4(n)",
        )
    if not found[ext.BASIC_CONSTRAINTS].critical:
        yield Objection(
            "ca-constraints-critical",
            _("it is a CA's, and its basicConstraints are not marked critical"),
            ("openssl 3 verify -x509_strict", "Python 3.13"),
            "RFC 5280 4.2.1.9; OpenSSL error 89",
        )
    if ext.SUBJECT_KEY_IDENTIFIER not in found:
        yield Objection(
            "ca-subject-key-identifier",
            _("it is a CA's, and has no subject key identifier"),
            _STRICT,
            "RFC 5280 4.2.1.2; OpenSSL error 86",
        )
    purposes = ext.usages(found.get(ext.EXTENDED_KEY_USAGE))
    if purposes and not {"serverAuth", "clientAuth", "anyExtendedKeyUsage"} & set(purposes):
        yield Objection(
            "ca-purposes",
            _("it is a CA's whose extendedKeyUsage is for neither servers nor clients"),
            ("OpenSSL", "Go", ".NET"),
            "RFC 5280 4.2.1.12; openssl#20090",
        )


def _leaf(certificate: Description) -> Iterator[Objection]:
    if is_ca(certificate):
        return
    found = certificate.extensions
    usages = ext.usages(found.get(ext.KEY_USAGE))
    if "keyCertSign" in usages:
        yield Objection(
            "leaf-cert-sign",
            _("it is no CA's, and its keyUsage has keyCertSign"),
            _STRICT,
            "RFC 5280 4.2.1.9; OpenSSL error 90",
        )
    constraints = found.get(ext.BASIC_CONSTRAINTS)
    if constraints and any(value.startswith("pathlen:") for value in constraints.values):
        yield Objection(
            "leaf-path-length",
            _("it is no CA's, and has a path length"),
            _STRICT,
            "RFC 5280 4.2.1.9; OpenSSL error 81",
        )
    if usages and "digitalSignature" not in usages:
        yield Objection(
            "leaf-digital-signature",
            _("its keyUsage has no digitalSignature, which TLS 1.3 and ECDHE need"),
            ("TLS 1.3", "Chrome", ".NET"),
            "RFC 8446 4.4.2.2",
        )
    if certificate.key and certificate.key.kind == "EC" and "keyEncipherment" in usages:
        yield Objection(
            "ec-key-encipherment",
            _("its key is EC, and its keyUsage has keyEncipherment, which EC keys can't do"),
            ("zlint",),
            "RFC 8813 3",
        )


def _identifiers(certificate: Description) -> Iterator[Objection]:
    found = certificate.extensions
    authority = found.get(ext.AUTHORITY_KEY_IDENTIFIER)
    issued = not is_self_issued(certificate)
    if certificate.version >= 3 and issued and not ext.key_identifier(authority):  # noqa: PLR2004
        yield Objection(
            "authority-key-identifier",
            _("it has no authority key identifier"),
            _STRICT,
            "RFC 5280 4.2.1.1; OpenSSL error 85",
        )
    for name, code in (
        (ext.AUTHORITY_KEY_IDENTIFIER, "OpenSSL error 83"),
        (ext.SUBJECT_KEY_IDENTIFIER, "OpenSSL error 84"),
    ):
        if name in found and found[name].critical:
            yield Objection(
                "identifier-critical",
                _("its {name} is marked critical", name=name.removeprefix("X509v3 ")),
                _STRICT,
                f"RFC 5280 4.2.1.1, 4.2.1.2; {code}",
            )


def _names(certificate: Description) -> Iterator[Objection]:
    names = certificate.extensions.get(ext.ALTERNATIVE_NAME)
    if not certificate.issuer:
        yield Objection(
            "issuer-empty", _("its issuer is empty"), _STRICT, "RFC 5280 4.1.2.4; OpenSSL error 76"
        )
    if not certificate.subject and (is_ca(certificate) or names is None):
        yield Objection(
            "subject-empty",
            _("its subject is empty"),
            _STRICT,
            "RFC 5280 4.1.2.6; OpenSSL error 77",
        )
    if any(name.startswith("IP Address:") for name in ext.alternatives(names)):
        yield Objection(
            "address-length",
            _("an address in its subjectAltName has neither 4 bytes nor 16"),
            ("Go",),
            "RFC 5280 4.2.1.6",
        )
    if not certificate.subject and names and not names.critical:
        yield Objection(
            "names-critical",
            _("its subject is empty, and its subjectAltName is not marked critical"),
            _STRICT,
            "RFC 5280 4.1.2.6; OpenSSL error 78",
        )


def _server(certificate: Description) -> Iterator[Objection]:
    if not serves(certificate, "serverAuth"):
        return
    names = certificate.extensions.get(ext.ALTERNATIVE_NAME)
    hosts = [name for name in ext.alternatives(names) if name.startswith(("DNS:", "IP:"))]
    purposes = ext.usages(certificate.extensions.get(ext.EXTENDED_KEY_USAGE))
    if not hosts and "serverAuth" in purposes:
        yield Objection(
            "server-names",
            _("as a server's it names no host in subjectAltName; the common name does not count"),
            (*_BROWSERS, "Python", "Go", "Apple"),
            "RFC 9525 2; CA/B BR 7.1.2.7.12; Go 1.15",
        )
    for host in hosts:
        kind, _colon, name = host.partition(":")
        if kind == "DNS" and _is_address(name):
            yield Objection(
                "address-as-name",
                _("{name} is an IP address, and stands as a DNS name", name=name),
                (*_BROWSERS, "Go", "curl"),
                "RFC 9525 4.1; RFC 5280 4.2.1.6",
            )
        elif "*" in name and not re.fullmatch(r"\*(\.[^.*]+){2,}", name):
            yield Objection(
                "wildcard",
                _("{name}: a star may only stand for the whole first label", name=name),
                (*_BROWSERS, "Go", "Python"),
                "RFC 9525 6.3",
            )
    lasts = (certificate.not_after - certificate.not_before).days
    if hosts and lasts > APPLE_LONGEST and certificate.not_before >= _APPLE_SINCE:
        yield Objection(
            "apple-days",
            _(
                "as a server's it lasts {days} days, more than {longest}",
                days=lasts,
                longest=APPLE_LONGEST,
            ),
            ("Apple (macOS 10.15, iOS 13)",),
            "Apple HT210176",
        )
    if hosts and not purposes and certificate.not_before >= _APPLE_SINCE:
        yield Objection(
            "apple-server-auth",
            _("as a server's it has no extendedKeyUsage serverAuth"),
            ("Apple (macOS 10.15, iOS 13)",),
            "Apple HT210176",
        )


def _algorithms(certificate: Description) -> Iterator[Objection]:
    key, signature = certificate.key, certificate.signature.lower()
    if key and key.kind == "RSA" and key.bits < _SHORTEST_RSA:
        yield Objection(
            "rsa-bits",
            _("its RSA key has {bits} bits, fewer than 2048", bits=key.bits),
            ("OpenSSL 3", "Apple", "Windows", *_BROWSERS[:2]),
            "Apple HT210176; CA/B BR 6.1.5; SSL_CTX_set_security_level(3)",
        )
    if key and key.kind == "EC" and key.curve not in _CURVES:
        yield Objection(
            "ec-curve",
            _("its EC key is on {curve}, not on P-256, P-384 or P-521",
                curve=key.curve or _("a curve that is spelt out")),
            (*_BROWSERS, "Windows", "Go"),
            "CA/B BR 6.1.5; RFC 5480 2.1.1",
        )  # fmt: skip
    if key and key.kind not in {"RSA", "EC"}:
        yield Objection(
            "key-kind",
            _("its key is {kind}, neither RSA nor EC", kind=key.kind),
            (*_BROWSERS, "Windows"),
            "CA/B BR 6.1.1.3, 7.1.3.1",
        )
    if re.search(r"md5|md4|md2|sha1", signature) and not is_self_issued(certificate):
        yield Objection(
            "weak-hash",
            _("it is signed with {signature}", signature=certificate.signature),
            ("OpenSSL 3", "Apple", "Go", *_BROWSERS),
            "RFC 6194; RFC 9155; Apple HT210176; Go 1.18",
        )


def _serial(certificate: Description) -> Iterator[Objection]:
    digits = certificate.serial.lstrip("0")
    if digits.startswith("-") or not digits:
        yield Objection(
            "serial-positive",
            _("its serial number is not above zero"),
            ("Go 1.23", "GnuTLS"),
            "RFC 5280 4.1.2.2",
        )
    elif len(digits) > _LONGEST_SERIAL:
        yield Objection(
            "serial-length",
            _("its serial number has more than 20 octets"),
            ("Java", "zlint"),
            "RFC 5280 4.1.2.2",
        )


def _validity(certificate: Description) -> Iterator[Objection]:
    if certificate.not_after < certificate.not_before:
        yield Objection("dates", _("it ends before it begins"), ("everybody",), "RFC 5280 4.1.2.5")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


_RULES: tuple[Callable[[Description], Iterator[Objection]], ...] = (
    _version, _authority, _leaf, _identifiers, _names, _server, _algorithms, _serial, _validity,
)  # fmt: skip

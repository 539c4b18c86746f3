"""Certificates read from their bytes (RFC 5280, 4.1), told as `openssl x509` tells them. Pure.

A test holds it against openssl. Signatures are not looked at: that is what a proof does.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import functools
import ipaddress
from collections.abc import Iterator

from mtls_openssl.inventory import der
from mtls_openssl.inventory.der import Element, NotDerError
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl.extensions import Extension
from mtls_openssl.openssl.pkey import PublicKey
from mtls_openssl.openssl.x509 import Description, Name

_VERSION, _EXTENSIONS = 0xA0, 0xA3
_ATTRIBUTES = {
    "2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L",
    "2.5.4.8": "ST", "2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title",
    "2.5.4.13": "description", "2.5.4.15": "businessCategory", "2.5.4.17": "postalCode",
    "2.5.4.41": "name", "2.5.4.42": "GN", "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier", "2.5.4.45": "x500UniqueIdentifier",
    "2.5.4.46": "dnQualifier", "2.5.4.65": "pseudonym", "2.5.4.72": "role",
    "2.5.4.97": "organizationIdentifier", "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName", "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC", "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
    "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST", "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}  # fmt: skip
"""The short names that openssl gives the attributes of names (its objects.txt)."""
_TEXTS = {
    12: "utf-8", 18: "ascii", 19: "ascii", 20: "latin-1", 22: "ascii", 26: "ascii",
    28: "utf-32-be", 30: "utf-16-be",
}  # fmt: skip
"""The encodings of the string types (X.680, 41)."""
_CRITICAL_AT = 3
_KEY_USAGES = (
    "Digital Signature", "Non Repudiation", "Key Encipherment", "Data Encipherment",
    "Key Agreement", "Certificate Sign", "CRL Sign", "Encipher Only", "Decipher Only",
)  # fmt: skip
_PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "TLS Web Server Authentication",
    "1.3.6.1.5.5.7.3.2": "TLS Web Client Authentication",
    "1.3.6.1.5.5.7.3.3": "Code Signing",
    "1.3.6.1.5.5.7.3.4": "E-mail Protection",
    "1.3.6.1.5.5.7.3.8": "Time Stamping",
    "1.3.6.1.5.5.7.3.9": "OCSP Signing",
    "2.5.29.37.0": "Any Extended Key Usage",
}
_SIGNATURES = {
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.3.101.112": "ED25519",
    "1.3.101.113": "ED448",
}
RSA, EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_KEYS = {
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.10040.4.1": "DSA",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "ED25519",
    "1.3.101.113": "ED448",
}
_CURVES = {
    "1.2.840.10045.3.1.7": ("prime256v1", 256),
    "1.3.132.0.34": ("secp384r1", 384),
    "1.3.132.0.35": ("secp521r1", 521),
    "1.3.132.0.10": ("secp256k1", 256),
}
_CENTURY = 50
"""A UTCTime from 50 on is of the 20th century (RFC 5280, 4.1.2.5.1)."""


def read(data: bytes) -> tuple[Description, bytes]:
    """What a certificate says.

    Args:
        data: the certificate, DER; what openssl may have put behind it is not looked at.

    Returns:
        What it says, and its own bytes.

    Raises:
        NotDerError: it is no certificate.
    """
    try:
        whole = der.element(data)
        body, algorithm, _signature = der.parts(whole, der.SEQUENCE)
        fields = der.parts(body, der.SEQUENCE)
        version = 1
        if fields[0].tag == _VERSION:
            version += der.integer(der.element(data, fields[0].begin, fields[0].end))
            del fields[0]
        serial, _algorithm, issuer, validity, subject, key = fields[:6]
        first, last = der.parts(validity, der.SEQUENCE)
        return Description(
            subject=name(subject),
            issuer=name(issuer),
            serial=hexadecimal(der.integer(serial)),
            not_before=time(first),
            not_after=time(last),
            public_key=_pem(key.whole),
            extensions=_extensions(fields[6:]),
            version=version,
            signature=signed_with(algorithm),
            key=public_key(key),
        ), whole.whole
    except (ValueError, IndexError, OverflowError) as error:
        raise NotDerError from error


def name(whole: Element) -> Name:
    """A distinguished name (RFC 5280, 4.1.2.4).

    Raises:
        NotDerError: it is none.
    """
    if whole.tag != der.SEQUENCE:
        raise NotDerError
    return _name(whole.whole)


# The same issuer stands in thousands of certificates.
@functools.lru_cache(maxsize=1024)
def _name(data: bytes) -> Name:
    return tuple(
        _attribute(*der.parts(pair, der.SEQUENCE))
        for together in der.sequence(data)
        for pair in der.parts(together, der.SET)
    )


def _attribute(kind: Element, value: Element) -> tuple[str, str]:
    dotted = der.oid(kind)
    short, encoding = _ATTRIBUTES.get(dotted), _TEXTS.get(value.tag)
    if short is None or encoding is None:
        return short or dotted, "#" + value.whole.hex().upper()
    return short, value.content.decode(encoding, "replace")


def hexadecimal(number: int) -> str:
    """A serial number as openssl prints it.

    >>> hexadecimal(0x123)
    '0123'
    """
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def time(one: Element) -> dt.datetime:
    """A time, UTC (RFC 5280, 4.1.2.5).

    Raises:
        NotDerError: it is none.
    """
    text = one.content.decode("ascii", "replace")
    if one.tag == der.UTC_TIME:
        text = ("20" if text[:2] < str(_CENTURY) else "19") + text
    elif one.tag != der.GENERALIZED_TIME:
        raise NotDerError
    digits, zone = text[:14], text[14:]
    if zone != "Z" or not (digits.isascii() and digits.isdigit()):
        raise NotDerError
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    try:
        return dt.datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=dt.UTC)
    except ValueError as error:
        raise NotDerError from error


def signed_with(algorithm: Element) -> str:
    """The name of a signature's algorithm.

    Raises:
        NotDerError: it is none.
    """
    dotted = der.oid(der.parts(algorithm, der.SEQUENCE)[0])
    return _SIGNATURES.get(dotted, dotted)


def public_key(key: Element) -> PublicKey:
    """Which kind of key a SubjectPublicKeyInfo holds (RFC 5280, 4.1.2.7).

    Raises:
        NotDerError: it is none.
    """
    algorithm, value = der.parts(key, der.SEQUENCE)
    kind, *parameters = der.parts(algorithm, der.SEQUENCE)
    dotted = der.oid(kind)
    if dotted == RSA:
        modulus, _exponent = der.sequence(der.bits(value))
        return PublicKey("RSA", der.integer(modulus).bit_length())
    if dotted == EC:
        curve = der.oid(parameters[0]) if parameters and parameters[0].tag == der.OID else ""
        known, size = _CURVES.get(curve, (curve, 0))
        return PublicKey("EC", size, known)
    return PublicKey(_KEYS.get(dotted, dotted))


def _pem(key: bytes) -> str:
    text = base64.b64encode(key).decode()
    body = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----"


def _extensions(fields: list[Element]) -> dict[str, Extension]:
    found: dict[str, Extension] = {}
    for field in fields:
        if field.tag == _EXTENSIONS:
            rows = der.parts(der.element(field.data, field.begin, field.end), der.SEQUENCE)
            found.update(filter(None, (_extension(one.whole) for one in rows)))
    return found


# Most extensions stand in thousands of certificates as they are.
@functools.lru_cache(maxsize=1024)
def _extension(data: bytes) -> tuple[str, Extension] | None:
    """The name of an extension and what it says; None for one that is not ours to know."""
    kind, *more = der.sequence(data)
    critical = len(more) + 1 == _CRITICAL_AT and more[0].content != b"\0"
    known = _READ.get(der.oid(kind))
    # openssl reads a certificate whose extension is damaged, and so do we.
    with contextlib.suppress(ValueError, IndexError):
        if known:
            return known[0], Extension(tuple(known[1](more[-1].content)), critical)
    return None


def _constraints(data: bytes) -> Iterator[str]:
    fields = der.sequence(data)
    is_ca = bool(fields) and fields[0].tag == der.BOOLEAN and fields[0].content != b"\0"
    yield "CA:TRUE" if is_ca else "CA:FALSE"
    for field in fields:
        if field.tag == der.INTEGER:
            yield f"pathlen:{der.integer(field)}"


def _key_usage(data: bytes) -> Iterator[str]:
    given = der.bits(der.element(data))
    for number, usage in enumerate(_KEY_USAGES):
        place, bit = divmod(number, 8)
        if place < len(given) and given[place] & (0x80 >> bit):
            yield usage


def _purposes(data: bytes) -> Iterator[str]:
    for one in der.sequence(data):
        dotted = der.oid(one)
        yield _PURPOSES.get(dotted, dotted)


def _alternatives(data: bytes) -> Iterator[str]:
    for one in der.sequence(data):
        content = one.content
        match one.tag:
            case 0x81:
                yield f"email:{content.decode('ascii', 'replace')}"
            case 0x82:
                yield f"DNS:{content.decode('ascii', 'replace')}"
            case 0x86:
                yield f"URI:{content.decode('ascii', 'replace')}"
            case 0x87 if len(content) in {4, 16}:
                yield f"IP Address:{ipaddress.ip_address(content)}"
            case 0x87:
                yield "IP Address:<invalid>"
            case 0x88:
                yield "Registered ID:" + der.oid(one._replace(tag=der.OID))
            case 0xA4:
                subject = name(der.element(one.data, one.begin, one.end))
                yield "DirName:" + ",".join(f"{kind}={value}" for kind, value in subject)
            case _:
                yield "othername:<unsupported>"


def _own_identifier(data: bytes) -> Iterator[str]:
    yield der.element(data).content.hex(":").upper()


def _issuers_identifier(data: bytes) -> Iterator[str]:
    for field in der.sequence(data):
        if field.tag == 0x80:  # noqa: PLR2004 - [0] keyIdentifier
            yield "keyid:" + field.content.hex(":").upper()


_READ = {
    "2.5.29.14": (ext.SUBJECT_KEY_IDENTIFIER, _own_identifier),
    "2.5.29.15": (ext.KEY_USAGE, _key_usage),
    "2.5.29.17": (ext.ALTERNATIVE_NAME, _alternatives),
    "2.5.29.19": (ext.BASIC_CONSTRAINTS, _constraints),
    "2.5.29.35": (ext.AUTHORITY_KEY_IDENTIFIER, _issuers_identifier),
    "2.5.29.37": (ext.EXTENDED_KEY_USAGE, _purposes),
}

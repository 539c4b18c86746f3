"""Lists of revoked certificates read from their bytes (RFC 5280, 5.1), told as openssl does."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.inventory import der
from mtls_openssl.inventory.certificate import hexadecimal, name, signed_with, time
from mtls_openssl.inventory.der import Element, NotDerError
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl.crl import Description, Revoked
from mtls_openssl.openssl.extensions import Extension

_EXTENSIONS = 0xA0
_LONGEST_NUMBER = 64
_NUMBER, _AUTHORITY, _REASON = "2.5.29.20", "2.5.29.35", "2.5.29.21"
_REASONS = (
    "Unspecified", "Key Compromise", "CA Compromise", "Affiliation Changed", "Superseded",
    "Cessation Of Operation", "Certificate Hold", "", "Remove From CRL", "Privilege Withdrawn",
    "AA Compromise",
)  # fmt: skip
_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)


def read(data: bytes) -> tuple[Description, bytes]:
    """What a list says.

    Args:
        data: the list, DER.

    Returns:
        What it says, and its own bytes.

    Raises:
        NotDerError: it is no such list.
    """
    try:
        whole = der.element(data)
        body, algorithm, _signature = der.parts(whole, der.SEQUENCE)
        fields = der.parts(body, der.SEQUENCE)
        if fields[0].tag == der.INTEGER:
            del fields[0]
        _algorithm, issuer, made, *rest = fields
        until = time(rest.pop(0)) if rest and rest[0].tag in _TIMES else None
        revoked = der.parts(rest.pop(0)) if rest and rest[0].tag == der.SEQUENCE else []
        found = dict(_extensions(rest[0])) if rest and rest[0].tag == _EXTENSIONS else {}
        number = _number(found[_NUMBER]) if _NUMBER in found else None
        return Description(
            issuer=name(issuer),
            number=number,
            last_update=time(made),
            next_update=until,
            signature=signed_with(algorithm),
            extensions=_told(found),
            revoked=tuple(map(_revoked, revoked)),
        ), whole.whole
    except (ValueError, IndexError, OverflowError) as error:
        raise NotDerError from error


def _number(data: bytes) -> int:
    one = der.element(data)
    # It has 20 octets at most (RFC 5280, 5.2.3), and is printed as a decimal number.
    if one.end - one.begin > _LONGEST_NUMBER:
        raise NotDerError
    return der.integer(one)


def _extensions(field: Element) -> Iterator[tuple[str, bytes]]:
    for one in der.parts(der.element(field.data, field.begin, field.end), der.SEQUENCE):
        kind, *_critical, value = der.parts(one, der.SEQUENCE)
        yield der.oid(kind), value.content


def _told(found: dict[str, bytes]) -> dict[str, Extension]:
    if _AUTHORITY not in found:
        return {}
    values = tuple(
        "keyid:" + field.content.hex(":").upper()
        for field in der.sequence(found[_AUTHORITY])
        if field.tag == 0x80  # noqa: PLR2004 - [0] keyIdentifier
    )
    return {ext.AUTHORITY_KEY_IDENTIFIER: Extension(values)}


def _revoked(entry: Element) -> Revoked:
    serial, date, *more = der.parts(entry, der.SEQUENCE)
    reason = ""
    for one in der.parts(more[0], der.SEQUENCE) if more else []:
        kind, *_critical, value = der.parts(one, der.SEQUENCE)
        if der.oid(kind) == _REASON:
            number = der.integer(der.element(value.content))
            reason = _REASONS[number] if 0 <= number < len(_REASONS) else str(number)
    return Revoked(hexadecimal(der.integer(serial)), time(date), reason)

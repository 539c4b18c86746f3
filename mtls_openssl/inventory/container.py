"""What a structure in DER is, and the certificates in PKCS#7. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.inspection.content import Kind
from mtls_openssl.inventory import certificate, der, keys, revocation
from mtls_openssl.inventory.der import NotDerError

_SIGNED = "1.2.840.113549.1.7.2"
_PKCS12_VERSION = 3
_CERTIFICATES, _LISTS = 0xA0, 0xA1


def kind(data: bytes) -> Kind:
    """What it is, by its outer structure; UNKNOWN for what has no place here.

    Args:
        data: the bytes of a file that begin with a SEQUENCE.
    """
    try:
        fields = der.sequence(data)
        first = fields[0]
        if first.tag == der.OID:
            return Kind.PKCS7 if der.oid(first) == _SIGNED else Kind.UNKNOWN
        if first.tag == der.INTEGER:
            second = fields[1]
            if der.integer(first) == _PKCS12_VERSION and second.tag == der.SEQUENCE:
                return Kind.PKCS12
            return Kind.KEY
        if len(fields) == 3 and fields[2].tag == der.BIT_STRING:  # noqa: PLR2004 - signed
            return _signed(data)
        if len(fields) == 2 and fields[1].tag == der.OCTET_STRING:  # noqa: PLR2004 - encrypted
            return Kind.KEY
    except (ValueError, IndexError):
        pass
    return Kind.UNKNOWN


def _signed(data: bytes) -> Kind:
    for known, read in ((Kind.CERTIFICATE, certificate.read), (Kind.CRL, revocation.read)):
        try:
            read(data)
        except NotDerError:
            continue
        return known
    return Kind.UNKNOWN


def is_encrypted_key(data: bytes) -> bool:
    """Whether a key has a password (RFC 5958, 3: EncryptedPrivateKeyInfo).

    Args:
        data: the key, DER.
    """
    try:
        return der.sequence(data)[0].tag == der.SEQUENCE
    except (ValueError, IndexError):
        return False


def public_of(data: bytes) -> str:
    """As `keys.of_private`; empty for what is no key too."""
    try:
        return keys.of_private(data)
    except NotDerError:
        return ""


def within(data: bytes) -> Iterator[tuple[Kind, bytes]]:
    """The certificates and lists in PKCS#7 (RFC 2315, 9.1), DER.

    Raises:
        NotDerError: it is no PKCS#7 of that kind.
    """
    try:
        kind_of, content = der.sequence(data)
        if der.oid(kind_of) != _SIGNED:
            raise NotDerError
        signed = der.element(data, content.begin, content.end)
        for field in der.parts(signed, der.SEQUENCE):
            if field.tag in {_CERTIFICATES, _LISTS}:
                what = Kind.CERTIFICATE if field.tag == _CERTIFICATES else Kind.CRL
                yield from ((what, one.whole) for one in der.parts(field))
    except (ValueError, IndexError) as error:
        raise NotDerError from error

"""Which public key a private one belongs to, where that can be read in it. Pure.

Of a private key nothing else is looked at, and nothing of it is kept. The public half of an RSA key
stands in it (RFC 8017, A.1.2), that of an EC key nearly always (RFC 5915); that of an Ed25519 key
does not, and openssl has to be asked.
"""

from __future__ import annotations

import base64
import hashlib

from mtls_openssl.inventory import der
from mtls_openssl.inventory.certificate import EC, RSA
from mtls_openssl.inventory.der import Element, NotDerError

_PUBLIC = 0xA1
_RSA_NUMBERS = 7


def of_public(pem: str) -> str:
    """What tells a public key from all others; empty if it is of a kind that is not known here.

    Args:
        pem: the key, PEM (SubjectPublicKeyInfo).
    """
    body = "".join(line for line in pem.splitlines() if "-----" not in line)
    try:
        algorithm, value = der.sequence(base64.b64decode(body))
        kind = der.oid(der.parts(algorithm, der.SEQUENCE)[0])
        if kind == RSA:
            modulus, exponent = der.sequence(der.bits(value))
            return _rsa(modulus, exponent)
        return _digest(der.bits(value)) if kind == EC else ""
    except (ValueError, IndexError):
        return ""


def of_private(data: bytes) -> str:
    """The same of a private key that is not encrypted; empty if it does not tell.

    Args:
        data: the key, DER: PKCS#8 (RFC 5958), or the traditional form of RSA and EC.

    Raises:
        NotDerError: it is no private key.
    """
    try:
        version, second, *more = der.sequence(data)
        if version.tag != der.INTEGER:
            raise NotDerError
        if second.tag == der.INTEGER:
            # A DSA key begins likewise, and is shorter.
            return _rsa(second, more[0]) if len(more) >= _RSA_NUMBERS else ""
        if second.tag == der.OCTET_STRING:
            return _ec(more)
        kind = der.oid(der.parts(second, der.SEQUENCE)[0])
        return of_private(more[0].content) if kind in {RSA, EC} else ""
    except (ValueError, IndexError) as error:
        raise NotDerError from error


def _rsa(modulus: Element, exponent: Element) -> str:
    return _digest(f"{der.integer(modulus):x} {der.integer(exponent):x}".encode())


def _ec(fields: list[Element]) -> str:
    for field in fields:
        if field.tag == _PUBLIC:
            return _digest(der.bits(der.element(field.data, field.begin, field.end)))
    return ""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""A request for a certificate, read as far as it counts here (RFC 2986, 4.1). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mtls_openssl.inventory import der
from mtls_openssl.inventory.clients import der_of
from mtls_openssl.inventory.der import Element, NotDerError

_KEY, _ATTRIBUTES = 2, 3
_ASKED = "1.2.840.113549.1.9.14"
_ALLOWED = frozenset({"2.5.29.17", "2.5.29.14"})
"""The names, which are held against what was asked for, and the key identifier, which is not
copied."""


def read(text: str) -> tuple[bytes, tuple[str, ...]]:
    """The public key that a request asks a certificate for, and what else it asks for unasked.

    Args:
        text: the request, PEM.

    Returns:
        The key as it stands in a certificate, and the object identifiers of what would be copied
        into one and was not asked for.

    Raises:
        NotDerError: it can't be read as a request.
    """
    try:
        fields = der.parts(der.sequence(der_of(text))[0], der.SEQUENCE)
        unasked = sorted(set(_wanted(fields[_ATTRIBUTES:])) - _ALLOWED)
        return fields[_KEY].whole, tuple(unasked)
    except IndexError:
        raise NotDerError from None


def _wanted(attributes: list[Element]) -> Iterator[str]:
    for attribute in (one for some in attributes for one in der.parts(some)):
        kind, values = der.parts(attribute, der.SEQUENCE)[:2]
        if der.oid(kind) != _ASKED:
            continue  # openssl ca copies nothing of it
        for extensions in der.parts(values, der.SET):
            for extension in der.parts(extensions, der.SEQUENCE):
                yield der.oid(der.parts(extension, der.SEQUENCE)[0])

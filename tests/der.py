"""What a PKCS#12 file is protected with, read from its bytes and not asked of openssl."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_NAMES = {
    "1.2.840.113549.1.5.13": "PBES2",
    "1.2.840.113549.1.5.12": "PBKDF2",
    "1.2.840.113549.1.5.14": "PBMAC1",
    "1.2.840.113549.2.9": "HMAC-SHA256",
    "2.16.840.1.101.3.4.1.42": "AES-256-CBC",
    "1.2.840.113549.1.12.1.3": "3DES",
    "1.2.840.113549.1.12.1.6": "RC2-40",
    "2.16.840.1.101.3.4.2.1": "SHA-256",
    "1.3.14.3.2.26": "SHA-1",
    "1.2.840.113549.1.7.1": "data",
    "1.2.840.113549.1.7.6": "encrypted data",
    "1.2.840.113549.1.12.10.1.2": "shrouded key",
    "1.2.840.113549.1.9.20": "name",
    "1.2.840.113549.1.9.21": "key id",
}
_SEQUENCE_LIKE = 0x20
_SEQUENCE = 0x30
_OID, _OCTETS = 0x06, 0x04


def protection(file: Path) -> list[str]:
    """The algorithms in a PKCS#12 file that can be seen without its password, in their order.

    Those of the MAC come last; the attributes of the key are left out.
    """
    ours = {"data", "name", "key id"}
    return [name for name in map(_name, _oids(file.read_bytes())) if name not in ours]


def _name(oid: str) -> str:
    return _NAMES.get(oid, oid)


def _oids(data: bytes) -> Iterator[str]:
    for tag, content in _elements(data):
        if tag == _OID:
            yield _dotted(content)
        elif tag & _SEQUENCE_LIKE or (tag == _OCTETS and _is_sequence(content)):
            yield from _oids(content)


def _is_sequence(data: bytes) -> bool:
    try:
        return [tag for tag, _ in _elements(data)] == [_SEQUENCE]
    except (IndexError, ValueError):
        return False


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(data):
        tag, length = data[place], data[place + 1]
        place += 2
        if length & 0x80:
            size = length & 0x7F
            if not 0 < size <= 4:
                raise ValueError("not DER")
            length = int.from_bytes(data[place : place + size])
            place += size
        if place + length > len(data):
            raise ValueError("not DER")
        yield tag, data[place : place + length]
        place += length


def _dotted(content: bytes) -> str:
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))

"""Several states of one register put together, so that no revocation is forgotten. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mtls_openssl.openssl import ca

_FIELDS = 6
_SERIAL = 3


def merged_index(indices: Sequence[str]) -> str:
    """All that several states of a register say: revoked is what any of them calls so.

    Args:
        indices: the contents of index.txt, the one that counts most first.
    """
    found: dict[str, list[str]] = {}
    for index in indices:
        for fields in _entries(index):
            serial = ca.plain(fields[_SERIAL])
            revoked = fields[0] == ca.Status.REVOKED
            if serial not in found or (revoked and found[serial][0] != ca.Status.REVOKED):
                found[serial] = fields
    comments = [line for line in _lines("".join(indices[:1])) if line.startswith("#")]
    return "".join(f"{line}\n" for line in (*comments, *map("\t".join, found.values())))


def highest_number(numbers: Iterable[str]) -> str:
    """The highest of several CRL numbers, as crlnumber has them, in hex; empty if there is none."""
    found = [number.strip() for number in numbers if _is_hex(number.strip())]
    return max(found, key=lambda number: int(number, 16), default="")


def _entries(index: str) -> Iterator[list[str]]:
    for line in _lines(index):
        fields = line.split("\t", _FIELDS - 1)
        if not line.startswith("#") and len(fields) == _FIELDS and _is_hex(fields[_SERIAL]):
            yield fields


def _lines(text: str) -> Iterator[str]:
    # Not splitlines(): a name may hold what Unicode calls a line break.
    return (line.rstrip("\r") for line in text.split("\n"))


def _is_hex(text: str) -> bool:
    return bool(text) and set(text.lower()) <= set("0123456789abcdef")

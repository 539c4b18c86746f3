"""The register of issued certificates, of which a restore forgets no revocation. Pure.

It stays as it is where it is the register of the CA that will be there. Where another CA comes
back, or the folder has none, what comes is all that was ever on record: each entry of the folder
and of its backups, revoked where any of them says so, and the highest CRL number of all. Serial
numbers are random, so that an entry of another CA stands for no certificate of this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

INDEX = "index.txt"
ATTRIBUTES = "index.txt.attr"
NUMBER = "crlnumber"
LIST = "crl.pem"
LIST_DER = "crl.der"
BOOK = (INDEX, ATTRIBUTES, NUMBER)
LISTS = (LIST, LIST_DER)

_FIELDS = 6
"""State, end, revocation, serial number, file, subject (openssl-ca(1))."""


def is_register(name: str) -> bool:
    """Whether a file is part of the register; openssl's own `.old` copies are too."""
    return name.removesuffix(".old") in (*BOOK, *LISTS)


def revoked(index: str) -> Mapping[str, str]:
    """When and why each certificate was revoked, as openssl writes it, by its serial number.

    Args:
        index: the content of index.txt.
    """
    return {serial: fields[2] for serial, fields in _entries(index) if fields[0] == "R"}


def merged_index(indices: Sequence[str]) -> str:
    """All that several states of a register say.

    Args:
        indices: the contents of index.txt, the one that counts most first.
    """
    found: dict[str, list[str]] = {}
    for index in indices:
        for serial, fields in _entries(index):
            if serial not in found or (fields[0] == "R" and found[serial][0] != "R"):
                found[serial] = fields
    return "".join("\t".join(fields) + "\n" for fields in found.values())


def highest_number(numbers: Iterable[str]) -> str:
    """The highest of several CRL numbers, as crlnumber has them, in hex; empty if there is none."""
    found = [number.strip() for number in numbers if _is_hex(number.strip())]
    return max(found, key=lambda number: int(number, 16), default="")


def _entries(index: str) -> Iterable[tuple[str, list[str]]]:
    # Not splitlines(): a name may hold what Unicode calls a line break.
    for line in index.split("\n"):
        fields = line.rstrip("\r").split("\t", _FIELDS - 1)
        if len(fields) == _FIELDS:
            yield same_serial(fields[3]), fields


def same_serial(serial: str) -> str:
    """A serial number, written as any other place writes it."""
    return serial.upper().lstrip("0") or "0"


def _is_hex(text: str) -> bool:
    return bool(text) and set(text.lower()) <= set("0123456789abcdef")

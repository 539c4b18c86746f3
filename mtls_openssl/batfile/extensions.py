"""Reads the extension files that a batch file writes (x509v3_config(5)). Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

from mtls_openssl.batfile.left import Left, shown
from mtls_openssl.batfile.syntax import Line
from mtls_openssl.language import Text, _

_ENTRY = re.compile(r"([\w.]+)\s*=\s*(.*)")
_SECTION = re.compile(r"\[\s*([\w.-]+)\s*\]")
_USAGES = {
    "server": [{"digitalSignature", "keyEncipherment"}, {"digitalSignature"}],
    "client": [{"digitalSignature"}],
}
_PURPOSES = {"serverAuth": "server", "clientAuth": "client"}
# What each certificate has anyway.
_OURS = {"authorityKeyIdentifier", "subjectKeyIdentifier"}


@dataclasses.dataclass(frozen=True)
class Extensions:
    """What an extension file says.

    Args:
        is_ca: whether the certificate is an authority's.
        path_length: how many authorities may stand below it; None if it does not say.
        role: server or client; empty if it does not say.
        peer: whether it says both: a server that is a client of its peers as well.
        dns: its DNS names.
        ip: its IP addresses.
        email: its e-mail addresses.
        uri: its URIs.
        left: what can't be carried over.
    """

    is_ca: bool = False
    path_length: int | None = None
    role: str = ""
    peer: bool = False
    dns: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()


def read(lines: Sequence[Line], role: str) -> Extensions:
    """Read an extension file.

    Args:
        lines: its lines, each with its number in the batch file.
        role: server or client, where the file itself does not say.
    """
    sections: dict[str, list[tuple[Line, str, str]]] = {}
    section = ""
    for line in lines:
        text = line.text.split("#", 1)[0].strip()
        if header := _SECTION.fullmatch(text):
            section = header[1]
        elif entry := _ENTRY.fullmatch(text):
            sections.setdefault(section, []).append((line, entry[1], entry[2].strip()))
    alternatives = {
        name
        for entries in sections.values()
        for _line, key, value in entries
        if key == "subjectAltName"
        for name in re.findall(r"@([\w.-]+)", value)
    }
    plain = [
        one for name, entries in sections.items() if name not in alternatives for one in entries
    ]
    return _read(plain, [one for name in alternatives for one in sections.get(name, [])], role)


def _read(
    plain: Sequence[tuple[Line, str, str]], listed: Sequence[tuple[Line, str, str]], role: str
) -> Extensions:
    found = Extensions()
    left: list[Left] = []
    purposes = [
        purpose
        for _line, key, value in plain
        if key == "extendedKeyUsage"
        for purpose in _values(value)
    ]
    peer = len(purposes) == len(_PURPOSES) and set(purposes) == set(_PURPOSES)
    role = next((_PURPOSES[one] for one in purposes if one in _PURPOSES), role)
    role = "server" if peer else role
    names: list[tuple[Line, str, str]] = [
        (line, key.partition(".")[0], value) for line, key, value in listed
    ]
    for line, key, value in plain:
        values = _values(value)
        if key == "basicConstraints":
            lengths = [one.partition(":")[2] for one in values if one.startswith("pathlen:")]
            found = dataclasses.replace(
                found,
                is_ca="CA:TRUE" in [one.upper() for one in values],
                path_length=int(lengths[0]) if lengths and lengths[0].isdigit() else None,
            )
        elif key == "subjectAltName":
            names += [(line, *one.partition(":")[::2]) for one in values if not one.startswith("@")]
        elif key == "extendedKeyUsage":
            if not peer and (len(values) != 1 or values[0] not in _PURPOSES):
                why = _("a certificate serves one purpose here; it is made for a {role}", role=role)
                left.append(_left(line, why))
        elif key not in _OURS and key != "keyUsage":
            left.append(_left(line, _("an extension that the settings have not")))
    if not found.is_ca:
        left += _usages(plain, role)
    kinds: dict[str, list[str]] = {"DNS": [], "IP": [], "email": [], "URI": []}
    for line, kind, value in names:
        if kind in kinds:
            kinds[kind].append(value.strip())
        else:
            left.append(_left(line, _("a kind of name that the settings have not")))
    return dataclasses.replace(
        found,
        role=role,
        peer=peer,
        dns=tuple(kinds["DNS"]),
        ip=tuple(kinds["IP"]),
        email=tuple(kinds["email"]),
        uri=tuple(kinds["URI"]),
        left=tuple(left),
    )


def _usages(plain: Sequence[tuple[Line, str, str]], role: str) -> Iterator[Left]:
    for line, key, value in plain:
        if key == "keyUsage" and set(_values(value)) not in _USAGES.get(role, []):
            usual = ", ".join(sorted(_USAGES.get(role, [set()])[0]))
            why = _("a {role} has keyUsage {usages} here", role=role, usages=usual)
            yield _left(line, why)


def _values(text: str) -> list[str]:
    # Whether it is critical is the profile's business.
    return [one.strip() for one in text.split(",") if one.strip() not in {"", "critical"}]


def _left(line: Line, why: Text) -> Left:
    return Left(line.number, shown(line.text), why)

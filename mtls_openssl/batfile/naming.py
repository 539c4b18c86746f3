"""Reads subjects as `-subj` has them (openssl-req(1)). Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from mtls_openssl.batfile.left import Left, shown
from mtls_openssl.language import _

_PARTS = ("C", "ST", "L", "O", "CN")
_SHORT = {
    "countryname": "C", "stateorprovincename": "ST", "localityname": "L", "organizationname": "O",
    "commonname": "CN",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Subject:
    """A subject.

    Args:
        country: C.
        state: ST.
        city: L.
        org: O.
        cn: CN.
        left: what can't be carried over.
    """

    country: str = ""
    state: str = ""
    city: str = ""
    org: str = ""
    cn: str = ""
    left: tuple[Left, ...] = ()


def read(subject: str, line: int) -> Subject:
    """Read a subject.

    Args:
        subject: such as `/C=CN/O=MyOrganization/CN=client1`.
        line: the number of its line.
    """
    found: dict[str, str] = {}
    left: list[Left] = []
    order: list[str] = []
    # Git's bash needs two slashes in front, and openssl takes an empty part for none.
    for part in re.findall(r"(?:\\.|[^/\\])+", subject):
        key, _equals, value = part.partition("=")
        value = re.sub(r"\\(.)", r"\1", value)
        key = _SHORT.get(key.strip().lower(), key.strip().upper())
        if key not in _PARTS:
            why = _("a part of a name that the settings have not")
            left.append(Left(line, shown(part), why))
        elif key in found:
            left.append(Left(line, shown(part), _("a part of a name that is there twice")))
        elif value.strip():
            found[key] = value.strip()
            order.append(key)
    if order != sorted(order, key=_PARTS.index):
        why = _("the parts of a name stand in the order C, ST, L, O, CN here")
        left.append(Left(line, shown(subject), why))
    return Subject(
        found.get("C", ""), found.get("ST", ""), found.get("L", ""), found.get("O", ""),
        found.get("CN", ""), tuple(left),
    )  # fmt: skip


def common(values: Sequence[str]) -> str:
    """The value that most of them have, the first one where several are as many."""
    return max(values, key=values.count, default="")

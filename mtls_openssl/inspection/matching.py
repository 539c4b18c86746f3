"""Whether files belong together: certificates, requests and keys of one key pair. Pure.

The guide compares moduli, which only RSA keys have; here whole public keys are compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mtls_openssl.inspection.objects import Certificate, Holding, Item, Key, Request, fingerprint


@dataclasses.dataclass(frozen=True)
class Member:
    """One thing with a public key.

    Args:
        holding: the file that it is in.
        item: the part of the file.
        number: its number in the file, from 1.
    """

    holding: Holding
    item: Item
    number: int


@dataclasses.dataclass(frozen=True)
class Match:
    """What belongs together.

    Args:
        groups: the members with the same public key, by its SHA-256 (of the SPKI).
        common: the public key that every file has to do with; empty if there is none.
        closed: what could not be opened, so that nothing is known of it.
    """

    groups: dict[str, tuple[Member, ...]]
    common: str
    closed: tuple[Member, ...]


def matched(holdings: Sequence[Holding]) -> Match:
    """What of several files, or of one file with several parts, belongs together.

    Args:
        holdings: the files, read.
    """
    groups: dict[str, tuple[Member, ...]] = {}
    closed: list[Member] = []
    for holding in holdings:
        for number, item in enumerate(holding.flat, start=1):
            member = Member(holding, item, number)
            if public := public_key(item):
                print_ = fingerprint(public)
                groups[print_] = (*groups.get(print_, ()), member)
            else:
                closed.append(member)
    # Of one file alone, two parts belong together.
    if len(holdings) == 1:
        pairs = [key for key, members in groups.items() if len(members) > 1]
        return Match(groups, pairs[0] if pairs else "", tuple(closed))
    common = [
        key
        for key, members in groups.items()
        if {id(member.holding) for member in members} == set(map(id, holdings))
    ]
    return Match(groups, common[0] if common else "", tuple(closed))


def public_key(item: Item) -> str:
    """The public key of a part, PEM; empty if it has none, or was not opened."""
    return item.thing.public_key if isinstance(item.thing, Certificate | Request | Key) else ""

"""Whether the certificates of a file stand in the order that TLS asks for. Pure."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from mtls_openssl.inspection.objections import is_ca, is_self_issued
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl.x509 import Description


class Order(enum.Enum):
    """How the certificates of a file stand to each other."""

    RIGHT = "right"
    """Each is issued by the next one (RFC 8446, 4.4.2)."""
    WRONG = "wrong"
    """They are one chain, in another order."""
    ROOTS = "roots"
    """All are CAs that issued themselves: any order is right."""
    APART = "apart"
    """They are not one chain."""


def judged(chain: Sequence[Description]) -> tuple[Order, tuple[int, ...]]:
    """How certificates stand to each other.

    Args:
        chain: two or more, in the order of their file.

    Returns:
        The verdict; and the numbers of those that do form a chain, from 1, in the right order,
        beginning with the one that none of the others issued nor is issued by more than others.
    """
    if all(is_self_issued(one) and is_ca(one) for one in chain):
        return Order.ROOTS, tuple(range(1, len(chain) + 1))
    issuer = {
        place: next(
            (other for other in range(len(chain)) if other != place and issued(chain[other], one)),
            None,
        )
        for place, one in enumerate(chain)
        if not is_self_issued(one)
    }
    starts = [place for place in range(len(chain)) if place not in issuer.values()]
    longest: tuple[int, ...] = ()
    for start in starts or [0]:
        walk, at = list[int](), start
        while at is not None and at not in walk:
            walk.append(at)
            at = issuer.get(at)  # type: ignore[assignment]
        longest = max(longest, tuple(walk), key=len)
    found = tuple(place + 1 for place in longest)
    if len(found) < len(chain):
        return Order.APART, found
    in_order = found == tuple(range(1, len(chain) + 1))
    return (Order.RIGHT if in_order else Order.WRONG), found


def issued(issuer: Description, one: Description) -> bool:
    """Whether `issuer` is who `one` names: by name, and by key identifier where both have one."""
    wanted = ext.key_identifier(one.extensions.get(ext.AUTHORITY_KEY_IDENTIFIER))
    has = ext.key_identifier(issuer.extensions.get(ext.SUBJECT_KEY_IDENTIFIER))
    return issuer.subject == one.issuer and (not wanted or not has or wanted == has)

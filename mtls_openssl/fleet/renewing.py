"""Who of a fleet is renewed: whose certificate nears its end, or who is named.

What is asked for is what each certificate says, so that nothing but the folder has to be known.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.inventory import clients
from mtls_openssl.inventory.clients import Client
from mtls_openssl.inventory.strangers import stranger_to
from mtls_openssl.life.deciding import when_it_ends
from mtls_openssl.life.decision import Wish
from mtls_openssl.life.describing import leaf_from
from mtls_openssl.manifest import Leaf, Role
from mtls_openssl.openssl import ca


@dataclasses.dataclass(frozen=True)
class Due:
    """The clients of a folder that are renewed.

    Args:
        folder: the folder of the set.
        names: who is renewed.
        elsewhere: who would be, and whose key is not here, or has a password.
        revoked: who would be, and is revoked.
        unfit: who would be, and is no client that this authority has issued.
        strangers: whom another authority has issued; of those that are named, see `unfit`.
        ended: how many of the first two have expired.
        rekey: whether they get new keys.
    """

    folder: Path
    names: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    ended: int = 0
    rekey: bool = False

    @property
    def count(self) -> int:
        """How many are renewed."""
        return len(self.names)

    @property
    def left(self) -> int:
        """How many should be, and can't."""
        return sum(map(len, (self.elsewhere, self.revoked, self.unfit, self.strangers)))

    def leaves(self) -> Iterator[Leaf]:
        """Each that is renewed, as its certificate says; read anew each time: none is kept."""
        for name in self.names:
            leaf = leaf_of(self.folder, clients.one(self.folder, name))
            if leaf is not None:
                yield leaf


def due(
    folder: Path, issuer: str, wish: Wish, read: Callable[[Client], object] = lambda _one: None
) -> Due:
    """Who is renewed.

    Args:
        folder: the folder of the set.
        issuer: the authority that issues, as its files are called before the dot.
        wish: how long before its end a certificate is renewed, or who is by name, and whether
            with a new key.
        read: who is given each client that was read on the way.

    Raises:
        OSError: the folder of the clients can't be looked into.
        FolderUnavailableError: the register can't be read.
    """
    is_stranger = stranger_to(folder / f"{issuer}.crt")
    revoked = register.revoked(folder)
    found: dict[str, list[str]] = {"names": [], "elsewhere": [], "revoked": [], "unfit": [],
                                    "strangers": []}  # fmt: skip
    ended = 0
    for name in clients.names(folder):
        if wish.names and name not in wish.names:
            continue
        one = clients.one(folder, name)
        read(one)
        if one.described is None or is_stranger(one):
            if wish.names:
                found["unfit"].append(name)
            elif one.described:
                found["strangers"].append(name)
            continue
        if not wish.names and not when_it_ends(one.described, wish):
            continue
        again = wish.rekey and wish.names  # a new key for somebody whose old one is lost
        if ca.plain(one.described.serial) in revoked and not again:
            found["revoked"].append(name)
        elif leaf_of(folder, one) is None:
            found["unfit"].append(name)
        else:
            here = wish.rekey or kept_key(folder, name)
            found["names" if here else "elsewhere"].append(name)
            ended += one.described.not_after <= wish.now
    some = {kind: tuple(names) for kind, names in found.items()}
    return Due(folder, ended=ended, rekey=wish.rekey, **some)


def leaf_of(folder: Path, one: Client) -> Leaf | None:
    """What has to be asked for to get such a client again; None where that can't be asked for.

    Args:
        folder: the folder of the set.
        one: the client.
    """
    if one.described is None:
        return None
    files = clients.files(folder, one.name)
    content = functools.partial(clients.content, folder, one.name)
    leaf = leaf_from(one.name, one.described, files, content)
    return leaf if leaf and leaf.role is Role.CLIENT else None


def kept_key(folder: Path, name: str) -> bytes:
    """The private key of a client, PEM; nothing where it is not here, or has a password."""
    key = clients.content(folder, name, f"{name}.key")
    return b"" if b"ENCRYPTED" in key else key

"""What is made of each who is asked for: a new client, the same again, or nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.fleet.batch import Item
from mtls_openssl.fleet.nouns import Done, Order
from mtls_openssl.fleet.renewing import kept_key, leaf_of
from mtls_openssl.inventory import clients
from mtls_openssl.inventory.clients import Client
from mtls_openssl.manifest import Leaf
from mtls_openssl.openssl import ca
from mtls_openssl.proof.certificates import differences, kind_of

_FEW = 5


class Choosing:
    """What is made in one run.

    Args:
        folder: the folder of the set.
        order: what the run is given.
        done: where it is counted who is left as they are.
    """

    def __init__(self, folder: Path, order: Order, done: Done) -> None:
        self._folder = folder
        self._order = order
        self._done = done
        self._revoked = register.revoked(folder)

    def item(self, leaf: Leaf) -> Item | None:
        """What is made for one; None if they are left as they are."""
        if self._order.renews:
            return self._again(leaf, rekey=self._order.rekey)
        if not clients.is_there(self._folder, leaf.name):
            return Item(leaf, self._order.zipped)
        there = clients.one(self._folder, leaf.name)
        if is_as_wanted(there, leaf):
            self._done.there += 1
        elif self._order.reissues:
            self._done.again += 1
            return self._reissued(leaf, there)
        else:
            self._done.there += 1
            self._done.others += 1
            if len(self._done.named) < _FEW:
                self._done.named.append(leaf.name)
        return None

    def _reissued(self, leaf: Leaf, there: Client) -> Item:
        before, described = leaf_of(self._folder, there), there.described
        if before and not leaf.packings:
            leaf = dataclasses.replace(leaf, packings=before.packings)
        fits = (
            described is not None
            and str(kind_of(described)) == str(leaf.key)
            and ca.plain(described.serial) not in self._revoked
        )
        return self._again(leaf, rekey=not fits)

    def _again(self, leaf: Leaf, *, rekey: bool) -> Item:
        zipped = clients.entry(self._folder, leaf.name).endswith(clients.ZIP)
        key = b"" if rekey else kept_key(self._folder, leaf.name)
        return Item(leaf, zipped, key, replaces=True)


def is_as_wanted(there: Client, leaf: Leaf) -> bool:
    """Whether the certificate of a client says what is asked for now."""
    return there.described is not None and not any(
        check.fault for check in differences(leaf.certificate_file, there.described, leaf)
    )

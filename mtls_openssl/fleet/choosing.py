"""What is made of each who is asked for: a new client, the same again, or nothing."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from mtls_openssl import register
from mtls_openssl.fleet.batch import Item
from mtls_openssl.fleet.nouns import Done, Order, Whom
from mtls_openssl.fleet.renewing import kept_key, leaf_of
from mtls_openssl.inventory import clients
from mtls_openssl.inventory.clients import Client
from mtls_openssl.inventory.strangers import stranger_to
from mtls_openssl.manifest import Leaf
from mtls_openssl.openssl import ca
from mtls_openssl.proof.certificates import differences, kind_of

_FEW = 5


class Standing(enum.Enum):
    """How somebody stands who is asked for."""

    ABSENT = "not there yet"
    AS_WANTED = "as asked for"
    OTHERWISE = "asked for otherwise now"
    REVOKED = "revoked"


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
        self._strangers = frozenset(done.strangers)
        self._stranger_to_us = stranger_to(folder / f"{register.issuer_of(folder)}.crt")

    def item(self, leaf: Leaf) -> Item | None:
        """What is made for one; None if they are left as they are."""
        order, done = self._order, self._done
        if order.renews:
            return self._again(leaf, rekey=order.rekey)
        stands = standing(self._folder, leaf, self._revoked, self._is_stranger, zipped=order.zipped)
        if not _counted(done, leaf, stands, reissues=order.reissues):
            return None
        return Item(leaf, order.zipped) if stands is Standing.ABSENT else self._reissued(leaf)

    def _is_stranger(self, there: Client) -> bool:
        # The register has somebody's number still where the authority was put in its place by hand.
        return there.name in self._strangers or self._stranger_to_us(there)

    def _reissued(self, leaf: Leaf) -> Item:
        there = clients.one(self._folder, leaf.name)
        before, described = leaf_of(self._folder, there), there.described
        if before:
            packed = {packing.file: packing for packing in (*before.packings, *leaf.packings)}
            leaf = dataclasses.replace(leaf, packings=tuple(packed.values()))
        fits = (
            described is not None
            and str(kind_of(described)) == str(leaf.key)
            and ca.plain(described.serial) not in self._revoked
            # Whom another authority has revoked is not known here.
            and not self._is_stranger(there)
        )
        return self._again(leaf, rekey=not fits)

    def _again(self, leaf: Leaf, *, rekey: bool) -> Item:
        before = clients.entry(self._folder, leaf.name)
        zipped = self._order.zipped or before.endswith(clients.ZIP)
        key = b"" if rekey else kept_key(self._folder, leaf.name)
        return Item(leaf, zipped, key, before)


def foreseen(folder: Path, whom: Whom, *, zipped: bool = False, reissues: bool = False) -> Done:
    """How those stand who are asked for, counted as the run would that issues them.

    Args:
        folder: the folder of the set.
        whom: who is asked for.
        zipped: whether archives are asked for.
        reissues: whether whoever is there and not as wanted would be issued again.

    Raises:
        FolderUnavailableError: the register can't be read.
        OSError: the folder of the clients can't be looked into.
    """
    revoked = register.revoked(folder)
    is_stranger = stranger_to(folder / f"{register.issuer_of(folder)}.crt")
    done = Done(folder, whom.count)
    done.strangers = [
        one.name for one in clients.all_in(folder) if one.described is None or is_stranger(one)
    ]
    for leaf in whom.leaves():
        stands = standing(folder, leaf, revoked, is_stranger, zipped=zipped)
        _counted(done, leaf, stands, reissues=reissues)
    return done


def _counted(done: Done, leaf: Leaf, stands: Standing, *, reissues: bool) -> bool:
    """Count how somebody stands who is asked for; whether they are to be made."""
    if stands is Standing.ABSENT:
        return True
    if reissues and stands is not Standing.AS_WANTED:
        done.again += 1
        done.strangers = [name for name in done.strangers if name != leaf.name]
        return True
    done.there += 1
    if stands is Standing.REVOKED:
        done.revoked.append(leaf.name)
    elif stands is Standing.OTHERWISE:
        done.others += 1
        if len(done.named) < _FEW:
            done.named.append(leaf.name)
    return False


def standing(
    folder: Path,
    leaf: Leaf,
    revoked: AbstractSet[str],
    is_stranger: Callable[[Client], bool],
    *,
    zipped: bool = False,
) -> Standing:
    """How somebody stands who is asked for.

    Args:
        folder: the folder of the set.
        leaf: what is asked for.
        revoked: the serial numbers that are revoked, as the register has them.
        is_stranger: whether another authority has issued a client: it is not as it is asked for.
        zipped: whether an archive is asked for.
    """
    if not clients.is_there(folder, leaf.name):
        return Standing.ABSENT
    there = clients.one(folder, leaf.name)
    if there.described and ca.plain(there.described.serial) in revoked:
        return Standing.REVOKED
    as_wanted = _says(there, leaf) and _has(folder, leaf, zipped=zipped)
    return Standing.AS_WANTED if as_wanted and not is_stranger(there) else Standing.OTHERWISE


def _says(there: Client, leaf: Leaf) -> bool:
    """Whether the certificate of a client says what is asked for."""
    return there.described is not None and not any(
        check.fault for check in differences(leaf.certificate_file, there.described, leaf)
    )


def _has(folder: Path, leaf: Leaf, *, zipped: bool) -> bool:
    """Whether the files that are asked for are there; what nobody asks for may be there too."""
    if zipped and not clients.entry(folder, leaf.name).endswith(clients.ZIP):
        return False
    asked = {packing.file for packing in leaf.packings}
    # Thousands have none: their folders are not listed.
    return not asked or asked <= clients.files(folder, leaf.name)

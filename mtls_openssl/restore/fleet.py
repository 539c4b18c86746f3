"""The clients of a fleet in a backup: what becomes of each, and whether it fits what will be there.

There may be thousands, so they are read without a process, and held against their CA many at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from mtls_openssl.inventory import clients, keys
from mtls_openssl.inventory.clients import der_of
from mtls_openssl.inventory.der import NotDerError
from mtls_openssl.inventory.strangers import issued_again, stranger_to
from mtls_openssl.language import Text, _
from mtls_openssl.life.taken import fleet_in
from mtls_openssl.openssl import ca
from mtls_openssl.openssl.x509 import Description
from mtls_openssl.plan.naming import Names
from mtls_openssl.proof import Check
from mtls_openssl.restore.backups import Backup
from mtls_openssl.restore.case import Client, Fate
from mtls_openssl.restore.shelf import CA, Set, Shelf, digest_of
from mtls_openssl.workspace.commit import CLIENTS

_SHOWN = 5


def compared(folder: Path, backup: Backup) -> tuple[Client, ...]:
    """What would become of each client of a backup.

    Args:
        folder: the folder of the set.
        backup: the backup.

    Raises:
        FolderUnavailableError: a file of one can't be read.
    """
    here = Names(fleet_in(folder)) if backup.clients else Names()
    spelt = {name: here.spelt(name) or name for name in backup.clients}
    # Where case counts, a backup may have two who are one here.
    return tuple(
        _compared(folder, backup, name, name if called in backup.clients else called)
        for name, called in spelt.items()
    )


def _compared(folder: Path, backup: Backup, name: str, here: str) -> Client:
    entry = clients.entry(backup.path, name)
    places = (f"{CLIENTS}/{here}", f"{CLIENTS}/{here}{clients.ZIP}")
    before = tuple(place for place in places if (folder / place).exists())
    after, now = digests(backup.path / entry), dict[Path, str]()
    for place in before:
        now |= digests(folder / place)
    fate = Fate.REPLACED if before else Fate.RETURNS
    if before == (entry,) and _by_name(after, backup.path) == _by_name(now, folder):
        fate = Fate.SAME
    return Client(name, entry, fate, before, {**after, **now})


def digests(place: Path) -> dict[Path, str]:
    """The SHA-256 of each file of a client, by path.

    Args:
        place: its folder, or its archive.

    Raises:
        FolderUnavailableError: one can't be read.
    """
    within = sorted(place.rglob("*")) if place.is_dir() else [place]
    return {file: digest_of(file) for file in within if not file.is_dir()}


def held_by_some(backup: Backup) -> dict[str, str]:
    """The SHA-256 of the files of a few clients in a backup, by name: they tell who made it.

    Args:
        backup: the backup.

    Raises:
        FolderUnavailableError: a file of one can't be read.
    """
    held = dict[Path, str]()
    for name in backup.clients[:_SHOWN]:
        held |= digests(backup.path / clients.entry(backup.path, name))
    return _by_name(held, backup.path)


def _by_name(held: Mapping[Path, str], folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): digest for path, digest in held.items()}


def checks(
    shelf: Shelf, backup: Backup, coming: Sequence[Client], after: Set
) -> Iterator[Check | Text]:
    """What must be true of the clients that come back.

    Args:
        shelf: where openssl is asked.
        backup: where they come from.
        coming: who they are.
        after: the files of the set as it would be.

    Yields:
        Every check, passed or not; and in a sentence what could not be checked.
    """
    found = {one.name: clients.one(backup.path, one.name) for one in coming}
    read = {name: one.described for name, one in found.items() if one.described}
    for name in (name for name in found if name not in read):
        yield Check(_subject(name), _("it can be read back"), _("it can't be read"))
    unknown = list[str]()
    for name, described in read.items():
        fault = _key_fault(shelf, backup.path, name, described)
        if fault is None:
            unknown.append(name)
        else:
            yield Check(_subject(name), _("it belongs to {key}", key=f"{name}.key"), fault)
    if unknown:
        yield _("Whether they have the keys of their certificates is not known: {names}.",
                names=named(unknown))  # fmt: skip
    if read and CA not in after:
        yield _("There is no {file} that the certificates could be held against.", file=CA)
        return
    faults = shelf.objections([found[name].pem for name in read], after)
    for name, fault in zip(read, faults, strict=True):
        yield Check(_subject(name), _("the CA that will be there issued it"), fault)


def notes(
    backup: Backup, coming: Sequence[Client], revoked: Collection[str], now: datetime
) -> Iterator[Text]:
    """What a person should know of the clients that come back.

    Args:
        backup: where they come from.
        coming: who they are.
        revoked: the serial numbers that are revoked, as the register has them.
        now: the time.
    """
    read = [(one.name, clients.one(backup.path, one.name).described) for one in coming]
    dead = [name for name, one in read if one and ca.plain(one.serial) in revoked]
    if dead:
        yield _(
            "Revoked, and stay so, so that whoever knows the list of revoked certificates refuses"
            " them: {names}.",
            names=named(dead),
        )
    ended = [name for name, one in read if one and one.not_after < now]
    if ended:
        yield _("Expired, so that nobody accepts them any more: {names}.", names=named(ended))


def left_behind(folder: Path, coming: Sequence[Client], authority: Path) -> Iterator[Text]:
    """Which clients stay in the folder that the authority that will issue there has not issued.

    Args:
        folder: the folder of the set.
        coming: who comes back.
        authority: the file of its certificate.
    """
    replaced = {place for one in coming for place in one.before}
    is_stranger = stranger_to(authority)
    strangers = [
        one.name
        for one in clients.all_in(folder)
        if clients.entry(folder, one.name) not in replaced and is_stranger(one)
    ]
    if strangers:
        yield _(
            "{count} client{count:|s} of the fleet {count:is|are} of another authority then, and"
            " nobody who trusts this CA lets {count:it|them} in: {names}; {cure}.",
            count=len(strangers),
            names=named(strangers),
            cure=issued_again(folder),
        )


def named(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    if len(names) <= _SHOWN:
        return shown
    return _("{names} and {count} more", names=shown, count=len(names) - _SHOWN)


def _subject(name: str) -> str:
    return f"{CLIENTS}/{name}"


def _key_fault(shelf: Shelf, folder: Path, name: str, described: Description) -> str | None:
    """What is wrong with the key of a client, empty for nothing; None where that can't be seen."""
    file = f"{name}.key"
    if file not in clients.files(folder, name):
        return ""  # it is kept elsewhere
    text = clients.content(folder, name, file).decode("ascii", "replace")
    if "ENCRYPTED" in text:
        return None
    try:
        known = keys.of_private(der_of(text))
    except NotDerError:
        return _("{file} can't be read as a key", file=file)
    fits = known == keys.of_public(described.public_key)
    if not known:
        path = folder / clients.entry(folder, name) / file
        key = shelf.key(path) if path.is_file() else None
        if key is None:
            return None
        fits = key.public_key == described.public_key
    return "" if fits else _("its public key is not that of {key}", key=file)

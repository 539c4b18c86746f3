"""The names that are taken in the folder of a set: by its files, and by its fleet's clients."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inventory import clients
from mtls_openssl.language import _
from mtls_openssl.life.condition import files_in
from mtls_openssl.manifest import Leaf
from mtls_openssl.plan.naming import Names
from mtls_openssl.workspace.causes import unavailable
from mtls_openssl.workspace.commit import CLIENTS


@dataclasses.dataclass(frozen=True)
class Taken:
    """What is taken in a folder.

    Args:
        files: the names of its files.
        clients: the names of the clients of its fleet.
    """

    files: Names = dataclasses.field(default_factory=Names)
    clients: Names = dataclasses.field(default_factory=Names)


def taken(folder: Path) -> Taken:
    """What is taken in a folder, which may not be there yet.

    Raises:
        FolderUnavailableError: nobody lets us look into it.
    """
    return Taken(Names(files_in(folder)), Names(fleet_in(folder)))


def require_own_names(leaves: Iterable[Leaf], folder: Path) -> None:
    """See that what is described takes nobody else's name.

    Args:
        leaves: what is described.
        folder: the folder of the set.

    Raises:
        FolderUnavailableError: a file there has a name that differs in upper and lower case only,
            or a client of the fleet has the name of what is not there yet; or nobody lets us look.
    """
    there = taken(folder)
    for leaf in leaves:
        for file in (leaf.certificate_file, leaf.key_file):
            spelt = there.files.spelt(file)
            if spelt not in {None, file}:
                raise FolderUnavailableError(
                    _("{file} is here, and mtls.toml spells it {name}.", file=spelt, name=file),
                    cause=_("on Windows and macOS one would take the place of the other"),
                    fix=_("spell the name in mtls.toml as the file does, or give another name"),
                )
        client = there.clients.spelt(leaf.name)
        if client and there.files.spelt(leaf.certificate_file) is None:
            raise FolderUnavailableError(
                _("A client of the fleet is called {name}.", name=client),
                cause=_("to revoke that name would revoke both"),
                fix=_("give another name in mtls.toml"),
            )


def fleet_in(folder: Path) -> list[str]:
    """The names of the clients of the fleet in a folder.

    Raises:
        FolderUnavailableError: nobody lets us look into it.
    """
    try:
        return clients.names(folder)
    except OSError as error:
        what = _("{folder} can't be looked into", folder=folder / CLIENTS)
        raise unavailable(what, error) from error

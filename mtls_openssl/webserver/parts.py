"""The files of a set that a web server is given: which certificate, and what belongs to it."""

from __future__ import annotations

from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.language import Text, _
from mtls_openssl.life import choosing, condition
from mtls_openssl.locate import is_file
from mtls_openssl.manifest import Role
from mtls_openssl.plan import CHAIN, made_by
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.webserver import certificates, iis

BETWEEN = "intermediate.crt"
"""The certificate of the authority that issues, where that is not the root."""


def owner(desk: Desk, folder: Path, name: str | None) -> str:
    """What the files of the server's certificate are called.

    Args:
        desk: where openssl is asked.
        folder: the folder of the set.
        name: what was typed; None for the usual one, else the only one.

    Raises:
        FolderUnavailableError: there is none of that name, or it is a client's.
        UsageError: there are several, and none is named.
    """
    return choosing.chosen(desk, folder, Role.SERVER, name or "", option="--name")


def require(folder: Path, names: tuple[str, ...]) -> None:
    """See that files of the set are there.

    Raises:
        FolderUnavailableError: one is not.
    """
    for name in names:
        if not is_file(folder / name):
            raise FolderUnavailableError(
                _("{folder} has no {name}", folder=folder, name=name),
                fix=_(
                    "make it: {command}; or name the folder of the set with --out",
                    command=ours(folder, *made_by(name).split()),
                ),
            )


def trusted(folder: Path, owner: str) -> str:
    """The file with the CAs of the set; where two of them issue, with the chains in order.

    Args:
        folder: the folder of the set.
        owner: what the files of the server's certificate are called.

    Raises:
        FolderUnavailableError: a chain file is missing, or holds something else.
    """
    if not is_file(folder / BETWEEN):
        return "ca.crt"
    if stale := condition.stale_chains(folder, condition.files_in(folder), [owner]):
        raise FolderUnavailableError(
            _("{file} is missing, or out of date", file=stale[0]),
            cause=_("an intermediate authority issues here: its certificate has to be sent along"),
            fix=choosing.made_again(folder, owner),
        )
    return CHAIN


def p12(folder: Path, owner: str, reader: str, windows: str) -> Path:
    """The PKCS#12 file of a server: its first one, or the one for that Windows."""
    first, other = folder / f"{owner}.p12", folder / f"{owner}.{reader}.p12"
    usable = is_file(first) and not iis.is_unreadable(certificates.content(first), windows)
    return other if not usable and is_file(other) else first


def for_host(folder: Path, owner: str, host: str) -> Text:
    """How to get a certificate for another host."""
    if choosing.is_described(folder):
        return _(
            "name one of those; or add {host} to its dns in mtls.toml, then: {command}",
            host=host,
            command=ours(folder, "apply"),
        )
    return _(
        "name one of those, or make another one: {command}",
        command=ours(folder, "server", "--server-dns", host)
        if owner == "server" and not is_file(folder / BETWEEN)
        else ours(folder, "server", "add", "NAME", "--dns", host),
    )

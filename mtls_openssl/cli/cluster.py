"""The options of a cluster that makes the keys of a fleet, and how it is joined: --scheduler."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mtls_openssl.cli.options import Choices, option
from mtls_openssl.errors import UsageError
from mtls_openssl.language import Text, _, spoken

if TYPE_CHECKING:
    from mtls_openssl.fleet.nouns import Order
    from mtls_openssl.fleet.scheduler import Address, Identity

_PATIENCE = 15.0
"""Seconds to wait for the scheduler, and for a first worker."""
_PANEL = _("Keys made by the workers of a Dask cluster; what is signed is signed here")

CLUSTER = (
    option(
        str | None, "--scheduler", metavar="tls://HOST:PORT", panel=_PANEL,
        help="The cluster's scheduler.",
    ),
    option(
        Path | None, "--scheduler-set", metavar="DIR", panel=_PANEL,
        help="Folder of the cluster's own set: its ca.crt, and a client of it.",
    ),
    option(
        str, "--scheduler-as", metavar="NAME", default="client", panel=_PANEL,
        help="Which client of that set is shown to the cluster.",
    ),
    option(
        bool, "--insecure", default=False, panel=_PANEL,
        help="Allow tcp://, where anybody can read the keys, and a cluster of the same CA.",
    ),
)  # fmt: skip


@contextlib.contextmanager
def helped(choices: Choices, order: Order) -> Iterator[Order]:
    """What is to be issued, with a cluster that makes the keys where one is named.

    Args:
        choices: what was typed.
        order: what is to be issued.

    Raises:
        UnreachableError: the cluster can't be joined.
        FolderUnavailableError: our own files for it are of no use.
    """
    if choices.get("scheduler") is None:
        yield order
        return
    from mtls_openssl.fleet import cluster, scheduler  # noqa: PLC0415 - where one is named

    address, one = _scheduler(choices)
    if warning := _warning(choices, address, one):
        typer.echo(spoken(_("Warning: {what}", what=warning)), err=True)
    limit = min(choices["timeout"] or _PATIENCE, _PATIENCE)
    scheduler.knock(address, one, limit)
    with cluster.joined(address, one, limit) as joined:
        yield dataclasses.replace(order, executor=joined, hands=joined.hands)


def require(choices: Choices) -> None:
    """See that what is said of a cluster can be had; nobody is asked.

    Args:
        choices: what was typed.

    Raises:
        UsageError: it can't be meant, or would give the keys away.
        FolderUnavailableError: a file of ours is not there.
    """
    if choices["scheduler"] is not None:
        _scheduler(choices)
    elif choices["scheduler_set"] or choices["insecure"]:
        raise UsageError(
            _("--scheduler-set and --insecure are for a cluster, and none is named."),
            fix=_("add --scheduler tls://HOST:PORT, or leave them out"),
        )


def _scheduler(choices: Choices) -> tuple[Address, Identity | None]:
    """Where the scheduler is, and who we are to it."""
    from mtls_openssl.fleet import scheduler  # noqa: PLC0415 - as above

    address = scheduler.parse(choices["scheduler"])
    folder: Path | None = choices["scheduler_set"]
    if not address.is_private:
        if choices["insecure"]:
            return address, None
        raise UsageError(
            _("{address} is not encrypted.", address=str(address)),
            cause=_BARE,
            fix=_("have the cluster speak TLS: tls://HOST:PORT; or, among yourselves, --insecure"),
        )
    if folder is None:
        raise UsageError(
            _("--scheduler needs the set of the cluster."),
            cause=_("scheduler, workers and we show each other certificates of one CA"),
            fix=_(
                "name its folder: --scheduler-set DIR; to make one: {command}",
                command=_making(Path("cluster")),
            ),
        )
    if scheduler.is_same(folder, choices["out"]) and not choices["insecure"]:
        raise UsageError(
            _("The cluster has the same CA as the clients that are issued."),
            cause=_SAME_CA,
            fix=_(
                "give the cluster a set of its own: {command}; or, if you know them all,"
                " --insecure",
                command=_making(Path("cluster")),
            ),
        )
    return address, scheduler.identity(folder, choices["scheduler_as"])


_BARE = _(
    "anybody on the way could read the private keys, and anybody who reaches the scheduler could"
    " run what they like on the workers and on this computer"
)
_SAME_CA = _(
    "Dask lets in whoever has a certificate of its CA, and runs what they ask for: each of the"
    " clients could command the cluster, and read the keys of all others"
)


def _warning(choices: Choices, address: Address, one: Identity | None) -> Text | None:
    from mtls_openssl.fleet import scheduler  # noqa: PLC0415 - as above

    if one is None:
        return _(
            "the private keys of all clients cross the network in the clear to {address}: {why}",
            address=str(address),
            why=_BARE,
        )
    if scheduler.is_same(one.ca.parent, choices["out"]):
        return _("the cluster has the same CA as the clients: {why}", why=_SAME_CA)
    return None


def _making(folder: Path) -> str:
    from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415 - as above

    return f"{ours(folder, 'all')} && {ours(folder, 'server', 'add', 'node', '--peer')}"

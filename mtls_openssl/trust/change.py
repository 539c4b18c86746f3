"""Putting a certificate into stores, and taking it out again: look, run, look again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from mtls_openssl.desk import Desk
from mtls_openssl.errors import CommandFailedError, NotProvenError
from mtls_openssl.language import _
from mtls_openssl.scripting.prompt import line
from mtls_openssl.steps import Command
from mtls_openssl.trust.certificate import Certificate
from mtls_openssl.trust.store import Presence, Standing, Store


@dataclasses.dataclass(frozen=True)
class Change:
    """What is to be done to one store.

    Args:
        store: which one.
        before: how the certificate stands in it.
        commands: what to run; none where it is as it should be already.
        wanted: how it is to stand in it.
    """

    store: Store
    before: Standing
    commands: tuple[Command, ...]
    wanted: Presence


def adding(desk: Desk, stores: Sequence[Store], certificate: Certificate) -> list[Change]:
    """What has to be done so that each of the stores trusts a certificate.

    Raises:
        CommandFailedError: one of them can't be read.
    """
    return [
        Change(
            store,
            standing,
            () if standing.presence is Presence.TRUSTED else store.adding(certificate),
            Presence.TRUSTED,
        )
        for store, standing in _read(desk, stores, certificate)
    ]


def removing(desk: Desk, stores: Sequence[Store], certificate: Certificate) -> list[Change]:
    """What has to be done so that none of the stores has a certificate.

    Raises:
        CommandFailedError: one of them can't be read.
    """
    return [
        Change(store, standing, store.removing(certificate, standing), Presence.ABSENT)
        for store, standing in _read(desk, stores, certificate)
    ]


def make(
    desk: Desk,
    changes: Sequence[Change],
    certificate: Certificate,
    starting: Callable[[Store, Command], None],
) -> Iterator[tuple[Change, Standing]]:
    """Make changes, one store after the other, and read each back.

    Args:
        desk: where the commands run.
        changes: what to do.
        certificate: the one that it is about.
        starting: told of each command before it runs.

    Yields:
        Each change that was made, or was not needed, and how the certificate stands now.

    Raises:
        CommandFailedError: a command failed; what it left half-done was taken back.
        NotProvenError: all commands ran, and the store is not as it should be.
    """
    for change in changes:
        standing = change.before
        if change.commands:
            _run(desk, change, certificate, starting)
            standing = change.store.look(desk, certificate)
        if standing.presence is not change.wanted:
            raise NotProvenError(
                _("{store}: the certificate is {presence} at the end", store=change.store.title,
                  presence=standing.presence.told),
                cause=standing.reason,
                fix=_("look at all stores: {command}",
                      command=line("python", "-m", "mtls_openssl", "trust", "status",
                                   str(certificate.source))),
            )  # fmt: skip
        yield change, standing


def _run(
    desk: Desk,
    change: Change,
    certificate: Certificate,
    starting: Callable[[Store, Command], None],
) -> None:
    store = change.store
    for command in change.commands:
        starting(store, command)
        outcome = desk.ask(command, folder=certificate.folder, secrets=_secrets(store, command))
        if outcome.problem:
            cause = store.cause(outcome)
            _take_back(desk, change, certificate)
            raise CommandFailedError(
                _("{store} could not be changed", store=store.title), cause=cause
            )


def _take_back(desk: Desk, change: Change, certificate: Certificate) -> None:
    # NSS adds a certificate before it finds that it may not trust it.
    if change.before.presence is Presence.ABSENT:
        left = change.store.look(desk, certificate)
        for command in change.store.removing(certificate, left):
            secrets = _secrets(change.store, command)
            desk.ask(command, folder=certificate.folder, secrets=secrets)


def _secrets(store: Store, command: Command) -> dict[str, str]:
    return {name: store.secrets[name] for name in command.secrets}


def _read(
    desk: Desk, stores: Sequence[Store], certificate: Certificate
) -> Iterator[tuple[Store, Standing]]:
    for store in stores:
        standing = store.look(desk, certificate)
        if standing.presence is Presence.UNREADABLE:
            raise CommandFailedError(
                _("{store} can't be read", store=store.title), cause=standing.reason
            )
        yield store, standing

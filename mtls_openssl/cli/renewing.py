"""The clients of a fleet in `renew`: who of them is renewed, how it is told, and done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtls_openssl.cli import fleet, making
from mtls_openssl.cli.options import Choices
from mtls_openssl.language import Text, _, few
from mtls_openssl.manifest import INTERMEDIATE, ROOT
from mtls_openssl.workspace.causes import unavailable

if TYPE_CHECKING:
    from mtls_openssl.fleet.nouns import Done
    from mtls_openssl.fleet.renewing import Due
    from mtls_openssl.life.decision import Wish

_SHOWN = 5
_LEFT_ALONE = {
    "elsewhere": _(
        "{count} client{count:|s} of the fleet left alone, since the key is not here, or has a"
        " password: {names}; --rekey makes a new one"
    ),
    "revoked": _(
        "{count} client{count:|s} of the fleet left alone, since revoked: {names}; named, with"
        " --rekey, {count:it gets a new key|they get new keys}"
    ),
    "strangers": _(
        "{count} client{count:|s} of the fleet left alone, since another authority has issued"
        " {count:it|them}: {names}"
    ),
    "unfit": _(
        "{count} client{count:|s} of the fleet left alone, since this authority has issued no"
        " such client: {names}"
    ),
}
"""Why a client of a fleet is not renewed, by what `Due` calls those."""


def meant(folder: Path, names: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Whose names some are, as they are spelt there.

    Args:
        folder: the folder of the set.
        names: as they were typed.

    Returns:
        Those of the set, with those that nobody has; and those of the fleet.

    Raises:
        FolderUnavailableError: the folder can't be looked into.
    """
    from mtls_openssl.life import condition, taken  # noqa: PLC0415 - what a command needs
    from mtls_openssl.plan.naming import Names  # noqa: PLC0415

    own = condition.leaves_there(condition.files_in(folder))
    fleet = taken.fleet_in(folder)
    there = Names((*own, *fleet, ROOT, INTERMEDIATE))
    spelt = frozenset(there.spelt(name) or name for name in names)
    of_fleet = spelt.intersection(fleet)
    return spelt - of_fleet.difference(own), of_fleet


def looked_at(folder: Path, wish: Wish) -> Due | None:
    """Who of the fleet in a folder is renewed; None where there is no fleet.

    Args:
        folder: the folder of the set.
        wish: who is; its names, if it has any, are of the fleet.

    Raises:
        FolderUnavailableError: the folder can't be read.
    """
    from mtls_openssl.inventory import clients  # noqa: PLC0415 - what a command needs, when it does

    try:
        if not clients.names(folder):
            return None
        from mtls_openssl import register  # noqa: PLC0415 - most sets have no fleet
        from mtls_openssl.fleet import renewing  # noqa: PLC0415

        return renewing.due(folder, register.issuer_of(folder), wish)
    except OSError as error:
        what = _("{folder} can't be looked into", folder=folder / "clients")
        raise unavailable(what, error) from error


def told(due: Due) -> Iterator[Text]:
    """Who is renewed, and who should be and can't."""
    if due.count:
        yield _(
            "  {count} client{count:|s} of the fleet {count:is|are} renewed, {key}: {names}",
            count=due.count,
            key=_("with a new key") if due.rekey else _("with the same key"),
            names=few(due.names, _SHOWN),
        )
    for note in notes(due):
        yield _("  Note: {note}", note=note)


def advice(due: Due | None) -> Iterator[Text]:
    """What a command says of them that leaves the fleet as it is."""
    if due and due.count:
        from mtls_openssl.scripting.prompt import ours  # noqa: PLC0415 - as above

        yield _(
            "{count} client{count:|s} of the fleet near{count:s|} the end: {command}",
            count=due.count,
            command=ours(due.folder, "renew"),
        )


def notes(due: Due) -> Iterator[Text]:
    """Who should be renewed and is not, with what to do, a sentence each."""
    for kind, why in _LEFT_ALONE.items():
        names: tuple[str, ...] = getattr(due, kind)
        if names:
            yield Text(why, count=len(names), names=few(names, _SHOWN))


def carried_out(choices: Choices, due: Due) -> Done:
    """Renew them."""
    return fleet.issued(choices, making.loaded(choices), due, renews=True, rekey=due.rekey)


def outcome(done: Done) -> Iterator[Text]:
    """What came of it, a line each."""
    yield _(
        "{count} client{count:|s} of the fleet renewed and proven in {seconds:.1f} s: {folder}",
        count=done.made,
        seconds=done.seconds,
        folder=done.folder / "clients",
    )
    if done.backup:
        yield _("What was there before is in {folder}", folder=done.backup)
    for note in fleet.notes(done):
        yield _("Note: {note}", note=note)


def data_of(due: Due, done: Done | None) -> dict[str, Any]:
    """The same for a program."""
    return {
        "due": list(due.names),
        "renewed": done.made if done else 0,
        "backup": str(done.backup) if done and done.backup else None,
        "notes": [
            *(str(note) for note in notes(due)),
            *(str(note) for note in (fleet.notes(done) if done else ())),
        ],
    }

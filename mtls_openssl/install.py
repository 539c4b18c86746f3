"""Installing OpenSSL with what installs programs on this computer (step 1 of the guide)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import (
    CommandFailedError,
    OpensslNotFoundError,
    SettingRefusedError,
)
from mtls_openssl.language import Text, _, joined
from mtls_openssl.locate import Machine
from mtls_openssl.locate.installers import Installer, installers
from mtls_openssl.locate.search import installation
from mtls_openssl.steps import Command, Ending, Finished, Kind

LIMIT = 3600.0
"""Seconds that an installer may take: it downloads, and may have to wait for another."""

_TOLD = 8


def choose(machine: Machine, name: str | None) -> Installer:
    """The way to install OpenSSL.

    Args:
        machine: the computer.
        name: of an installer; None for the best that is there.

    Raises:
        OpensslNotFoundError: there is none that is known.
        SettingRefusedError: there is none of that name.
    """
    ways = list(installers(machine))
    if not ways:
        raise OpensslNotFoundError(
            _("nothing that installs programs is known on this computer"), fix=installation(machine)
        )
    chosen = ways[0] if name is None else next((way for way in ways if way.name == name), None)
    if chosen is None:
        raise SettingRefusedError(
            _("there is no {name} on this computer", name=name),
            fix=_("use one of these: {names}", names=", ".join(way.name for way in ways)),
        )
    return chosen


def commands(installer: Installer) -> tuple[Command, ...]:
    """What an installer has to run, in order."""
    return tuple(
        Command(argv, _("install OpenSSL with {name}", name=installer.name), Kind.TOOL, limit=LIMIT,
                program=program)
        for program, argv in installer.steps
    )  # fmt: skip


def run(desk: Desk, steps: Sequence[Command], starting: Callable[[Command], None]) -> None:
    """Run the commands of an installer, up to the first that fails.

    Args:
        desk: where they run.
        steps: the commands.
        starting: told of each before it runs.

    Raises:
        CommandFailedError: one failed.
    """
    for command in steps:
        starting(command)
        outcome = desk.ask(command)
        if outcome.problem:
            program = command.program.name if command.program else ""
            raise CommandFailedError(
                _("{program} did not install OpenSSL: it {problem}", program=program,
                  problem=outcome.problem),
                cause=_last_words(outcome.finished),
                fix=joined("\n", _advice(outcome.finished, desk.log)),
            )  # fmt: skip


def _last_words(finished: Finished) -> str:
    lines = [
        line.strip()
        for text in (finished.stdout, finished.stderr)
        for line in text.splitlines()
        if line.strip()
    ]
    return "\n".join(lines[-_TOLD:])


def _advice(finished: Finished, log: Path) -> Iterator[Text]:
    if finished.ending is Ending.TIMED_OUT:
        yield _("give it more time with --timeout SECONDS")
    yield _("what it said is in the log {log}", log=log.absolute())

"""The choice: the openssl that is taken, why others were not, and what to do if there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtls_openssl.errors import OpensslNotFoundError
from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _, joined
from mtls_openssl.locate import places
from mtls_openssl.locate.machine import Machine, is_file
from mtls_openssl.locate.probe import Candidate, examine

if TYPE_CHECKING:
    # The door brings plumbum with it, which a command that runs no openssl must not wait for.
    from mtls_openssl.process import Door


@dataclass(frozen=True)
class Search:
    """What came of looking for openssl.

    Args:
        candidates: what was looked at, in the order of the search.
        chosen: the one of them to use; None if none can be used.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate | None


@dataclass(frozen=True)
class Found(Search):
    """A search that came to something.

    Args:
        candidates: what was looked at, in the order of the search.
        chosen: the one of them to use.
    """

    chosen: Candidate


def candidates(option: Path | None, machine: Machine | None = None) -> Iterator[tuple[Path, str]]:
    """The programs that `find` would ask, in its order, without asking them.

    Args:
        option: the value of `--openssl`, if it was given.
        machine: where to look; this computer unless given.

    Yields:
        The path of a program and what led to it. If the user named one, that one alone.
    """
    machine = machine or Machine.here()
    if chosen := places.named(option, machine):
        path, origin, _ = chosen
        yield path, origin
    else:
        yield from places.searched(machine)


def find(option: Path | None, door: Door, machine: Machine | None = None) -> Found:
    """The openssl to use.

    Args:
        option: the value of `--openssl`, if it was given: the program, or a folder that holds it.
        door: what starts the programs that are asked.
        machine: where to look; this computer unless given.

    Returns:
        The chosen one and those that were looked at before it was certain. One that the user
        named, by option or `MTLS_OPENSSL`, is taken whatever else there is.

    Raises:
        OpensslNotFoundError: there is none that can be used, or not the one that the user named.
    """
    machine = machine or Machine.here()
    named = _named(option, door, machine)
    if named is not None:
        if named.usable:
            return Found((named,), named)
        raise _refused(named)
    asked: list[Candidate] = []
    for candidate in _searched(door, machine):
        asked.append(candidate)
        if candidate.usable and candidate.rank == 0:
            break
    chosen = _best(asked)
    if chosen is None:
        raise _none(asked, machine)
    return Found(tuple(asked), chosen)


def survey(option: Path | None, door: Door, machine: Machine | None = None) -> Search:
    """Every openssl of this computer, all of them asked.

    Args:
        option: the value of `--openssl`, if it was given.
        door: what starts the programs.
        machine: where to look; this computer unless given.

    Returns:
        All of them, one that the user named first, and the one that `find` would take.
    """
    machine = machine or Machine.here()
    named = _named(option, door, machine)
    if named is None:
        found = tuple(_searched(door, machine))
        return Search(found, _best(found))
    others = tuple(_searched(door, machine, without=named.path))
    return Search((named, *others), named if named.usable else None)


def installation(machine: Machine) -> str:
    """How to install OpenSSL on a computer.

    Args:
        machine: the computer.

    Returns:
        The commands or addresses that do, one a line.
    """
    if machine.windows:
        return _(
            "choco install openssl -y\n"
            "winget install ShiningLight.OpenSSL.Light"
            "  (it is found although this does not add it to the PATH)\n"
            "or the installer from https://slproweb.com/products/Win32OpenSSL.html"
        )
    if machine.platform == "darwin":
        return "brew install openssl@3"
    from mtls_openssl.locate.installers import installers  # noqa: PLC0415 - where there is none

    for installer in installers(machine):
        program, argv = installer.steps[-1]
        return " ".join(("sudo", program.name, *argv))
    return _(
        "Install the package openssl of this system, or build https://openssl-library.org/source"
    )


def refusal(search: Search, machine: Machine | None = None) -> OpensslNotFoundError:
    """The error that tells why a search came to nothing.

    Args:
        search: one without a chosen candidate.
        machine: where it was made; this computer unless given.
    """
    first = search.candidates[0] if search.candidates else None
    if first and first.origin in {places.OPTION, places.VARIABLE}:
        return _refused(first)
    return _none(search.candidates, machine or Machine.here())


def _named(option: Path | None, door: Door, machine: Machine) -> Candidate | None:
    named = places.named(option, machine)
    if named is None:
        return None
    path, origin, problem = named
    if problem:
        return Candidate(path, origin, problem=problem)
    return examine(path, origin, door, windows=machine.windows)


def _searched(door: Door, machine: Machine, *, without: Path | None = None) -> Iterator[Candidate]:
    for path, origin in places.searched(machine):
        if without is None or places.identity(path) != places.identity(without):
            yield examine(path, origin, door, windows=machine.windows)


def _best(asked: Sequence[Candidate]) -> Candidate | None:
    usable = (candidate for candidate in asked if candidate.usable)
    return min(usable, key=lambda candidate: candidate.rank, default=None)


def _refused(named: Candidate) -> OpensslNotFoundError:
    instead = {
        places.OPTION: _("leave the option out to have one looked for"),
        places.VARIABLE: _("unset the variable to have one looked for"),
    }
    return OpensslNotFoundError(
        _("The openssl named by {name} can't be used: {path}", name=named.origin, path=named.path),
        cause=named.problem,
        fix=_(
            "Name the full path of another with {name}, or {instead}.",
            name=named.origin,
            instead=instead[named.origin],
        ),
    )


def _none(asked: Sequence[Candidate], machine: Machine) -> OpensslNotFoundError:
    reasons = [
        _(
            "{path} ({origin}): {problem}",
            path=found.path,
            origin=found.origin,
            problem=found.problem,
        )
        for found in asked
    ]
    if machine.current and is_file(machine.current / machine.program):
        reasons.append(
            _(
                "{path}: the current folder is never searched",
                path=machine.current / machine.program,
            )
        )
    return OpensslNotFoundError(
        _("No openssl that can be used was found on this computer."),
        cause=joined("\n", reasons) or _("None is on the PATH or in any of the usual places."),
        fix=installation(machine),
    )

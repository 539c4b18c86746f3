"""What one program is: asked with `openssl version -a`, judged, and told in plain words."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _, joined
from mtls_openssl.steps import Command, Ending, Finished, Kind, Outcome

if TYPE_CHECKING:
    # The door brings plumbum with it, which a command that runs no openssl must not wait for.
    from mtls_openssl.process import Door

LIMIT = 10.0
"""Seconds that a program may take to say what it is."""

_REFUSALS = {
    0xC0000135: _(
        "a DLL that it needs is missing; install it again, "
        "or the Visual C++ redistributable that it was built with"
    ),
    0xC000007B: _(
        "it and a DLL that it found are of different kinds, one 32-bit and one 64-bit; "
        "install it again"
    ),
    0xC0000142: _("a DLL that it needs could not be started; install it again"),
}
"""Exit codes with which Windows ends a program that it could not load (NTSTATUS values)."""


@dataclasses.dataclass(frozen=True, order=True)
class Version:
    """An OpenSSL release: numbers, and up to 1.1.1 a letter."""

    major: int
    minor: int
    patch: int
    letter: str = ""

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}{self.letter}"


OLDEST = Version(1, 1, 1)
"""Older ones lack options that the commands need (CHANGES of OpenSSL 1.1.1)."""
_SUPPORTED = Version(3, 0, 0)


@dataclass(frozen=True)
class Candidate:
    """A program that may be the openssl to use.

    Args:
        path: where it is, as it was found.
        origin: what led to it, for people.
        version: its release; None if it did not say.
        platform: what it was built for, in its own words; empty if it did not say.
        problem: why it can't be used; empty if it can.
        note: what to know about it although it can be used; empty if nothing.
        probe: what came of asking it; None if it was not started.
        rank: 0 for a supported OpenSSL of this platform, 1 for one out of support, 2 for a Cygwin
            or MSYS build on Windows. A lower one is taken before a higher one.
    """

    path: Path
    origin: str
    version: Version | None = None
    platform: str = ""
    problem: str = ""
    note: str = ""
    probe: Outcome | None = None
    rank: int = 0

    @property
    def usable(self) -> bool:
        """Whether the commands can be run with it."""
        return not self.problem


def examine(path: Path, origin: str, door: Door, *, windows: bool) -> Candidate:
    """Ask a program what it is (openssl-version(1)).

    Args:
        path: the absolute path of an existing file.
        origin: what led to it.
        door: what starts it.
        windows: whether a Cygwin build is foreign here.

    Returns:
        What it is and whether it can be used. It never raises for what the program does.
    """
    from mtls_openssl.process import clean_environment  # noqa: PLC0415  see Door above

    if not os.access(path, os.X_OK):
        return Candidate(path, origin, problem=_("it is not executable, or not by you"))
    _keep_windows_from_asking()
    # An empty configuration: the installed one may be broken, and says nothing about it.
    environment, names = clean_environment({"OPENSSL_CONF": os.devnull})
    command = Command(
        ("version", "-a"), _("ask which openssl this is"), kind=Kind.PROBE, limit=LIMIT
    )
    finished = door.run(
        path,
        command.argv,
        # Where its DLLs are; never the current folder, where anyone may have put one.
        cwd=path.parent,
        env=environment,
        limit=command.limit,
    )
    version, problem = _judged(finished)
    platform = _said(r"^platform: *(.+)$", finished.stdout)
    rank, note = _standing(version, platform, finished.stdout, windows=windows)
    return Candidate(
        path=path,
        origin=origin,
        version=version,
        platform=platform,
        problem=problem,
        note="" if problem else note,
        probe=Outcome(0, command, finished, problem, reads={}, writes={}, env=names),
        rank=rank,
    )


def _judged(finished: Finished) -> tuple[Version | None, str]:
    """The release that the answer names, and why the program can't be used, if it can't."""
    if problem := _silence(finished):
        return None, problem
    if imitation := _said(r"^(LibreSSL.*)$|^OpenSSL.*compatible; ([\w-]+)", finished.stdout):
        return None, _(
            "it is {program}, a different program that only resembles OpenSSL",
            program=_line(imitation),
        )
    answer = re.search(r"^OpenSSL (\d+)\.(\d+)\.(\d+)([a-z]*)", finished.stdout, re.MULTILINE)
    if answer is None:
        return None, _("it is not OpenSSL: it says {words!r}", words=_line(finished.stdout))
    version = Version(int(answer[1]), int(answer[2]), int(answer[3]), answer[4])
    if version < OLDEST:
        return version, _(
            "OpenSSL {version} is too old: {oldest} or newer is needed",
            version=version,
            oldest=OLDEST,
        )
    return version, ""


def _silence(finished: Finished) -> str:
    """Why there is no answer to go by; empty if there is one."""
    if finished.ending is Ending.TIMED_OUT:
        return _("it gave no answer within {seconds:g} seconds", seconds=LIMIT)
    if finished.ending is not Ending.EXITED:
        return _("the system did not start it: {words}", words=_line(finished.stderr))
    if finished.exit:
        return _failure(finished.exit, _line(finished.stderr or finished.stdout))
    return ""


def _failure(code: int, said: str) -> str:
    status = code & 0xFFFFFFFF
    if status in _REFUSALS:
        return _("{problem} (exit 0x{status:08X})", problem=_REFUSALS[status], status=status)
    if "shared librar" in said:
        return _("a library that it needs is missing; install it again ({words})", words=said)
    how = _("exit {code}", code=code) if code > 0 else _("signal {number}", number=-code)
    if said:
        return _("it failed to say what it is ({how}: {words})", how=how, words=said)
    return _("it failed to say what it is ({how})", how=how)


def _standing(
    version: Version | None, platform: str, answer: str, *, windows: bool
) -> tuple[int, str]:
    """The rank of a program, and what to know about it."""
    rank = 0
    notes: list[str] = []
    library = _said(r"\(Library: OpenSSL (\d+\.\d+\.\d+[a-z]*)", answer)
    if library and library != str(version):
        notes.append(_("it runs with the library of OpenSSL {version}", version=library))
    if version is not None and version < _SUPPORTED:
        rank = 1
        notes.append(_("{version} is of a series out of support since 2023-09-11", version=version))
    if windows and platform.startswith(("Cygwin", "MSYS")):
        rank = 2
        notes.append(_("it is a Cygwin or MSYS build, taken only if there is no other"))
    return rank, joined(_("; "), notes)


def _said(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    return next((group.strip() for group in match.groups() if group), "") if match else ""


def _line(text: str) -> str:
    """The first line of what a program said, fit to be shown."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    shown = "".join(letter if letter.isprintable() else "?" for letter in first)
    most = 160
    return shown if len(shown) <= most else shown[:most] + "..."


def _keep_windows_from_asking() -> None:
    # Else a missing DLL opens a box and waits for a click. What we start inherits this.
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  Windows only

        msvcrt.SetErrorMode(msvcrt.SEM_FAILCRITICALERRORS | msvcrt.SEM_NOGPFAULTERRORBOX)

"""The nouns of a run: what is to be done, and what came of it. Frozen, without behaviour."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from mtls_openssl.frozen import dataclass


class Kind(enum.Enum):
    """Which part of a run a command belongs to."""

    PROBE = "probe"
    """Asked before the run: which openssl is this."""
    GUIDE = "guide"
    """One of the guide's own commands."""
    PROOF = "proof"
    """A check of the finished set, added by us."""
    LOOK = "look"
    """A question about something that there is; nothing is made."""
    TOOL = "tool"
    """A program other than openssl, such as nginx, keytool or certutil."""


@dataclass(frozen=True)
class Command:
    """One command, as it will be run in the set's folder.

    Args:
        argv: the arguments after the program's name, with bare file names.
        purpose: what it is for, as a person would say it.
        kind: the part of the run it belongs to.
        stage: the number of the stage it is shown under, from 1.
        reads: names of the files it reads.
        writes: names of the files it must leave behind, none of them empty.
        updates: names of files it may create or change besides (a serial file).
        secrets: names of the environment variables it reads a password from.
        verdict: whether a non-zero exit is an answer about its input, not a failure of openssl.
        reveals_key: whether its output may hold a private key, so that none of it is kept.
        limit: the time it may take, in seconds.
        program: the absolute path of the program; None for openssl.
        stdin: what it reads from its standard input, which then stays open until it ends; at
            most 4096 bytes, and never a secret.
        trusts_machine: whether openssl may look into the machine's own trust store.
    """

    argv: tuple[str, ...]
    purpose: str
    kind: Kind = Kind.GUIDE
    stage: int = 1
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    verdict: bool = False
    reveals_key: bool = False
    limit: float = 60.0
    program: Path | None = None
    stdin: bytes | None = None
    trusts_machine: bool = False


@dataclass(frozen=True)
class Render:
    """One text file rendered from a template, with what the template is given.

    Args:
        template: path of the template below `templates/`.
        name: name of the file to write.
        purpose: what the file is for.
        values: the names the template may use.
    """

    template: str
    name: str
    purpose: str
    values: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Join:
    """One text file made of others, one after the other.

    Args:
        parts: the names of the files, in order.
        name: the name of the file to write.
        purpose: what the file is for.
    """

    parts: tuple[str, ...]
    name: str
    purpose: str


Step = Command | Render | Join


class Ending(enum.Enum):
    """How a process came to its end."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    """We ended it: the run was interrupted or another step had failed."""
    NOT_STARTED = "not started"


@dataclass(frozen=True)
class Finished:
    """What is known of a process that has ended.

    Args:
        ending: how it ended.
        exit: its exit code; negative for a signal on POSIX; None if it was never started.
        stdout: what it printed.
        stderr: what it printed on standard error, or the system's reason for not starting it.
        seconds: how long it took.
        started: when it was started, in UTC.
    """

    ending: Ending
    exit: int | None
    stdout: str
    stderr: str
    seconds: float
    started: datetime


@dataclass(frozen=True)
class Outcome:
    """What came of one command.

    Args:
        step: its number in the plan, from 1; 0 for the probe.
        command: the command.
        finished: what became of the process.
        problem: why it does not count as done, in one sentence; empty if it does.
        reads: SHA-256 of each file that it read, by name.
        writes: SHA-256 of each file that it wrote, by name.
        env: the names of the environment variables that it was given by us.
    """

    step: int
    command: Command
    finished: Finished
    problem: str
    reads: Mapping[str, str]
    writes: Mapping[str, str]
    env: tuple[str, ...] = ()

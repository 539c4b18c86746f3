"""A stand-in for openssl: gives the answers of a recorded real run, and goes wrong where told to.

`Tape` is the recording, `StandIn` a shell script that plays it (real processes, at a fraction of
the time), `Folder` a folder with a finished set, and what must still be true of it afterwards.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtls_openssl import audit, plan, templating
from mtls_openssl.audit import LOG
from mtls_openssl.cli import app
from mtls_openssl.locate import find
from mtls_openssl.process import Door
from mtls_openssl.proof import Proof
from mtls_openssl.settings import load
from mtls_openssl.steps import Command, Ending, Render

PASSWORD = "correct-horse-battery"
"""Of client.p12 in every run; long enough that it is nowhere by chance."""

MANIFEST = load({}, environ={}, config=None).manifest
PLAN = plan.everything(MANIFEST)
STEPS = (*PLAN.steps, *Proof(PLAN.makes, MANIFEST, PLAN.bundles).commands)
NUMBERED = {number: step for number, step in enumerate(STEPS, 1) if isinstance(step, Command)}
"""Every openssl command of `all`, by the number of its step."""

ROOT = Path(__file__).parents[1]


def described(command: Command) -> str:
    """A short name of a command, for the name of a test."""
    words = [word for word in command.argv if word.endswith((".key", ".csr", ".crt", ".p12"))]
    output = command.writes[0] if command.writes else words[-1]
    return f"{command.kind.value}-{command.argv[0]}-{output}"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one command printed and left behind."""

    stdout: bytes
    stderr: bytes
    files: Mapping[str, bytes]


@dataclasses.dataclass(frozen=True)
class Tape:
    """A real run of every command of `all`.

    Args:
        openssl: the real program.
        answers: by the command's arguments.
    """

    openssl: Path
    answers: Mapping[tuple[str, ...], Answer]


@functools.cache
def recorded(base: Path) -> Tape:
    """The tape: each command of `all` run once by the real openssl."""
    openssl, folder = find(None, Door()).chosen.path, base / "tape"
    folder.mkdir()
    answers = {}
    environment = environ(OPENSSL_CONF="openssl.cnf", LC_ALL="C")
    for step in (Command(("version", "-a"), "ask which openssl this is"), *STEPS):
        if not isinstance(step, Command):
            assert isinstance(step, Render)
            (folder / step.name).write_bytes(templating.render(step).encode())
            continue
        ran = subprocess.run(
            [openssl, *step.argv], cwd=folder, env=environment, capture_output=True, check=True
        )
        files = {name: (folder / name).read_bytes() for name in (*step.writes, *step.updates)}
        answers[step.argv] = Answer(ran.stdout, ran.stderr, files)
    return Tape(openssl, answers)


class StandIn:
    """A program that answers as the tape does, or as it is told.

    Args:
        folder: where its files go.
        tape: the recording.
    """

    def __init__(self, folder: Path, tape: Tape) -> None:
        self.path = folder / "openssl"
        self._folder = folder
        self.tape = tape
        folder.mkdir(exist_ok=True)
        self._scripts = {
            argv: self._played(str(number), answer)
            for number, (argv, answer) in enumerate(tape.answers.items())
        }

    def write(self, told: Mapping[tuple[str, ...], str] | None = None, *, first: str = "") -> Path:
        """The path of the program.

        Args:
            told: shell commands for some of the commands, instead of the answer on the tape;
                `played` in them is a function that gives that answer, and `real` the program.
            first: shell commands to run before anything else.
        """
        cases = "\n".join(
            f"{shlex.quote(' '.join(argv))}) played() {{ {script}\n}}\n"
            f"{(told or {}).get(argv, 'played')}\n;;"
            for argv, script in self._scripts.items()
        )
        self.path.write_text(
            f"#!/bin/sh\nreal={shlex.quote(os.fspath(self.tape.openssl))}\n{first}\n"
            f'case "$*" in\n{cases}\n*) echo "not on the tape: $*" >&2; exit 99;;\nesac\n'
        )
        self.path.chmod(0o700)
        return self.path

    def write_real(self, told: Mapping[tuple[str, ...], str], *, first: str = "") -> Path:
        """The same, but only the keys are from the tape, and all else is really done."""
        real = {
            argv: 'exec "$real" "$@"'
            for argv in self._scripts
            if argv[0] not in {"genrsa", "version"}
        }
        return self.write({**real, **told}, first=first)

    def _played(self, number: str, answer: Answer) -> str:
        """The shell command that gives an answer, without a process for each text of it."""
        files = {"stdout": answer.stdout, "stderr": answer.stderr, **answer.files}
        commands = []
        for name, content in files.items():
            target = {"stdout": "", "stderr": ">&2"}.get(name, f"> {name}")
            if content.isascii() and b"\0" not in content:
                commands.append(f"printf %s {shlex.quote(content.decode())} {target}")
            elif content:
                kept = self._folder / f"{number}.{name}"
                kept.write_bytes(content)
                commands.append(f"cat {shlex.quote(os.fspath(kept))} {target}")
        script = self._folder / f"{number}.sh"
        script.write_text("\n".join(commands), "utf-8", newline="\n")
        return f". {shlex.quote(os.fspath(script))}"


@pytest.fixture(name="stand_in")
def stand_in_fixture(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """A stand-in of this test."""
    return StandIn(tmp_path / "stand-in", recorded(tmp_path_factory.getbasetemp()))


@dataclasses.dataclass(frozen=True)
class Ran:
    """What came of running the tool."""

    code: int
    stdout: str
    stderr: str


class Folder:
    """A folder with a finished set, and its state before anything was done to it.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = self._state()
        self._log_before = self._log()

    def all(self, openssl: Path, *options: str, stdin: str = "", **variables: str) -> Ran:
        """Run `all` on it in this process."""
        stopping = [
            (number, signal.getsignal(number))
            for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
            if (number := getattr(signal, name, None)) is not None
        ]
        gone: dict[str, str | None] = {name: None for name in os.environ if _is_ours(name)}
        try:
            ran = CliRunner().invoke(
                app,
                ["all", "--out", str(self.path), "--openssl", str(openssl), *options],
                input=stdin,
                env={**gone, "MTLS_P12_PASSWORD": PASSWORD, **variables},
            )
        finally:
            for number, handler in stopping:
                signal.signal(number, handler)
        return Ran(ran.exit_code, ran.stdout, ran.stderr)

    def lines(self) -> list[audit.Line]:
        """The log's lines of its last run."""
        lines = list(audit.read(self.path / LOG))
        return [line for line in lines if line.run == lines[-1].run]

    def assert_untouched(self, code: int | None = None) -> None:
        """The old set is as it was, there is nothing else, and the log tells of the run.

        Args:
            code: the exit code that the log must have; None for a run that was over before it
                could have a line.
        """
        assert self._state() == self.before
        assert self._log().startswith(self._log_before)
        if code is None:
            assert self._log() == self._log_before
            return
        verdict = audit.verify(self.path / LOG, folder=self.path)
        assert verdict.faults == ()
        end = self.lines()[-1]
        assert (end.event, end.exit, dict(end.writes)) == ("end", code, {})

    def assert_logged(self, command: Command, *, ending: Ending = Ending.EXITED) -> None:
        """The log has the line of the command, and how it ended."""
        found = [line.ending for line in self.lines() if tuple(line.argv[1:]) == command.argv]
        assert found == [ending.value]

    def _log(self) -> bytes:
        log = self.path / LOG
        return log.read_bytes() if log.exists() else b""

    def _state(self) -> dict[str, tuple[int, bytes]]:
        return {
            path.relative_to(self.path).as_posix(): (
                path.stat().st_mode,
                b"" if path.is_dir() else path.read_bytes(),
            )
            for path in sorted(self.path.rglob("*"))
            if path.name != LOG
        }


@functools.cache
def finished(base: Path) -> Path:
    """A folder with a set that the real openssl made, to be copied."""
    path = base / "finished"
    ran = main("all", "--out", str(path), "--openssl", str(recorded(base).openssl))
    assert (ran.code, ran.stderr) == (0, "")
    return path


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder of this test with a finished set."""
    path = tmp_path / "set"
    shutil.copytree(finished(tmp_path_factory.getbasetemp()), path)
    return Folder(path)


def environ(**variables: str | None) -> dict[str, str]:
    """This process's environment without what concerns us, and with `variables`; None: without."""
    kept = {name: value for name, value in os.environ.items() if not _is_ours(name)}
    changed = {**kept, "MTLS_LANG": "en", "MTLS_P12_PASSWORD": PASSWORD, **variables}
    return {name: value for name, value in changed.items() if value is not None}


def _is_ours(name: str) -> bool:
    return name.upper().startswith("MTLS_")


def argv(*arguments: str) -> list[str]:
    """The command line of the tool as a process of its own."""
    return [sys.executable, "-m", "mtls_openssl", *arguments]


def main(
    *arguments: str, before: Iterable[str] = (), stdin: str = "", **variables: str | None
) -> Ran:
    """Run the tool as a process of its own, behind the command line `before`."""
    ran = subprocess.run(
        [*before, *argv(*arguments)],
        cwd=ROOT,
        env=environ(**variables),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)

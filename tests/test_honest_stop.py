"""Ctrl-C and its like in the middle of a run, and two runs at once: nobody loses anything."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mtls_openssl import audit
from mtls_openssl.audit import LOG
from mtls_openssl.errors import Exit
from mtls_openssl.steps import Ending
from tests.standin import (
    NUMBERED,
    PLAN,
    ROOT,
    Folder,
    StandIn,
    argv,
    environ,
    folder_fixture,  # noqa: F401 - pytest finds a fixture by its name in the module
    stand_in_fixture,  # noqa: F401
)

pytestmark = pytest.mark.posix

KEYS = [command for command in NUMBERED.values() if command.argv[0] == "genrsa"]
PATIENCE = 60.0


class Pulse:
    """A pipe that processes hold open: it tells that they are there, and that all have gone."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        # In this order: neither a reader nor a writer then waits for the other.
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.take = f"exec 9> {shlex.quote(str(path))}; echo here $$ >&9"
        """What a process says to hold it, in sh."""

    def wait_for(self, count: int) -> list[int]:
        """Wait until so many processes are there; their numbers."""
        told = ""
        while told.count("\n") < count:
            told += self._read().decode()
        return [int(number) for number in re.findall(r"here (\d+)", told)]

    def wait_for_silence(self) -> None:
        """Wait until none of them is there any more."""
        while self._read():
            pass

    def close(self) -> None:
        os.close(self._reader)

    def _read(self) -> bytes:
        ready, _, _ = select.select([self._reader], [], [], PATIENCE)
        assert ready, "an openssl process is still there"
        return os.read(self._reader, 4096)


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    made = Pulse(tmp_path / "pulse")
    yield made
    made.close()


class Running:
    """The tool as a process of its own, with a process group of its own."""

    def __init__(self, folder: Folder, openssl: Path, *options: str) -> None:
        self._process = subprocess.Popen(
            argv("all", "--out", str(folder.path), "--openssl", str(openssl), *options),
            cwd=ROOT,
            env=environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.stdout = self.stderr = ""

    def end(self) -> None:
        """Leave nothing behind, whatever came of the test."""
        with self._process:
            self._process.kill()

    def wait(self) -> int:
        self.stdout, self.stderr = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode


Start = Callable[..., Running]


@pytest.fixture
def start(folder: Folder) -> Iterator[Start]:
    started: list[Running] = []

    def go(openssl: Path, *options: str) -> Running:
        started.append(Running(folder, openssl, *options))
        return started[-1]

    yield go
    for running in started:
        running.end()


def send_to_it(running: Running, number: int) -> None:
    os.kill(running.pid, number)


def send_to_its_group(running: Running, number: int) -> None:
    # What a terminal does on Ctrl-C.
    os.killpg(running.pid, number)


def assert_stopped(running: Running, folder: Folder) -> None:
    assert running.wait() == Exit.INTERRUPTED, running.stderr
    folder.assert_untouched(Exit.INTERRUPTED)
    assert folder.lines()[-1].purpose == "interrupted"


@pytest.mark.parametrize("send", [send_to_it, send_to_its_group])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_is_stopped_while_keys_are_made(
    name: str,
    send: Callable[[Running, int], None],
    start: Start,
    folder: Folder,
    stand_in: StandIn,
    pulse: Pulse,
) -> None:
    # So large a key takes minutes.
    making = f'{pulse.take}; exec "$real" genrsa -out "$3" 16384'
    program = stand_in.write({command.argv: making for command in KEYS})
    running = start(program, "--jobs=3")
    pulse.wait_for(3)
    send(running, signal.Signals[name])
    pulse.wait_for_silence()
    assert_stopped(running, folder)
    assert "the folder is as it was before" in running.stderr
    for command in KEYS:
        folder.assert_logged(command, ending=Ending.STOPPED)


def test_a_person_who_presses_ctrl_c_again_and_again_loses_no_more(
    start: Start, folder: Folder, stand_in: StandIn, pulse: Pulse
) -> None:
    program = stand_in.write({command.argv: f"{pulse.take}; exec sleep 600" for command in KEYS})
    running = start(program, "--jobs=3")
    pulse.wait_for(3)
    for _ in range(20):
        send_to_it(running, signal.SIGINT)
    pulse.wait_for_silence()
    assert_stopped(running, folder)
    for command in KEYS:
        folder.assert_logged(command, ending=Ending.STOPPED)


def test_what_a_wrapper_script_started_is_ended_with_it(
    start: Start, folder: Folder, stand_in: StandIn, pulse: Pulse
) -> None:
    wrapper = f"trap '' INT TERM; {pulse.take}; sleep 600; exit 1"
    running = start(stand_in.write({KEYS[0].argv: wrapper}), "--jobs=1")
    pulse.wait_for(1)
    send_to_its_group(running, signal.SIGINT)
    pulse.wait_for_silence()
    assert_stopped(running, folder)


def test_what_a_wrapper_script_started_is_ended_when_its_time_is_up(
    start: Start, folder: Folder, stand_in: StandIn, pulse: Pulse
) -> None:
    program = stand_in.write({KEYS[0].argv: f"{pulse.take}; sleep 600; exit 1"})
    running = start(program, "--jobs=1", "--timeout=1")
    pulse.wait_for(1)
    pulse.wait_for_silence()
    assert running.wait() == Exit.COMMAND_FAILED
    folder.assert_logged(KEYS[0], ending=Ending.TIMED_OUT)
    folder.assert_untouched(Exit.COMMAND_FAILED)


def test_when_one_key_fails_those_still_being_made_are_ended(
    start: Start, folder: Folder, stand_in: StandIn, pulse: Pulse
) -> None:
    told = {command.argv: f"{pulse.take}; sleep 600; exit 1" for command in KEYS[1:]}
    # It fails once both others are there: they have told so by then.
    gate = gate_of(stand_in)
    running = start(stand_in.write({**told, KEYS[0].argv: f"read go < {gate}; exit 1"}), "--jobs=3")
    pulse.wait_for(2)
    open_gate(gate)
    pulse.wait_for_silence()
    assert running.wait() == Exit.COMMAND_FAILED
    assert f"(step 2: {KEYS[0].purpose}) ended with exit code 1." in running.stderr
    for command in KEYS[1:]:
        folder.assert_logged(command, ending=Ending.STOPPED)
    folder.assert_untouched(Exit.COMMAND_FAILED)


def test_ctrl_c_while_an_openssl_is_asked_which_it_is_leaves_nothing_behind(
    start: Start, folder: Folder, stand_in: StandIn, pulse: Pulse
) -> None:
    running = start(stand_in.write(first=f"{pulse.take}; sleep 600"))
    pulse.wait_for(1)
    send_to_its_group(running, signal.SIGINT)
    pulse.wait_for_silence()
    assert running.wait() == Exit.INTERRUPTED, running.stderr
    assert running.stderr == "Interrupted.\n"
    folder.assert_untouched()


def test_after_a_kill_nobody_can_catch_the_next_run_puts_the_folder_in_order(
    start: Start, folder: Folder, stand_in: StandIn, pulse: Pulse
) -> None:
    program = stand_in.write({KEYS[0].argv: f"{pulse.take}; exec sleep 600"})
    running = start(program, "--jobs=1")
    (left_behind,) = pulse.wait_for(1)
    send_to_it(running, signal.SIGKILL)
    running.wait()
    os.kill(left_behind, signal.SIGKILL)
    ran = folder.all(stand_in.write())
    assert ran.code == Exit.DONE
    assert "An earlier run was cut off before its set was finished" in ran.stdout
    assert audit.verify(folder.path / LOG, folder=folder.path).faults == ()
    assert not list(folder.path.glob(".*"))


def test_of_two_runs_at_once_one_works_and_the_other_says_who_does(
    start: Start, folder: Folder, stand_in: StandIn, pulse: Pulse
) -> None:
    gate = gate_of(stand_in)
    waiting = f"{pulse.take}; read go < {gate}; played"
    first = start(stand_in.write({KEYS[0].argv: waiting}), "--jobs=1")
    pulse.wait_for(1)
    second = folder.all(stand_in.path)
    assert second.code == Exit.FOLDER_UNAVAILABLE
    assert f"{folder.path} is in use by process {first.pid} on host " in second.stderr
    assert "running `all`" in second.stderr
    open_gate(gate)
    assert (first.wait(), first.stderr) == (0, "")
    verdict = audit.verify(folder.path / LOG, folder=folder.path)
    assert (verdict.runs, verdict.faults) == (2, ())
    assert {line.exit for line in folder.lines() if line.event == "end"} == {0}
    assert set(folder.lines()[-1].writes) == set(PLAN.makes)


def gate_of(stand_in: StandIn) -> Path:
    """Where a process waits until it is told to go on."""
    gate = stand_in.path.with_name("gate")
    os.mkfifo(gate)
    return gate


def open_gate(gate: Path) -> None:
    gate.write_text("go\n")

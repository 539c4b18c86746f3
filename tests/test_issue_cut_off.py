"""A fleet that is not issued to its end: killed, interrupted or failed, nobody is there half."""

from __future__ import annotations

import csv
import errno
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from mtls_openssl.inventory import clients
from tests.machine import stand_in
from tests.sets import Set, made_fixture
from tests.test_issue import NUMBERED, assert_all_agree, fleet_fixture, original_fixture
from tests.test_issue_again import pair_fixture, two_fixture

pytestmark = pytest.mark.end_to_end
_used = (made_fixture, fleet_fixture, original_fixture, pair_fixture, two_fixture)

BATCH = 5
BEGUN = f"""
import sys
from mtls_openssl.fleet import issuing
issuing._BATCH = {BATCH}
from mtls_openssl.cli import app
app(prog_name="mtls", args=sys.argv[1:])
"""


def begun(made: Set, *options: str) -> subprocess.Popen[bytes]:
    """A run in small batches, as a process of its own."""
    arguments = (*NUMBERED, "-n", "40", *options, "--out", str(made.folder))
    return subprocess.Popen(
        [sys.executable, "-c", BEGUN, *arguments], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.posix
def test_killed_at_any_moment_and_run_again_all_are_there_once(fleet: Set) -> None:
    chance = random.Random(5)
    for _time in range(5):
        run = begun(fleet, "--p12", "default")
        try:
            run.wait(chance.uniform(0.4, 1.4))
        except subprocess.TimeoutExpired:
            run.kill()
        run.wait()

    fleet.must(*NUMBERED, "-n", "40", "--p12", "default")

    assert_all_agree(fleet, 40)
    with (fleet.folder / "clients.passwords.csv").open(encoding="utf-8") as file:
        named = [row["name"] for row in csv.DictReader(file)]
    assert sorted(named) == sorted(clients.names(fleet.folder))


@pytest.mark.posix
def test_interrupted_it_leaves_a_state_that_the_same_command_resumes(fleet: Set) -> None:
    run = begun(fleet)
    until = time.monotonic() + 60
    # The first batch may still be on its way into place, and would be taken back: more is not.
    while len(clients.names(fleet.folder)) <= BATCH and time.monotonic() < until:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)

    assert run.wait(60) == 130
    there = len(clients.names(fleet.folder))
    assert BATCH <= there < 40
    assert_all_agree(fleet, there)
    fleet.must(*NUMBERED, "-n", "40")
    assert_all_agree(fleet, 40)


@pytest.mark.posix
@pytest.mark.parametrize(
    ("pattern", "script", "code"),
    [
        ("* req *device-004*", "echo broken >&2; exit 1", 4),
        ("* req *device-004*", "exit 0", 4),
        ("* ca *", "exit 1", 4),
        ("* verify *", "exit 0", 5),
    ],
)
def test_when_openssl_fails_nobody_is_there_half(
    two: Set, tmp_path: Path, pattern: str, script: str, code: int
) -> None:

    ran = two.run(*NUMBERED, "-n", "6", "--openssl", str(stand_in(tmp_path, pattern, script)))

    assert ran.code == code
    assert "Traceback" not in ran.stderr
    assert clients.names(two.folder) == ["device-001", "device-002"]
    assert_all_agree(two, 2)


@pytest.mark.posix
def test_a_file_that_can_not_be_written_is_told_and_the_fleet_stays_whole(
    fleet: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.must(*NUMBERED, "-n", "1", "--p12", "default")
    (fleet.folder / "clients.passwords.csv").unlink()
    (fleet.folder / "clients.passwords.csv").mkdir()

    ran = fleet.run(*NUMBERED, "-n", "3", "--p12", "default")

    assert (ran.code, "clients.passwords.csv" in ran.stderr) == (7, True), ran.stderr
    assert "Traceback" not in ran.stderr
    (fleet.folder / "clients.passwords.csv").rmdir()
    assert_all_agree(fleet, 1)

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "file")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    ran = fleet.run(*NUMBERED, "-n", "3", "--zip")

    assert (ran.code, "the disk is full" in ran.stderr) == (7, True), ran.stderr
    assert_all_agree(fleet, 1)

"""Two runs in one folder: one works, the other says who holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.workspace import Workspace
from mtls_openssl.workspace.folder import LOCK
from mtls_openssl.workspace.lock import FolderLock
from tests.test_workspace import names

HOLDS_UNTIL_TOLD = """
import os, sys
from pathlib import Path
from mtls_openssl.workspace import Workspace

with Workspace.open(Path(sys.argv[1]), command="server"):
    print(os.getpid(), flush=True)
    sys.stdin.readline()
"""


LEAVES_A_CHILD = """
import os, subprocess, sys
from pathlib import Path
from mtls_openssl.workspace.lock import FolderLock

lock = FolderLock(Path(sys.argv[1]), "server")
lock.acquire()
child = subprocess.Popen(
    ["sleep", sys.argv[2]], pass_fds=[lock._descriptor], stdout=subprocess.DEVNULL
)
print(child.pid, flush=True)
os._exit(9)
"""


@contextmanager
def another_run(directory: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A real process that holds the folder, and the number it goes by."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_UNTIL_TOLD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def try_the_folder(directory: Path) -> None:
    with Workspace.open(directory, command="all"):
        pass


def test_the_second_says_which_process_on_which_machine_holds_the_folder_and_what_for(
    tmp_path: Path,
) -> None:
    with another_run(tmp_path) as (_, pid), pytest.raises(FolderUnavailableError) as caught:
        try_the_folder(tmp_path)

    assert f"{tmp_path} is in use by process {pid} on host " in caught.value.what
    assert "started at 20" in caught.value.what
    assert "running `server`" in caught.value.what


def test_the_second_touches_nothing_of_the_firsts(tmp_path: Path) -> None:
    with another_run(tmp_path):
        before = names(tmp_path)
        with pytest.raises(FolderUnavailableError):
            try_the_folder(tmp_path)
        after = names(tmp_path)

    assert before == after == [".mtls.lock", ".mtls.stage"]


def test_a_holder_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    with another_run(tmp_path) as (process, _):
        process.kill()
        process.wait()

        try_the_folder(tmp_path)

    assert names(tmp_path) == []


@contextmanager
def a_dead_run(lock: Path, seconds: str) -> Iterator[None]:
    """A run that has ended at once, and a child of its that still has its lock."""
    child = subprocess.run(
        [sys.executable, "-c", LEAVES_A_CHILD, str(lock), seconds],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    ).stdout  # fmt: skip
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)


@pytest.mark.posix
def test_what_a_killed_holder_has_started_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtls_openssl.workspace.lock._LAST_BREATH", 60)
    with a_dead_run(tmp_path / LOCK, "0.3"):
        try_the_folder(tmp_path)


@pytest.mark.posix
def test_what_a_killed_holder_has_started_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtls_openssl.workspace.lock._LAST_BREATH", 0.02)
    with a_dead_run(tmp_path / LOCK, "60"), pytest.raises(FolderUnavailableError, match="in use"):
        try_the_folder(tmp_path)


def test_once_the_first_has_ended_the_next_one_works(tmp_path: Path) -> None:
    with another_run(tmp_path) as (process, _):
        process.communicate("go\n")

        try_the_folder(tmp_path)


def test_two_runs_in_one_process_are_two_runs(tmp_path: Path) -> None:
    with (
        Workspace.open(tmp_path, command="all"),
        pytest.raises(FolderUnavailableError, match=f"process {os.getpid()} "),
    ):
        try_the_folder(tmp_path)


def test_a_holder_that_has_not_signed_yet_is_another_process(tmp_path: Path) -> None:
    with Workspace.open(tmp_path, command="all"):
        (tmp_path / ".mtls.lock").write_bytes(b"")

        with pytest.raises(FolderUnavailableError, match="in use by another process"):
            try_the_folder(tmp_path)


@pytest.mark.posix
def test_a_lock_on_a_file_that_its_holder_has_just_removed_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    path = tmp_path / ".mtls.lock"
    first, second, third = (FolderLock(path, "all") for _ in range(3))
    first.acquire()
    flock = fcntl.flock

    def the_first_ends_just_before(descriptor: Any, operation: int) -> None:
        first.release()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", the_first_ends_just_before)
    second.acquire()

    assert path.exists()
    with pytest.raises(FolderUnavailableError, match="in use"):
        third.acquire()
    second.release()


@pytest.mark.posix
def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / ".mtls.lock").symlink_to(tmp_path / "precious")

    with pytest.raises(FolderUnavailableError, match="symbolic link"):
        try_the_folder(tmp_path)

    assert (tmp_path / "precious").read_bytes() == b"mine"

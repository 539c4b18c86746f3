"""A run cut off by kill -9 at any instruction: the next run finds the old set or the new, whole."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Self

import pytest

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.workspace import Workspace
from mtls_openssl.workspace.commit import JOURNAL, STAGE
from tests.test_workspace import NEW, OLD, contents, kept, make_new_set, old_set

SYSTEM = {"posix", "nt", "io", "_io", "fcntl", "msvcrt", "_signal"}
NO_CALLS_OF_THE_SYSTEM = {"fspath", "text_encoding", "_path_normpath", "lseek"}


class Instructions:
    """Counts the bytecode instructions of a story, the libraries' too, and acts at some of them.

    With `again_after`, it acts again each time that many more have run.
    `around_system_calls` are those just before and just after a call of the system.
    """

    def __init__(
        self, *at: int, action: Callable[[], object] = lambda: None, again_after: int = 0
    ) -> None:
        self.count = 0
        self.around_system_calls: set[int] = set()
        self._at = set(at)
        self._last = max(at, default=0)
        self._action = action
        self._again_after = again_after

    def __enter__(self) -> Self:
        gc.disable()  # it comes when it likes, and its instructions would be counted
        if not self._at:
            sys.setprofile(self._call)
        sys.settrace(self._frame)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        sys.setprofile(None)
        gc.enable()

    def worth_a_visit(self) -> list[int]:
        """All instructions around system calls, and some of the others."""
        return sorted(self.around_system_calls | set(range(1, self.count + 1, 809)))

    def _frame(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._instruction

    def _instruction(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "opcode":
            self.count += 1
            if self.count in self._at:
                if self._again_after:
                    self._at.add(self.count + self._again_after)
                elif self.count == self._last:
                    sys.settrace(None)
                self._action()
        return self._instruction

    def _call(self, _frame: FrameType, event: str, argument: Any) -> None:
        if event != "c_call" or argument.__name__ in NO_CALLS_OF_THE_SYSTEM:
            return
        owner = argument.__module__ or type(argument.__self__).__module__
        if owner in SYSTEM:
            self.around_system_calls |= {max(self.count, 1), self.count + 1}


def without_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process has written stays written; only a power cut needs the sync."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


def rehearsed(story: Callable[[Path], object], *directories: Path) -> Instructions:
    """The instructions of a story; of its last run, since the first one imports what it needs."""
    for directory in directories:
        instructions = Instructions()
        with instructions:
            story(directory)
    return instructions


def where_the_disk_changes(
    story: Callable[[Path], object], prepared: Callable[[Path], Path], tmp_path: Path
) -> list[int]:
    """The first instruction of each state that the story's folder is in, one after another.

    A kill leaves nothing but the disk: wherever that is the same, so is what the next run finds.
    """
    visits = rehearsed(story, prepared(tmp_path / "x"), prepared(tmp_path / "y")).worth_a_visit()
    directory = prepared(tmp_path / "z")
    seen = tmp_path / "z"  # a path of its own: one is quicker at what it was asked before
    states = list[dict[str, tuple[int, bytes]]]()
    looking = Instructions(*visits, action=lambda: states.append(on_disk(seen)))
    with looking:
        story(directory)
    before = [{}, *states]
    return [visit for visit, old, new in zip(visits, before, states, strict=False) if old != new]


def on_disk(directory: Path) -> dict[str, tuple[int, bytes]]:
    """All that there is in a folder, with its permissions."""
    return {
        name: ((directory / name).stat().st_mode, content)
        for name, content in contents(directory).items()
    }


def cut_off(story: Callable[[Path], object], directory: Path, *, at: int) -> None:
    """Have a process of its own begin the story, and kill it at that instruction."""
    child = os.fork()
    if child == 0:
        with Instructions(at, action=lambda: os.kill(os.getpid(), signal.SIGKILL)):
            story(directory)
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def open_again(directory: Path) -> str:
    with Workspace.open(directory, command="all") as workspace:
        return workspace.recovered


def assert_old_or_new(directory: Path) -> None:
    found = contents(directory)
    if found != OLD:
        (backup,) = (directory / "backup").iterdir()
        assert found == kept(backup)


def cut_in_two(directory: Path) -> Path:
    """A folder as a kill in the middle of the commit leaves it: some files moved, some not."""
    backup = directory / "backup" / "2026-11-23T10-30-00Z"
    backup.mkdir(parents=True)
    stage = directory / STAGE
    stage.mkdir()
    (directory / ".mtls.lock").write_bytes(b'{"pid"')
    (backup / "ca.key").write_bytes(OLD["ca.key"])
    (backup / "ca.crt").write_bytes(OLD["ca.crt"])
    (backup / "ca.srl").write_bytes(OLD["ca.srl"])
    (directory / "ca.key").write_bytes(NEW["ca.key"])
    (stage / "ca.crt").write_bytes(NEW["ca.crt"])
    (stage / "client.p12").write_bytes(NEW["client.p12"])
    (stage / "openssl.cnf").write_bytes(b"")
    journal = {
        "version": 1,
        "backup": backup.name,
        "retire": ["ca.key", "ca.crt", "ca.srl"],
        "publish": ["ca.key", "ca.crt", "client.p12"],
        "public": ["ca.crt"],
    }
    (directory / JOURNAL).write_text(json.dumps(journal), encoding="utf-8")
    return directory


@pytest.mark.posix
def test_killed_at_any_instruction_of_a_run_the_next_one_finds_a_whole_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_sync(monkeypatch)

    for number in where_the_disk_changes(make_new_set, old_set, tmp_path):
        directory = old_set(tmp_path / str(number))
        cut_off(make_new_set, directory, at=number)
        open_again(directory)
        assert_old_or_new(directory)
        shutil.rmtree(directory)


@pytest.mark.posix
def test_killed_at_any_instruction_of_a_recovery_the_one_after_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_sync(monkeypatch)

    for number in where_the_disk_changes(open_again, cut_in_two, tmp_path):
        directory = cut_in_two(tmp_path / str(number))
        cut_off(open_again, directory, at=number)
        open_again(directory)
        assert contents(directory) == kept(directory / "backup" / "2026-11-23T10-30-00Z")
        shutil.rmtree(directory)


@pytest.mark.windows
def test_ended_by_the_task_manager_at_any_change_on_disk_the_next_run_finds_a_whole_set(
    tmp_path: Path,
) -> None:
    runs = {}
    for number in range(1, 12):
        directory = old_set(tmp_path / str(number))
        story = [sys.executable, "-c", ENDED_EARLY, str(directory), str(number)]
        runs[directory] = subprocess.Popen(story, stdout=subprocess.PIPE, text=True)
    ends = [process.communicate()[0].strip() for process in runs.values()]
    assert ends == [""] * 10 + ["came to its end"]

    for directory in runs:
        open_again(directory)
        assert_old_or_new(directory)


ENDED_EARLY = """
import os, signal, sys
from pathlib import Path
from tests.test_workspace import make_new_set

left = int(sys.argv[2])

def count(event, arguments):
    global left
    if event in {"os.rename", "os.remove", "os.rmdir"}:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGTERM)

sys.addaudithook(count)
make_new_set(Path(sys.argv[1]))
print("came to its end")
"""


def test_a_run_that_finds_a_cut_off_move_says_that_it_finished_it(tmp_path: Path) -> None:
    recovered = open_again(cut_in_two(tmp_path / "certs"))

    backup = tmp_path / "certs" / "backup" / "2026-11-23T10-30-00Z"
    assert "cut off" in recovered
    assert f"the set before it is in {backup}" in recovered
    assert contents(tmp_path / "certs") == kept(backup)


def test_a_run_that_finds_a_left_over_stage_says_that_the_set_is_as_it_was(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")
    (directory / STAGE).mkdir()
    (directory / STAGE / "ca.key").write_bytes(b"half a key")

    recovered = open_again(directory)

    assert "the set in the folder is as it was" in recovered
    assert contents(directory) == OLD


JOURNALS = {
    "not JSON": b"moves: 3",
    "half of one": b'{"version": 1, "backup": "2026-',
    "not an object": b"[]",
    "nested without end": b"[" * 60000,
    "of a later version": b'{"version": 2, "backup": "", "retire": [],'
    b' "publish": [], "public": []}',
    "with a way out of the folder": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": ["../ca.key"], "public": []}',
    "with an absolute path": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": ["/etc/passwd"], "public": []}',
    "with a drive": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": ["C:ca.key"], "public": []}',
    "with a public file elsewhere": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": [], "public": ["../../x"]}',
    "with a backup elsewhere": b'{"version": 1, "backup": "../../x", "retire": ["ca.key"],'
    b' "publish": [], "public": []}',
    "with a client's name that leads out": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": ["clients/.."], "public": []}',
    "with a folder that is not the clients'": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": ["backup/x"], "public": []}',
    "with a folder in a client's": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": ["clients/a/b"], "public": []}',
    "with a client that is retired": b'{"version": 1, "backup": "", "retire": ["clients/a"],'
    b' "publish": [], "public": []}',
    "with letters for names": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": "ca", "public": []}',
    "with numbers for names": b'{"version": 1, "backup": "", "retire": [],'
    b' "publish": [5], "public": []}',
}


@pytest.mark.parametrize("journal", JOURNALS.values(), ids=JOURNALS)
def test_a_journal_that_cant_be_understood_is_told_and_nothing_is_touched(
    tmp_path: Path, journal: bytes
) -> None:
    directory = old_set(tmp_path / "certs")
    (directory / STAGE).mkdir()
    (directory / STAGE / "ca.key").write_bytes(NEW["ca.key"])
    (directory / JOURNAL).write_bytes(journal)
    before = contents(directory)

    with pytest.raises(FolderUnavailableError) as caught:
        open_again(directory)

    assert "nothing was touched" in caught.value.what
    assert f"delete {directory / JOURNAL}" in caught.value.fix
    assert contents(directory) == before


def test_a_move_is_not_finished_over_a_file_that_came_in_between(tmp_path: Path) -> None:
    directory = cut_in_two(tmp_path / "certs")
    (directory / "ca.crt").write_bytes(b"somebody else's")

    with pytest.raises(FolderUnavailableError, match=r"ca\.crt is in the way"):
        open_again(directory)

    assert (directory / "ca.crt").read_bytes() == b"somebody else's"
    assert (directory / STAGE / "ca.crt").read_bytes() == NEW["ca.crt"]


def test_once_that_file_is_moved_away_the_move_is_finished(tmp_path: Path) -> None:
    directory = cut_in_two(tmp_path / "certs")
    (directory / "ca.crt").write_bytes(b"somebody else's")
    with pytest.raises(FolderUnavailableError):
        open_again(directory)

    (directory / "ca.crt").unlink()
    open_again(directory)

    assert contents(directory) == kept(directory / "backup" / "2026-11-23T10-30-00Z")


def test_a_move_that_lost_a_staged_file_says_where_the_old_set_is(tmp_path: Path) -> None:
    directory = cut_in_two(tmp_path / "certs")
    (directory / STAGE / "client.p12").unlink()

    with pytest.raises(FolderUnavailableError, match=r"client\.p12 is gone") as caught:
        open_again(directory)

    assert str(directory / "backup") in caught.value.fix

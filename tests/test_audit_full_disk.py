"""The log on a disk that fills up: the line of the failing command is written all the same."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtls_openssl.audit import AuditLog, Flaw, read, verify
from mtls_openssl.errors import Exit, FolderUnavailableError
from tests.test_audit import record

RESERVE = ".mtls.reserve"


class FullDisk:
    """A disk with room for part of a line, and for more once the reserve is given up."""

    def __init__(self, reserve: Path, room: int) -> None:
        self.reserve = reserve
        self.room = room
        self.write = os.write

    def __call__(self, descriptor: int, data: bytes) -> int:
        if self.reserve.exists():
            room, self.room = self.room, 0
        else:
            room = len(data) if self.room >= 0 else 0
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.write(descriptor, data[:room])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "staging").mkdir()
    return tmp_path / "mtls-audit.jsonl"


def opened(path: Path) -> AuditLog:
    return AuditLog.open(path, reserve_in=path.parent / "staging")


def test_the_reserve_is_really_allocated_and_given_back_at_the_end(path: Path) -> None:
    reserve = path.parent / "staging" / RESERVE
    with opened(path):
        assert reserve.stat().st_size == 64 * 1024
    assert not reserve.exists()


def test_closing_is_quiet_when_the_reserve_went_with_its_folder(path: Path) -> None:
    with opened(path):
        (path.parent / "staging" / RESERVE).unlink()
        (path.parent / "staging").rmdir()
    assert path.exists()


@pytest.mark.parametrize("room", [0, 1, 100])
def test_the_reserve_is_given_up_for_the_line_of_the_failing_command(
    path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path) as log:
        record(log)
        monkeypatch.setattr(os, "write", FullDisk(path.parent / "staging" / RESERVE, room))
        record(log)
        log.end(Exit.FOLDER_UNAVAILABLE, "failed: the disk is full", {})
    verdict = verify(path, folder=None)
    assert (verdict.lines, verdict.faults) == (3, ())


@pytest.mark.parametrize("room", [0, 1, 100])
def test_without_a_reserve_no_part_of_a_line_is_left(
    path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with AuditLog.open(path) as log:
        record(log)
        before = path.read_bytes()
        monkeypatch.setattr(os, "write", FullDisk(path, room))
        with pytest.raises(FolderUnavailableError, match="the disk is full"):
            record(log)
    assert path.read_bytes() == before


def test_an_interrupt_within_a_write_leaves_no_part_of_a_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def interrupted(descriptor: int, data: bytes) -> int:
        write(descriptor, data[:50])
        raise KeyboardInterrupt

    with AuditLog.open(path) as log:
        record(log)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                record(log)
        log.end(Exit.INTERRUPTED, "interrupted", {})
    assert [line.event for line in read(path)] == ["command", "end"]
    assert verify(path, folder=None).faults == ()


def test_a_disk_that_loses_the_end_of_a_run_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with AuditLog.open(path) as log:
        monkeypatch.setattr(os, "fsync", failing)
        with pytest.raises(FolderUnavailableError, match="can't be written"):
            log.end(Exit.DONE, "done", {})


STORY = """
import contextlib, json, sys
from pathlib import Path
from mtls_openssl.errors import FolderUnavailableError
from tests.test_audit import record
from tests.test_audit_full_disk import RESERVE, opened

def fill(disk):
    with contextlib.suppress(OSError), (disk / "filler").open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)

disk = Path(sys.argv[1])
(disk / "staging").mkdir()
log = opened(disk / "mtls-audit.jsonl")
written = 0
fill(disk)
while (disk / "staging" / RESERVE).exists():
    record(log)
    written += 1
fill(disk)
try:
    while True:
        record(log)
        written += 1
except FolderUnavailableError as error:
    story = {"written": written, "told": error.what, "code": error.code}
log.close()
story["log"] = (disk / "mtls-audit.jsonl").read_text("utf-8")
print(json.dumps(story))
"""

if sys.platform == "linux":

    def test_a_small_disk_that_fills_up_keeps_every_line_whole(path: Path) -> None:
        script = 'mount -t tmpfs -o size=512k none "$1" && exec "$2" -c "$3" "$1"'
        ran = subprocess.run(
            ["unshare", "-rm", "sh", "-c", script, "sh", path.parent, sys.executable, STORY],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stderr == ""
        story = json.loads(ran.stdout)
        assert (story["code"], "the disk is full" in story["told"]) == (7, True)
        path.write_text(story["log"], "utf-8")
        verdict = verify(path, folder=None)
        assert verdict.lines == story["written"]
        assert [fault.flaw for fault in verdict.faults] == [Flaw.UNFINISHED]

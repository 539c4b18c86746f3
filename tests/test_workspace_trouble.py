"""Folders and disks that fail: old set untouched, no stray file, the cause and what mends it."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.cli import options
from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.workspace import Workspace, folder
from mtls_openssl.workspace.causes import unavailable, unreadable
from tests.machine import mtls
from tests.ordinary import as_an_ordinary_user, reachable_folder
from tests.test_workspace import (
    NEW,
    OLD,
    commit_new_set,
    contents,
    kept,
    make_new_set,
    names,
    old_set,
    stage_new_set,
)


@pytest.fixture
def reachable() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.mark.posix
def test_a_folder_that_may_not_be_written_is_told_and_untouched(reachable: Path) -> None:
    directory = old_set(reachable / "certs")
    directory.chmod(0o555)

    with as_an_ordinary_user(), pytest.raises(FolderUnavailableError) as caught:
        make_new_set(directory)
    directory.chmod(0o755)

    assert str(directory) in caught.value.what
    assert caught.value.cause == "you may not write there"
    assert "--out" in caught.value.fix
    assert contents(directory) == OLD


@pytest.mark.posix
def test_a_folder_that_may_not_be_made_is_told(reachable: Path) -> None:
    with as_an_ordinary_user(), pytest.raises(FolderUnavailableError) as caught:
        make_new_set(reachable / "certs" / "first")

    assert caught.value.what == f"The folder {reachable / 'certs'} can't be made"
    assert names(reachable) == []


@pytest.mark.parametrize("below", ["", "certs"])
def test_a_file_in_the_place_of_the_folder_is_told_and_untouched(
    tmp_path: Path, below: str
) -> None:
    (tmp_path / "file").write_bytes(b"mine")

    with pytest.raises(FolderUnavailableError) as caught:
        make_new_set(tmp_path / "file" / below)

    assert caught.value.cause == "something that is not a folder has its name"
    assert contents(tmp_path) == {"file": b"mine"}


def test_a_path_that_is_too_long_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FolderUnavailableError) as caught:
        make_new_set(tmp_path / "certs" / ("x" * 300))

    assert caught.value.cause == "the path is too long"
    assert names(tmp_path) == []


@pytest.mark.posix
@pytest.mark.parametrize("target", ["precious", "nowhere"])
def test_a_link_in_the_place_of_the_stage_is_told_and_not_followed(
    tmp_path: Path, target: str
) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_bytes(b"mine")
    directory = old_set(tmp_path / "certs")
    (directory / ".mtls.stage").symlink_to(tmp_path / target)

    with pytest.raises(FolderUnavailableError, match="not a folder that this tool made"):
        make_new_set(directory)

    assert (tmp_path / "precious" / "file").read_bytes() == b"mine"
    assert names(directory) == sorted([*OLD, ".mtls.stage"])


@pytest.mark.posix
def test_a_link_in_the_place_of_the_backup_is_told_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    directory = old_set(tmp_path / "certs")
    (directory / "backup").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FolderUnavailableError, match="backup has to be a folder"):
        make_new_set(directory)

    assert names(tmp_path / "elsewhere") == []
    assert {name: (directory / name).read_bytes() for name in OLD} == OLD


def test_a_file_in_the_place_of_the_backup_is_told_and_untouched(tmp_path: Path) -> None:
    directory = old_set(tmp_path / "certs")
    (directory / "backup").write_bytes(b"mine")

    with pytest.raises(FolderUnavailableError, match="backup has to be a folder"):
        make_new_set(directory)

    assert contents(directory) == OLD | {"backup": b"mine"}


@pytest.mark.windows
@pytest.mark.parametrize("name", OLD)
def test_a_file_that_another_program_holds_open_is_named_and_the_set_is_as_it_was(
    tmp_path: Path, name: str
) -> None:
    directory = old_set(tmp_path / "certs")

    with (directory / name).open("rb"), pytest.raises(FolderUnavailableError) as caught:
        make_new_set(directory)

    assert str(directory / name) in caught.value.what
    assert caught.value.cause == "another program holds it open"
    assert contents(directory) == OLD


@pytest.mark.windows
def test_a_scanner_that_holds_a_file_for_a_moment_only_delays_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = old_set(tmp_path / "certs")
    scanner = (directory / "ca.crt").open("rb")
    monkeypatch.setattr("time.sleep", lambda _seconds: scanner.close())

    backup = make_new_set(directory)

    assert contents(directory) == kept(backup)


class FailingCalls:
    """Lets the n-th of some system calls fail, as a disk does that has just become full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, number: int) -> None:
        self.left = at
        self._error = number
        for name in ("open", "mkdir", "rename", "replace", "fsync", "write"):
            monkeypatch.setattr(os, name, self._failing(getattr(os, name)))

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise OSError(self._error, os.strerror(self._error))
            return call(*arguments, **options)

        return wrapped


def make_set_or_tell(directory: Path) -> FolderUnavailableError | None:
    try:
        make_new_set(directory)
    except FolderUnavailableError as error:
        return error
    return None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_at_any_one_call_leaves_the_old_set_and_nothing_else(
    tmp_path: Path, number: int
) -> None:
    directory = old_set(tmp_path / "certs")

    failures = 0
    for at in itertools.count(1):
        with pytest.MonkeyPatch.context() as patch:
            calls = FailingCalls(patch, at, number)
            problem = make_set_or_tell(directory)
        if problem:
            failures += 1
            assert problem.cause
            assert contents(directory) == OLD
        else:
            (backup,) = (directory / "backup").iterdir()
            assert contents(directory) == kept(backup)
            shutil.rmtree(directory)
            old_set(directory)
        if calls.left > 0:
            break

    assert failures > 15


def test_a_move_that_can_be_neither_finished_nor_undone_is_finished_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = old_set(tmp_path / "certs")
    rename = os.rename
    moved: list[str] = []

    def only_three(source: Any, target: Any, **options: Any) -> None:
        if len(moved) == 3:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        moved.append(source)
        rename(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", only_three)
        problem = make_set_or_tell(directory)
    with Workspace.open(directory, command="all") as workspace:
        recovered = workspace.recovered

    (backup,) = (directory / "backup").iterdir()
    assert problem
    assert "the next run completes the new set" in problem.fix
    assert "the move is finished now" in recovered
    assert contents(directory) == kept(backup)


def test_a_file_system_without_permissions_is_told_and_serves_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plain_folder(path: Path) -> bool:
        path.mkdir()
        return False

    monkeypatch.setattr(folder, "private_folder", plain_folder)

    with Workspace.open(tmp_path / "certs", command="all") as workspace:
        stage_new_set(workspace)
        commit_new_set(workspace)

    (warning,) = workspace.warnings
    assert "keeps no permissions" in warning
    assert contents(tmp_path / "certs") == NEW


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "it is on a read-only file system"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EIO, "the system says: "),
    ],
)
def test_the_systems_word_is_put_into_plain_ones(number: int, cause: str) -> None:
    error = unavailable("It can't be written", OSError(number, os.strerror(number)))

    assert error.what == "It can't be written"
    assert error.cause.startswith(cause)
    assert "--out" in error.fix


FILLED_DISK = """
import sys
from pathlib import Path
from mtls_openssl.errors import FolderUnavailableError
from tests.test_workspace import OLD, contents, make_new_set, old_set

directory = old_set(Path(sys.argv[1]) / "certs")
filler = (Path(sys.argv[1]) / "filler").open("wb", buffering=0)
try:
    while filler.write(bytes(4096)):
        pass
except OSError:
    pass
try:
    make_new_set(directory)
except FolderUnavailableError as error:
    print(error.cause)
print(contents(directory) == OLD)
"""


def in_a_room_of_its_own(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script where mounting a disk touches nobody else's."""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    return subprocess.run(
        [*own, "sh", "-c", script, "sh", *arguments], capture_output=True, text=True, check=False
    )


def can_mount() -> bool:
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    return in_a_room_of_its_own("mount -t tmpfs none /mnt").returncode == 0


if can_mount():  # elsewhere the failing calls above stand for it

    def test_a_disk_that_is_really_full_leaves_the_old_set_and_nothing_else(tmp_path: Path) -> None:
        ended = in_a_room_of_its_own(
            'mount -t tmpfs -o size=64k none "$1" && exec "$2" -c "$3" "$1"',
            str(tmp_path),
            sys.executable,
            FILLED_DISK,
        )

        assert (ended.stderr, ended.stdout.split("\n")) == ("", ["the disk is full", "True", ""])

    def test_a_disk_that_is_really_read_only_leaves_the_old_set(tmp_path: Path) -> None:
        directory = old_set(tmp_path / "certs")
        program = "import sys; from pathlib import Path; from tests.test_workspace import *; "
        program += "make_new_set(Path(sys.argv[1]))"

        ended = in_a_room_of_its_own(
            'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" -c "$3" "$1"',
            str(directory),
            sys.executable,
            program,
        )

        assert "FolderUnavailableError" in ended.stderr
        assert contents(directory) == OLD


class NoNameError(OSError):
    """What Windows says to a name that nothing can have (ERROR_INVALID_NAME)."""

    winerror = 123


def test_a_name_that_windows_does_not_allow_is_no_matter_of_who_owns_it() -> None:
    told = unreadable("a?b can't be read", NoNameError(22, "Invalid name"), fix="be its owner")

    assert told.cause == "its name holds a character that Windows does not allow"
    assert told.fix == "look at what there is, then name it again"
    assert unreadable("a can't be read", PermissionError(13, "no"), fix="be its owner").fix == (
        "be its owner"
    )


@pytest.mark.parametrize(
    ("typed", "fix"),
    [
        ('my set" --profile modern', 'type it without the backslash at the end: "my set"'),
        ('C:" --profile modern', "type it without quotation marks: C:\\"),
    ],
)
def test_a_quotation_mark_that_a_backslash_took_into_the_name_is_told(
    typed: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "_ON_WINDOWS", True)

    said = mtls("ca", "--out", typed, cwd=tmp_path, exit_code=2).stderr

    assert "there is a quotation mark in it" in said
    assert f"To mend it: {fix}\n" in said
    assert names(tmp_path) == []

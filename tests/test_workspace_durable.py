"""What a run puts in place outlasts a power cut: it has been handed to the disk before."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from mtls_openssl.workspace import durable

pytestmark = pytest.mark.posix


class Disk:
    """Takes down what it is asked to write: single files, and whole file systems."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, code: int = 0, kind: str) -> None:
        self.files = set[int]()
        self.systems = list[int]()
        self._code = code
        monkeypatch.setattr(os, "fsync", lambda one: self.files.add(os.fstat(one).st_ino))
        monkeypatch.setattr(ctypes, "CDLL", lambda _name: self)
        monkeypatch.setattr(durable, "_kind", lambda _folder: kind)

    def syncfs(self, descriptor: int) -> int:
        self.systems.append(os.fstat(descriptor).st_dev)
        return self._code


def clients(folder: Path, count: int) -> Sequence[Path]:
    """Folders with two files each."""
    made = [folder / f"device-{number}" for number in range(count)]
    for one in made:
        one.mkdir()
        (one / "a.key").write_text("key")
        (one / "a.crt").write_text("certificate")
    return made


def inodes(folders: Sequence[Path]) -> set[int]:
    """Those of folders, and of the files in them."""
    return {one.stat().st_ino for top in folders for one in (top, *top.iterdir())}


def running(monkeypatch: pytest.MonkeyPatch, release: str) -> None:
    """Let this be a Linux of that release."""
    names = ("Linux", "here", release, "#1", "x86_64")
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(names))


def test_of_a_few_each_file_and_each_folder_is_handed_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, some = Disk(monkeypatch, kind="ext4"), clients(tmp_path, 3)

    durable.sync(some)

    assert (disk.files, disk.systems) == (inodes(some), [])


def test_many_are_handed_to_the_disk_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, "5.8.0-63-generic")
    disk, many = Disk(monkeypatch, kind="ext4"), clients(tmp_path, 20)

    durable.sync(many)

    assert (disk.files, disk.systems) == (set(), [tmp_path.stat().st_dev])


@pytest.mark.parametrize("kind", ["fuse.sshfs", "nfs4", "9p", "btrfs", ""])
def test_where_one_go_is_not_known_to_reach_the_disk_many_are_handed_to_it_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    running(monkeypatch, "6.12.0")
    disk, many = Disk(monkeypatch, kind=kind), clients(tmp_path, 20)

    durable.sync(many)

    assert (disk.files, disk.systems) == (inodes(many), [])


def test_a_linux_that_would_not_tell_of_a_failure_is_handed_them_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, "4.18.0-553.el8_10.x86_64")
    disk, many = Disk(monkeypatch, kind="xfs"), clients(tmp_path, 20)

    durable.sync(many)

    assert (disk.files, disk.systems) == (inodes(many), [])


def test_where_one_go_fails_the_file_that_failed_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(monkeypatch, "6.12.0")
    Disk(monkeypatch, code=-1, kind="ext4")
    many = clients(tmp_path, 20)
    bad = (many[7] / "a.crt").stat().st_ino

    def failing(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failing)

    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        durable.sync(many)


@pytest.mark.parametrize(
    ("options", "kind"), [("- ext4", "ext4"), ("shared:1 master:2 - overlay", "overlay")]
)
def test_the_kind_of_file_system_is_that_of_the_folders_own_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, kind: str
) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:5 / /dev rw - devtmpfs udev rw\n"
        f"36 22 {os.major(device)}:{os.minor(device)} / / rw,noatime {options} /dev/root rw\n"
    )
    monkeypatch.setattr(durable, "_MOUNTS", mounts)

    assert durable._kind(tmp_path) == kind


def test_a_device_that_no_mount_has_is_of_no_known_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("22 1 0:99999 / /dev rw - devtmpfs udev rw\n")
    monkeypatch.setattr(durable, "_MOUNTS", mounts)

    assert not durable._kind(tmp_path)

"""Has what was written outlast a power cut."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

_MANY = 8
_MOUNTS = Path("/proc/self/mountinfo")
_AT_ONCE = frozenset({"ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs"})
"""The file systems of which syncfs(2) is known to reach the disk; that of a file system in
user space does not."""
_FIRST_TO_TELL = (5, 8)
"""The first Linux whose syncfs(2) tells of what could not be written."""


def sync(paths: Sequence[Path]) -> None:
    """Have files, and folders with the files in them, outlast a power cut.

    Args:
        paths: the files and folders, all of them in the same folder or below it.

    Raises:
        OSError: the disk did not take one of them.
    """
    if len(paths) <= _MANY:
        for path in paths:
            _sync_one(path)
    elif not _sync_at_once(paths[0].parent):
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - for a fleet only

        # A disk writes what several wait for in one go.
        with ThreadPoolExecutor(_MANY) as pool:
            list(pool.map(_sync_one, paths))


def sync_folder(path: Path) -> None:
    """Have the renames in a folder outlast a power cut, where the system offers that."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return  # a folder that may be written and not read
    try:
        os.fsync(descriptor)
    except OSError:
        return  # some file systems have no such thing
    finally:
        os.close(descriptor)


def _sync_one(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for file in path.iterdir():
            _sync_one(file)
        sync_folder(path)
        return
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_at_once(folder: Path) -> bool:
    """Whether all that is not written yet of a file system could be written in one go.

    Hundreds of small files one by one are a tenth of a fleet's work; the promise is the same.
    """
    if _kind(folder) not in _AT_ONCE or _release() < _FIRST_TO_TELL:
        return False
    import ctypes  # noqa: PLC0415 - for a fleet only

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Where it failed, each file by itself tells which one, and why.
        return bool(ctypes.CDLL(None).syncfs(descriptor) == 0)
    finally:
        os.close(descriptor)


def _kind(folder: Path) -> str:
    """What kind of file system a folder is on; empty if that can't be told."""
    if sys.platform == "win32":
        return ""  # where Linux runs Windows' programs, they find its own mounts
    try:
        mounts = _MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""  # macOS
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    # proc_pid_mountinfo(5): the device is the third field, the kind the first after the hyphen.
    for fields in map(str.split, mounts):
        if fields[2] == number:
            return fields[fields.index("-") + 1]
    return ""


def _release() -> tuple[int, ...]:
    return tuple(int(part) for part in os.uname().release.split(".")[:2] if part.isdecimal())

"""A single file put in its place for others to read, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import _
from mtls_openssl.workspace import commit
from mtls_openssl.workspace.durable import sync_folder


def publish(file: Path, content: bytes, sign: bytes, *, mode: int = 0o644) -> Path:
    """Write a file that we can make again at any time, in the place of one that we made before.

    Args:
        file: where; a link leads to the file that it is a link to.
        content: what.
        sign: what such a file of ours has in its beginning: any other is not replaced.
        mode: who may read it, where it is new (POSIX).

    Returns:
        The file.

    Raises:
        FolderUnavailableError: it can't be written, or is somebody else's; it is as it was.
    """
    require(file, sign)
    file = Path(os.path.realpath(file))
    try:
        replace(file, content, mode)
    except OSError as error:
        raise FolderUnavailableError(
            _("{file} can't be written", file=file),
            cause=system_said(error),
            fix=_("name another place, or run it as somebody who may write there"),
        ) from error
    return file


def require(file: Path, sign: bytes) -> None:
    """Make sure that a place is free, or has a file of ours: before the work that it is for.

    Args:
        file: the place.
        sign: as for `publish`.

    Raises:
        FolderUnavailableError: it is somebody else's, or can't be looked at.
    """
    try:
        ours = not os.path.lexists(file) or _is_ours(file, sign)
    except OSError as error:
        raise FolderUnavailableError(
            _("{file} can't be read: {why}", file=file, why=system_said(error)),
            fix=_("run the command as the user who owns the file"),
        ) from error
    if not ours:
        raise FolderUnavailableError(
            _("{file} is there already, and was not touched: we did not make it.", file=file),
            fix=_("name another file, or move this one away"),
        )


def replace(file: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file beside its place, and move it there in one instant.

    Args:
        file: the file; what it grants to whom stays.
        content: what it is to hold.
        mode: what a new one grants.

    Raises:
        OSError: it can't be written; it is as it was.
    """
    descriptor, draft = tempfile.mkstemp(prefix=".mtls-", dir=file.parent)
    os.close(descriptor)
    try:
        write(Path(draft), content)
        Path(draft).chmod(file.stat().st_mode & 0o777 if file.exists() else mode)
        commit.patiently(lambda: os.replace(draft, file))  # noqa: PTH105 - a lambda in one line
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def write(file: Path, content: bytes) -> None:
    """Write a file, and see to it that the disk has it.

    Raises:
        OSError: it can't be written.
    """
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _is_ours(file: Path, sign: bytes) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        beginning = stream.read(4096)
    return not beginning or sign in beginning

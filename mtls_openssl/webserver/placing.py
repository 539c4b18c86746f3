"""A file put where it belongs: what was there goes to a backup first, and can be had back."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, system_said
from mtls_openssl.language import _
from mtls_openssl.workspace import commit, publishing
from mtls_openssl.workspace.durable import sync_folder
from mtls_openssl.workspace.permissions import private_folder


@dataclasses.dataclass(frozen=True)
class Placed:
    """A file that was put in its place.

    Args:
        file: the file.
        changed: whether it had to be: False where it was there already, just like that.
        before: what was there; None if nothing was.
        backup: where that is kept.
    """

    file: Path
    changed: bool
    before: bytes | None = None
    backup: Path | None = None

    def undo(self) -> None:
        """Have what was there again.

        Raises:
            FolderUnavailableError: that can't be done.
        """
        if not self.changed:
            return
        try:
            if self.before is None:
                commit.patiently(self.file.unlink)
            else:
                publishing.replace(self.file, self.before)
        except OSError as error:
            kept = _("what was there is in {backup}", backup=self.backup) if self.backup else ""
            raise FolderUnavailableError(
                _("{file} can't be taken back", file=self.file),
                cause=system_said(error),
                fix=kept or _("delete it"),
            ) from error


def put(file: Path, content: bytes, backups: Path) -> Placed:
    """Write a file, whole or not at all.

    Args:
        file: where; a link leads to the file that it is a link to.
        content: what.
        backups: the folder whose `backup/<UTC time>/` takes what was there.

    Raises:
        FolderUnavailableError: it can't be written, or what is there can't be backed up; it is
            as it was.
    """
    file = Path(os.path.realpath(file))
    at: Path = file
    try:
        before = file.read_bytes() if os.path.lexists(file) else None
        if before == content:
            return Placed(file, changed=False, before=before)
        at = backups / commit.BACKUP
        backup = _back_up(file.name, before, at) if before is not None else None
        at = file
        publishing.replace(file, content)
    except OSError as error:
        raise FolderUnavailableError(
            _("{file} can't be written", file=at),
            cause=system_said(error),
            fix=_("name another place, or run it as somebody who may write there"),
        ) from error
    return Placed(file, changed=True, before=before, backup=backup)


def _back_up(name: str, content: bytes, backups: Path) -> Path:
    with contextlib.suppress(FileExistsError):
        private_folder(backups)
    folder = backups / commit.backup_name(backups.parent)
    private_folder(folder)
    publishing.write(folder / name, content)
    sync_folder(folder)
    return folder / name

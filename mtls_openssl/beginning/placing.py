"""A file of settings put in its place: never over another one, unless that is backed up."""

from __future__ import annotations

import os
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.language import _
from mtls_openssl.workspace import Workspace
from mtls_openssl.workspace.causes import advising, unavailable
from mtls_openssl.workspace.missing import require_name


def require_place(file: Path, *, force: bool, instead: str) -> None:
    """See that a file can be written.

    Args:
        file: the file.
        force: whether one that is there already may be replaced.
        instead: what to do where one is there already.

    Raises:
        UsageError: it has no name for a file of settings.
        FolderUnavailableError: there is one already.
    """
    require_name(file)
    if file.is_dir():
        raise UsageError(_("{file} is a folder.", file=file), fix=_("name a file in it"))
    if not force and os.path.lexists(file):
        raise FolderUnavailableError(
            _("{file} is there already, and was not touched.", file=file), fix=instead
        )


def put(file: Path, content: str, *, command: str, force: bool, instead: str) -> Path | None:
    """Write a file of settings, whole or not at all.

    Args:
        file: the file.
        content: its text.
        command: the command of ours.
        force: whether one that is there already goes to the backup.
        instead: what to do where one is there already, and that is not wanted.

    Returns:
        The folder of the backup of what was there; None if nothing was.

    Raises:
        UsageError: it has no name for a file of settings.
        FolderUnavailableError: there is one already, or it can't be written; all is as it was.
    """
    require_place(file, force=force, instead=instead)
    elsewhere = _("name a file in another folder with --write")
    with advising(elsewhere), Workspace.open(file.parent, command=command) as workspace:
        require_place(file, force=force, instead=instead)
        draft = workspace.stage / file.name
        try:
            draft.write_bytes(content.encode())
        except OSError as error:
            raise unavailable(_("{path} can't be written", path=draft), error) from error
        return workspace.commit(publish=[file.name], retire=(), private=())

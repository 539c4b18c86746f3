"""The backups of a folder: what is in `backup/`, newest first."""

from __future__ import annotations

import dataclasses
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError, UsageError, system_said
from mtls_openssl.inventory import clients
from mtls_openssl.language import _
from mtls_openssl.workspace import commit

LATEST = "latest"

_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-(\d+))?")


@dataclasses.dataclass(frozen=True)
class Backup:
    """What a run replaced.

    Args:
        path: its folder.
        time: when it was made, UTC.
        number: which one of that second, from 1.
        files: the names of the files in it.
        clients: the names of the clients of a fleet in it.
        strange: names of what is in it besides, and is no file that could come back.
    """

    path: Path
    time: datetime
    number: int
    files: tuple[str, ...]
    clients: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name


def all_(folder: Path) -> tuple[Backup, ...]:
    """Every backup of a folder, newest first.

    Args:
        folder: the folder of the set.

    Raises:
        FolderUnavailableError: they can't be looked into.
    """
    place = folder / commit.BACKUP
    if not commit.is_real_folder(place):
        return ()
    try:
        found = [_backup(path) for path in place.iterdir() if _is_backup(path)]
    except OSError as error:
        raise FolderUnavailableError(
            _("{folder} can't be looked into: {why}", folder=place, why=system_said(error)),
            fix=_("run the command as the user who owns the folder"),
        ) from error
    return tuple(sorted(found, key=lambda one: (one.time, one.number), reverse=True))


def chosen(folder: Path, time: str) -> Backup:
    """The backup that is meant.

    Args:
        folder: the folder of the set.
        time: its name or the beginning of it, or `latest`.

    Raises:
        UsageError: there is no such backup, or several are meant.
        FolderUnavailableError: there is none at all, or they can't be looked into.
    """
    backups = all_(folder)
    if not backups:
        raise FolderUnavailableError(
            _("There is no backup in {folder}.", folder=folder),
            cause=_("nothing was ever replaced there, or backup/ was removed"),
            fix=_("name the folder of the set with --out"),
        )
    if time == LATEST:
        return backups[0]
    wanted = time.strip().replace(":", "-").replace(" ", "T")
    found = [one for one in backups if one.name == wanted] or [
        one for one in backups if one.name.startswith(wanted)
    ]
    if len(found) != 1:
        names = ", ".join(one.name for one in found or backups)
        what = _("No backup is called {time}.", time=repr(time))
        if found:
            what = _("Several backups begin with {time}.", time=repr(time))
        raise UsageError(what, fix=_("name one of these: {names}", names=names))
    return found[0]


def _is_backup(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) and commit.is_real_folder(path)


def _backup(path: Path) -> Backup:
    time, _dash, number = path.name.partition("Z-")
    within = sorted(path.iterdir())
    files = tuple(one.name for one in within if commit.is_bare(one.name) and _is_file(one))
    fleet = tuple(clients.names(path)) if commit.is_real_folder(path / commit.CLIENTS) else ()
    known = {*files, commit.CLIENTS} if fleet else {*files}
    return Backup(
        path,
        datetime.strptime(time.removesuffix("Z"), "%Y-%m-%dT%H-%M-%S").replace(tzinfo=UTC),
        int(number or 1),
        files,
        fleet,
        tuple(one.name for one in within if one.name not in known),
    )


def _is_file(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)

"""Moves a finished set into its folder, whole or not at all, whatever cuts it off.

What is to be done is written down first, in a journal. Carrying it out is the rule "if it is not
there yet, rename it there", move by move, old files out before new files in: done again from
the top, it picks up where it was cut off. So a first attempt and a recovery are the same code.
Nothing is ever overwritten.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _
from mtls_openssl.workspace.causes import unavailable
from mtls_openssl.workspace.durable import sync_folder
from mtls_openssl.workspace.permissions import make_public, private_folder

STAGE = ".mtls.stage"
JOURNAL = ".mtls.journal"
BACKUP = "backup"
CLIENTS = "clients"
"""The one folder of a set that is filled entry by entry: each goes there whole, in one instant."""

LONGEST_NAME = 100
"""The most characters of a file's name."""

_VERSION = 1
_LONGEST_JOURNAL = 2**24  # tens of thousands of clients at once
_BARE_NAME = re.compile(rf"(?![.\-])[^\x00-\x1f\x7f/\\:*?\"<>|]{{1,{LONGEST_NAME}}}(?<![. ])")
_BACKUP_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d+)?")
# A virus scanner opens each new file for a moment, and Windows renames no open file.
_ATTEMPTS = 20 if sys.platform == "win32" else 1
_PAUSE = 0.05


@dataclass(frozen=True)
class Journal:
    """What one commit does; names only, so that no journal can reach outside the folder.

    Args:
        backup: the name, below `backup/`, of the folder for what is replaced; "" for none.
        retire: names of the files that move from the folder to the backup; and `clients/NAME` of
            files or whole folders, which go to `clients/` there.
        publish: names of the files that move from the stage to the folder, and `clients/NAME`.
        public: which of `publish` everyone may read.
    """

    backup: str
    retire: tuple[str, ...]
    publish: tuple[str, ...]
    public: tuple[str, ...]

    @property
    def fills_clients(self) -> bool:
        """Whether something goes to the folder CLIENTS."""
        return any(map(is_of_client, self.publish))

    def backups(self, directory: Path) -> tuple[Path, ...]:
        """The folders that what is replaced goes to, the outer ones first; none for nothing."""
        if not self.retire:
            return ()
        own = directory / BACKUP / self.backup
        clients = (own / CLIENTS,) if any(map(is_of_client, self.retire)) else ()
        return (directory / BACKUP, own, *clients)

    def moves(self, directory: Path) -> Iterator[tuple[Path, Path]]:
        """Every rename in order: from, to."""
        for name in self.retire:
            yield directory / name, directory / BACKUP / self.backup / name
        for name in self.publish:
            yield directory / STAGE / name, directory / name


def is_bare(name: str) -> bool:
    """Whether a name is one that a file may have on every system: no path, and none of ours."""
    return bool(_BARE_NAME.fullmatch(name)) and name.lower() != BACKUP


def is_of_client(name: str) -> bool:
    """Whether it is `clients/NAME`: the only names of a set that have a folder in them."""
    folder, slash, rest = name.partition("/")
    return folder == CLIENTS and bool(slash) and is_bare(rest)


def backup_name(directory: Path) -> str:
    """A name for a new backup: the time in UTC, without the colons that Windows refuses."""
    time_of_day = name = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H-%M-%SZ}"
    number = 1
    while os.path.lexists(directory / BACKUP / name):
        number += 1
        name = f"{time_of_day}-{number}"
    return name


def write_journal(directory: Path, journal: Journal) -> None:
    """Write down a commit, in one instant and for good.

    Raises:
        OSError: it could not be written; then there is none.
    """
    # It is written in the stage: a half of one goes when the stage goes.
    draft = directory / STAGE / JOURNAL
    with draft.open("x", encoding="utf-8") as file:
        json.dump({"version": _VERSION, **dataclasses.asdict(journal)}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(directory / JOURNAL)
    sync_folder(directory)


def read_journal(directory: Path) -> Journal | None:
    """The commit that an earlier run could not finish, if there is one.

    Raises:
        FolderUnavailableError: there is a journal, and it is not one of ours.
    """
    path = directory / JOURNAL
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _not_ours(path)
        with path.open("rb") as file:
            return _parse(json.loads(file.read(_LONGEST_JOURNAL)))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unavailable(_("{path} can't be read", path=path), error) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _not_ours(path) from error


def carry_out(directory: Path, journal: Journal, between: Callable[[], None]) -> None:
    """Do what the journal says and is not done yet.

    Args:
        directory: the folder of the set.
        journal: what to do.
        between: called before each move; it may raise.

    Raises:
        FolderUnavailableError: a file is missing, in the way, or held open.
    """
    backups = journal.backups(directory)
    for folder in backups:
        _ensure_folder(folder)
    if journal.fills_clients:
        _ensure_folder(directory / CLIENTS)
    for source, target in journal.moves(directory):
        between()
        _move(source, target, directory)
    for name in journal.public:
        make_public(directory / name)
    for folder in reversed(backups):
        sync_folder(folder)
    if journal.fills_clients:
        sync_folder(directory / CLIENTS)
    sync_folder(directory)


def undo(directory: Path, journal: Journal) -> None:
    """Take back, in reverse, what of the journal has been done.

    Raises:
        FolderUnavailableError: a file can't be moved back.
    """
    for source, target in reversed(list(journal.moves(directory))):
        if os.path.lexists(target) and not os.path.lexists(source):
            try:
                _rename(target, source)
            except FolderUnavailableError as error:
                error.fix = _(
                    "{fix}; the next run completes the new set before anything else", fix=error.fix
                )
                raise
    if journal.fills_clients:
        sync_folder(directory / CLIENTS)
    sync_folder(directory)


def forget(directory: Path) -> None:
    """Remove the journal: what it says is done, or undone.

    Raises:
        FolderUnavailableError: it can't be removed.
    """
    path = directory / JOURNAL
    try:
        patiently(path.unlink)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unavailable(_("{path} can't be removed", path=path), error) from error
    sync_folder(directory)


def patiently(action: Callable[[], object]) -> None:
    """Do something to a file that another program may be holding open for a moment."""
    for _attempt in range(_ATTEMPTS - 1):
        try:
            action()
        except PermissionError:
            time.sleep(_PAUSE)
        else:
            return
    action()


def is_real_folder(path: Path) -> bool:
    """Whether it is a folder itself, and not a link or junction that leads to one."""
    try:
        status = path.lstat()
    except OSError:
        return False
    if sys.platform == "win32" and status.st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT:
        return False
    return stat.S_ISDIR(status.st_mode)


def _move(source: Path, target: Path, directory: Path) -> None:
    staged = source.is_relative_to(directory / STAGE)
    if not os.path.lexists(target):
        if os.path.lexists(source):
            _rename(source, target)
        elif staged:
            raise FolderUnavailableError(
                _("{path} is gone, and the set can't be completed without it", path=source),
                cause=_("an earlier run was cut off, and the file was removed since"),
                fix=_(
                    "take the set you want out of {backup}, delete {journal} and run it again",
                    backup=directory / BACKUP,
                    journal=directory / JOURNAL,
                ),
            )
    elif staged and os.path.lexists(source):
        raise FolderUnavailableError(
            _("{path} is in the way of the new one", path=target),
            cause=_("it was put there while the set was being moved into place"),
            fix=_("move it away and run it again"),
        )


def _rename(source: Path, target: Path) -> None:
    try:
        patiently(lambda: source.rename(target))
    except OSError as error:
        raise unavailable(
            _("{path} can't be moved to {target}", path=source, target=target), error
        ) from error


def _ensure_folder(path: Path) -> None:
    try:
        private_folder(path)
    except FileExistsError as error:
        if not is_real_folder(path):
            raise unavailable(_("{path} has to be a folder", path=path), error) from error
    except OSError as error:
        raise unavailable(_("The folder {path} can't be made", path=path), error) from error


def _parse(data: dict[str, Any]) -> Journal:
    lists = {key: tuple(data[key]) for key in ("retire", "publish", "public")}
    journal = Journal(backup=data["backup"], **lists)
    understood = (
        data == {"version": _VERSION, **json.loads(json.dumps(dataclasses.asdict(journal)))}
        and all(map(is_bare, journal.public))
        and all(is_bare(name) or is_of_client(name) for name in (*journal.retire, *journal.publish))
        and (_BACKUP_NAME.fullmatch(journal.backup) if journal.retire else journal.backup == "")
    )
    if not understood:
        raise ValueError("not a journal of this version")
    return journal


def _not_ours(path: Path) -> FolderUnavailableError:
    return FolderUnavailableError(
        _("{path} can't be understood, so nothing was touched", path=path),
        cause=_(
            "a run was cut off while it moved its set into place, and the file was changed "
            "since, or a newer version wrote it"
        ),
        fix=_(
            "run that version again; or take the files you want to keep out of "
            "{stage} and {backup}, and delete {path}",
            stage=path.parent / STAGE,
            backup=path.parent / BACKUP,
            path=path,
        ),
    )

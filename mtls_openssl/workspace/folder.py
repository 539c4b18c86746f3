"""The folder of a set, from the moment a run enters it until it leaves."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.interrupts import Shield, held
from mtls_openssl.language import _
from mtls_openssl.workspace import commit, durable
from mtls_openssl.workspace.causes import unavailable
from mtls_openssl.workspace.lock import FolderLock
from mtls_openssl.workspace.permissions import make_private, private_folder

LOCK = ".mtls.lock"
_ATTEMPTS = 3


class Workspace:
    """The folder of a set while a run is on: `with Workspace.open(directory, command="all")`.

    Meanwhile it stands before this process's signal handlers: a KeyboardInterrupt within the `with`
    means that the folder is as it was, and after `commit` has returned none comes any more.

    Attributes:
        directory: the folder of the set; it is there, can be written, and is ours alone.
        stage: the private folder in it where all work happens; gone at the end.
        recovered: one sentence if an earlier run was cut off here and its end was put in order
            now, else empty.
        finished: the names that an earlier run was moving into the folder when it was cut off,
            and that are there now.
        warnings: what the user should know of this folder, a sentence each.
    """

    def __init__(self, directory: Path, *, command: str) -> None:
        # Not resolve(): a folder that the user named through a link keeps the name they know.
        self.directory = Path(os.path.abspath(directory))  # noqa: PTH100
        self.stage = self.directory / commit.STAGE
        self.recovered = ""
        self.finished: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self._lock = FolderLock(self.directory / LOCK, command)
        self._shield = Shield()
        self._made: list[Path] = []
        self._staged = False
        self._backup = ""

    @classmethod
    def open(cls, directory: Path, *, command: str) -> Self:
        """A workspace, to be entered by `with`.

        Args:
            directory: the folder of the set; it is made if it is missing.
            command: the command we run, for another one that finds the folder busy.

        Returns:
            The workspace. Entering it raises FolderUnavailableError if the folder is busy or
            can't be written, or an earlier run's commit can be neither finished nor understood.
        """
        return cls(directory, command=command)

    @held
    def __enter__(self) -> Self:
        try:
            self._shield.up()
            self._make_folder()
            self._lock.acquire()
            self._recover()
            self._make_stage()
            self._shield.deliver()
        except BaseException:
            self._leave(quietly=True)
            raise
        return self

    @held
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave(quietly=error is not None)
        self._shield.deliver()

    def heed(self) -> None:
        """Hand over an interrupt that came while a held function was running.

        Raises:
            KeyboardInterrupt: one came.
        """
        self._shield.deliver()

    def bring(self, *names: str, source: Path | None = None) -> None:
        """Copy files of the set into the stage, for commands that read them.

        They are copied and never linked: whatever a command does to one, the original stays.

        Args:
            names: bare file names; and `clients/NAME` of files or whole folders.
            source: the folder that they are in; the folder of the set where it is not given.

        Raises:
            FolderUnavailableError: one of them is missing or can't be copied.
        """
        _bare([name for name in names if not commit.is_of_client(name)])
        for name in names:
            original = (source or self.directory) / name
            try:
                if commit.is_of_client(name):
                    (self.stage / commit.CLIENTS).mkdir(0o700, exist_ok=True)
                _copy(original, self.stage / name)
            except FileNotFoundError as error:
                raise FolderUnavailableError(
                    _(
                        "{folder} has no {file}, which this command needs",
                        folder=original.parent,
                        file=name,
                    ),
                    fix=_("run the command that makes it, or name its folder with --out"),
                ) from error
            except OSError as error:
                raise unavailable(_("{path} can't be copied", path=original), error) from error

    @held
    def commit(
        self,
        *,
        publish: Sequence[str],
        retire: Sequence[str],
        private: Collection[str],
        record: Callable[[], None] = lambda: None,
        last: bool = True,
    ) -> Path | None:
        """Move the finished set from the stage into the folder, whole or not at all.

        What it replaces goes to `backup/<UTC time>/` first, the same folder for all commits of a
        run. Once this has begun, an interrupt is heeded between two moves, and all of them are
        undone.

        Args:
            publish: names in the stage that move into the folder; and `clients/NAME` of files or
                whole folders there, which must be new or in `retire`, and which nobody else may
                read.
            retire: names in the folder, `clients/NAME` too, that don't belong to the new set and
                go to the backup as well; one that is not there is passed over.
            private: names that nobody else may read; everyone may read the others.
            record: puts on record that the set is in place. If it can't, the set is not; if it
                is cut off, the next run finds the names in `finished` and can make up for it.
            last: whether nothing more is done in this workspace, so that an interrupt from here
                on comes too late.

        Returns:
            The backup's folder, or None if nothing had to be put there.

        Raises:
            FolderUnavailableError: a file could not be moved; the old set is as it was.
        """
        ours = [name for name in publish if not commit.is_of_client(name)]
        _bare([*ours, *(name for name in retire if not commit.is_of_client(name))])
        replaced = [
            name
            for name in dict.fromkeys((*ours, *retire))
            if os.path.lexists(self.directory / name)
        ]
        journal = commit.Journal(
            backup=self._backup_for(replaced) if replaced else "",
            retire=tuple(replaced),
            publish=tuple(publish),
            public=tuple(name for name in ours if name not in private),
        )
        backups, clients = journal.backups(self.directory), self.directory / commit.CLIENTS
        made = [folder for folder in (clients, *backups) if not os.path.lexists(folder)]
        try:
            self._make_durable(publish, private)
            self._shield.deliver()
            commit.write_journal(self.directory, journal)
            commit.carry_out(self.directory, journal, between=self._shield.deliver)
            record()
            commit.forget(self.directory)
        except BaseException as error:
            commit.undo(self.directory, journal)
            for folder in reversed(made):
                _remove_if_empty(folder)
            commit.forget(self.directory)
            if isinstance(error, OSError):
                what = _("The set can't be put into {folder}", folder=self.directory)
                raise unavailable(what, error) from error
            raise
        if last:
            self._shield.let_go()
        return self.directory / commit.BACKUP / journal.backup if replaced else None

    def _backup_for(self, replaced: Sequence[str]) -> str:
        """The name of the backup: that of this run, unless it has one of these already."""
        own = self.directory / commit.BACKUP / self._backup
        if not self._backup or any(os.path.lexists(own / name) for name in replaced):
            self._backup = commit.backup_name(self.directory)
        return self._backup

    def _make_folder(self) -> None:
        parents = [self.directory, *self.directory.parents]
        missing = [folder for folder in parents if not _is_folder(folder)]
        for folder in reversed(missing):
            try:
                folder.mkdir()
                self._made.append(folder)
            except OSError as error:
                if not _is_folder(folder):  # else somebody else has just made it
                    raise unavailable(
                        _("The folder {path} can't be made", path=folder), error
                    ) from error

    def _recover(self) -> None:
        journal = commit.read_journal(self.directory)
        if journal:
            commit.carry_out(self.directory, journal, between=lambda: None)
            commit.forget(self.directory)
            self.finished = journal.publish
            self.recovered = _(
                "An earlier run was cut off while it moved its set into place; the move is "
                "finished now."
            )
            if journal.retire:
                self.recovered = _(
                    "An earlier run was cut off while it moved its set into place; the move is "
                    "finished now, and the set before it is in {backup}.",
                    backup=self.directory / commit.BACKUP / journal.backup,
                )
        if os.path.lexists(self.stage):
            self._remove_stage()
            self.recovered = self.recovered or _(
                "An earlier run was cut off before its set was finished; what it left behind was "
                "removed, and the set in the folder is as it was."
            )

    def _make_stage(self) -> None:
        try:
            self._warn_unless(private_folder(self.stage))
            self._staged = True
        except OSError as error:
            raise unavailable(
                _("The folder {path} can't be made", path=self.stage), error
            ) from error

    def _remove_stage(self) -> None:
        if not commit.is_real_folder(self.stage):
            raise FolderUnavailableError(
                _("{path} is not a folder that this tool made", path=self.stage),
                cause=_("a link or a file has its name"),
                fix=_("remove it and run it again"),
            )
        try:
            remove_folder(self.stage)
        except OSError as error:
            what = _("{path}, which may hold private keys, can't be removed", path=self.stage)
            raise unavailable(what, error) from error

    def _make_durable(self, publish: Sequence[str], private: Collection[str]) -> None:
        for name in publish:
            if name in private:
                self._warn_unless(make_private(self.stage / name))
        durable.sync([self.stage / name for name in publish])

    def _leave(self, *, quietly: bool) -> None:
        try:
            # A commit that could be neither finished nor undone still needs its stage.
            if self._staged and not os.path.lexists(self.directory / commit.JOURNAL):
                self._remove_stage()
        except FolderUnavailableError:
            if not quietly:
                raise
        finally:
            self._lock.release()
            for folder in reversed(self._made):
                _remove_if_empty(folder)
            self._shield.down()

    def _warn_unless(self, private: bool) -> None:  # noqa: FBT001 - reads as it is meant
        if not private:
            warning = _(
                "The file system of {folder} keeps no permissions: everyone who can "
                "reach the folder can read the private keys in it.",
                folder=self.directory,
            )
            self.warnings = (warning,)


def _bare(names: Sequence[str]) -> Sequence[str]:
    strange = [name for name in names if not commit.is_bare(name)]
    if strange:
        raise ValueError(f"not the name of a file of a set: {strange[0]!r}")
    return names


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - is_dir() raises where a path is too long


def _copy(original: Path, copy: Path) -> None:
    if commit.is_real_folder(original):
        copy.mkdir(0o700)
        for path in original.iterdir():
            _copy(path, copy / path.name)
        return
    if not stat.S_ISREG(original.stat().st_mode):
        raise FileNotFoundError(original)
    content = original.read_bytes()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(copy, flags, 0o600), "wb") as file:
        file.write(content)


def remove_folder(folder: Path) -> None:
    """Remove a folder that is ours, with all in it; a link is removed, and not followed.

    Raises:
        OSError: something can't be removed.
    """
    for attempt in range(_ATTEMPTS):
        for path in list(folder.iterdir()):
            if commit.is_real_folder(path):
                remove_folder(path)
            else:
                commit.patiently(path.unlink)
        try:
            commit.patiently(folder.rmdir)
        except OSError as error:
            # What a killed run had started may have written a file meanwhile, its last one.
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or attempt + 1 == _ATTEMPTS:
                raise
        else:
            return


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # something is in it, so it stays

"""Files written anew: read, made in a stage beside their place, proven, and only then put there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mtls_openssl.audit import LOG, sha256_of
from mtls_openssl.desk import at
from mtls_openssl.errors import FolderUnavailableError, UsageError
from mtls_openssl.inspection.conversion import Wish, is_secret
from mtls_openssl.inspection.maker import Maker
from mtls_openssl.inspection.objects import Holding, Item
from mtls_openssl.inspection.reading import Asked, Reader
from mtls_openssl.language import _
from mtls_openssl.locate import Found
from mtls_openssl.process import Door
from mtls_openssl.steps import Outcome
from mtls_openssl.workspace import Workspace
from mtls_openssl.workspace.missing import require_name


@dataclasses.dataclass(frozen=True)
class Job:
    """What is to be written.

    Args:
        wish: in which form.
        files: what goes into each file, by its bare name.
    """

    wish: Wish
    files: Mapping[str, Sequence[Item]]


@dataclasses.dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        folder: where.
        job: what.
        backup: the folder that what was there went to; None if nothing was.
        warnings: what the user should know of the folder.
    """

    folder: Path
    job: Job
    backup: Path | None
    warnings: tuple[str, ...]


def write(
    sources: Sequence[Path],
    folder: Path,
    planned: Callable[[Sequence[Holding]], Job],
    *,
    found: Found,
    door: Door,
    asked: Asked,
    command: str,
    force: bool = False,
    limit: float | None = None,
    heard: Callable[[Outcome], None] = lambda _outcome: None,
) -> Written:
    """Write files anew.

    Args:
        sources: the files to read.
        folder: where the new ones go.
        planned: says what is to be written, from what was read.
        found: the openssl to use.
        door: what starts it.
        asked: gives the password of a file that is read.
        command: the command of ours.
        force: whether a file that is there already goes to the backup.
        limit: seconds that any one command may take, instead of its own limit.
        heard: who is told of each command, once it has ended.

    Raises:
        UsageError: it can't be done like this.
        CommandFailedError: openssl failed, or a password is not the right one.
        NotProvenError: what was made is not what it should be.
        FolderUnavailableError: a file can't be read, written, or is there already. In each case
            everything is as it was.
    """
    with Workspace.open(folder, command=command) as workspace:
        directory = workspace.directory
        with at(directory, found, door=door, purpose=command, limit=limit, held=True) as desk:
            desk.heard = heard
            reader = Reader(desk, asked)
            job = planned([reader.read(path) for path in sources])
            for name in job.files:
                _require_place(directory / name, force=force)
            maker = Maker(desk, reader, workspace.stage)
            for name, items in job.files.items():
                workspace.heed()
                maker.make(items, job.wish, name)

            def record() -> None:
                if desk.log == directory / LOG:
                    desk.published |= {name: sha256_of(directory / name) for name in job.files}

            backup = workspace.commit(
                publish=tuple(job.files),
                retire=(),
                private=[name for name, items in job.files.items() if is_secret(items)],
                record=record,
            )
        return Written(directory, job, backup, workspace.warnings)


def _require_place(file: Path, *, force: bool) -> None:
    require_name(file)
    if file.is_dir():
        raise UsageError(
            _("{file} is a folder.", file=file), fix=_("name a file in it, or add --split")
        )
    if not force and (file.exists() or file.is_symlink()):
        raise FolderUnavailableError(
            _("{file} is there already, and was not touched.", file=file),
            fix=_("name another file, or add --force: the old one goes to backup/ then"),
        )

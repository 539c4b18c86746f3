"""An errand: one openssl command that is run elsewhere, and what is brought back of it.

`run` is what a worker runs, be it in a process or on a machine of its own. All that goes in and
comes out can be pickled, and none of it shows what is in a file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import platform
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from mtls_openssl import __version__
from mtls_openssl.errors import (
    FolderUnavailableError,
    MtlsError,
    OpensslNotFoundError,
    UnreachableError,
    system_said,
)
from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _, joined
from mtls_openssl.locate import Found, find
from mtls_openssl.process import Door
from mtls_openssl.runner import Room, contents
from mtls_openssl.steps import Command, Finished
from mtls_openssl.workspace import permissions

_FOLDER = "mtls-openssl-errand-"
_DAY = 86400.0
_RUNS = 16
"""So many runs a worker remembers, those that were ended among them."""


@dataclass(frozen=True)
class Errand:
    """What a worker is asked.

    Args:
        run: the id of the run that it belongs to, by which it can be ended.
        command: what to run: it reads nothing but the configuration, and no password.
        config: the name of the configuration file.
        content: what is in it.
        limit: seconds that the command may take, instead of its own limit.
    """

    run: str
    command: Command
    config: str
    content: str
    limit: float | None = None


@dataclass(frozen=True)
class Brought:
    """What a worker has brought back.

    Args:
        host: who it is.
        openssl: the program that it has used.
        version: what that says it is.
        folder: the folder that the command ran in; it is gone.
        finished: how the command ended.
        env: the names of the variables that it was given.
        files: what it has written, by name.
    """

    host: str
    openssl: str
    version: str
    folder: str
    finished: Finished
    env: tuple[str, ...]
    files: Mapping[str, bytes] = dataclasses.field(repr=False)


class _Doors:
    """The doors of the runs that a worker has errands of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_run: OrderedDict[str, Door] = OrderedDict()

    def of(self, run: str) -> Door:
        with self._lock:
            door = self._by_run.setdefault(run, Door())
            self._by_run.move_to_end(run)
            while len(self._by_run) > _RUNS:
                self._by_run.popitem(last=False)
            return door


_DOORS = _Doors()
_SEARCH = threading.Lock()


def run(errand: Errand) -> Brought:
    """Run an errand, on the worker that has got it.

    Args:
        errand: what is asked.

    Raises:
        OpensslNotFoundError: the worker has no openssl that can be used.
        FolderUnavailableError: it can't write to its temporary folder.
    """
    host = platform.node()
    found = _found_by(host)
    try:
        outer = Path(tempfile.mkdtemp(prefix=_FOLDER))
        try:
            return _carried_out(errand, found, outer / "errand", host)
        finally:
            shutil.rmtree(outer, ignore_errors=True)
    except OSError as error:
        raise FolderUnavailableError(
            _("The worker {host} can't write to its temporary folder.", host=host),
            cause=system_said(error),
            fix=_("free some space there, or start it with TMPDIR set to another folder"),
        ) from None


def stop(run: str) -> None:
    """End what a worker has under way for a run, and let it begin no more of it.

    Args:
        run: the id of the run.
    """
    _DOORS.of(run).close()


def make_ready() -> None:
    """See that a worker has an openssl.

    Raises:
        OpensslNotFoundError: it has none that can be used.
    """
    _found_by(platform.node())


def unlike(where: str, version: object) -> MtlsError | None:
    """That somebody does not have this program, or another release of it; None if all is well.

    Args:
        where: who.
        version: the release that is there; anything but a text for none.
    """
    if version == __version__:
        return None
    fix = _(
        "there: {command}, then start it anew",
        command=f'pip install "mtls-openssl[dask]=={__version__}"',
    )
    if not isinstance(version, str):
        return UnreachableError(
            _("{where} has no mtls-openssl.", where=where),
            cause=_("the keys are made there by the same program as here"),
            fix=fix,
        )
    return UnreachableError(
        _("{where} has another release of mtls-openssl.", where=where),
        cause=_("it has {there}, and here is {here}", there=version, here=__version__),
        fix=fix,
    )


def _found_by(host: str) -> Found:
    # One thread looks, the others wait: each would ask the same programs what they are.
    with _SEARCH:
        try:
            return _ready()
        except OpensslNotFoundError as error:
            raise OpensslNotFoundError(
                _("The worker {host} has no openssl that can be used.", host=host),
                cause=joined(" ", (error.what, error.cause)),
                fix=_("there: {fix}", fix=error.fix),
            ) from None


@functools.cache
def _ready() -> Found:
    _tidy(Path(tempfile.gettempdir()))
    return find(None, Door())


def _tidy(folder: Path) -> None:
    """Remove what workers that were killed have left a day ago: keys that nobody has certified."""
    for left in folder.glob(f"{_FOLDER}*"):
        # Another user's are another user's business: they can't be removed.
        with contextlib.suppress(OSError):
            if left.lstat().st_mtime < time.time() - _DAY:
                shutil.rmtree(left, ignore_errors=True)


def _carried_out(errand: Errand, found: Found, folder: Path, host: str) -> Brought:
    command = errand.command
    permissions.private_folder(folder)
    (folder / errand.config).write_bytes(errand.content.encode())
    for name in command.writes:
        (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    room = Room(found.chosen.path, folder, errand.config)
    environment, names = room.environment(command)
    finished = _DOORS.of(errand.run).run(
        found.chosen.path,
        command.argv,
        cwd=folder,
        env=environment,
        limit=errand.limit or command.limit,
    )
    return Brought(
        host,
        str(found.chosen.path),
        str(found.chosen.version),
        str(folder),
        finished,
        names,
        contents(folder, command.writes),
    )

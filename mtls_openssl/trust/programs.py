"""Where a program of a trust store is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtls_openssl.locate import Machine, is_file


def find(machine: Machine, name: str, folders: Sequence[str] = ()) -> Path | None:
    """The first program of a name on the PATH, never one in the current folder.

    Args:
        machine: the computer.
        name: the program, without `.exe`.
        folders: where else it may be, below the root.
    """
    return next(every(machine, name, folders), None)


def every(machine: Machine, name: str, folders: Sequence[str] = ()) -> Iterator[Path]:
    """All programs of a name, in the order of `find`."""
    file = f"{name}.exe" if machine.windows else name
    entries = machine.environ.get("PATH", "").split(";" if machine.windows else ":")
    on_path = [folder for entry in entries if (folder := machine.absolute(entry))]
    for folder in (*on_path, *(machine.root / place for place in folders)):
        path = folder / file
        if folder != machine.current and is_file(path) and os.access(path, os.X_OK):
            yield path

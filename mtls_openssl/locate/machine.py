"""What the search for openssl may know of the computer, in one value that a test can make up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from mtls_openssl.frozen import dataclass


def is_file(path: Path) -> bool:
    """Whether it is a file, as far as one may look."""
    return os.path.isfile(path)  # noqa: PTH113 - is_file() raises in a folder of somebody else's


class Registry(Protocol):
    """The two things in the Windows registry that lead to an openssl."""

    def paths(self) -> Iterable[tuple[str, str]]:
        """The PATH of the machine and of the user as (whose it is, its text)."""

    def installed(self) -> Iterable[Mapping[str, str]]:
        """The text values of each entry in the list of installed programs."""


@dataclass(frozen=True)
class Machine:
    """A computer, as far as the search for openssl goes.

    Args:
        platform: as `sys.platform`.
        environ: the environment variables.
        registry: the Windows registry; empty elsewhere.
        root: the folder below which the fixed places are: `/`, or the system drive's root.
        current: the current folder, from which no openssl is taken; None if it is gone.
    """

    platform: str
    environ: Mapping[str, str]
    registry: Registry
    root: Path
    current: Path | None

    @classmethod
    def here(cls) -> Machine:
        """This computer, in this process."""
        from mtls_openssl.locate.registry import SystemRegistry  # noqa: PLC0415  unused by tests

        windows = sys.platform == "win32"
        try:
            current = Path.cwd()
        except OSError:
            current = None
        return cls(
            platform=sys.platform,
            environ=os.environ,
            registry=SystemRegistry(),
            root=Path(os.environ.get("SystemDrive", "C:") + "\\" if windows else "/"),  # noqa: SIM112  its name in Windows
            current=current,
        )

    @property
    def windows(self) -> bool:
        """Whether this is Windows (Cygwin's own Python counts as POSIX)."""
        return self.platform == "win32"

    @property
    def program(self) -> str:
        """The file name of openssl."""
        return "openssl.exe" if self.windows else "openssl"

    def folder(self, variable: str) -> Path | None:
        """The folder that an environment variable names.

        Args:
            variable: its name.

        Returns:
            The folder; None if the variable is not set, is empty, or is relative.
        """
        return self.absolute(self.environ.get(variable, ""))

    def absolute(self, text: str) -> Path | None:
        """The path in a variable or registry value.

        Args:
            text: as it was found, on Windows perhaps in quotes.

        Returns:
            The path; None if it is empty or relative, since a relative path means another file
            in every folder.
        """
        path = Path(self.unquoted(text))
        return path if path.is_absolute() else None

    def unquoted(self, text: str) -> str:
        """Text without the quotes that belong to Windows' shell and not to the path."""
        return text.strip().strip('"').strip() if self.windows else text

"""Whether this process may change what belongs to the whole computer, and what to do if not.

It is told before anything is tried: a command that fails half-way for want of rights leaves a
half-done thing behind.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.language import Text, _
from mtls_openssl.locate import Machine
from mtls_openssl.scripting.quoting import cmd_line, posix_line


@dataclasses.dataclass(frozen=True)
class Host:
    """A computer, and what this process may do to it.

    Args:
        machine: the computer.
        elevated: whether we are root, or an administrator who has said yes to Windows.
    """

    machine: Machine
    elevated: bool

    @classmethod
    def here(cls) -> Host:
        """This computer, in this process."""
        return cls(Machine.here(), _is_elevated())

    @property
    def home(self) -> Path | None:
        """The folder of this user."""
        return self.machine.folder("USERPROFILE" if self.machine.windows else "HOME")

    def refusal(self, what: Text, arguments: Sequence[str]) -> FolderUnavailableError:
        """The error for something that an administrator alone can do.

        Args:
            what: what it is that was not begun, in one sentence.
            arguments: of the command of ours that does it, with absolute paths: another prompt
                may stand in another folder.
        """
        archive = sys.argv[:1] if sys.argv[0].endswith(".pyz") else ["-m", "mtls_openssl"]
        command = [sys.executable, *archive, *arguments]
        return FolderUnavailableError(
            what,
            cause=_("only an administrator can change what belongs to the whole computer"),
            fix=_(
                'open a command prompt with "Run as administrator", and run there: {command}',
                command=self.line(command),
            )
            if self.machine.windows
            else self.line(["sudo", *command]),
        )

    def line(self, argv: Sequence[str]) -> str:
        """A command as it is typed at this computer's prompt."""
        return cmd_line(argv) if self.machine.windows else posix_line(argv)


def _is_elevated() -> bool:
    if sys.platform != "win32":
        return os.geteuid() == 0
    import ctypes  # noqa: PLC0415 - there only

    return bool(ctypes.windll.shell32.IsUserAnAdmin())

"""Commands as a person types them at this computer's own prompt: cmd.exe, or a POSIX shell."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mtls_openssl.errors import MtlsError
from mtls_openssl.scripting.quoting import cmd_line, posix_line


def line(*argv: str) -> str:
    """A command as it is typed here.

    Raises:
        SettingRefusedError: an argument holds a control character.
    """
    return cmd_line(argv) if sys.platform == "win32" else posix_line(argv)


def ours(folder: Path, *words: str) -> str:
    """A command of ours for the set of a folder, which is named where it is not the current one.

    Args:
        folder: the folder of the set.
        words: the command and its options.
    """
    command = ("python", "-m", "mtls_openssl", *words)
    if is_here(folder):
        return line(*command)
    try:
        return line(*command, "--out", str(folder))
    except MtlsError:  # a folder that no command line has room for
        return line(*command, "--out", "DIR")


def is_here(folder: Path) -> bool:
    """Whether it is the current folder, as the user knows it."""
    return os.path.abspath(folder) == os.getcwd()  # noqa: PTH100, PTH109

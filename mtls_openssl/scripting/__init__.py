"""The steps of a run as a script that makes the same set with openssl and a shell, no Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from mtls_openssl.scripting.recipe import Line, Recipe, Written

__all__ = ["Format", "Line", "Written", "script"]

Format = Literal["bat", "sh", "ps1", "json", "text"]


def script(
    form: Format,
    lines: Sequence[Line],
    *,
    temporary: Sequence[str],
    title: str,
) -> str:
    """The script of a run.

    It works in the folder it is run in, does nothing where a file that it makes is there already
    or one that it reads and does not make is missing, such as the key of an existing CA, stops at
    the first failure with openssl's exit code, asks for a password that a command reads from an
    environment variable where that is not set, and at the end removes what is temporary.

    Args:
        form: `bat`, `sh` or `ps1` for a shell, `json` for a program, `text` for a reader.
        lines: the files to write and the commands to run, in order.
        temporary: bare names of the files to remove at the end.
        title: what the script makes, in one line.

    Returns:
        The script's whole text. Its line ends and byte order mark are its shell's: store it as
        UTF-8 without changing either.

    Raises:
        SettingRefusedError: a value can't be written for that shell.
    """
    # Every run names commands by `prompt`, and few runs are written as a script.
    from mtls_openssl.scripting.bat import bat  # noqa: PLC0415
    from mtls_openssl.scripting.ps1 import ps1  # noqa: PLC0415
    from mtls_openssl.scripting.reading import as_json, text  # noqa: PLC0415
    from mtls_openssl.scripting.sh import sh  # noqa: PLC0415

    writers: Mapping[str, Callable[[Recipe], str]] = {
        "bat": bat,
        "sh": sh,
        "ps1": ps1,
        "json": as_json,
        "text": text,
    }
    return writers[form](Recipe(tuple(lines), tuple(temporary), title))

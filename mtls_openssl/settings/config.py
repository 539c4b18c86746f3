"""Reads a file of settings, and finds the line of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtls_openssl.errors import system_said
from mtls_openssl.language import _
from mtls_openssl.settings.refusals import Refusal, SettingsRefusedError

_BEGINNING = re.compile(r"""\s*(\[|([\w-]+|"(\\.|[^"\\])*"|'[^']*')\s*[.=])""")


def read_config(config: Path) -> Iterator[tuple[str, Any, int]]:
    """Read a TOML file (toml.io, version 1.0), in UTF-8 with or without a byte order mark.

    Args:
        config: the file.

    Returns:
        Each key on its top level with its value and the number of its first line, from 1.

    Raises:
        SettingsRefusedError: it can't be read, is not in UTF-8, or is not TOML.
    """
    import tomllib  # noqa: PLC0415 - most runs have no such file

    text = _text(config)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = _line_of(str(error), text)
        raise _refused(
            config,
            line,
            _("is not TOML: {error}", error=str(error)),
            _('lines such as org = "My Org"'),
        ) from error
    lines = _lines(text)
    return ((key, value, lines.get(key, 1)) for key, value in content.items())


def _text(config: Path) -> str:
    try:
        written = config.read_bytes()
    except OSError as error:
        raise _refused(
            config,
            0,
            _("can't be read: {error}", error=system_said(error)),
            _("a file that you may read"),
        ) from error
    try:
        return written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = written.count(b"\n", 0, error.start) + 1
        raise _refused(
            config, line, _("is not UTF-8"), _("UTF-8, which an editor offers under Save as")
        ) from error


def _refused(config: Path, line: int, why: str, allowed: str) -> SettingsRefusedError:
    source = _("{file} line {line}", file=config.name, line=line) if line else str(config)
    edit = _("edit {place}", place=source)
    return SettingsRefusedError([Refusal(config.name, "", source, why, allowed, edit)])


def _line_of(message: str, text: str) -> int:
    found = re.search(r"at line (\d+)", message)
    if found:
        return int(found[1])
    return text.rstrip().count("\n") + 1 if "end of document" in message else 0


def _lines(text: str) -> dict[str, int]:
    """The line on which each top-level key of a valid document begins.

    tomllib does not tell. But no part of a statement from its beginning is a statement, so the
    lines taken together until they parse are one. Only where the next line looks like the
    beginning of another is it worth a try.
    """
    import tomllib  # noqa: PLC0415 - as above

    lines = text.split("\n")
    beginnings = [number for number, line in enumerate(lines) if _BEGINNING.match(line)]
    found: dict[str, int] = {}
    start, in_table = beginnings[0] if beginnings else 0, False
    for end in [*beginnings[1:], len(lines)]:
        try:
            keys = tomllib.loads("\n".join(lines[start:end]) + "\n")
        except (ValueError, RecursionError):
            continue
        is_header = lines[start].lstrip().startswith("[")
        if is_header or not in_table:
            for key in keys:
                found.setdefault(key, start + 1)
        start, in_table = end, in_table or is_header
    return found

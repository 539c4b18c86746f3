"""Reads a file of settings, and finds the line of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtls_openssl.errors import system_said
from mtls_openssl.frozen import dataclass
from mtls_openssl.language import Text, _
from mtls_openssl.settings.refusals import Refusal, SettingsRefusedError

_BEGINNING = re.compile(r"""\s*(\[|([\w-]+|"(\\.|[^"\\])*"|'[^']*')\s*[.=])""")


TABLES = ("ca", "intermediate", "server", "client")
"""The names of the tables, which describe more than the batch file's set."""

Place = tuple[str | int, ...]
"""The way to a value: keys, and numbers in a list from 0, such as `("server", 1, "dns")`."""


@dataclass(frozen=True)
class Document:
    """A file of settings.

    Args:
        name: the file's name, for messages.
        content: its keys and values.
        lines: the number of the first line of each statement, from 1, by its place.
    """

    name: str
    content: Mapping[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of a value, or of the statement that it stands in."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def source(self, place: Place) -> Text:
        """Where a value stands, for messages."""
        return _("{file} line {line}", file=self.name, line=self.line(place))


def read_config(config: Path) -> Document:
    """Read a TOML file (toml.io, version 1.0), in UTF-8 with or without a byte order mark.

    Args:
        config: the file.

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
    return Document(config.name, content, _lines(text))


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


def _lines(text: str) -> dict[Place, int]:
    """The line on which each statement of a valid document begins, by the place of its value.

    tomllib does not tell. But no part of a statement from its beginning is a statement, so the
    lines taken together until they parse are one. Only where the next line looks like the
    beginning of another is it worth a try.
    """
    import tomllib  # noqa: PLC0415 - as above

    lines = text.split("\n")
    beginnings = [number for number, line in enumerate(lines) if _BEGINNING.match(line)]
    found: dict[Place, int] = {}
    counts: dict[str, int] = {}
    table: Place = ()
    start = beginnings[0] if beginnings else 0
    for end in [*beginnings[1:], len(lines)]:
        try:
            keys = tomllib.loads("\n".join(lines[start:end]) + "\n")
        except (ValueError, RecursionError):
            continue
        if lines[start].lstrip().startswith("["):
            table = _table(keys, counts)
            found.setdefault(table[:1], start + 1)
            found.setdefault(table, start + 1)
        else:
            for key in keys:
                found.setdefault((*table, key), start + 1)
        start = end
    return found


def _table(keys: Mapping[str, Any], counts: dict[str, int]) -> Place:
    """The place of the table that a header opens; `counts` has how many there were of each list."""
    (key, value), *_more = keys.items()
    if isinstance(value, list):
        counts[key] = counts.get(key, -1) + 1
        return (key, counts[key])
    inner = _table(value, {}) if value else ()
    return (key, counts[key], *inner) if key in counts else (key, *inner)

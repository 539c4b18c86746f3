"""The text of an `mtls.toml`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from mtls_openssl.batfile.left import Left
from mtls_openssl.batfile.reading import Import
from mtls_openssl.language import _, spoken


def document(found: Import, name: str) -> str:
    """The settings of a batch file as TOML, with what was not carried over in comments.

    Args:
        found: what came of it.
        name: the name of the batch file.
    """
    return "\n".join(_lines(found, name)) + "\n"


def _lines(found: Import, name: str) -> Iterator[str]:
    yield _comment(
        _("Made of {file} by: {command}", file=name, command="python -m mtls_openssl import-bat")
    )
    yield ""
    for key, value in found.flat.items():
        yield f"{key} = {_value(value)}"
    for header, table in found.tables.items():
        several = table if isinstance(table, list) else [table]
        for one in several:
            yield ""
            yield f"[[{header}]]" if isinstance(table, list) else f"[{header}]"
            yield from (f"{key} = {_value(value)}" for key, value in one.items())
    if found.left:
        yield ""
        yield _comment(_("Not carried over:"))
        yield from (_comment(told(one)) for one in found.left)


def told(left: Left) -> str:
    """What is said of something that was not carried over."""
    if not left.line:
        return _("{text}: {why}", text=left.text, why=left.why)
    return _("line {line}: {text}: {why}", line=left.line, text=left.text, why=left.why)


def _comment(text: str) -> str:
    words = "".join(letter if letter.isprintable() else "?" for letter in spoken(text))
    return f"# {words}"


def _value(value: object) -> str:
    """A value of TOML; a string of JSON is one too."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        raise TypeError(value)
    return json.dumps(value, ensure_ascii=False)

"""A recipe for those who read it: as a numbered list, and as data."""

from __future__ import annotations

import json
import sys

from mtls_openssl.language import _, joined
from mtls_openssl.scripting.quoting import cmd_line, posix_line
from mtls_openssl.scripting.recipe import Line, Recipe, Written, words
from mtls_openssl.steps import Join


def text(recipe: Recipe) -> str:
    """A numbered list, its commands quoted as this platform's shell wants them.

    Raises:
        SettingRefusedError: an argument can't stand on one line.
    """
    quote = cmd_line if sys.platform == "win32" else posix_line
    lines: list[str] = [recipe.title, ""]
    for number, line in enumerate(recipe.lines, start=1):
        if isinstance(line, Written):
            lines.append(_("{number:3}. write {file}", number=number, file=line.name))
            content = line.content.removesuffix("\n").split("\n")
            lines += [f"       | {row}".rstrip() for row in content]
        elif isinstance(line, Join):
            parts = joined(_(", "), line.parts)
            lines.append(
                _("{number:3}. write {file}: {parts}", number=number, file=line.name, parts=parts)
            )
        else:
            command = f"{number:3}. {quote(words(line))}   # "
            lines.append(joined("", (command, line.purpose)))
    if recipe.temporary:
        lines.append(
            _(
                "{number:3}. remove {files}",
                number=len(recipe.lines) + 1,
                files=joined(_(", "), recipe.temporary),
            )
        )
    return joined("\n", [*lines, ""])


def as_json(recipe: Recipe) -> str:
    """`title`, `environment`, `needs`, `steps`, `remove`.

    A step has `write` and `content`, or `write` and the `parts` that are put together, or `argv`.
    One that needs passwords names the environment variables they are in as `secrets`.
    """
    steps = [_as_data(line) for line in recipe.lines]
    data = {
        "title": recipe.title,
        "environment": {"OPENSSL_CONF": "openssl.cnf", "OPENSSL_WIN32_UTF8": "1", "LC_ALL": "C"},
        "needs": list(recipe.needs),
        "steps": steps,
        "remove": list(recipe.temporary),
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _as_data(line: Line) -> dict[str, object]:
    if isinstance(line, Written):
        return {"write": line.name, "content": line.content}
    if isinstance(line, Join):
        return {"write": line.name, "parts": list(line.parts), "purpose": line.purpose}
    secrets = {"secrets": list(line.secrets)} if line.secrets else {}
    return {"argv": words(line), "purpose": line.purpose, **secrets}

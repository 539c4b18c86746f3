"""A recipe for those who read it: as a numbered list, and as data."""

from __future__ import annotations

import json
import sys

from mtls_openssl.language import _, joined
from mtls_openssl.scripting.quoting import cmd_line, posix_line
from mtls_openssl.scripting.recipe import Recipe, Written, words


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
    """`title`, `environment`, `steps` (`write` and `content`, or `argv` and `purpose`), `remove`.

    A step that needs passwords names the environment variables they are in as `secrets`.
    """
    steps = [
        {"write": line.name, "content": line.content}
        if isinstance(line, Written)
        else {
            "argv": words(line),
            "purpose": line.purpose,
            **({"secrets": list(line.secrets)} if line.secrets else {}),
        }
        for line in recipe.lines
    ]
    data = {
        "title": recipe.title,
        "environment": {"OPENSSL_CONF": "openssl.cnf", "OPENSSL_WIN32_UTF8": "1", "LC_ALL": "C"},
        "steps": steps,
        "remove": list(recipe.temporary),
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"

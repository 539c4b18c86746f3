"""A recipe as a script for any POSIX shell (IEEE Std 1003.1, Shell Command Language)."""

from __future__ import annotations

from mtls_openssl.errors import Exit
from mtls_openssl.scripting.quoting import posix, posix_line
from mtls_openssl.scripting.recipe import Line, Recipe, Written, words
from mtls_openssl.steps import Command, Join

_STOPPED = "Stopped with exit code $status: what was made so far is still here."


def sh(recipe: Recipe) -> str:
    """The script, with LF line ends.

    Raises:
        SettingRefusedError: an argument can't stand on one line.
    """
    lines = [
        "#!/bin/sh",
        "set -eu",
        "umask 077",
        "export OPENSSL_CONF=openssl.cnf LC_ALL=C",
        # Git's shell on Windows takes /C=CN for a path, and its openssl may be a native one.
        "export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*' OPENSSL_WIN32_UTF8=1",
        _say(recipe.title),
        "",
        *_nothing_is_lost(recipe.files),
        *_all_is_there(recipe.needs),
    ]
    for name in recipe.secrets:
        lines += _ask(name)
    lines += [
        "status_at_end() {",
        "  status=$?",
        f'  [ "$status" -eq 0 ] || printf \'%s\\n\' "{_STOPPED}" >&2',
        '  exit "$status"',
        "}",
        "trap status_at_end EXIT",
        "",
    ]
    for line in recipe.lines:
        lines += _lines_of(line)
    lines += [f"rm -f -- {posix(name)}" for name in recipe.temporary]
    return "\n".join([*lines, _say("Done."), ""])


def _say(text: str) -> str:
    return f"printf '%s\\n' {posix(text)}"


def _nothing_is_lost(files: tuple[str, ...]) -> list[str]:
    if not files:
        return []
    return [
        f"for name in {posix_line(files)}; do",
        '  if [ -e "$name" ] || [ -h "$name" ]; then',
        "    printf '%s\\n' \"$name is here already: nothing was done.\" >&2",
        f"    exit {Exit.FOLDER_UNAVAILABLE.value}",
        "  fi",
        "done",
        "",
    ]


def _all_is_there(files: tuple[str, ...]) -> list[str]:
    if not files:
        return []
    return [
        f"for name in {posix_line(files)}; do",
        '  if [ ! -f "$name" ]; then',
        "    printf '%s\\n' \"$name is not here: copy it from the set; nothing was done.\" >&2",
        f"    exit {Exit.FOLDER_UNAVAILABLE.value}",
        "  fi",
        "done",
        "",
    ]


def _ask(name: str) -> list[str]:
    refused = f"    exit {Exit.SETTING_REFUSED.value}"
    return [
        f'if [ -z "${{{name}:-}}" ]; then',
        "  if [ ! -t 0 ]; then",
        f"    printf '%s\\n' 'Set {name} first: there is no terminal to ask for it at.' >&2",
        refused,
        "  fi",
        "  trap 'stty echo' EXIT",
        "  trap 'exit 130' HUP INT TERM",
        "  stty -echo",
        f"  printf '%s' '{name} (not shown): ' >&2",
        f"  IFS= read -r {name}",
        "  printf '\\n%s' 'Once more: ' >&2",
        "  IFS= read -r again",
        "  stty echo",
        "  trap - EXIT HUP INT TERM",
        "  printf '\\n' >&2",
        f'  if [ -z "${name}" ] || [ "${name}" != "$again" ]; then',
        "    printf '%s\\n' 'It was empty, or not the same twice: nothing was done.' >&2",
        refused,
        "  fi",
        "  unset again",
        "fi",
        f"export {name}",
        "",
    ]


def _write(line: Written) -> list[str]:
    content = line.content.removesuffix("\n").split("\n")
    end = "END"
    while end in content:
        end += "_"
    return [f"cat > {posix(line.name)} <<'{end}'", *content, end, ""]


def _run(line: Command) -> list[str]:
    return [_say(line.purpose), posix_line(words(line)), ""]


def _join(line: Join) -> list[str]:
    return [_say(line.purpose), f"cat {posix_line(line.parts)} > {posix(line.name)}", ""]


def _lines_of(line: Line) -> list[str]:
    if isinstance(line, Written):
        return _write(line)
    return _join(line) if isinstance(line, Join) else _run(line)

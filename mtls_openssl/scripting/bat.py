"""A recipe as a batch file for cmd.exe."""

from __future__ import annotations

import re

from mtls_openssl.errors import Exit, SettingRefusedError
from mtls_openssl.language import _
from mtls_openssl.scripting.quoting import batch, batch_text, printable
from mtls_openssl.scripting.recipe import Line, Recipe, Written, words
from mtls_openssl.steps import Command, Join

# What echo takes for itself: its help, and its own state.
_NOT_ECHOED = re.compile(r".*/\?.*|\s*o(n|ff)\s*", re.IGNORECASE)

_STOP_IF_FAILED = ['set "CODE=%ERRORLEVEL%"', 'if not "%CODE%"=="0" goto :failed', ""]


def bat(recipe: Recipe) -> str:
    """The batch file, with CRLF line ends, to be stored as UTF-8 without a byte order mark.

    Raises:
        SettingRefusedError: an argument can't stand on one line, or a line can't be echoed.
    """
    lines = [
        "@echo off",
        "setlocal DisableDelayedExpansion",
        "chcp 65001 >nul",
        'set "ERRORLEVEL="',
        'set "NoDefaultCurrentDirectoryInExePath=1"',
        'set "OPENSSL_CONF=openssl.cnf"',
        'set "OPENSSL_WIN32_UTF8=1"',
        'set "LC_ALL=C"',
        _echo(recipe.title),
        "",
        'set "FOUND="',
        *(f'if exist {_name(name)} set "FOUND={_inside(name)}"' for name in recipe.files),
        "if defined FOUND goto :found",
        "",
        *_all_is_there(recipe.needs),
    ]
    for name in recipe.secrets:
        lines += [
            f'if not defined {name} set /p "{name}={name} (shown as you type it): "',
            f"if not defined {name} goto :no_password",
            "",
        ]
    for line in recipe.lines:
        lines += _lines_of(line)
    lines += [f"if exist {_name(name)} del {_name(name)}" for name in recipe.temporary]
    lines += [
        _echo("Done."),
        "exit /b 0",
        "",
        ":found",
        '>&2 echo "%FOUND%" is here already: nothing was done.',
        f"exit /b {Exit.FOLDER_UNAVAILABLE.value}",
        "",
        ":missing",
        '>&2 echo "%MISSING%" is not here: copy it from the set; nothing was done.',
        f"exit /b {Exit.FOLDER_UNAVAILABLE.value}",
        "",
        ":no_password",
        ">&2 echo There is no password: nothing was done.",
        f"exit /b {Exit.SETTING_REFUSED.value}",
        "",
        ":failed",
        ">&2 echo Stopped with exit code %CODE%: what was made so far is still here.",
        "exit /b %CODE%",
        "",
    ]
    return "\r\n".join(lines)


def _all_is_there(files: tuple[str, ...]) -> list[str]:
    if not files:
        return []
    return [
        'set "MISSING="',
        *(f'if not exist {_name(name)} set "MISSING={_inside(name)}"' for name in files),
        "if defined MISSING goto :missing",
        "",
    ]


def _name(name: str) -> str:
    return f'"{_inside(name)}"'


def _inside(name: str) -> str:
    return printable(name).replace("%", "%%")


def _echo(text: str) -> str:
    if _NOT_ECHOED.fullmatch(text):
        raise SettingRefusedError(
            _("{text!r} can't be put in a batch file", text=text),
            cause=_("cmd's echo takes it for an option of its own"),
            fix=_("export as sh, ps1 or json"),
        )
    # A tab is the one control character that a line of a config file may hold.
    printable(text.replace("\t", " "))
    return f"echo {batch_text(text)}" if text.strip() else "echo."


def _write(line: Written) -> list[str]:
    # cmd joins a digit before > to it, and Wine's can't redirect a block: the redirection leads.
    first, *rest = line.content.removesuffix("\n").split("\n")
    name = batch(line.name)
    return [f"> {name} {_echo(first)}", *(f">> {name} {_echo(text)}" for text in rest), ""]


def _run(line: Command) -> list[str]:
    command = " ".join(batch(word) for word in words(line))
    return [_echo(line.purpose), command, *_STOP_IF_FAILED]


def _join(line: Join) -> list[str]:
    parts = "+".join(_name(part) for part in line.parts)
    return [_echo(line.purpose), f"copy /b {parts} {_name(line.name)} >nul", *_STOP_IF_FAILED]


def _lines_of(line: Line) -> list[str]:
    if isinstance(line, Written):
        return _write(line)
    return _join(line) if isinstance(line, Join) else _run(line)

"""Passwords of files that are read or written: named by option, or asked for; never typed out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.options import Choices
from mtls_openssl.errors import SettingRefusedError, UsageError, system_said
from mtls_openssl.language import Text, _, spoken

_LONGEST = 1023
"""What openssl takes (openssl-passphrase-options(1))."""

_taken: dict[str, str] = {}


PASSWORD = options.secret(
    "password",
    _("Password of what is read (else asked)"),
    _("Environment variable with the password of what is read."),
    _("File with that password in its first line."),
    _("Read that password from standard input."),
)
NEW_PASSWORD = options.secret(
    "new-password",
    _("Password of what is written (else that above, else asked)"),
    _("Environment variable with the password of what is written; without one, that above."),
    _("File with that new password in its first line."),
    _("Read that new password from standard input."),
)


def is_named(choices: Choices, prefix: str) -> bool:
    """Whether one of the options of a group was typed."""
    known = prefix.replace("-", "_")
    return any(choices.get(f"{known}_{kind}") for kind in ("env", "file", "stdin"))


def named(choices: Choices, prefix: str = "password") -> str | None:
    """The password that the options of a group name; None where none of them was typed.

    Args:
        choices: what was typed.
        prefix: of the group.

    Raises:
        UsageError: two places are named.
        SettingRefusedError: the named one has none.
    """
    # Asked for twice, as what is read and what is written may share it; a line is read once.
    once = f"the {prefix}"
    if once not in choices:
        choices[once] = _given(choices, prefix)
    password: str | None = choices[once]
    return password


def _given(choices: Choices, prefix: str) -> str | None:
    known = prefix.replace("-", "_")
    variable: str | None = choices.get(f"{known}_env")
    file: Path | None = choices.get(f"{known}_file")
    stdin: bool = choices.get(f"{known}_stdin", False)
    flags = {"env": variable, "file": file, "stdin": stdin}
    given = [f"--{prefix}-{kind}" for kind, value in flags.items() if value]
    if len(given) > 1:
        raise UsageError(
            _("The password is to come from two places: {flags}.", flags=" ".join(given)),
            fix=_("give one of them"),
        )
    if variable:
        if variable not in os.environ and variable not in _taken:
            raise SettingRefusedError(
                _(
                    "--{prefix}-env names the variable {variable}, which is not set.",
                    prefix=prefix, variable=variable,
                ),
                fix=_("set {variable}, or name another", variable=variable),
            )  # fmt: skip
        # Taken out, so that no process that we start inherits it.
        _taken.setdefault(variable, os.environ.pop(variable, ""))
        return _fit(_taken[variable], _("variable {name}", name=variable))
    if file:
        return _fit(first_line(file, given[0]), _("file {file}", file=file))
    if stdin:
        return _fit(sys.stdin.readline().rstrip("\r\n"), _("standard input"))
    return None


def asked(choices: Choices) -> Callable[[Path], str | None]:
    """What gives the password of a file that is read.

    Args:
        choices: what was typed.

    Returns:
        A function from the file's path to its password: the one that was named; else the one in
        `NAME.password` beside it, where the command p12 puts those that it makes up; else it is
        asked for at a terminal, once for each file; else None.

    Raises:
        UsageError: two places are named.
        SettingRefusedError: the named one has none.
    """
    one = named(choices)
    known: dict[Path, str | None] = {}

    def of(path: Path) -> str | None:
        if one is not None:
            return one
        if path not in known:
            known[path] = _beside(path) or _typed(path)
        return known[path]

    return of


def chosen(choices: Choices, file: Path) -> str:
    """The password that a file is to get.

    Args:
        choices: what was typed.
        file: the file that is written.

    Raises:
        UsageError: there is none, and nobody to ask.
        SettingRefusedError: it can't be typed on every system.
    """
    password = named(choices, "new-password") or named(choices)
    if password is None and console.is_interactive():
        typed = console.ask_twice(_("New password for {file}", file=file.name))
        password = _fit(typed, _("prompt"))
    if password is None:
        raise UsageError(
            _("{file} is to have a password, and none is given.", file=file),
            fix=_("name one with --new-password-env, --new-password-file or --new-password-stdin"),
        )
    if not (password.isascii() and password.isprintable()):
        raise SettingRefusedError(
            _("The new password is not of printable ASCII characters."),
            cause=_(
                "systems encode other characters in different ways, so that the file would open"
                " on some and not on others (openssl passphrase-encoding(7))"
            ),
            fix=_("choose another password"),
        )
    return password


def _typed(path: Path) -> str | None:
    if not console.is_interactive():
        return None
    typed: str = typer.prompt(
        spoken(_("Password of {file} (empty: leave it closed)", file=path.name)),
        default="", show_default=False, hide_input=True, err=True,
    )  # fmt: skip
    return typed or None


def _beside(path: Path) -> str | None:
    try:
        lines = path.with_name(f"{path.name}.password").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return lines[0] if lines and lines[0] else None


def first_line(file: Path, flag: str) -> str:
    """The first line of a file that `flag` names.

    Raises:
        SettingRefusedError: it can't be read.
    """
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise SettingRefusedError(
            _("{flag}: {file} can't be read: {why}.", flag=flag, file=file, why=system_said(error)),
            fix=_("name a file that has the password in its first line"),
        ) from None
    except UnicodeDecodeError:
        raise SettingRefusedError(
            _("{flag}: {file} is not a text file.", flag=flag, file=file),
            fix=_("write the password in printable ASCII"),
        ) from None
    return lines[0] if lines else ""


def _fit(value: str, source: Text) -> str:
    if not value:
        raise SettingRefusedError(
            _("The password from {source} is empty.", source=source),
            fix=_("give one that is not"),
        )
    if len(value) > _LONGEST or "\0" in value:
        raise SettingRefusedError(
            _("The password from {source} is longer than openssl takes.", source=source),
            fix=_("choose another password"),
        )
    return value

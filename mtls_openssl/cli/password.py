"""Where the password of `client.p12` comes from. It never leaves memory but by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from mtls_openssl.cli import console
from mtls_openssl.cli.options import Choices
from mtls_openssl.errors import SettingRefusedError, UsageError
from mtls_openssl.openssl.pkcs12 import PASSWORD_VARIABLE
from mtls_openssl.pipeline import Password

_LONGEST = 1023
_MADE_BYTES = 18


def password(choices: Choices) -> Password:
    """The password to use, from the first place that has one.

    Raises:
        UsageError: two places are named.
        SettingRefusedError: the named one has none, or what it has can't
            be typed on every system.
    """
    variable: str | None = choices.get("p12_password_env")
    file: Path | None = choices.get("p12_password_file")
    stdin: bool = choices.get("p12_password_stdin", False)
    if sum(map(bool, (variable, file, stdin))) > 1:
        raise UsageError(
            "The password of client.p12 is to come from two places.",
            fix="give one of --p12-password-env, --p12-password-file and --p12-password-stdin",
        )
    if variable:
        if variable not in os.environ:
            raise SettingRefusedError(
                f"--p12-password-env names the variable {variable}, which is not set.",
                fix=f"set {variable}, or name another",
            )
        # Taken out, so that no process that we start inherits it.
        return Password(_fit(os.environ.pop(variable), f"variable {variable}"))
    if file:
        return Password(_fit(_first_line(file), f"file {file}"))
    if stdin:
        return Password(_fit(sys.stdin.readline().rstrip("\r\n"), "standard input"))
    if PASSWORD_VARIABLE in os.environ:
        return Password(_fit(os.environ[PASSWORD_VARIABLE], f"variable {PASSWORD_VARIABLE}"))
    if console.is_interactive():
        typed: str = typer.prompt(
            "Password for client.p12 (empty: one is made for you)",
            default="",
            show_default=False,
            hide_input=True,
            confirmation_prompt=True,
            err=True,
        )
        if typed:
            return Password(_fit(typed, "prompt"))
    import secrets  # noqa: PLC0415 - only where nobody gave a password

    return Password(secrets.token_urlsafe(_MADE_BYTES), keep=True)


def _first_line(file: Path) -> str:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise SettingRefusedError(
            f"--p12-password-file: {file} can't be read: {error.strerror}.",
            fix="name a file that has the password in its first line",
        ) from None
    except UnicodeDecodeError:
        raise SettingRefusedError(
            f"--p12-password-file: {file} is not a text file.",
            fix="write the password in printable ASCII",
        ) from None
    return lines[0] if lines else ""


def _fit(value: str, source: str) -> str:
    if not value:
        raise SettingRefusedError(
            f"The password of client.p12 from {source} is empty.", fix="give one that is not"
        )
    if len(value) > _LONGEST or not (value.isascii() and value.isprintable()):
        raise SettingRefusedError(
            f"The password of client.p12 from {source} is not 1 to {_LONGEST} printable ASCII"
            " characters.",
            cause="systems encode other characters in different ways, so that the file would open"
            " on some and not on others (openssl passphrase-encoding(7))",
            fix="choose another password",
        )
    return value

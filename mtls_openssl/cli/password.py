"""Where the password of a PKCS#12 file comes from. It never leaves memory but by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mtls_openssl.cli import console
from mtls_openssl.cli.options import Choices
from mtls_openssl.errors import SettingRefusedError, UsageError, system_said
from mtls_openssl.keytool import SHORTEST_PASSWORD
from mtls_openssl.language import Text, _
from mtls_openssl.openssl.pkcs12 import CLIENT, PASSWORD_VARIABLE, Bundle, Password

_LONGEST = 1023
_MADE_BYTES = 18


def password(choices: Choices, bundle: Bundle = CLIENT) -> Password:
    """The password to use, from the first place that has one.

    Args:
        choices: what was typed.
        bundle: the file that it is for.

    Raises:
        UsageError: two places are named.
        SettingRefusedError: the named one has none, or what it has can't
            be typed on every system.
    """
    known = _given(choices, bundle)
    if known is not None:
        return known
    if console.is_interactive():
        typed = console.ask_twice(
            _("Password for {file} (empty: one is made for you)", file=bundle.file)
        )
        if typed:
            return _fit(typed, _("prompt"), bundle)
    import secrets  # noqa: PLC0415 - only where nobody gave a password

    return Password(secrets.token_urlsafe(_MADE_BYTES), keep=True)


def given(choices: Choices) -> str | None:
    """The password that was named for all PKCS#12 files; None if none was.

    Raises:
        UsageError: two places are named.
        SettingRefusedError: the named one has none, or one that can't be typed on every system.
    """
    # Asked for twice, for what there is and for what is made; a line is read once.
    once = "the p12 password"
    if once not in choices:
        known = _given(choices, CLIENT)
        choices[once] = known.value if known else None
    password: str | None = choices[once]
    return password


def _given(choices: Choices, bundle: Bundle) -> Password | None:
    variable: str | None = choices.get("p12_password_env")
    file: Path | None = choices.get("p12_password_file")
    stdin: bool = choices.get("p12_password_stdin", False)
    if sum(map(bool, (variable, file, stdin))) > 1:
        raise UsageError(
            _("The password of {file} is to come from two places.", file=bundle.file),
            fix=_("give one of --p12-password-env, --p12-password-file and --p12-password-stdin"),
        )
    if variable:
        if variable not in os.environ:
            raise SettingRefusedError(
                _(
                    "--p12-password-env names the variable {variable}, which is not set.",
                    variable=variable,
                ),
                fix=_("set {variable}, or name another", variable=variable),
            )
        # Taken out, so that no process that we start inherits it.
        return _fit(os.environ.pop(variable), _variable(variable), bundle)
    if file:
        return _fit(_first_line(file), _("file {file}", file=file), bundle)
    if stdin:
        return _fit(sys.stdin.readline().rstrip("\r\n"), _("standard input"), bundle)
    if PASSWORD_VARIABLE in os.environ:
        return _fit(os.environ[PASSWORD_VARIABLE], _variable(PASSWORD_VARIABLE), bundle)
    return None


def _variable(name: str) -> Text:
    return _("variable {name}", name=name)


def _first_line(file: Path) -> str:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise SettingRefusedError(
            _(
                "--p12-password-file: {file} can't be read: {reason}.",
                file=file,
                reason=system_said(error),
            ),
            fix=_("name a file that has the password in its first line"),
        ) from None
    except UnicodeDecodeError:
        raise SettingRefusedError(
            _("--p12-password-file: {file} is not a text file.", file=file),
            fix=_("write the password in printable ASCII"),
        ) from None
    return lines[0] if lines else ""


def _fit(value: str, source: Text, bundle: Bundle) -> Password:
    if not value:
        raise SettingRefusedError(
            _("The password of {file} from {source} is empty.", file=bundle.file, source=source),
            fix=_("give one that is not"),
        )
    if len(value) > _LONGEST or not (value.isascii() and value.isprintable()):
        raise SettingRefusedError(
            _(
                "The password of {file} from {source} is not 1 to {longest} printable ASCII"
                " characters.",
                file=bundle.file,
                source=source,
                longest=_LONGEST,
            ),
            cause=_(
                "systems encode other characters in different ways, so that the file would open"
                " on some and not on others (openssl passphrase-encoding(7))"
            ),
            fix=_("choose another password"),
        )
    if bundle.key is None and len(value) < SHORTEST_PASSWORD:
        raise SettingRefusedError(
            _(
                "The password of {file} from {source} has less than {shortest} characters.",
                file=bundle.file,
                source=source,
                shortest=SHORTEST_PASSWORD,
            ),
            cause=_("Java's keytool takes no shorter one"),
            fix=_("choose another password"),
        )
    return Password(value)

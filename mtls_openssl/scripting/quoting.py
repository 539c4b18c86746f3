"""How one argument is written for each shell, so that the program gets it exactly as it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from mtls_openssl.errors import SettingRefusedError
from mtls_openssl.language import _

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CMD_PLAIN = re.compile(r"[A-Za-z0-9_./:@+-]+")
_CMD_SPECIAL = re.compile(r'["&|<>^()]')
# PowerShell reads a bare 007 as the number 7 and cuts -a.b and -a:b in two: these are quoted.
_POWERSHELL_PLAIN = re.compile(r"-[A-Za-z][A-Za-z0-9]*|[A-Za-z][A-Za-z0-9_.:/-]*|[1-9][0-9]{0,8}")
_A_PAIR = 2
_POWERSHELL_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


def c_runtime(argument: str) -> str:
    r"""An argument in double quotes, as a Windows program takes its command line apart.

    Backslashes count only before a double quote, where each is doubled
    (Microsoft C++, "Parsing C command-line arguments").
    """
    escaped = re.sub(r'(\\*)"', r'\1\1\\"', argument)
    return '"' + re.sub(r"(\\+)\Z", r"\1\1", escaped) + '"'


def cmd(argument: str) -> str:
    """An argument at the command prompt.

    In double quotes, where nothing but `%` is special; and where the argument has a double quote
    of its own, which would end them, with a caret before all that is special, so that cmd never
    sees a quotation begin. The prompt has no escape for `%`: what is between two stands in quotes
    of its own, which become part of the name that cmd looks for, and no variable is called so.

    Raises:
        SettingRefusedError: it holds a control character.
    """
    if argument.count("%") < _A_PAIR:
        return _cmd(argument, c_runtime(argument))
    first, *within, last = argument.split("%")
    between = (c_runtime(part) if part else "" for part in within)
    return _cmd(argument, "%".join((c_runtime(first), *between, c_runtime(last))))


def batch(argument: str) -> str:
    """An argument in a batch file, where `%` is written twice.

    Raises:
        SettingRefusedError: it holds a control character.
    """
    return _cmd(argument, c_runtime(argument)).replace("%", "%%")


def _cmd(argument: str, quoted: str) -> str:
    argument = printable(argument)
    if _CMD_PLAIN.fullmatch(argument):
        return argument
    return caret(quoted) if '"' in argument else quoted


def batch_text(text: str) -> str:
    """A text in a batch file that is not taken apart, as `echo` prints it."""
    return caret(text).replace("%", "%%")


def caret(text: str) -> str:
    """A text with a caret before each character that is special to cmd outside quotes."""
    return _CMD_SPECIAL.sub(r"^\g<0>", text)


def posix(argument: str) -> str:
    """An argument for a POSIX shell: as it is, or in single quotes.

    Raises:
        SettingRefusedError: it holds a control character.
    """
    return shlex.quote(printable(argument))


def powershell(argument: str) -> str:
    """An argument or a text for PowerShell: as it is, or in single quotes.

    Raises:
        SettingRefusedError: it holds a control character.
    """
    argument = printable(argument)
    if _POWERSHELL_PLAIN.fullmatch(argument):
        return argument
    return powershell_literal(argument)


def powershell_literal(text: str) -> str:
    """A text in single quotes; PowerShell takes the typographic ones for single quotes too."""
    return "'" + _POWERSHELL_QUOTES.sub(r"\g<0>\g<0>", text) + "'"


def cmd_line(argv: Sequence[str]) -> str:
    """A whole command at the command prompt."""
    return " ".join(cmd(argument) for argument in argv)


def posix_line(argv: Sequence[str]) -> str:
    """A whole command for a POSIX shell."""
    return " ".join(posix(argument) for argument in argv)


def printable(text: str) -> str:
    """The text itself, since it can stand on one line of a script.

    Raises:
        SettingRefusedError: it can't.
    """
    if _CONTROL.search(text):
        raise SettingRefusedError(
            _("{text!r} can't be put in a script", text=text),
            cause=_("it holds a control character, and a command must stand on one line"),
            fix=_("take the control character out, or export as json"),
        )
    return text

"""What typer says by itself, in the language of this process.

typer marks a few of its texts for gettext and most not, and which ones is another matter in each
release. So every one is taken as typer gives it out and found again in our catalogue
(`language.recalled`); what is not there stays English. This is done where typer lets it be done:
in classes of its own kind for `cls`, and around `main`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from mtls_openssl.cli import console
from mtls_openssl.errors import MtlsError
from mtls_openssl.language import Text, _, current, joined, recalled, spoken, width

SAID = (
    _("Usage: "),
    _("[OPTIONS]"),
    _("COMMAND [ARGS]..."),
    _("Show this message and exit."),
    _("Install completion for the current shell."),
    _("Show completion for the current shell, to copy it or customize the installation."),
    _("default: {value}"),
    _("default: ({value})"),
    _("env var: {variable}"),
    _("required"),
    _("Missing command."),
    _("Missing argument {argument}."),
    _("Missing option {option}."),
    _("No such command {name}."),
    _("No such command {name}. Did you mean {names}?"),
    _("No such option: {option}"),
    _("No such option: {option} (Possible options: {options})"),
    _("Option {option} does not take a value."),
    _("Option {option} requires an argument."),
    _("Got unexpected extra argument(s) ({arguments})"),
    _("Invalid value for {option}: {why}"),
    _("Value error, {why}"),
    _("{value} is not one of {choices}."),
    _("Input should be a valid integer, unable to parse string as an integer"),
    _("Input should be a valid number, unable to parse string as a number"),
    _("Input should be greater than or equal to {least}"),
    _("Input should be less than or equal to {most}"),
)
"""What typer, and pydantic for it, say to those who use our commands; for the catalogue."""

_Function = TypeVar("_Function", bound=Callable[..., Any])

_FIRST_COLUMN = 30
_GAP = 2
# A break may come after each of these pieces, and no line begins with what closes a clause.
_CLOSING = r"[,.;:)\]\u201d\u3001\u3002\u3009-\u3011\uff01\uff09\uff0c\uff1a\uff1b\uff1f]*"
_PIECE = rf"(?:[^\s\u2e80-\U0003ffff]+|[\u2e80-\U0003ffff]){_CLOSING}\s*"


class App(typer.Typer):
    """A typer whose commands and groups speak our language.

    Args:
        help: what it is for; a message of the catalogue.
        settings: further arguments of `typer.Typer`.
    """

    def __init__(self, *, help: str, **settings: Any) -> None:  # noqa: A002 - typer's own name
        whole = {"cls": Group, "no_args_is_help": True, "rich_markup_mode": None, **settings}
        super().__init__(help=spoken(Text(help)), **whole)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[_Function], _Function]:
        """As `typer.Typer.command`."""
        return super().command(name, **{"cls": Command, **settings})


class _Page:
    """The parts of a help page, under the names that typer calls them by."""

    def format_usage(self: Any, ctx: Any, formatter: Any) -> None:
        pieces = " ".join(map(_said, self.collect_usage_pieces(ctx)))
        formatter.write_usage(ctx.command_path, pieces, prefix=_said("Usage: "))

    def format_help_text(self: Any, _ctx: Any, formatter: Any) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            room = formatter.width - formatter.current_indent
            formatter.write_text(_folded(self.help or "", room))

    def format_options(self: Any, ctx: Any, formatter: Any) -> None:
        for kind, title in (("argument", _("Arguments:")), ("option", _("Options:"))):
            records = (
                (parameter.help or "", parameter.get_help_record(ctx))
                for parameter in self.get_params(ctx)
                if parameter.param_type_name == kind
            )
            rows = [(record[0], _help(text, record[1])) for text, record in records if record]
            _write_table(title, rows, formatter)


class Command(_Page, TyperCommand):
    """A command whose help is in our language."""


class Group(_Page, TyperGroup):
    """A group of commands whose help is in our language, and its errors where it is the first."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: D102 - typer's own
        super().format_options(ctx, formatter)
        listed = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        shown = [(name, command) for name, command in listed if command and not command.hidden]
        rows = [(name, command.short_help or command.help or "") for name, command in shown]
        _write_table(_("Commands:"), rows, formatter)

    def main(self, *args: Any, **settings: Any) -> Any:
        """As typer's, but what it says of a wrong command line is in our language."""
        console.open_streams()
        try:
            return self._main(*args, **settings)
        except MtlsError as error:  # outside of any command, such as a help page on a full disk
            sys.exit(console.told(error))

    def _main(self, *args: Any, **settings: Any) -> Any:
        if current() == "en" or not settings.get("standalone_mode", True):
            return super().main(*args, **settings)
        try:
            code = super().main(*args, **{**settings, "standalone_mode": False})
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            _tell(error)
            sys.exit(getattr(error, "exit_code", 1))
        sys.exit(code or 0)


def _tell(error: Any) -> None:
    said = error.format_message()
    ctx = getattr(error, "ctx", None)
    if ctx is not None and said == ctx.get_help():  # nothing was typed: no error, but the help
        typer.echo(said, err=True)
        return
    if ctx is not None:
        asking = f"{ctx.command_path} {ctx.help_option_names[-1]}"
        typer.echo(ctx.get_usage(), err=True)
        typer.echo(spoken(_("Try '{command}' for help.", command=asking)) + "\n", err=True)
    typer.echo(spoken(_("Error: {what}", what=recalled(said))), err=True)


def _said(text: str) -> str:
    return spoken(recalled(text))


def _help(text: str, shown: str) -> str:
    """The help of an option as it is shown: its own text, and what typer adds in brackets."""
    added = shown.removeprefix(text).strip()
    if not added.startswith("["):
        return _said(text)
    facts = joined(_("; "), map(recalled, added.strip("[]").split("; ")))
    return f"{_said(text)}  [{spoken(facts)}]"


def _write_table(title: str, rows: list[tuple[str, str]], formatter: Any) -> None:
    if not rows:
        return
    first = min(max(len(name) for name, _help in rows), _FIRST_COLUMN) + _GAP
    room = max(formatter.width - first - _GAP, 10)
    formatter.write_paragraph()
    formatter.write(f"{spoken(title)}\n")
    with formatter.indentation():
        folded = [(name, _folded(text, room)) for name, text in rows]
        formatter.write_dl(folded, col_max=_FIRST_COLUMN, col_spacing=_GAP)


def _folded(text: str, columns: int) -> str:
    """A paragraph in lines of at most `columns`, which typer leaves as they are."""
    pieces = re.findall(_PIECE, re.sub(r"\s*\n\s*", " ", text))
    return "\n".join(["\b", *_lines(pieces, columns)])


def _lines(pieces: Iterable[str], columns: int) -> Iterator[str]:
    line = ""
    for piece in pieces:
        if line and width(line + piece.rstrip()) > columns:
            yield line.rstrip()
            line = ""
        line += piece
    yield line

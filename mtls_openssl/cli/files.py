"""The commands that look into files: inspect, match."""

from __future__ import annotations

import contextlib
import datetime as dt
import inspect as signatures
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtls_openssl.cli import console, options, secret
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.errors import Exit, FolderUnavailableError, MtlsError
from mtls_openssl.language import Text, _, padded, spoken, width

if TYPE_CHECKING:
    from mtls_openssl.inspection.matching import Match, Member
    from mtls_openssl.inspection.objects import Holding
    from mtls_openssl.inspection.reading import Reader
    from mtls_openssl.steps import Outcome


def argument(
    name: str,
    kind: Any,
    metavar: str,
    help: str,  # noqa: A002 - typer's own name for it
    *,
    default: Any = signatures.Parameter.empty,
) -> signatures.Parameter:
    """An argument of a command.

    Args:
        name: its name in Choices.
        kind: the type of its value.
        metavar: what stands for it in the help.
        help: what it is, in one line.
        default: what it is if it is not typed; it has to be, where none is given.
    """
    return signatures.Parameter(
        name,
        signatures.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[
            kind,
            typer.Argument(
                metavar=metavar,
                help=spoken(Text(help)),
                show_default=False,
                readable=False,  # as in `option`
                callback=_found,
            ),
        ],
    )


def _found(typed: Any) -> Any:
    """What was typed; on Windows the files that match, where it is a pattern such as `*.crt`.

    The shells of other systems have done that already.
    """
    if sys.platform != "win32" or not isinstance(typed, list):
        return typed
    return [file for one in typed for file in _matching(one)]


def _matching(one: Any) -> list[Any]:
    from mtls_openssl.workspace.missing import is_pattern, matching  # noqa: PLC0415 - on Windows

    if not is_pattern(str(one)):
        return [one]
    return [type(one)(file) for file in matching(str(one))] or [one]


_FILES = (argument("files", list[Path], "FILE...", "Files, folders, or - for standard input."),)
_SEVERAL = (
    argument("files", list[Path], "FILE...", "A certificate, and a key, request or PKCS#12 file."),
)
_RAW = (option(bool, "--raw", default=False, help="Print openssl's own text."),)


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (inspect, match):
        app.command()(command)


@takes(_FILES, _RAW, secret.PASSWORD, options.LOOK)
def inspect(choices: Choices) -> None:
    """Tell what files hold: certificates, requests, keys, PKCS#12, CRLs (Appendix E)."""
    from mtls_openssl.inspection import data  # noqa: PLC0415 - as all below: when needed
    from mtls_openssl.inspection.files import named  # noqa: PLC0415

    now = dt.datetime.now(dt.UTC)
    answers: list[dict[str, Any]] = []
    passed_over: list[str] = []
    code: int = Exit.DONE
    paths = named(choices["files"])
    with reading(choices, "inspect") as reader:
        for path, of_folder in paths:
            try:
                holding = reader.read(path)
            except FolderUnavailableError as error:
                code = code or error.code
                answers.append({"file": str(path), **_failed(error)})
                continue
            if of_folder and holding.is_foreign:
                passed_over.append(path.name)
                continue
            answers.append(data.holding(holding, now))
            faults = data.faults(holding)
            code = code or (Exit.NOT_PROVEN if faults else Exit.DONE)
            _print(choices, holding, faults, now)
    if choices["json"]:
        console.print_data({"ok": not code, "files": answers, "passed_over": passed_over})
    elif passed_over and not choices["quiet"]:
        typer.echo(spoken(_("Passed over: {files}", files=", ".join(passed_over))))
    if code:
        raise typer.Exit(code)


@takes(_SEVERAL, secret.PASSWORD, options.LOOK)
def match(choices: Choices) -> None:
    """Tell whether certificate, key, request and PKCS#12 belong together (Appendix E)."""
    from mtls_openssl.inspection import data  # noqa: PLC0415
    from mtls_openssl.inspection.matching import matched  # noqa: PLC0415

    with reading(choices, "match") as reader:
        holdings = [reader.read(path) for path in choices["files"]]
    faults = [f"{holding.path}: {why}" for holding in holdings for why in data.faults(holding)]
    found = matched(holdings)
    if choices["json"]:
        console.print_data({**data.match(found), "faults": faults})
    elif not choices["quiet"]:
        _print_match(found, holdings)
    for fault in faults:
        typer.echo(spoken(_("Error: {what}", what=fault)), err=True)
    if not found.common:
        raise typer.Exit(Exit.NOT_PROVEN)


@contextlib.contextmanager
def reading(choices: Choices, purpose: str) -> Iterator[Reader]:
    """A reader at a desk, with the passwords that were named.

    Args:
        choices: what was typed.
        purpose: the command of ours.
    """
    from mtls_openssl.inspection.reading import Reader  # noqa: PLC0415

    asked = secret.asked(choices)
    with desk(choices, purpose) as one:
        one.heard = heard(choices)
        yield Reader(one, asked)


def heard(choices: Choices) -> Callable[[Outcome], None]:
    """Who is told of each command: a person who asked for more (`--verbose`)."""

    def say(outcome: Outcome) -> None:
        if choices["verbose"]:
            words = " ".join(outcome.command.argv)
            typer.echo(f"  openssl {words}  ({outcome.finished.seconds:.2f} s)", err=True)

    return say


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print lines of a label and what stands beside it; a heading has no label."""
    rows = [(spoken(label), spoken(value)) for label, value in lines]
    column = max((width(label) for label, _value in rows), default=0)
    for label, value in rows:
        typer.echo(f"  {padded(label, column)}  {value}" if label else value)


def _print(choices: Choices, holding: Holding, faults: Sequence[str], now: dt.datetime) -> None:
    from mtls_openssl.inspection import telling  # noqa: PLC0415

    if choices["json"]:
        return
    if choices["quiet"]:
        for fault in faults:
            typer.echo(spoken(_("{file}: {why}", file=holding.path, why=fault)), err=True)
    elif choices["raw"]:
        _print_raw(holding)
    else:
        print_lines(telling.lines(holding, now))


def _print_raw(holding: Holding) -> None:
    from mtls_openssl.inspection.telling import title  # noqa: PLC0415

    for item in holding.items:
        if item.raw:
            typer.echo(item.raw.rstrip("\n"))
        else:
            typer.echo(spoken(_("{file}: {what}", file=holding.path, what=title(item))), err=True)


def _print_match(found: Match, holdings: Sequence[Holding]) -> None:
    if found.common:
        typer.echo(spoken(_("Yes: they belong together.")))
    elif _is_alone(found, holdings):
        typer.echo(spoken(_("No: there is only one part, so there is nothing to compare it with.")))
    elif _is_closed(found):
        typer.echo(spoken(_("Not known: not everything could be opened.")))
    else:
        typer.echo(spoken(_("No: they do not belong together.")))
    for key, members in found.groups.items():
        typer.echo(spoken(_("public key {fingerprint}", fingerprint=key)))
        for member in members:
            typer.echo(f"  {spoken(_member(member))}")
    if found.closed:
        typer.echo(spoken(_("not known")))
        for member in found.closed:
            typer.echo(f"  {spoken(_member(member))}")
    if advice := _advice(found, holdings):
        typer.echo(spoken(_("To mend it: {fix}", fix=advice)), err=True)


def _advice(found: Match, holdings: Sequence[Holding]) -> Text | None:
    """What to do for an answer, or for a better one."""
    if found.common:
        return None
    if _is_alone(found, holdings):
        return _("name the file to compare it with as well, such as a certificate and its key")
    if _is_closed(found):
        return _("give the password by --password-env, --password-file or --password-stdin")
    return None


def _is_alone(found: Match, holdings: Sequence[Holding]) -> bool:
    return len(holdings) == 1 and sum(map(len, found.groups.values())) < 2  # noqa: PLR2004


def _is_closed(found: Match) -> bool:
    return any(member.item.kind in {"private key", "PKCS#12"} for member in found.closed)


def _member(member: Member) -> Text:
    from mtls_openssl.inspection.telling import title  # noqa: PLC0415

    file, what = str(member.holding.path), title(member.item)
    if len(member.holding.flat) == 1:
        return _("{file}: {what}", file=file, what=what)
    return _("{file}, part {number}: {what}", file=file, number=member.number, what=what)


def _failed(error: MtlsError) -> dict[str, Any]:
    from mtls_openssl import report  # noqa: PLC0415

    for line in report.error_text(error):
        typer.echo(spoken(line), err=True)
    return report.error_data(error)

"""The command that tells what there is, and how long it lasts: status."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import console, options, secret
from mtls_openssl.cli.files import argument, heard
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.cli.within import asked, within
from mtls_openssl.errors import Exit, FolderUnavailableError, MtlsError, UsageError
from mtls_openssl.language import _, padded, spoken, width

if TYPE_CHECKING:
    from mtls_openssl.desk import Desk
    from mtls_openssl.inventory.held import Opened, Terms
    from mtls_openssl.inventory.telling import Row
    from mtls_openssl.inventory.things import Severity, Stock

_PLACES = (
    argument(
        "places", list[str] | None, "[PLACE]...",
        "Folders with all that is in them, files, HOST:PORT; else the set of --out.",
        default=None,
    ),
)  # fmt: skip
_WHAT = (
    within("--soon", help="What ends within this time ends soon, such as 30d or 6w."),
)  # fmt: skip
_FORM = (
    option(bool, "--nagios", default=False, help="Print one line, as a plugin of Nagios does."),
    option(bool, "--prometheus", default=False, help="Print metrics for Prometheus."),
    option(
        Path | None, "--write", metavar="FILE",
        help="Put the metrics there instead, in one instant, for node_exporter's textfile"
        " collector.",
    ),
)  # fmt: skip
_SERVER = re.compile(r"https://.+|(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\\]{2,}):\d{1,5}", re.IGNORECASE)
_LEFT = 4
"""The column of the days, whose numbers stand under each other."""
_STYLES = ("green", "yellow", "bold red", "bold red")


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(status)


@takes(_PLACES, _WHAT, _FORM, secret.PASSWORD, options.LOOK)
def status(choices: Choices) -> None:
    """Tell what there is, who it is for, and how many days are left.

    It reads the set of a folder, any certificates that others made, and what servers send. Exit
    code 0: all is fine, a revoked client included; 1: a certificate ends within --within, or the
    list of revoked ones does soon; 2: something has expired, is broken, without its own key or of
    another authority than its set, or a server or a CA is revoked; 7 (with --nagios 3): a place
    could not be looked at. With --prometheus it is 0 once the metrics are there.
    """
    _require_one_form(choices)
    now, soon = dt.datetime.now(dt.UTC), asked(choices)
    try:
        stocks, errors = _looked_at(choices, now, soon)
    except MtlsError as error:
        if not choices["nagios"]:
            raise
        stocks, errors = [], [error]
    if choices["prometheus"]:
        _measure(choices, stocks, errors)
        return
    if choices["nagios"]:
        from mtls_openssl.inventory import nagios  # noqa: PLC0415 - what a command needs, when

        line, severity = nagios.line(stocks, [error.what for error in errors], now, soon)
        typer.echo(line)
        raise typer.Exit(severity)
    if choices["json"]:
        from mtls_openssl import report  # noqa: PLC0415
        from mtls_openssl.inventory import data  # noqa: PLC0415

        problems = [report.error_data(error) for error in errors]
        console.print_data(
            {**data.status(stocks, problems, now, soon), "exit": _code(stocks, errors)}
        )
    else:
        _print(choices, stocks, errors, now)
    if code := _code(stocks, errors):
        raise typer.Exit(code)


def _require_one_form(choices: Choices) -> None:
    forms = [f"--{name}" for name in ("json", "nagios", "prometheus") if choices[name]]
    if len(forms) > 1:
        raise UsageError(
            _("{options} do not go together.", options=" ".join(forms)), fix=_("give one of them")
        )
    if choices["write"] and not choices["prometheus"]:
        raise UsageError(_("--write is for metrics."), fix=_("add --prometheus"))


def _code(stocks: Sequence[Stock], errors: Sequence[MtlsError]) -> int:
    from mtls_openssl.inventory.things import Severity  # noqa: PLC0415

    severity = _severity(stocks)
    if severity is Severity.OVER:
        return int(severity)
    if errors or severity is Severity.UNKNOWN:
        return int(errors[0].code if errors else Exit.FOLDER_UNAVAILABLE)
    return int(severity)


def _severity(stocks: Sequence[Stock]) -> Severity:
    from mtls_openssl.inventory import judging  # noqa: PLC0415

    return judging.gravest(judging.worst(stock.nodes) for stock in stocks)


def _looked_at(
    choices: Choices, now: dt.datetime, soon: dt.timedelta | None
) -> tuple[list[Stock], list[MtlsError]]:
    stocks: list[Stock] = []
    errors: list[MtlsError] = []
    with _openssl(choices) as openssl:
        for look in _looks(choices, _terms(choices, now, soon, openssl), openssl):
            try:
                stocks.append(look())
            except MtlsError as error:
                errors.append(error)
    return stocks, errors


def _looks(
    choices: Choices, terms: Terms, openssl: Callable[[], Desk]
) -> Iterator[Callable[[], Stock]]:
    """What is to be looked at, place by place."""
    from mtls_openssl.inventory import survey  # noqa: PLC0415

    if not choices["places"]:
        folder: Path = choices["out"]
        yield lambda: survey.of_set(folder, terms)
    for place in dict.fromkeys(choices["places"] or ()):
        path = Path(place)
        if os.path.lexists(path):
            yield lambda path=path: survey.of_path(path, terms)  # type: ignore[misc]
        elif _SERVER.fullmatch(place):
            yield lambda place=place: _asked(choices, place, terms, openssl)  # type: ignore[misc]
        else:
            yield lambda place=place: _missing(place)  # type: ignore[misc]


def _missing(place: str) -> Stock:
    from mtls_openssl.workspace.missing import is_pattern, no_file  # noqa: PLC0415

    if is_pattern(place):
        raise no_file(Path(place))
    raise FolderUnavailableError(
        _("There is no folder or file {place}.", place=place),
        cause=_("its name is spelt differently, or it is in another folder"),
        fix=_("name a folder, a file, or a server as HOST:PORT"),
    )


def _asked(choices: Choices, place: str, terms: Terms, openssl: Callable[[], Desk]) -> Stock:
    """What a server sends."""
    from mtls_openssl.inventory import survey  # noqa: PLC0415
    from mtls_openssl.live import target  # noqa: PLC0415
    from mtls_openssl.live.connect import Manner, connect  # noqa: PLC0415

    own: Path = choices["out"] / "ca.crt"
    where = target.parse(place)
    # Without a client certificate: what is wanted is sent before any is asked for.
    answer = connect(openssl(), where, Manner(own if own.is_file() else None, silent=True))
    if not answer.pem:
        raise FolderUnavailableError(
            _("{target} sent no certificate.", target=where),
            fix=_("ask it: python -m mtls_openssl connect {target}", target=where),
        )
    notes = [finding.told.meaning for finding in answer.wrong if finding.kind == "verify"]
    return survey.of_server(str(where), answer.pem, notes, terms)


@contextlib.contextmanager
def _openssl(choices: Choices) -> Iterator[Callable[[], Desk]]:
    """A desk for those who need one, made when the first one does: most files need none."""
    with contextlib.ExitStack() as stack:
        made = list[Any]()

        def desk() -> Desk:
            from mtls_openssl.desk import at, own_log  # noqa: PLC0415
            from mtls_openssl.locate import find  # noqa: PLC0415
            from mtls_openssl.process import Door  # noqa: PLC0415

            if not made:
                door = Door()
                found = find(choices["openssl"], door)
                # Not in the log of a set: who asks every minute would fill it.
                place, limit = own_log().parent, choices["timeout"]
                one = stack.enter_context(
                    at(place, found, door=door, purpose="status", limit=limit)
                )
                one.heard = heard(choices)
                made.append(one)
            return made[0]  # type: ignore[no-any-return]

        yield desk


def _terms(
    choices: Choices, now: dt.datetime, soon: dt.timedelta | None, openssl: Callable[[], Desk]
) -> Terms:
    from mtls_openssl.inventory.held import Terms  # noqa: PLC0415

    password = secret.named(choices)

    def public_key(path: Path) -> str:
        from mtls_openssl.inspection.objects import Key  # noqa: PLC0415
        from mtls_openssl.inspection.reading import Reader  # noqa: PLC0415

        try:
            items = Reader(openssl(), lambda _path: None).read(path).items
        except MtlsError:
            return ""
        return next((one.thing.public_key for one in items if isinstance(one.thing, Key)), "")

    def opened(path: Path) -> Opened | None:
        named = any(Path(place) == path for place in choices["places"] or ())
        known = password if password is not None or not named else _beside(path)
        return _opened(openssl(), path, known) if named or password is not None else None

    return Terms(now, soon, public_key, opened)


def _beside(path: Path) -> str | None:
    """The password of a PKCS#12 file that we made up when we made it."""
    try:
        return path.with_name(f"{path.name}.password").read_text("ascii").strip()
    except (OSError, ValueError):
        return None


def _opened(desk: Desk, path: Path, password: str | None) -> Opened | None:
    from mtls_openssl.inspection import data  # noqa: PLC0415
    from mtls_openssl.inspection.objects import Bundle  # noqa: PLC0415
    from mtls_openssl.inspection.reading import Reader  # noqa: PLC0415
    from mtls_openssl.inventory import reading  # noqa: PLC0415
    from mtls_openssl.inventory.held import Opened  # noqa: PLC0415

    holding = Reader(desk, lambda _path: password).read(path)
    pems = tuple(certificate.pem for certificate in holding.certificates)
    file = reading.of_server(pems, path.name)
    closed = [one.thing.locked for one in holding.items if isinstance(one.thing, Bundle)]
    if any(closed):
        return Opened(file, closed="; ".join(closed))
    return Opened(file, "; ".join(data.faults(holding)))


def _measure(choices: Choices, stocks: Sequence[Stock], errors: Sequence[MtlsError]) -> None:
    from mtls_openssl import report  # noqa: PLC0415
    from mtls_openssl.inventory import prometheus  # noqa: PLC0415

    for error in errors:
        for line in report.error_text(error):
            typer.echo(spoken(line), err=True)
    metrics = prometheus.text(stocks, len(errors))
    file: Path | None = choices["write"]
    if file is None:
        console.print_script(metrics)
        return
    from mtls_openssl.workspace.publishing import publish  # noqa: PLC0415

    publish(file, metrics.encode(), b"# HELP mtls_")


def _print(
    choices: Choices, stocks: Sequence[Stock], errors: Sequence[MtlsError], now: dt.datetime
) -> None:
    from mtls_openssl import report  # noqa: PLC0415
    from mtls_openssl.inspection.telling import shown  # noqa: PLC0415
    from mtls_openssl.inventory import telling  # noqa: PLC0415

    for number, stock in enumerate(stocks):
        rows = tuple(telling.rows(stock, now, _lines(), alarms=choices["quiet"]))
        if len(stocks) > 1 and rows:
            typer.echo(("\n" if number else "") + shown(stock.place))
        _print_rows(rows)
        if not choices["quiet"]:
            typer.echo()
            for sentence in telling.summary(stock, now):
                typer.echo(spoken(sentence))
    for error in errors:
        for line in report.error_text(error):
            typer.echo(spoken(line), err=True)


def _lines() -> Sequence[str]:
    """What a tree is drawn with. Where it is not UTF-8, such lines may be two columns wide."""
    from mtls_openssl.inventory import telling  # noqa: PLC0415

    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return telling.LINES if is_utf8 else telling.ASCII_LINES


def _print_rows(rows: Sequence[Row]) -> None:
    told = [(row.branch + row.cells[0], *map(spoken, row.cells[1:])) for row in rows]
    columns = [max(map(width, column)) for column in zip(*told, strict=True)]
    say = _painter()
    for row, cells in zip(rows, told, strict=True):
        *others, state = cells
        before = "  ".join(
            " " * (column - width(cell)) + cell if number == _LEFT else padded(cell, column)
            for number, (cell, column) in enumerate(zip(others, columns, strict=False))
        )
        say(f"{before}  ", state, _STYLES[row.severity])
        for detail in row.details:
            typer.echo(f"{row.below}  {spoken(detail)}")


def _painter() -> Callable[[str, str, str], None]:
    """Says a line with its state in colour, at a terminal that has them (no-color.org)."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return lambda before, state, _style: typer.echo(f"{before}{state}".rstrip())
    from rich.console import Console  # noqa: PLC0415 - at a terminal only
    from rich.text import Text  # noqa: PLC0415

    terminal = Console(highlight=False, soft_wrap=True)
    return lambda before, state, style: terminal.print(Text.assemble(before, (state, style)))

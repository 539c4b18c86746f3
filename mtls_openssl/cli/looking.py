"""The command that looks for openssl: locate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mtls_openssl.cli import console, options
from mtls_openssl.cli.options import Choices, takes
from mtls_openssl.language import _, padded, spoken, width

if TYPE_CHECKING:
    from mtls_openssl.locate import Search


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(locate)


@takes(options.OPENSSL, options.OUTPUT)
def locate(choices: Choices) -> None:
    """Show every openssl found, and the one taken."""
    from mtls_openssl import report  # noqa: PLC0415 - what a command needs, when it does
    from mtls_openssl.locate import refusal, survey  # noqa: PLC0415
    from mtls_openssl.process import Door  # noqa: PLC0415

    search = survey(choices["openssl"], Door())
    if choices["json"]:
        console.print_data(report.candidates_data(search))
    elif choices["quiet"]:
        if search.chosen:
            typer.echo(str(search.chosen.path))
    else:
        _print_table(search)
    if search.chosen is None:
        raise refusal(search)


def _print_table(search: Search) -> None:
    from mtls_openssl import report  # noqa: PLC0415

    headings = (_("version"), _("path"), _("found by"), _("why"))
    rows = [("", *map(spoken, headings))]
    rows += [
        (
            "*" if candidate is search.chosen else "",
            str(candidate.version or "-"),
            str(candidate.path),
            spoken(candidate.origin),
            spoken(report.reason(candidate, search)),
        )
        for candidate in search.candidates
    ]
    widths = [max(width(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [padded(cell, columns) for cell, columns in zip(row[:4], widths, strict=True)]
        typer.echo("  ".join([*cells, row[4]]).rstrip())

"""The command line: one module per group of commands; the only place that prints or exits.

`console` is how a command speaks, `options` what it can be told, `password` where a password
comes from; `making`, `looking` and `log` are the commands.
"""

from __future__ import annotations

from typing import Annotated

import typer

import mtls_openssl
from mtls_openssl.cli import log, looking, making

app = typer.Typer(
    help="Root CA, server and client certificates for mutual TLS, made with your own openssl. "
    "`all` does what generate_certs.bat does, loses nothing, and proves what it made.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
making.add_to(app)
looking.add_to(app)
app.add_typer(log.app, name="audit", short_help="Read, prove and export the log of all commands.")


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer hands it over like this
    if wanted:
        typer.echo(f"mtls-openssl {mtls_openssl.__version__}")
        raise typer.Exit


@app.callback()
def main(  # noqa: D103 - its docstring would stand in the place of the help above
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version

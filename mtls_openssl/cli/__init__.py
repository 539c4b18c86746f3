"""The command line: one module per group of commands; the only place that prints or exits.

`console` is how a command speaks, `options` what it can be told, `password` where a password
comes from; `making`, `looking` and `log` are the commands.
"""

from __future__ import annotations

import typer

import mtls_openssl
from mtls_openssl.cli import (
    care,
    converting,
    files,
    install,
    live,
    log,
    looking,
    making,
    options,
    trust,
    webserver,
)
from mtls_openssl.cli.wording import App
from mtls_openssl.language import _, spoken

app = App(
    help="Root CA, server and client certificates for mutual TLS, made with your own openssl. "
    "`all` does what generate_certs.bat does, loses nothing, and proves what it made.",
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
making.add_to(app)
looking.add_to(app)
files.add_to(app)
converting.add_to(app)
live.add_to(app)
webserver.add_to(app)
care.add_to(app)
install.add_to(app)
app.add_typer(
    trust.app,
    name="trust",
    short_help=spoken(_("Who believes the CA: trust stores, and what to hand out.")),
)
app.add_typer(
    log.app, name="audit", short_help=spoken(_("Read, prove and export the log of all commands."))
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer hands it over like this
    if wanted:
        typer.echo(f"mtls-openssl {mtls_openssl.__version__}")
        raise typer.Exit


VERSION = (
    options.option(
        bool, "--version", default=False, callback=_version, is_eager=True,
        help="Print the version.",
    ),
)  # fmt: skip


@app.callback()
@options.takes(VERSION, options.LANGUAGE)
def main(_choices: options.Choices) -> None:  # noqa: D103 - it would stand in the place of the help
    return

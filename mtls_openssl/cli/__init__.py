"""The command line: one module per group of commands; the only place that prints or exits.

`console` is how a command speaks, `options` what it can be told, `password` where a password
comes from, `wording` what typer says by itself. HOMES has the commands, and where each is.
"""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.main import get_group

import mtls_openssl
from mtls_openssl.cli import options
from mtls_openssl.cli.wording import App, Group

HOMES = {
    **dict.fromkeys(("all", "ca"), "making"),
    **dict.fromkeys(("server", "client"), "adding"),
    "verify": "verifying",
    **dict.fromkeys(("p12", "dhparam"), "making"),
    "locate": "looking",
    **dict.fromkeys(("init", "import-bat", "schema"), "beginning"),
    **dict.fromkeys(("apply", "renew"), "life"),
    "issue": "fleet",
    **dict.fromkeys(("revoke", "crl", "ocsp"), "revocation"),
    "csr": "requests",
    "sign": "signing",
    "status": "status",
    "report": "page",
    "restore": "restoring",
    "schedule": "schedule",
    **dict.fromkeys(("inspect", "match"), "files"),
    **dict.fromkeys(("convert", "key"), "converting"),
    **dict.fromkeys(("handshake", "connect"), "live"),
    **dict.fromkeys(("nginx", "iis"), "webserver"),
    **dict.fromkeys(("doctor", "repair-ca"), "care"),
    "install": "install",
    "trust": "trust",
    "audit": "log",
}
"""The module of each command, in the order of the help page."""


class Commands(Group):
    """The commands, each of them made when it is asked for: a run needs one of thirty."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, in their order."""
        del ctx
        return list(HOMES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        del ctx
        if cmd_name in HOMES and cmd_name not in self.commands:
            self.commands[cmd_name] = _made(cmd_name)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As typer's, which looks for the nearest name among the commands that are made."""
        if args and args[0] not in HOMES:
            for name in HOMES:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def _made(name: str) -> Any:
    module = importlib.import_module(f"mtls_openssl.cli.{HOMES[name]}")
    part = App(help="")
    module.add_to(part)
    part.registered_commands = [
        command
        for command in part.registered_commands
        if command.name == name or (command.callback and command.callback.__name__ == name)
    ]
    return get_group(part).commands[name]


app = App(
    help="Root CA, server and client certificates for mutual TLS, made with your own openssl. "
    "`all` does what generate_certs.bat does, loses nothing, and proves what it made.",
    cls=Commands,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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

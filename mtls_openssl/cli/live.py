"""The commands that make real connections: handshake, connect."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mtls_openssl.cli import console, options, secret
from mtls_openssl.cli.desk import desk
from mtls_openssl.cli.files import argument, print_lines
from mtls_openssl.cli.options import Choices, option, takes
from mtls_openssl.errors import UsageError
from mtls_openssl.language import _, padded, spoken, width

if TYPE_CHECKING:
    from mtls_openssl.desk import Desk
    from mtls_openssl.live.connect import Identity, Manner

SYSTEM = "system"
"""What --ca is given for the machine's own trust store."""


class Starttls(enum.StrEnum):
    """The protocols before TLS, as `openssl s_client -starttls` has them."""

    SMTP = "smtp"
    IMAP = "imap"
    POP3 = "pop3"
    LDAP = "ldap"
    POSTGRES = "postgres"
    MYSQL = "mysql"
    FTP = "ftp"
    NNTP = "nntp"
    SIEVE = "sieve"
    XMPP = "xmpp"
    LMTP = "lmtp"
    IRC = "irc"


class Tls(enum.StrEnum):
    """The versions of TLS that can be asked for."""

    TLS_1_2 = "1.2"
    TLS_1_3 = "1.3"


_TARGET = (argument("target", str, "HOST[:PORT]", "Where to connect; [::1]:443, https://HOST/."),)
_HOW = "How it connects"
_CONNECT = (
    option(
        Path | None, "--cert", metavar="FILE", panel=_HOW, show_default="client.crt of the folder",
        help="Client certificate to send, PEM; its intermediates may follow in it.",
    ),
    option(
        Path | None, "--key", metavar="FILE", panel=_HOW,
        show_default="the .key beside the certificate", help="Its private key, PEM.",
    ),
    option(bool, "--no-cert", default=False, panel=_HOW, help="Send no client certificate."),
    option(
        str | None, "--ca", metavar="FILE", panel=_HOW,
        show_default="ca.crt of the folder, else the system's",
        help="CAs to trust, PEM; `system` for the system's.",
    ),
    option(
        str | None, "--servername", metavar="NAME", panel=_HOW, show_default="HOST",
        help="Name to ask for (SNI), and to find in the certificate.",
    ),
    option(
        Starttls | None, "--starttls", panel=_HOW, help="Protocol that begins without TLS.",
    ),
    option(Tls | None, "--tls", panel=_HOW, help="This version of TLS only."),
    option(
        bool, "--no-request", default=False, panel=_HOW,
        help="Say nothing after the handshake; else an HTTP server is asked for the page.",
    ),
    option(
        bool, "--showcerts", "--chain", default=False, panel=_HOW,
        help="Print the certificates that the server sends, PEM.",
    ),
)  # fmt: skip


_SERVER = (
    option(
        str | None, "--server", metavar="NAME", show_default="server, else the only one",
        help="The server's certificate: NAME.crt of the folder.",
    ),
)  # fmt: skip
_CLIENT = (
    option(
        str | None, "--client", metavar="NAME", show_default="client, else the only one",
        help="The client's certificate: NAME.crt of the folder.",
    ),
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (handshake, connect):
        app.command()(command)


@takes(_SERVER, _CLIENT, options.LOOK)
def handshake(choices: Choices) -> None:
    """Prove a set by real connections: who must be let in is, and nobody else."""
    data = prove(choices)
    if choices["json"]:
        console.print_data(data)


def prove(choices: Choices) -> dict[str, Any]:
    """Prove the set of a folder, and print the table of what was tried.

    Args:
        choices: what was typed.

    Returns:
        The same for a program.

    Raises:
        NotProvenError: a handshake did not end as it should.
        FolderUnavailableError: a file of the set is missing, or can't be used.
    """
    from mtls_openssl.live import telling  # noqa: PLC0415 - as below: what a command needs
    from mtls_openssl.live.handshake import handshakes  # noqa: PLC0415

    folder: Path = choices["out"]
    with desk(choices, "handshake") as one:
        verdicts, left_out = handshakes(
            one, folder, choices.get("server") or "", choices.get("client") or ""
        )
        if not (choices["quiet"] or choices["json"]):
            _print_table(telling.table(verdicts))
            for why in left_out:
                typer.echo(spoken(_("Note: {note}", note=why)))
        if fault := telling.unproven(verdicts, left_out):
            raise fault
    return telling.handshake_data(verdicts, left_out)


def _print_table(rows: Iterable[Sequence[str]]) -> None:
    said = [[spoken(cell) for cell in row] for row in rows]
    columns = [max(map(width, column)) for column in zip(*said, strict=True)]
    for row in said:
        cells = [padded(cell, column) for cell, column in zip(row, columns, strict=True)]
        typer.echo("  ".join(cells).rstrip())


@takes(_TARGET, _CONNECT, _CLIENT, secret.PASSWORD, options.LOOK)
def connect(choices: Choices) -> None:
    """Connect to a TLS server, and tell in words what it says to us (s_client of the guide).

    Exit code 0: all is as it should be; 5: the server answers, but something is wrong; 7: there
    is no server, or it does not answer within 10 seconds, or --timeout.
    """
    from mtls_openssl.live import listed, target, telling  # noqa: PLC0415 - what a command needs
    from mtls_openssl.live.connect import connect as connect_to  # noqa: PLC0415

    where = target.parse(choices["target"], starttls=choices["starttls"])
    with desk(choices, "connect") as one:
        how = _manner(choices, one)
        answer = connect_to(one, where, how)
        if how.identity:
            answer = listed.blamed(one, choices["out"], how.identity.certificate, answer)
        fault = telling.fault(where, answer)
        if choices["showcerts"] and not choices["json"]:
            for pem in answer.pem:
                typer.echo(pem)
        elif not choices["quiet"] and not choices["json"]:
            print_lines(telling.lines(where, how, answer))
        if fault:
            raise fault
    if choices["json"]:
        console.print_data(telling.data(where, answer))


def _manner(choices: Choices, one: Desk) -> Manner:
    from mtls_openssl.live import target  # noqa: PLC0415
    from mtls_openssl.live.connect import Manner  # noqa: PLC0415

    name = choices["servername"]
    return Manner(
        ca=_ca(choices),
        identity=_identity(choices, one),
        name=target.name(name) if name else None,
        starttls=choices["starttls"],
        version=choices["tls"],
        silent=choices["no_request"],
    )


def _ca(choices: Choices) -> Path | None:
    if choices["ca"]:
        return None if choices["ca"] == SYSTEM else Path(choices["ca"])
    own: Path = choices["out"] / "ca.crt"
    return own if own.is_file() else None


def _identity(choices: Choices, one: Desk) -> Identity | None:
    from mtls_openssl.live.connect import Identity  # noqa: PLC0415

    certificate: Path | None = choices["cert"]
    key: Path | None = choices["key"]
    if choices["no_cert"]:
        if certificate or key or choices["client"]:
            raise UsageError(_("--no-cert does not go with --cert, --key and --client."))
        return None
    if choices["client"] and (certificate or key):
        raise UsageError(
            _("--client names a certificate of the folder, and --cert and --key do as well."),
            fix=_("choose one of them"),
        )
    if certificate is None and key is None:
        return _own_identity(choices, one)
    if certificate is None:
        raise UsageError(_("--key needs --cert."), fix=_("name the key's certificate with --cert"))
    key = key or certificate.with_suffix(".key")
    return Identity(certificate, key, _password(choices, key))


def _own_identity(choices: Choices, one: Desk) -> Identity | None:
    """The client certificate of the folder, with who issued it; None where there is none."""
    from mtls_openssl.life import choosing  # noqa: PLC0415
    from mtls_openssl.live.connect import Identity  # noqa: PLC0415
    from mtls_openssl.manifest import Role  # noqa: PLC0415

    folder: Path = choices["out"]
    wanted: str = choices["client"] or ""
    name = choosing.chosen(one, folder, Role.CLIENT, wanted, option="--client")
    certificate, key = folder / choosing.sent(folder, name), folder / f"{name}.key"
    if not wanted and not (certificate.is_file() and key.is_file()):
        return None
    return Identity(certificate, key, _password(choices, key))


def _password(choices: Choices, key: Path) -> str:
    from mtls_openssl.inspection.files import is_encrypted  # noqa: PLC0415

    if not is_encrypted(key):
        return ""
    password = secret.asked(choices)(key)
    if password is None:
        raise UsageError(
            _("{file} has a password, and none is given.", file=key),
            fix=_("name it with --password-env, --password-file or --password-stdin"),
        )
    return password

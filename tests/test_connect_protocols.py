"""`connect` to what speaks more than TLS, or none: STARTTLS, other protocols, refusals in HTTP."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from mtls_openssl.errors import Exit
from tests.test_connect import connect, made_fixture
from tests.tls_servers import Talk, context_of, over_tls, serving

pytestmark = pytest.mark.end_to_end
_used = made_fixture


# STARTTLS.


def line(client: socket.socket) -> bytes:
    said = b""
    while not said.endswith(b"\n") and (more := client.recv(1)):
        said += more
    return said


def smtp(client: socket.socket, context: ssl.SSLContext) -> None:
    client.sendall(b"220 mail ESMTP\r\n")
    assert line(client).startswith(b"EHLO")
    client.sendall(b"250-mail\r\n250 STARTTLS\r\n")
    assert line(client).startswith(b"STARTTLS")
    client.sendall(b"220 go\r\n")
    with context.wrap_socket(client, server_side=True) as wrapped:
        assert line(wrapped) == b"QUIT\r\n"
        wrapped.sendall(b"221 bye\r\n")


def imap(client: socket.socket, context: ssl.SSLContext) -> None:
    client.sendall(b"* OK IMAP4rev1\r\n")
    tag = line(client).split()[0]
    client.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")
    tag = line(client).split()[0]
    client.sendall(tag + b" OK go\r\n")
    with context.wrap_socket(client, server_side=True) as wrapped:
        assert line(wrapped) == b"a1 LOGOUT\r\n"
        wrapped.sendall(b"* BYE\r\na1 OK bye\r\n")


def postgres(client: socket.socket, context: ssl.SSLContext) -> None:
    assert client.recv(8) == struct.pack("!II", 8, 80877103)  # SSLRequest
    client.sendall(b"S")
    with context.wrap_socket(client, server_side=True) as wrapped:
        length, version = struct.unpack("!II", wrapped.recv(8))
        assert version == 3 << 16
        assert wrapped.recv(length - 8) == b"user\0mtls_openssl\0\0"
        refusal = b"SFATAL\0C28000\0Mno entry for this host\0\0"
        wrapped.sendall(b"E" + struct.pack("!I", len(refusal) + 4) + refusal)


def postgres_without(client: socket.socket, context: ssl.SSLContext) -> None:
    """What PostgreSQL 15 says where pg_hba.conf has `clientcert=verify-ca`."""
    client.recv(8)
    client.sendall(b"S")
    with context.wrap_socket(client, server_side=True) as wrapped:
        wrapped.recv(4096)
        refusal = (
            b"SFATAL\0VFATAL\0C28000\0Mconnection requires a valid client certificate\0"
            b"Fauth.c\0L389\0RClientAuthentication\0\0"
        )
        wrapped.sendall(b"E" + struct.pack("!I", len(refusal) + 4) + refusal)


def ldap(client: socket.socket, context: ssl.SSLContext) -> None:
    assert b"1.3.6.1.4.1.1466.20037" in client.recv(4096)  # RFC 4511 section 4.14
    client.sendall(bytes.fromhex("300c02010178070a010004000400"))
    with context.wrap_socket(client, server_side=True) as wrapped:
        assert wrapped.recv(7)[5] == 0x42  # UnbindRequest


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("talk", [smtp, imap, postgres, ldap], ids=lambda talk: str(talk.__name__))
def test_a_server_that_begins_without_tls_is_met_in_its_own_protocol(
    talk: Callable[[socket.socket, ssl.SSLContext], None], version: str, made: Path
) -> None:
    faults = list[BaseException]()

    def checked(client: socket.socket) -> None:
        try:
            talk(client, context_of(made))
        except AssertionError as error:
            faults.append(error)

    with serving(checked) as port:
        told = connect(port, "--starttls", talk.__name__, "--tls", version, cwd=made).stdout
    assert "client.crt was sent; accepted" in told
    assert faults == []


def test_a_server_that_refuses_us_after_starttls_is_told(made: Path) -> None:
    with serving(lambda client: smtp(client, context_of(made))) as port:
        refused = connect(
            port, "--starttls", "smtp", "--no-cert", cwd=made, exit_code=Exit.NOT_PROVEN
        )
    assert "requires a client certificate, and got none" in refused.stderr


def test_a_server_that_ends_without_a_word_once_it_has_no_certificate_is_told(made: Path) -> None:
    context = context_of(made, ssl.CERT_OPTIONAL)
    context.num_tickets = 0

    def dropping(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as tls:
            # To end at once, without an alert (socket(7), SO_LINGER).
            tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with serving(dropping) as port:
        refused = connect(port, "--no-cert", "--tls", "1.3", cwd=made, exit_code=Exit.NOT_PROVEN)
    assert "requires a client certificate, and got none" in refused.stderr


def test_a_database_that_misses_our_certificate_is_told(made: Path) -> None:
    optional = context_of(made, ssl.CERT_OPTIONAL)
    with serving(lambda client: postgres_without(client, optional)) as port:
        refused = connect(
            port, "--starttls", "postgres", "--no-cert", cwd=made, exit_code=Exit.NOT_PROVEN
        )
    assert "PostgreSQL requires a client certificate, and got none" in refused.stderr


def test_a_server_that_never_answers_before_starttls_is_told(made: Path) -> None:
    with serving(lambda client: [client.recv(4096), client.recv(4096)]) as port:
        refused = connect(
            *(port, "--starttls", "postgres", "--timeout", "1"),
            cwd=made,
            exit_code=Exit.FOLDER_UNAVAILABLE,
        )
    assert "does not speak postgres" in refused.stderr
    assert "try it without --starttls" in refused.stderr


def test_a_mail_server_without_starttls_is_told(made: Path) -> None:
    def plain(client: socket.socket) -> None:
        client.sendall(b"220 mail ESMTP\r\n")
        line(client)
        client.sendall(b"250 mail\r\n")
        line(client)
        client.sendall(b"502 not here\r\n")

    with serving(plain) as port:
        refused = connect(port, "--starttls", "smtp", cwd=made, exit_code=Exit.NOT_PROVEN)
    assert "another protocol" in refused.stderr or "(STARTTLS)" in refused.stderr


# What is no TLS server.


def answering(words: bytes) -> Talk:
    def talk(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(words)
        with contextlib.suppress(OSError):
            client.recv(4096)

    return talk


def resetting(client: socket.socket) -> None:
    client.recv(4096)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "the server speaks plain HTTP"),
        (answering(b"220 mail.example ESMTP\r\n"), "speaks another protocol on this port"),
        (lambda client: client.recv(4096), "closed the connection without a word"),
        (resetting, "closed the connection without a word"),
    ],
    ids=["http", "smtp", "closing", "resetting"],
)
def test_what_speaks_no_tls_is_told_with_what_it_is(talk: Talk, words: str, made: Path) -> None:
    with serving(talk) as port:
        refused = connect(port, cwd=made, exit_code=Exit.NOT_PROVEN)
    assert words in refused.stderr
    assert "no TLS connection" in refused.stdout


def test_a_server_that_takes_the_connection_and_never_answers_meets_the_time_limit(
    made: Path,
) -> None:
    with serving(lambda client: [client.recv(4096), client.recv(4096)]) as port:
        refused = connect(port, "--timeout", "1", cwd=made, exit_code=Exit.FOLDER_UNAVAILABLE)
    assert "takes the connection, and then says nothing" in refused.stderr


def test_a_port_that_nobody_listens_on_is_told(made: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused = connect(f"127.0.0.1:{port}", cwd=made, exit_code=Exit.FOLDER_UNAVAILABLE)
    assert "nothing listens on this port" in refused.stderr


def test_a_name_without_an_address_is_told(made: Path) -> None:
    refused = connect("nowhere.invalid", cwd=made, exit_code=Exit.FOLDER_UNAVAILABLE)
    assert "There is no address for the name nowhere.invalid." in refused.stderr


def test_a_dead_host_is_told(made: Path) -> None:
    # TEST-NET-1 (RFC 5737): no machine has it; whether a router says so is another matter.
    refused = connect("192.0.2.1", "--timeout", "2", cwd=made, exit_code=Exit.FOLDER_UNAVAILABLE)
    assert "192.0.2.1:443" in refused.stderr


# What web servers say in HTTP.


def page(answer: bytes) -> Talk:
    def talk(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(answer)

    return talk


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n<b>No required SSL certificate was sent</b>",
            "requires a client certificate, and got none",
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n<center>The SSL certificate error</center>",
            "is revoked",
        ),
        (b"HTTP/1.1 403 Forbidden\r\n\r\nHTTP Error 403.7 - Forbidden", "and got none"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\nHTTP Error 403.13 - Forbidden", "not revoked"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\nHTTP Error 403.16 - Forbidden", "does not trust the CA"),
        (
            b"HTTP/1.1 403 Forbidden\r\n\r\nHTTP Error 403.17 - Forbidden",
            "expired, or not valid yet",
        ),
    ],
)
def test_a_web_server_that_refuses_in_http_is_told(answer: bytes, words: str, made: Path) -> None:
    context = context_of(made, ssl.CERT_OPTIONAL)
    with serving(over_tls(context, page(answer))) as port:
        refused = connect(port, cwd=made, exit_code=Exit.NOT_PROVEN)
    assert words in refused.stderr


def test_a_page_about_such_refusals_is_no_refusal(made: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\nWhat HTTP Error 403.7 means"
    with serving(over_tls(context_of(made), page(answer))) as port:
        connect(port, cwd=made)

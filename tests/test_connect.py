"""`connect` against real servers on loopback: what it tells, and how it ends."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mtls_openssl import audit
from mtls_openssl.cli import app
from mtls_openssl.errors import Exit, UsageError
from mtls_openssl.live import target
from mtls_openssl.live.target import Target
from tests.machine import lock
from tests.tls_servers import (
    Talk,
    Workshop,
    context_of,
    over_tls,
    renegotiating,
    s_server,
    serving,
    web,
)

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def made(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(modern, tmp_path_factory.mktemp("connect") / "证 书"))


def connect(
    where: int | str,
    *options: str | Path,
    cwd: Path,
    exit_code: Exit = Exit.DONE,
    env: Mapping[str, str] | None = None,
) -> Result:
    address = f"localhost:{where}" if isinstance(where, int) else where
    with contextlib.chdir(cwd):
        argv = ["connect", address, *map(str, options)]
        result = CliRunner().invoke(app, argv, env=env, prog_name="python -m mtls_openssl")
    assert result.exit_code == exit_code, result.output
    return result


# What a good connection tells.


def test_a_good_connection_is_told_in_one_answer(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        told = connect(port, cwd=made).stdout
    assert told.splitlines()[0].startswith(f"localhost:{port}: TLSv1.3, TLS_")
    for words in (
        "CN=server.your_domain.com (396 days left",
        "yes, by ca.crt",
        "localhost is in the certificate",
        "asked for in the handshake; client.crt was sent; accepted",
        "CN=MyRootCA",
        "HTTP/1.1 200 OK",
    ):
        assert words in told


def test_the_same_is_data_for_a_program(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        data = json.loads(connect(port, "--json", "--tls", "1.2", cwd=made).stdout)
    assert (data["ok"], data["version"]) == (True, "TLSv1.2")
    assert data["chain"][0]["subject"].endswith("CN=server.your_domain.com")
    assert data["chain"][0]["pem"].startswith("-----BEGIN CERTIFICATE-----")
    assert data["client_certificate"]["asked"] == "handshake"
    assert data["client_certificate"]["accepted"] is True


def test_the_servers_certificates_can_be_had_as_pem(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        printed = connect(port, "--showcerts", cwd=made).stdout
    text = (made / "server.crt").read_text("ascii")
    assert printed.startswith(text[text.index("-----BEGIN") :].strip())


def test_quiet_says_nothing_of_what_is_good(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        done = connect(port, "-q", cwd=made)
    assert (done.stdout, done.stderr) == ("", "")


def test_an_ipv6_address_is_reached(made: Path) -> None:
    with serving(over_tls(context_of(made), web), "::1") as port:
        told = connect(f"[::1]:{port}", "--servername", "localhost", cwd=made).stdout
    assert "accepted" in told


def test_a_server_that_asks_for_no_certificate_is_told(made: Path) -> None:
    with serving(over_tls(context_of(made, ssl.CERT_NONE), web)) as port:
        told = connect(port, cwd=made).stdout
    assert "not asked for; client.crt was not sent" in told


def test_a_server_that_never_answers_over_tls_is_told_and_is_no_fault(made: Path) -> None:
    with serving(over_tls(context_of(made), lambda client: client.recv(9999))) as port:
        told = connect(port, "--no-request", "--timeout", "3", cwd=made).stdout
    assert "the server said nothing more within the time limit" in told


def test_a_connection_leaves_its_line_and_no_key_of_the_session(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        connect(port, cwd=made)
    lines = [
        line
        for line in audit.read(made / audit.LOG)
        if line.purpose == f"connect to localhost:{port}"
    ]
    assert [line.argv[:2] for line in lines] == [["openssl", "s_client"]]
    log = (made / audit.LOG).read_text("utf-8")
    assert "Master-Key" not in log
    assert "Resumption PSK" not in log
    assert not [path.name for path in made.iterdir() if "messages" in path.name]


# Who trusts whom.


def test_a_server_of_another_ca_is_told_with_what_mends_it(made: Path, tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path / "other")
    shop.certificate("ca", None, "basicConstraints = critical, CA:TRUE")
    with serving(over_tls(context_of(made, ssl.CERT_NONE), web)) as port:
        refused = connect(port, "--ca", shop.folder / "ca.crt", cwd=made, exit_code=Exit.NOT_PROVEN)
    assert "its chain ends at a root CA that is not trusted here (verify error 19" in refused.stderr
    assert "To mend it: name the CA that issued it: --ca FILE" in refused.stderr


def test_a_name_that_the_server_lacks_is_told_with_those_that_it_has(made: Path) -> None:
    with serving(over_tls(context_of(made, ssl.CERT_NONE), web)) as port:
        refused = connect(
            port, "--servername", "other.example", cwd=made, exit_code=Exit.NOT_PROVEN
        )
    assert "it is not for the name that was asked for (verify error 62" in refused.stderr
    assert "other.example is not in the certificate, which has: DNS:server." in refused.stdout


def test_the_trust_store_of_the_system_is_asked_where_it_is_named(made: Path) -> None:
    believed = {"SSL_CERT_FILE": str(made / "ca.crt")}
    with serving(over_tls(context_of(made, ssl.CERT_NONE), web)) as port:
        told = connect(port, "--ca", "system", "--no-cert", cwd=made, env=believed).stdout
        connect(port, "--ca", "system", cwd=made, exit_code=Exit.NOT_PROVEN)
    assert "yes, by the trust store of this openssl" in told


def test_no_certificate_is_sent_where_none_is_wanted(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        refused = connect(port, "--no-cert", cwd=made, exit_code=Exit.NOT_PROVEN)
    assert "requires a client certificate, and got none (alert 116" in refused.stderr
    assert "none was given" in refused.stdout


def test_a_certificate_of_another_ca_is_told_with_what_the_server_asked_for(
    made: Path, tmp_path: Path
) -> None:
    shop = Workshop.at(tmp_path / "other")
    shop.certificate("ca", None, "basicConstraints = critical, CA:TRUE")
    shop.certificate("client", "ca", "extendedKeyUsage = clientAuth")
    certificate = ("-cert", "server.crt", "-key", "server.key", "-CAfile", "ca.crt")
    with s_server(made, *certificate, "-Verify", "2", "-verify_return_error") as port:
        refused = connect(
            port, "--cert", shop.folder / "client.crt", cwd=made, exit_code=Exit.NOT_PROVEN
        )
    assert "the server does not know the CA of our certificate (alert 48" in refused.stderr
    assert "the server asked for certificates of other CAs than ours, which is CN=ca" in (
        refused.stdout
    )


def test_intermediates_in_the_file_of_the_certificate_are_sent(tmp_path: Path) -> None:
    shop = Workshop.at(tmp_path / "deep")
    authority = ("basicConstraints = critical, CA:TRUE", "keyUsage = keyCertSign")
    shop.certificate("ca", None, *authority)
    shop.certificate("middle", "ca", *authority)
    shop.certificate("server", "ca", "subjectAltName = DNS:localhost")
    shop.certificate("leaf", "middle", "extendedKeyUsage = clientAuth")
    whole = "".join((shop.folder / f"{name}.crt").read_text("ascii") for name in ("leaf", "middle"))
    (shop.folder / "whole.crt").write_text(whole, "ascii")
    shutil.copy(shop.folder / "leaf.key", shop.folder / "whole.key")
    with serving(over_tls(context_of(shop.folder), web)) as port:
        connect(port, "--cert", "whole.crt", cwd=shop.folder)
        connect(port, "--cert", "leaf.crt", cwd=shop.folder, exit_code=Exit.NOT_PROVEN)


def test_a_key_with_a_password_is_used_and_the_password_seen_by_nobody(
    made: Path, tmp_path: Path
) -> None:
    shutil.copy(made / "client.crt", tmp_path)
    shutil.copy(made / "client.key", tmp_path)
    lock(tmp_path / "client.key", "sesame-open")
    given = ("--cert", tmp_path / "client.crt", "--password-env")
    with serving(over_tls(context_of(made), web)) as port:
        told = connect(port, *given, "WORD", cwd=made, env={"WORD": "sesame-open"})
        connect(
            *(port, *given, "OTHER"), cwd=made, env={"OTHER": "x"}, exit_code=Exit.COMMAND_FAILED
        )
        connect(port, *given[:2], cwd=made, exit_code=Exit.USAGE)
    assert "accepted" in told.stdout
    assert "sesame" not in told.stdout + (made / audit.LOG).read_text("utf-8")


# A server that asks late.


def ask_afterwards(client: ssl.SSLSocket) -> None:
    """What IIS does with TLS 1.3: it looks at the URL first (RFC 8446 section 4.6.2)."""
    client.recv(4096)
    client.verify_client_post_handshake()
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    client.settimeout(0.05)
    while client.getpeercert() is None:
        with contextlib.suppress(TimeoutError):
            if not client.recv(1):
                break


def test_a_server_that_asks_only_after_the_handshake_is_told(made: Path) -> None:
    context = context_of(made, ssl.CERT_OPTIONAL)
    context.post_handshake_auth = True
    with serving(over_tls(context, ask_afterwards)) as port:
        told = connect(port, "--timeout", "3", cwd=made).stdout
    assert "asked for only after the handshake; client.crt was sent; accepted" in told
    assert "clientcertnegotiation=enable" in told


@pytest.mark.posix  # on Windows s_server takes its commands from a keyboard only
def test_a_server_that_renegotiates_for_the_certificate_is_told(made: Path) -> None:
    certificate = ("-cert", "server.crt", "-key", "server.key", "-CAfile", "ca.crt")
    with renegotiating(made, *certificate, "-tls1_2") as port:
        told = connect(port, "--timeout", "3", cwd=made).stdout
    assert "asked for only after the handshake; client.crt was sent" in told


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


# What is typed.


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("example.org", Target("example.org", 443)),
        ("example.org:8443", Target("example.org", 8443)),
        ("https://example.org/a/b?c=d", Target("example.org", 443, "/a/b?c=d")),
        ("[::1]", Target("::1", 443)),
        ("[::1]:8443", Target("::1", 8443)),
        ("::1", Target("::1", 443)),
        ("https://[2001:db8::1]:99/", Target("2001:db8::1", 99)),
        ("127.0.0.1:1", Target("127.0.0.1", 1)),
        ("server.your_domain.com.", Target("server.your_domain.com", 443)),
        ("例子.测试", Target("xn--fsqu00a.xn--0zwm56d", 443)),
    ],
)
def test_an_address_is_read_as_it_is_meant(typed: str, read: Target) -> None:
    assert target.parse(typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        "", ":443", "host:", "host:0", "host:65536", "host:x", "host:-1", "-connect", "a b", "[::1",
        "[x]:1", "ldap://host", "http://host", "user:word@host", "host:\uff11", "a\nb", "a..b",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        target.parse(typed)


def test_starttls_has_its_own_port() -> None:
    assert target.parse("mail.example", starttls="smtp") == Target("mail.example", 25)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--no-cert", "--cert", "client.crt"), "--no-cert does not go with"),
        (("--key", "client.key"), "--key needs --cert"),
        (("--tls", "1.1"), "1.1"),
        (("--starttls", "gopher"), "gopher"),
    ],
)
def test_options_that_can_not_be_meant_are_refused(
    options: tuple[str, ...], words: str, made: Path
) -> None:
    assert words in connect("localhost:1", *options, cwd=made, exit_code=Exit.USAGE).stderr


@pytest.mark.parametrize("option", ["--cert", "--ca"])
def test_a_file_that_is_not_there_is_named(option: str, made: Path) -> None:
    refused = connect(
        "localhost:1", option, "gone.crt", cwd=made, exit_code=Exit.FOLDER_UNAVAILABLE
    )
    assert "gone." in refused.stderr


def test_a_certificate_in_another_form_is_told(made: Path) -> None:
    refused = connect(
        *("localhost:1", "--cert", "client.p12", "--key", "client.key"),
        cwd=made,
        exit_code=Exit.FOLDER_UNAVAILABLE,
    )
    assert "client.p12 has no certificate in PEM form in it" in refused.stderr


def test_a_key_of_another_certificate_is_told(made: Path) -> None:
    with serving(over_tls(context_of(made), web)) as port:
        refused = connect(
            *(port, "--cert", "client.crt", "--key", "server.key"),
            cwd=made,
            exit_code=Exit.COMMAND_FAILED,
        )
    assert "the key is not the certificate's" in refused.stderr


def test_where_there_is_no_set_it_goes_without(tmp_path: Path, made: Path) -> None:
    with serving(over_tls(context_of(made, ssl.CERT_NONE), web)) as port:
        told = connect(port, "--ca", made / "ca.crt", cwd=tmp_path).stdout
    assert "none was given" in told
    assert list(tmp_path.iterdir()) == []

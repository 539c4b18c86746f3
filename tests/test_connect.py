"""`connect` against real servers on loopback: what it tells, and how it ends."""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mtls_openssl import audit
from mtls_openssl.cli import app
from mtls_openssl.errors import Exit, UsageError
from mtls_openssl.live import target
from mtls_openssl.live.target import Target
from tests.machine import lock
from tests.tls_servers import Workshop, context_of, over_tls, renegotiating, s_server, serving, web

pytestmark = pytest.mark.end_to_end


@pytest.fixture(name="made", scope="module")
def made_fixture(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
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

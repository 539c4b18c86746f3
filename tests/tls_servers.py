"""Servers for one test each, on loopback, at a port that the kernel chooses; and certificates.

They end when the block of the test does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.machine import openssl, ran

Talk = Callable[[socket.socket], object]


@contextlib.contextmanager
def serving(talk: Talk, host: str = "127.0.0.1") -> Iterator[int]:
    """A TCP server that does `talk` with each client; its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        closing = threading.Event()

        def serve() -> None:
            while not closing.is_set():
                client, _address = listener.accept()
                client.settimeout(20)
                with client, contextlib.suppress(OSError):
                    if not closing.is_set():
                        talk(client)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        try:
            yield port
        finally:
            closing.set()
            # What accept() waits for; closing its socket does not wake it everywhere.
            socket.create_connection((host, port), timeout=5).close()
            thread.join()


def over_tls(context: ssl.SSLContext, talk: Callable[[ssl.SSLSocket], object]) -> Talk:
    """A talk that begins with a TLS handshake."""

    def shake(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as wrapped:
            talk(wrapped)

    return shake


def web(client: socket.socket) -> None:
    """Answer one HTTP request."""
    client.recv(4096)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")


def context_of(folder: Path, verify: ssl.VerifyMode = ssl.CERT_REQUIRED) -> ssl.SSLContext:
    """The server of a set, which asks for a certificate of the set's CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = verify
    return context


@contextlib.contextmanager
def s_server(folder: Path, *options: str) -> Iterator[int]:
    """`openssl s_server`, which shows a page about each connection; its port."""
    with _started(folder, "-www", *options) as server:
        yield _port(server)


@contextlib.contextmanager
def renegotiating(folder: Path, *options: str) -> Iterator[int]:
    """`openssl s_server`, which asks for a certificate once the handshake is over; its port."""
    with _started(folder, "-no_ticket", "-no_cache", *options) as server:
        port = _port(server)
        thread = threading.Thread(target=_renegotiate, args=(server,))
        thread.start()
        yield port
        server.kill()
        thread.join()


def _renegotiate(server: subprocess.Popen[str]) -> None:
    assert server.stdin
    assert server.stdout
    for line in server.stdout:
        if "GET / " in line:
            server.stdin.write("R\n")  # openssl-s_server(1), "Connected commands"
            server.stdin.flush()


@contextlib.contextmanager
def _started(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [openssl(), "s_server", "-accept", "127.0.0.1:0", *options], cwd=folder,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        encoding="utf-8", errors="replace", env={**os.environ, "OPENSSL_CONF": os.devnull},
    ) as server:  # fmt: skip
        try:
            yield server
        finally:
            server.kill()


def _port(server: subprocess.Popen[str]) -> int:
    assert server.stdout
    for line in server.stdout:
        if found := re.match(r"ACCEPT .*:(\d+)$", line.rstrip()):
            return int(found[1])
    raise AssertionError("s_server did not start")


@dataclasses.dataclass(frozen=True)
class Workshop:
    """Makes certificates of every odd kind, in one folder."""

    folder: Path

    def openssl(self, *argv: str, exit_code: int | None = 0) -> str:
        """What an openssl command prints."""
        environment = {"OPENSSL_CONF": "workshop.cnf"}
        done = ran(openssl(), *argv, cwd=self.folder, env=environment, exit_code=exit_code)
        return done.stdout + done.stderr

    def key(self, name: str, rsa: int | None = None) -> None:
        """Make `name.key`: EC, or RSA of so many bits."""
        kind = ("RSA", f"rsa_keygen_bits:{rsa}") if rsa else ("EC", "ec_paramgen_curve:P-256")
        self.openssl("genpkey", "-algorithm", kind[0], "-pkeyopt", kind[1], "-out", f"{name}.key")

    def certificate(
        self,
        name: str,
        by: str | None,
        *extensions: str,
        subject: str = "",
        rsa: int | None = None,
        dates: tuple[str, str] = ("20200101000000Z", "20991231235959Z"),
        digest: str = "sha256",
    ) -> None:
        """Make `name.crt` with its key: issued by `by`, or by itself; dates as UTC times."""
        self.key(name, rsa)
        lines = ["[own]", *extensions]
        (self.folder / f"{name}.ext").write_text("\n".join(lines), "utf-8")
        self.openssl(
            "req", "-new", "-key", f"{name}.key", "-out", f"{name}.csr",
            "-subj", subject or f"/CN={name}",
        )  # fmt: skip
        signer = by or name
        issuer = ("-cert", f"{signer}.crt") if by else ("-selfsign",)
        self.openssl(
            "ca", "-batch", "-notext", "-in", f"{name}.csr", "-out", f"{name}.crt", *issuer,
            "-keyfile", f"{signer}.key", "-startdate", dates[0], "-enddate", dates[1],
            "-md", digest, "-extfile", f"{name}.ext", "-extensions", "own",
        )  # fmt: skip

    @classmethod
    def at(cls, folder: Path) -> Workshop:
        """One in a folder of its own."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("01\n")
        (folder / "crlnumber").write_text("01\n")
        (folder / "workshop.cnf").write_text(_CONFIG, "utf-8")
        return cls(folder)


_CONFIG = """\
[req]
distinguished_name = nothing
[nothing]
[ca]
default_ca = shop
[shop]
new_certs_dir = .
database = index.txt
serial = serial
crlnumber = crlnumber
policy = any
unique_subject = no
default_md = sha256
default_crl_days = 30
[any]
commonName = optional
"""

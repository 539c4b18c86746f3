"""`openssl s_server`: a TLS server for one connection on loopback (openssl-s_server(1))."""

from __future__ import annotations

import dataclasses
import re

from mtls_openssl.openssl.x509 import NAMES

READY = r"^ACCEPT .*:(\d+)\n"
"""What it prints when it listens: a regular expression, with the port as its group."""

LET_IN = r"^Peer certificate: .*\n"
"""What it prints of a client that it has let in: a regular expression."""

LAST_LINE = "CLOSE"
"""The line that ends a connection to `serve_one`."""


def serve_one(
    server: tuple[str, str] = ("server.crt", "server.key"),
    *,
    trusted: str = "ca.crt",
    chain: str = "",
    crls: bool = False,
) -> tuple[str, ...]:
    """Argv of a server that serves one client with a certificate of the CA of this folder.

    It takes a free port of 127.0.0.1 and prints it (READY). It sends back each line reversed
    (`-rev`, the one mode that prints no key of the session), until LAST_LINE, and ends.

    Args:
        server: the files of its certificate and its key.
        trusted: the file with the CAs by which clients are checked, and with their CRLs.
        chain: the file with who issued its certificate, to be sent; empty for none.
        crls: whether there are CRLs in `trusted`, and clients are looked up in them.
    """
    certificate, key = server
    checks = ("-crl_check", "-crl_check_all") if crls else ()
    between = ("-cert_chain", chain) if chain else ()
    return (
        "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-rev",
        "-cert", certificate, "-key", key, *between, "-CAfile", trusted, *checks,
        "-Verify", "9", "-verify_return_error", "-nameopt", NAMES,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What the server says of its one client.

    Args:
        let_in: whether the handshake was finished.
        client: the subject of the client's certificate, as in RFC 2253; empty if it was not let
            in.
        errors: verify codes of the client's certificate, with openssl's words.
        lacked: whether it misses a certificate.
        alert: the alert that the client sent, by number; None if it sent none.
    """

    let_in: bool
    client: str
    errors: tuple[tuple[int, str], ...]
    lacked: bool
    alert: int | None


def parse(stderr: str) -> Judgement:
    """Read what `serve_one` printed."""
    client = re.search(r"^Peer certificate: (.*)$", stderr, re.MULTILINE)
    return Judgement(
        let_in="CONNECTION ESTABLISHED" in stderr,
        client=client[1] if client else "",
        errors=verify_errors(stderr),
        lacked="peer did not return a certificate" in stderr,
        alert=alert_number(stderr),
    )


def verify_errors(stderr: str) -> tuple[tuple[int, str], ...]:
    """The verify errors that `s_server` or `s_client` printed: code and words, each once.

    >>> verify_errors("verify error:num=10:certificate has expired")
    ((10, 'certificate has expired'),)
    """
    found = re.findall(r"^verify error:num=(\d+):(.*)$", stderr, re.MULTILINE)
    return tuple(dict.fromkeys((int(code), words.strip()) for code, words in found))


def alert_number(stderr: str) -> int | None:
    """The alert that the other side sent, by its number; None if it sent none.

    >>> alert_number("...:tlsv13 alert certificate required:...:SSL alert number 116")
    116
    """
    found = re.search(r"SSL alert number (\d+)", stderr)
    return int(found[1]) if found else None

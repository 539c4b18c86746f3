"""`openssl s_client`: one TLS connection, and all that was said on it (openssl-s_client(1))."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Sequence

from mtls_openssl.openssl.pkey import PASSWORD_VARIABLE
from mtls_openssl.openssl.s_server import verify_errors
from mtls_openssl.openssl.x509 import NAMES

MESSAGES = "messages.txt"
"""The file that `connect` writes the messages of the protocol to."""

_EMPTY_CERTIFICATE = 8
_HANDSHAKE_HEADER = 4
_SUPPORTED_VERSIONS = 43
_VERSIONS = {
    0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3",
}  # fmt: skip
_RECORD_HEADER = 5
_RECORDS = range(0x14, 0x19)
_TLS = 3
_DATA = b"\x17"


def connect(
    address: str,
    *checks: str,
    ca: str | None,
    client: tuple[str, str] | None,
    chain: str | None = None,
    encrypted: bool = False,
    version: str | None = None,
    starttls: str | None = None,
) -> tuple[str, ...]:
    """Argv of a connection that tells all that `parse` reads.

    Args:
        address: host and port, `[::1]:443` for an IPv6 address.
        checks: further options, such as `("-servername", "x", "-verify_hostname", "x")`.
        ca: the file of the CAs to trust; None for those of the machine.
        client: the files of the client's certificate and its key.
        chain: the file of the certificates between the client's and its root.
        encrypted: whether the key has a password, which is in `pkey.PASSWORD_VARIABLE`.
        version: `1.2` or `1.3`, and no other.
        starttls: the protocol to speak before TLS.
    """
    argv = ["s_client", "-connect", address, *checks]
    if starttls:
        argv += ["-starttls", starttls]
    if ca:
        argv += ["-CAfile", ca]
    if client:
        argv += ["-cert", client[0], "-key", client[1]]
        argv += ["-pass", f"env:{PASSWORD_VARIABLE}" if encrypted else "pass:"]
    if chain:
        argv += ["-cert_chain", chain]
    if version:
        argv.append(f"-tls{version.replace('.', '_')}")
    return (
        *argv, "-enable_pha", "-showcerts", "-ign_eof", "-nameopt", NAMES,
        "-msg", "-msgfile", MESSAGES,
    )  # fmt: skip


def prove(
    address: str,
    *checks: str,
    client: tuple[str, str] | None,
    version: str,
    chain: str = "",
) -> tuple[str, ...]:
    """Argv of a connection that is broken off if the server is not who it should be.

    Args:
        address: host and port.
        checks: as for `connect`.
        client: the files of the client's certificate and its key, without a password.
        version: `1.2` or `1.3`.
        chain: the file with who issued the client's certificate, to be sent; empty for none.
    """
    identity = ("-cert", client[0], "-key", client[1]) if client else ()
    if client and chain:
        identity = (*identity, "-cert_chain", chain)
    return (
        "s_client", "-connect", address, *checks, "-CAfile", "ca.crt", *identity,
        f"-tls{version.replace('.', '_')}", "-verify_return_error", "-ign_eof",
    )  # fmt: skip


class Kind(enum.IntEnum):
    """A handshake message (RFC 8446 section 4, RFC 5246 section 7.4)."""

    HELLO_REQUEST = 0
    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    NEW_SESSION_TICKET = 4
    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13
    FINISHED = 20
    COMPRESSED_CERTIFICATE = 25


@dataclasses.dataclass(frozen=True)
class Message:
    """One message of the protocol.

    Args:
        ours: whether the client sent it.
        content: `handshake`, `alert`, `data`, or `raw` for what is not TLS; `sealed` is a record
            of TLS 1.3 of which the next message tells what is in it.
        body: its bytes, of data the first of its header.
    """

    ours: bool
    content: str
    body: bytes = b""

    def is_a(self, kind: Kind) -> bool:
        """Whether it is this handshake message."""
        return self.content == "handshake" and self.body[:1] == bytes([kind])


@dataclasses.dataclass(frozen=True)
class Transcript:
    """What was said on a connection.

    Args:
        connected: whether there was a TCP connection.
        messages: all of them, in order.
        version: of TLS, such as `TLSv1.3`; empty if it was not agreed on.
        cipher: the cipher suite; empty if it was not agreed on.
        chain: the server's certificates, PEM, its own first.
        authorities: the CAs that the server named when it asked for a certificate.
        errors: verify codes of the server's certificate, with openssl's words.
        printed: all that came on standard output; what the server answered is in it.
        said: what openssl complained of.
    """

    connected: bool
    messages: tuple[Message, ...]
    version: str
    cipher: str
    chain: tuple[str, ...]
    authorities: tuple[str, ...]
    errors: tuple[tuple[int, str], ...]
    printed: str
    said: str


def parse(stdout: str, stderr: str, messages: str) -> Transcript:
    """Read what `connect` printed, and the file that it left."""
    cipher = re.search(r"^(?:New|Reused), \S+, Cipher is (?!\(NONE\))(\S+)", stdout, re.MULTILINE)
    told = parse_messages(messages)
    version = _version(told)
    if version != "TLSv1.3":
        told = tuple(
            dataclasses.replace(one, content="data") if one.content == "sealed" else one
            for one in told
        )
    chain = re.search(r"^Certificate chain\n(.*?)^---$", stdout, re.MULTILINE | re.DOTALL)
    names = re.search(
        r"^Acceptable client certificate CA names\n(.*?)"
        r"^(?:Client Certificate Types:|Requested |Shared |Peer |Server Temp|Negotiated |---)",
        stdout,
        re.MULTILINE | re.DOTALL,
    )
    return Transcript(
        # A process that was killed has not printed all that it had to say.
        connected="CONNECTED(" in stdout or bool(told),
        messages=told,
        version=version,
        cipher=cipher[1] if cipher else "",
        chain=split_pem(chain[1] if chain else ""),
        authorities=tuple(names[1].splitlines()) if names else (),
        errors=verify_errors(stderr),
        printed=stdout,
        said=stderr,
    )


def split_pem(text: str) -> tuple[str, ...]:
    """The certificates in `text`, PEM, in its order (RFC 7468)."""
    pattern = r"^-----BEGIN CERTIFICATE-----$.*?^-----END CERTIFICATE-----$"
    return tuple(re.findall(pattern, text.replace("\r\n", "\n"), re.MULTILINE | re.DOTALL))


def parse_messages(text: str) -> tuple[Message, ...]:
    """Read what `-msg` prints: a line that names each message, and its bytes in hex below."""
    messages = []
    for arrow, title, dump in re.findall(
        r"^(<<<|>>>) ([^\n]*) ?\[length [0-9a-f]+\][^\n]*\n((?: {4}[0-9a-f ]+\n?)*)",
        text,
        re.MULTILINE,
    ):
        body = bytes.fromhex(dump)
        if content := _content(title, body):
            messages.append(Message(arrow == ">>>", content, body))
    return tuple(messages)


def _content(title: str, body: bytes) -> str:
    """What kind of message it is; empty for one that says nothing by itself."""
    if "Handshake" in title:
        return "handshake"
    if "Alert" in title:
        return "alert"
    if body == _DATA:  # what an encrypted record of TLS 1.3 is inside
        return "data"
    if len(body) != _RECORD_HEADER:
        return ""
    if body[0] not in _RECORDS or body[1] != _TLS:
        return "raw"
    return "sealed" if body[:1] == _DATA else ""


def _version(messages: Sequence[Message]) -> str:
    """The version that the server chose (RFC 8446 section 4.2.1)."""
    for message in messages:
        if message.is_a(Kind.SERVER_HELLO) and not message.ours:
            hello = message.body[_HANDSHAKE_HEADER:]
            number = int.from_bytes(hello[:2], "big")
            rest = hello[35 + hello[34] + 3 :]  # after random, session, cipher and compression
            for kind, value in _extensions(rest):
                if kind == _SUPPORTED_VERSIONS:
                    number = int.from_bytes(value, "big")
            return _VERSIONS.get(number, f"0x{number:04x}")
    return ""


def _extensions(block: bytes) -> list[tuple[int, bytes]]:
    found, rest = [], block[2:]
    while len(rest) >= _HANDSHAKE_HEADER:
        kind, length = (int.from_bytes(rest[at : at + 2], "big") for at in (0, 2))
        found.append((kind, rest[4 : 4 + length]))
        rest = rest[4 + length :]
    return found


def has_certificate(message: Message) -> bool:
    """Whether it is a Certificate message with a certificate in it (RFC 8446 section 4.4.2)."""
    if message.is_a(Kind.COMPRESSED_CERTIFICATE):  # RFC 8879; its length after decompression
        return int.from_bytes(message.body[6:9], "big") > _EMPTY_CERTIFICATE - _HANDSHAKE_HEADER
    return message.is_a(Kind.CERTIFICATE) and len(message.body) > _EMPTY_CERTIFICATE

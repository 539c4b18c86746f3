"""Connect to a server as a TLS client, and read what happened (openssl-s_client(1))."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import (
    CommandFailedError,
    FolderUnavailableError,
    MtlsError,
    UnreachableError,
)
from mtls_openssl.inspection.files import bytes_of
from mtls_openssl.language import _
from mtls_openssl.live import reading
from mtls_openssl.live.reading import Answer, Link
from mtls_openssl.live.target import Target, is_address
from mtls_openssl.locate import Version
from mtls_openssl.openssl import diagnosis, s_client, x509
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl.pkey import PASSWORD_VARIABLE
from mtls_openssl.steps import Command, Ending, Kind, Outcome

PATIENCE = 10.0
"""Seconds that a server has to answer, where nobody asks for another number."""

_BINARY = getattr(os, "O_BINARY", 0)
_WINDOWS_STORE = Version(3, 2, 0)
_CA, _CERTIFICATE, _KEY, _CHAIN = "ca.pem", "client.pem", "client-key.pem", "chain.pem"

_CHECK = _("check the address and the port, and whether the server is running")
_TRY_WITHOUT = _(
    "check the address, the port and the protocol; try it without --starttls; give it longer with"
    " --timeout SECONDS"
)
_UNKNOWN = _("the system gave no reason that is known here")
_REFUSED = (_("nothing listens on this port, or a firewall refuses it"), _CHECK)
_NO_ROUTE = (
    _("there is no way to this address from here"),
    _("check the network; an IPv6 address needs IPv6 on the way"),
)
_NO_ANSWER = (_("the machine does not answer"), _CHECK)
_ERRORS = {
    errno.ECONNREFUSED: _REFUSED,
    errno.ENETUNREACH: _NO_ROUTE,
    errno.EHOSTUNREACH: _NO_ROUTE,
    errno.EADDRNOTAVAIL: _NO_ROUTE,
    errno.EAFNOSUPPORT: _NO_ROUTE,
    errno.ETIMEDOUT: _NO_ANSWER,
    # What Windows calls them (winsock2.h).
    10061: _REFUSED,
    10051: _NO_ROUTE,
    10065: _NO_ROUTE,
    10049: _NO_ROUTE,
    10047: _NO_ROUTE,
    10060: _NO_ANSWER,
}
_FAREWELLS = {
    "smtp": b"QUIT\r\n",
    "lmtp": b"QUIT\r\n",
    "pop3": b"QUIT\r\n",
    "ftp": b"QUIT\r\n",
    "nntp": b"QUIT\r\n",
    "irc": b"QUIT\r\n",
    "imap": b"a1 LOGOUT\r\n",
    "sieve": b"LOGOUT\r\n",
    "xmpp": b"</stream:stream>",
    "ldap": b"\x30\x05\x02\x01\x02\x42\x00",  # UnbindRequest (RFC 4511 section 4.3)
    # StartupMessage of protocol 3.0: the answer tells whether the certificate was good enough.
    "postgres": b"\x00\x00\x00\x1b\x00\x03\x00\x00user\x00mtls_openssl\x00\x00",
}
"""What is said over TLS after STARTTLS, so that the server answers or takes its leave."""


@dataclasses.dataclass(frozen=True)
class Identity:
    """The client certificate to send.

    Args:
        certificate: its file, PEM; its intermediates may follow in it.
        key: the file of its private key.
        password: the password of the key, if it has one.
    """

    certificate: Path
    key: Path
    password: str = dataclasses.field(default="", repr=False)


@dataclasses.dataclass(frozen=True)
class Manner:
    """How to connect.

    Args:
        ca: the file of the CAs to trust; None for those of the machine.
        identity: the client certificate; None to go without.
        name: the name to ask for and to find in the certificate; None for the host's own.
        starttls: the protocol before TLS.
        version: `1.2` or `1.3`, and no other.
        silent: whether to say nothing after the handshake.
    """

    ca: Path | None = None
    identity: Identity | None = None
    name: str | None = None
    starttls: str | None = None
    version: str | None = None
    silent: bool = False


def connect(desk: Desk, target: Target, manner: Manner) -> Answer:
    """Connect once, and read what happened.

    Args:
        desk: where openssl is asked.
        target: where to connect.
        manner: how.

    Raises:
        UnreachableError: there is no server, or it does not answer.
        FolderUnavailableError: a file can't be read.
        CommandFailedError: openssl could not use a file, or failed.
    """
    files, client = _bring(desk, manner)
    password = manner.identity.password if manner.identity else ""
    (desk.scratch / s_client.MESSAGES).unlink(missing_ok=True)
    outcome = desk.ask(
        _command(desk.version, target, manner, files),
        secrets={PASSWORD_VARIABLE: password} if password else None,
    )
    finished = outcome.finished
    transcript = s_client.parse(finished.stdout, finished.stderr, _messages(desk))
    if not transcript.connected:
        raise _unreached(target, outcome, manner)
    timed_out = finished.ending is Ending.TIMED_OUT
    if timed_out and all(message.ours for message in transcript.messages):
        raise UnreachableError(
            _(
                "{target} takes the connection, and then says nothing for {seconds:.0f} s.",
                target=target,
                seconds=finished.seconds,
            ),
            cause=_("it is no TLS server, or one that is stuck, or it waits for STARTTLS")
            if manner.starttls is None
            else _("it is stuck, or does not speak {protocol}", protocol=manner.starttls),
            fix=_("check the port; or name its protocol, such as --starttls smtp")
            if manner.starttls is None
            else _TRY_WITHOUT,
        )
    chain = _write(
        desk,
        {f"server-{at}.pem": pem.encode() for at, pem in enumerate(transcript.chain)},
    )
    return reading.read(
        transcript,
        tuple(_described(desk, name) for name in chain),
        client,
        starttls=manner.starttls is not None,
        timed_out=timed_out,
    )


def _bring(desk: Desk, manner: Manner) -> tuple[tuple[str, ...], Link | None]:
    """Copy all files to where their names are bare ASCII: those, and what our certificate says."""
    bring = {_CA: bytes_of(manner.ca)} if manner.ca else {}
    if not manner.identity:
        return _write(desk, bring), None
    certificates = s_client.split_pem(bytes_of(manner.identity.certificate).decode("latin-1"))
    if not certificates:
        raise FolderUnavailableError(
            _("{file} has no certificate in PEM form in it.", file=manner.identity.certificate),
            cause=_("it is another file, or a certificate in DER form or in a .p12"),
            fix=_("write it as PEM: python -m mtls_openssl convert"),
        )
    bring |= {_CERTIFICATE: certificates[0].encode("ascii"), _KEY: bytes_of(manner.identity.key)}
    if certificates[1:]:
        bring[_CHAIN] = "\n".join(certificates[1:]).encode("ascii")
    return _write(desk, bring), _described(desk, _CERTIFICATE)


def _write(desk: Desk, files: Mapping[str, bytes]) -> tuple[str, ...]:
    for name, content in files.items():
        descriptor = os.open(
            desk.scratch / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600
        )
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
    return tuple(files)


def _described(desk: Desk, name: str) -> Link:
    outcome = desk.ask(
        Command(
            x509.describe(name), _("read {file}", file=name), Kind.LOOK, reads=(name,), verdict=True
        )
    )
    try:
        certificate = x509.parse(outcome.finished.stdout)
    except ValueError:
        raise CommandFailedError(
            _("openssl can't read a certificate: {words}", words=_first_line(outcome)),
            cause=_("it is damaged, or of a kind that this openssl does not know"),
            fix=_("try a newer openssl: --openssl PATH"),
        ) from None
    return Link(
        certificate.subject,
        certificate.issuer,
        certificate.not_before,
        certificate.not_after,
        ext.alternatives(certificate.extensions.get(ext.ALTERNATIVE_NAME)),
    )


def _command(
    version: Version | None, target: Target, manner: Manner, files: tuple[str, ...]
) -> Command:
    name = manner.name or target.host
    checks = ["-noservername", "-verify_ip"] if is_address(name) else ["-servername", name]
    checks += [name] if is_address(name) else ["-verify_hostname", name]
    if not manner.ca and sys.platform == "win32" and version and version >= _WINDOWS_STORE:
        checks += ["-CAstore", "org.openssl.winstore://"]
    encrypted = bool(manner.identity and manner.identity.password)
    return Command(
        s_client.connect(
            str(target),
            *checks,
            ca=_CA if manner.ca else None,
            client=(_CERTIFICATE, _KEY) if manner.identity else None,
            chain=_CHAIN if _CHAIN in files else None,
            encrypted=encrypted,
            version=manner.version,
            starttls=manner.starttls,
        ),
        f"connect to {target}",
        Kind.LOOK,
        reads=files,
        secrets=(PASSWORD_VARIABLE,) if encrypted else (),
        verdict=True,
        reveals_key=True,  # the session's
        limit=PATIENCE,
        stdin=_words(target, manner, name),
        trusts_machine=manner.ca is None,
    )


def _words(target: Target, manner: Manner, name: str) -> bytes:
    """What to say over TLS, so that the server answers: it judges a certificate before it does."""
    if manner.silent:
        return b""
    if manner.starttls:
        return _FAREWELLS.get(manner.starttls, b"")
    host = f"[{name}]" if ":" in name else name
    return (
        f"GET {target.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mtls-openssl\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    ).encode()


def _messages(desk: Desk) -> str:
    file = desk.scratch / s_client.MESSAGES
    return file.read_text("ascii", "replace") if file.exists() else ""


def _unreached(target: Target, outcome: Outcome, manner: Manner) -> MtlsError:
    said, ending = outcome.finished.stderr, outcome.finished.ending
    if ending is Ending.TIMED_OUT:
        return UnreachableError(
            _(
                "{target} did not answer within {seconds:.0f} s.",
                target=target,
                seconds=outcome.finished.seconds,
            ),
            cause=_(
                "the machine is off, a firewall drops what is sent there, or the server is stuck"
            )
            if manner.starttls is None
            else _(
                "the machine is off, a firewall drops what is sent there, or the server is stuck,"
                " or does not speak {protocol}",
                protocol=manner.starttls,
            ),
            fix=_("check the address and the firewall; give it longer with --timeout SECONDS")
            if manner.starttls is None
            else _TRY_WITHOUT,
        )
    if "BIO_lookup" in said or "getaddrinfo" in said:
        return UnreachableError(
            _("There is no address for the name {host}.", host=target.host),
            cause=_("the name is misspelt, or the name server (DNS) does not know it from here"),
            fix=_("check the name, or connect to the address and add --servername NAME"),
        )
    number = re.search(r"^connect:errno=(\d+)$", said, re.MULTILINE)
    if number:
        cause, fix = _ERRORS.get(int(number[1]), (_UNKNOWN, _CHECK))
        return UnreachableError(
            _("{target} can't be reached.", target=target), cause=cause, fix=fix
        )
    known = diagnosis.cause(said)
    files = [
        str(file)
        for file in (
            manner.identity and manner.identity.certificate,
            manner.identity and manner.identity.key,
            manner.ca,
        )
        if file
    ]
    return CommandFailedError(
        _("openssl did not get as far as connecting; it said: {words}", words=_first_line(outcome)),
        cause=known[0],
        fix=known[1] or _("look at the files that it was given: {files}", files=", ".join(files)),
    )


def _first_line(outcome: Outcome) -> str:
    lines = (outcome.finished.stderr or outcome.problem).strip().splitlines()
    return lines[0] if lines else "-"

"""What a server or openssl says besides alerts, in words: HTTP, PostgreSQL, what is not TLS."""

from __future__ import annotations

import re
from typing import Final

from mtls_openssl.language import _
from mtls_openssl.live.explained import Explained

_GIVE_CERTIFICATE: Final = _(
    "give one that the server's CA has issued: --cert client.crt --key client.key"
)
_TRUST_ON_WINDOWS: Final = _(
    "on the server: the root CA belongs to LocalMachine\\Root, intermediates to LocalMachine\\CA,"
    " and nothing that is not self-signed to LocalMachine\\Root"
)

UNLIKED: Final = Explained(
    "HTTP 400",
    _("the web server did not accept our certificate"),
    _(
        "it is not of the CA in ssl_client_certificate, is revoked, has expired, or is for servers;"
        " or the CRL in ssl_crl has ended, and everybody is refused"
    ),
    _("nginx writes the reason to its error.log, at level info"),
)
"""What nginx says of any certificate that it refuses, whatever the reason."""

_HTTP: Final = (
    (
        r"No required SSL certificate was sent",
        Explained(
            "HTTP 400",
            _("the web server requires a client certificate, and got none"),
            _("none was given; nginx says so in HTTP, and not by an alert"),
            _GIVE_CERTIFICATE,
        ),
    ),
    (r"The SSL certificate error", UNLIKED),
    (
        r"\b403\.7(?!\d)",
        Explained(
            "HTTP 403.7",
            _("the web server requires a client certificate, and got none"),
            _("none was given, or IIS asked only after the handshake and was not answered"),
            _GIVE_CERTIFICATE,
        ),
    ),
    (
        r"\b403\.16(?!\d)",
        Explained(
            "HTTP 403.16",
            _("the web server does not trust the CA of our certificate"),
            _("the root CA is not in the server's trust store, or the store is in disorder"),
            _TRUST_ON_WINDOWS,
        ),
    ),
    (
        r"\b403\.13(?!\d)",
        Explained(
            "HTTP 403.13",
            _("the web server could not make sure that our certificate is not revoked"),
            _("it is revoked, or the CA's revocation list can't be fetched"),
            _("let the server reach the list; a private CA may have none at all"),
        ),
    ),
    (
        r"\b403\.17(?!\d)",
        Explained(
            "HTTP 403.17",
            _("the web server takes our certificate for expired, or not valid yet"),
            _("its dates, or the server's clock"),
            _("have a new one issued: python -m mtls_openssl client"),
        ),
    ),
)

_POSTGRES: Final = Explained(
    "SQLSTATE 28000",
    _("PostgreSQL requires a client certificate, and got none"),
    _("none was given; a line of pg_hba.conf has clientcert, or the method cert"),
    _GIVE_CERTIFICATE,
)

_SPEAKS_HTTP: Final = Explained(
    "no TLS",
    _("the server speaks plain HTTP on this port, and no TLS"),
    _("the port is the one for http, or TLS is not switched on there"),
    _("take the port for https; with nginx: listen PORT ssl"),
)
_SPEAKS_FIRST: Final = Explained(
    "no TLS",
    _("the server speaks another protocol on this port, and no TLS from the start"),
    _("it begins without TLS and changes to it when asked (STARTTLS)"),
    _("name the protocol, such as --starttls smtp"),
)
_NO_STARTTLS: Final = Explained(
    "no STARTTLS",
    _("the server does not offer to change to TLS (STARTTLS)"),
    _("TLS is not switched on there, or the port speaks TLS from the start"),
    _("try it without --starttls, or another port"),
)
_SILENT_CLOSE: Final = Explained(
    "closed",
    _("the server closed the connection without a word"),
    _("it speaks no TLS, lets only certain addresses in, or something between has cut it off"),
    _("check the port; look into the server's log at that time"),
)

_OPENSSL: Final = (
    (
        r"unsupported protocol|no protocols available|version too low|wrong ssl version",
        Explained(
            "old protocol",
            _("the server wants a version of TLS that this openssl does not speak any more"),
            _("a server that knows TLS 1.0 or 1.1 only"),
            _("bring the server's TLS library up to date"),
        ),
    ),
    (
        r"unsafe legacy renegotiation disabled",
        Explained(
            "unsafe renegotiation",
            _("the server does not know secure renegotiation (RFC 5746)"),
            _("a server from before 2010, or a proxy of that time in front of it"),
            _("bring the server's TLS library up to date"),
        ),
    ),
    (
        r"dh key too small",
        Explained(
            "weak key exchange",
            _("the server's Diffie-Hellman parameters are too small"),
            _("parameters of 1024 bits or less"),
            _("make new ones for the server: python -m mtls_openssl dhparam"),
        ),
    ),
    (
        r"no ciphers available|no shared cipher|no suitable signature algorithm",
        Explained(
            "nothing in common",
            _("this openssl and the server have no cipher or signature in common"),
            _("the kind of key in the certificate does not fit the ciphers that are allowed"),
            _("allow current ciphers on the server, or leave --tls out"),
        ),
    ),
)


def http(answer: str) -> Explained | None:
    """What an HTTP answer says against our certificate; None if it says nothing of it."""
    status = status_line(answer)
    if not re.search(r" [45]\d\d\b", status):
        return None
    return next((told for pattern, told in _HTTP if re.search(pattern, answer)), None)


def postgres(answer: str) -> Explained | None:
    """What PostgreSQL says of a certificate that it misses; None if it says nothing of it.

    That our made-up user has no right there says nothing of the certificate (ErrorResponse of the
    protocol 3.0; the message is in the server's language, English or Chinese).
    """
    refusal = re.search(r"\0C28000\0M([^\0]*)\0", answer)
    asks = refusal and re.search("valid client certificate|有效的客户", refusal[1])
    return _POSTGRES if asks else None


def status_line(answer: str) -> str:
    """The status line of an HTTP answer (RFC 9112 section 4); empty if there is none."""
    found = re.search(r"HTTP/1\.[01] \d{3}[ -~]*", answer)
    return found[0].strip() if found else ""


def not_tls(first_bytes: bytes) -> Explained:
    """What a server speaks that answered with these bytes, which are not TLS."""
    return _SPEAKS_HTTP if first_bytes.startswith(b"HTTP") else _SPEAKS_FIRST


def complaint(said: str, *, starttls: bool) -> Explained:
    """Why there was no handshake, from what openssl complained of."""
    for pattern, told in _OPENSSL:
        if re.search(pattern, said):
            return told
    return _NO_STARTTLS if starttls else _SILENT_CLOSE

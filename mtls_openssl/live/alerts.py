"""TLS alerts in words (RFC 8446 section 6, RFC 5246 section 7.2, RFC 6066 section 9).

An alert says what the other side found wrong. It never says why: the cause here is the usual
one, seen from a client that has received it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mtls_openssl.language import _
from mtls_openssl.live.explained import Explained

CLOSE_NOTIFY: Final = 0
USER_CANCELED: Final = 90
NO_RENEGOTIATION: Final = 100

_BETWEEN: Final = _(
    "something between client and server changes what they send, or one of them has a fault"
)
_SERVER_LOG: Final = _("look into the server's log at that time")
_OTHER_VERSION: Final = _("try the other version: --tls 1.2 or --tls 1.3")
_GIVE_CERTIFICATE: Final = _(
    "give one that the server's CA has issued: --cert client.crt --key client.key"
)
_OTHER_CERTIFICATE: Final = _(
    "look at it (python -m mtls_openssl inspect client.crt), and have a fitting one issued"
)
_NEW_CERTIFICATE: Final = _("have a new one issued: python -m mtls_openssl client")
_NOT_ASKED_FOR: Final = _("client and server do not agree on an extension of TLS; one has a fault")

ALERTS: Final[Mapping[int, Explained]] = MappingProxyType(
    {
        CLOSE_NOTIFY: Explained(
            "close_notify",
            _("the server ended the connection in good order"),
            _("it has no more to say, or does not want to speak before the handshake is over"),
            _SERVER_LOG,
        ),
        10: Explained(
            "unexpected_message",
            _("the server got a message that it did not expect at this point"),
            _BETWEEN,
            _OTHER_VERSION,
        ),
        20: Explained(
            "bad_record_mac",
            _("the server could not decrypt what it got, or it was changed on the way"),
            _BETWEEN,
            _("try from another network, and without a proxy"),
        ),
        21: Explained(
            "decryption_failed",
            _("the server could not decrypt what it got (an alert of old servers)"),
            _("a very old TLS library on the server"),
            _("bring the server's TLS library up to date"),
        ),
        22: Explained(
            "record_overflow",
            _("the server got a record longer than TLS allows"),
            _BETWEEN,
            _("try from another network, and without a proxy"),
        ),
        30: Explained(
            "decompression_failure",
            _("the server could not decompress what it got (an alert of old servers)"),
            _("a very old server, with TLS compression"),
            _("bring the server's TLS library up to date"),
        ),
        40: Explained(
            "handshake_failure",
            _("the server found no common ground for a connection"),
            _(
                "in TLS 1.2, most often: it requires a client certificate and got none; else no"
                " cipher in common, or a certificate of a kind that it does not take"
            ),
            _GIVE_CERTIFICATE,
        ),
        41: Explained(
            "no_certificate",
            _("there is no certificate where one was asked for (an alert of SSL 3.0)"),
            _("the server requires a client certificate and got none"),
            _GIVE_CERTIFICATE,
        ),
        42: Explained(
            "bad_certificate",
            _("the server takes our certificate for broken or wrongly signed"),
            _(
                "the certificate was changed, its signature or its name does not fit, or the key"
                " that was used is not its own"
            ),
            _OTHER_CERTIFICATE,
        ),
        43: Explained(
            "unsupported_certificate",
            _("our certificate is not of a kind that the server takes"),
            _(
                "it was not issued for clients (extended key usage without clientAuth), such as"
                " a server's certificate"
            ),
            _NEW_CERTIFICATE,
        ),
        44: Explained(
            "certificate_revoked",
            _("our certificate has been revoked"),
            _("its serial number is in the revocation list (CRL) that the server uses"),
            _NEW_CERTIFICATE,
        ),
        45: Explained(
            "certificate_expired",
            _("our certificate is not valid at this time"),
            _("it has expired, is not valid yet, or the server's clock is wrong"),
            _NEW_CERTIFICATE,
        ),
        46: Explained(
            "certificate_unknown",
            _("the server does not accept our certificate, and does not say why"),
            _("its own reasons, such as a certificate that no account belongs to"),
            _SERVER_LOG,
        ),
        47: Explained(
            "illegal_parameter",
            _("the server got a value that is not allowed at its place"),
            _BETWEEN,
            _OTHER_VERSION,
        ),
        48: Explained(
            "unknown_ca",
            _("the server does not know the CA of our certificate"),
            _(
                "the certificate is of another CA than the one that the server trusts, or the"
                " intermediate certificates between them were not sent"
            ),
            _(
                "give a certificate of the CA that the server trusts, its intermediates in the"
                " same file; or let the server trust its CA"
            ),
        ),
        49: Explained(
            "access_denied",
            _("the server knows who we are, and does not let us in"),
            _("our certificate is good, but its owner has no right there"),
            _("ask those who run the server to allow the certificate's subject"),
        ),
        50: Explained(
            "decode_error",
            _("the server could not read a message"),
            _BETWEEN,
            _OTHER_VERSION,
        ),
        51: Explained(
            "decrypt_error",
            _("the server could not check a signature of the handshake"),
            _("the key that was used is not the one of the certificate, or hardware has a fault"),
            _("check that they belong together: python -m mtls_openssl match CERT KEY"),
        ),
        60: Explained(
            "export_restriction",
            _("the server refuses a key of this size (an alert of old servers)"),
            _("a very old server, which still knows export ciphers"),
            _("bring the server's TLS library up to date"),
        ),
        70: Explained(
            "protocol_version",
            _("the server does not speak the version of TLS that was offered"),
            _("it speaks older or newer versions only"),
            _OTHER_VERSION,
        ),
        71: Explained(
            "insufficient_security",
            _("the server asks for stronger ciphers than were offered"),
            _("its policy allows few ciphers, and this openssl offers none of them"),
            _("use a newer openssl: --openssl PATH"),
        ),
        80: Explained(
            "internal_error",
            _("something went wrong inside the server"),
            _("its configuration or its key: it says so before it has looked at anything of ours"),
            _SERVER_LOG,
        ),
        86: Explained(
            "inappropriate_fallback",
            _("we offered an older version than the server speaks, as after a failed attempt"),
            _("the version was limited with --tls, or something between breaks newer ones"),
            _("leave --tls out"),
        ),
        USER_CANCELED: Explained(
            "user_canceled",
            _("the server's side broke the handshake off"),
            _("a person or a policy there ended it"),
            _SERVER_LOG,
        ),
        NO_RENEGOTIATION: Explained(
            "no_renegotiation",
            _("the server does not shake hands a second time"),
            _("renegotiation is switched off there"),
            _("let it ask for the client certificate in the first handshake"),
        ),
        109: Explained(
            "missing_extension",
            _("the server misses an extension that the handshake needs"),
            _("it needs the name of the server (SNI), or a key exchange that was not offered"),
            _("name the server: --servername NAME"),
        ),
        110: Explained(
            "unsupported_extension",
            _("an extension came that was not asked for"),
            _NOT_ASKED_FOR,
            _OTHER_VERSION,
        ),
        111: Explained(
            "certificate_unobtainable",
            _("the server could not fetch a certificate from the address it was given"),
            _NOT_ASKED_FOR,
            _SERVER_LOG,
        ),
        112: Explained(
            "unrecognized_name",
            _("the server does not know the name that it was asked for"),
            _("no site of that name is set up there, or an address was asked for, not a name"),
            _("name the site as the server knows it: --servername NAME"),
        ),
        113: Explained(
            "bad_certificate_status_response",
            _("a revocation answer (OCSP) was not good"),
            _("an OCSP answer that is too old, or of another issuer"),
            _SERVER_LOG,
        ),
        114: Explained(
            "bad_certificate_hash_value",
            _("a certificate is not the one that its address was given for"),
            _NOT_ASKED_FOR,
            _SERVER_LOG,
        ),
        115: Explained(
            "unknown_psk_identity",
            _("the server does not know the shared key that was offered"),
            _("it works with pre-shared keys instead of certificates"),
            _("connect to the port that it has for certificates"),
        ),
        116: Explained(
            "certificate_required",
            _("the server requires a client certificate, and got none"),
            _("none was given, or none that fits what the server asked for"),
            _GIVE_CERTIFICATE,
        ),
        120: Explained(
            "no_application_protocol",
            _("the server speaks none of the application protocols (ALPN) that were offered"),
            _("it wants one by name, such as h2, and none was offered"),
            _("connect to the port that it has for other clients"),
        ),
        121: Explained(
            "ech_required",
            _("the server wants its name encrypted (ECH)"),
            _("it answers only to clients that encrypt the name of the server"),
            _("connect to the address that it has for other clients"),
        ),
    }
)
"""Every alert that a server may send, by its number."""


def alert(number: int) -> Explained:
    """An alert in words; one that no standard names is told as what it is."""
    return ALERTS.get(number) or Explained(
        f"alert {number}",
        _("the server sent alert {number}, which no standard names", number=number),
        _("a server that is newer than this program, or does not speak TLS as others do"),
        _SERVER_LOG,
    )

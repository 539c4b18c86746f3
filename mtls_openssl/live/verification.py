"""What openssl finds wrong with a certificate, in words (X509_STORE_CTX_get_error(3)).

Each is told for whoever has received the certificate: `connect` of the server's, the server of
`handshake` of the client's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mtls_openssl.language import _
from mtls_openssl.live.explained import Explained

EXPIRED: Final = 10
REVOKED: Final = 23
CRL: Final = frozenset({3, 8, 11, 12, 44})
"""It is the revocation list that is missing or not good, whoever the certificate is for."""
NO_CERTIFICATE: Final = 1000
"""Not openssl's: none was sent."""
UNKNOWN_CA: Final = frozenset({2, 7, 18, 19, 20, 21, 27})
"""The chain does not end at a CA that is trusted."""
WRONG_NAME: Final = frozenset({62, 64})
"""The certificate is not for the one that was asked for."""
WRONG_PURPOSE: Final = 26

_NAME_CA: Final = _("name the CA that issued it: --ca FILE")
_ISSUE_AGAIN: Final = _("have it issued again by its CA")
_SEND_CHAIN: Final = _(
    "put the intermediate certificates behind its own certificate, in the same file"
)
_NEW_CA: Final = _("have it issued again, by a CA whose own certificate is good")
_STRONGER: Final = _("have it issued again with a stronger key and SHA-256")
_SERVER_CRL: Final = _("fetch the CA's current revocation list, and give it to the server")
_REPAIR_CA: Final = _("have the CA's certificate repaired: python -m mtls_openssl repair-ca")
_CLOCK: Final = _("check the clock of this machine; else have the certificate issued again")

_INVALID_CA: Final = Explained(
    "invalid CA certificate",
    _("what issued it is not a CA"),
    _("a certificate without CA:TRUE was used to issue others"),
    _NEW_CA,
)

VERIFICATION: Final[Mapping[int, Explained]] = MappingProxyType(
    {
        2: Explained(
            "unable to get issuer certificate",
            _("the CA above an intermediate certificate is not known"),
            _("the intermediate is trusted here, the root above it is not"),
            _("put the root beside the intermediate, in the file of --ca"),
        ),
        3: Explained(
            "unable to get certificate CRL",
            _("there is no revocation list (CRL) of the CA, where one is required"),
            _("revocation is checked, and the CRL of a CA in the chain is missing"),
            _SERVER_CRL,
        ),
        7: Explained(
            "certificate signature failure",
            _("its signature is not the one of the CA that it names"),
            _("it was changed, or two CAs have the same name and different keys"),
            _("check which CA issued it; a CA made anew needs its certificates made anew"),
        ),
        9: Explained(
            "certificate is not yet valid",
            _("it is not valid yet"),
            _("the clock of this machine, or of the one that issued it, is wrong"),
            _CLOCK,
        ),
        EXPIRED: Explained(
            "certificate has expired",
            _("it has expired"),
            _("nobody renewed it in time, or the clock of this machine is wrong"),
            _CLOCK,
        ),
        12: Explained(
            "CRL has expired",
            _("the revocation list (CRL) of the CA is out of date"),
            _("no new CRL was issued or fetched in time"),
            _SERVER_CRL,
        ),
        18: Explained(
            "self-signed certificate",
            _("it is signed with its own key, and not trusted here"),
            _("a certificate that a server made for itself, and no CA's"),
            _("have one issued by a CA; or, if you know that it is the right one: --ca FILE"),
        ),
        19: Explained(
            "self-signed certificate in certificate chain",
            _("its chain ends at a root CA that is not trusted here"),
            _("the root is a private one, and it was not given"),
            _NAME_CA,
        ),
        20: Explained(
            "unable to get local issuer certificate",
            _("the CA that issued it is not known here"),
            _("it is of another CA, or the server does not send its intermediate certificates"),
            _NAME_CA,
        ),
        21: Explained(
            "unable to verify the first certificate",
            _("it came alone, and its CA is not known here"),
            _("the server does not send the intermediate certificates, or its CA was not given"),
            _SEND_CHAIN,
        ),
        22: Explained(
            "certificate chain too long",
            _("there are more CAs between it and the root than are allowed"),
            _("the depth that is allowed is too small for the chain"),
            _("allow a greater depth, such as ssl_verify_depth 3 of nginx"),
        ),
        REVOKED: Explained(
            "certificate revoked",
            _("its CA has revoked it"),
            _("its serial number is in the CA's revocation list (CRL)"),
            _("have a new one issued"),
        ),
        24: _INVALID_CA,  # of 1.1.1; since 3.0 it is 79
        79: _INVALID_CA,
        25: Explained(
            "path length constraint exceeded",
            _("there are more CAs in the chain than the root allows"),
            _("a CA whose certificate says pathlen:0 issued the certificate of another CA"),
            _NEW_CA,
        ),
        WRONG_PURPOSE: Explained(
            "unsuitable certificate purpose",
            _("it is not for this purpose"),
            _(
                "its extended key usage names others: a server needs serverAuth, a client"
                " clientAuth, and a CA in the chain must not forbid either"
            ),
            _("have one issued for this purpose"),
        ),
        28: Explained(
            "certificate rejected",
            _("its CA is marked as not trusted for this purpose"),
            _("the CA is in the trust store as a trusted certificate with other uses only"),
            _NAME_CA,
        ),
        32: Explained(
            "key usage does not include certificate signing",
            _("its CA may not issue certificates"),
            _("the key usage of the CA's certificate lacks keyCertSign"),
            _REPAIR_CA,
        ),
        34: Explained(
            "unhandled critical extension",
            _("it has a critical extension that openssl does not know"),
            _("an extension of one's own was marked as critical"),
            _ISSUE_AGAIN,
        ),
        47: Explained(
            "permitted subtree violation",
            _("it has a name that its CA may not issue certificates for"),
            _("the CA's certificate permits certain names only (name constraints)"),
            _("have it issued with a permitted name, or by another CA"),
        ),
        48: Explained(
            "excluded subtree violation",
            _("it has a name that its CA is forbidden to issue certificates for"),
            _("the CA's certificate excludes certain names (name constraints)"),
            _("have it issued with another name, or by another CA"),
        ),
        62: Explained(
            "hostname mismatch",
            _("it is not for the name that was asked for"),
            _("another site's certificate, or the name is missing among its DNS names"),
            _("ask for a name that it has, or have it issued with this one among its names"),
        ),
        64: Explained(
            "IP address mismatch",
            _("it is not for the address that was asked for"),
            _("the address is missing among its IP addresses; its DNS names do not count"),
            _("ask by a name that it has, or have it issued with this address among them"),
        ),
        66: Explained(
            "EE certificate key too weak",
            _("its key is too weak"),
            _("an RSA key of less than 2048 bits, or 1024 where openssl is older"),
            _STRONGER,
        ),
        67: Explained(
            "CA certificate key too weak",
            _("the key of its CA is too weak"),
            _("an RSA key of less than 2048 bits, or 1024 where openssl is older"),
            _NEW_CA,
        ),
        68: Explained(
            "CA signature digest algorithm too weak",
            _("it is signed with a hash that is no longer safe"),
            _("its CA signs with SHA-1 or MD5"),
            _STRONGER,
        ),
        NO_CERTIFICATE: Explained(
            "no certificate",
            _("none was sent"),
            _("none was given, or none that fits what was asked for"),
            _("give one: --cert client.crt --key client.key"),
        ),
    }
)
"""Every verify code that a TLS handshake meets, by its number."""


def verification(code: int, words: str = "") -> Explained:
    """A verify code in words; one that is not in the table is told in openssl's own.

    Args:
        code: its number.
        words: what openssl called it.
    """
    return VERIFICATION.get(code) or Explained(
        words or f"error {code}",
        _("openssl says of it: {words} (verify error {code})", words=words, code=code),
        _("a rule of RFC 5280 that the certificate or its CA does not keep"),
        _ISSUE_AGAIN,
    )

"""What `-text` prints of extensions: of certificates, requests and CRLs alike (RFC 5280, 4.2)."""

from __future__ import annotations

import ipaddress
import re

from mtls_openssl.frozen import dataclass

BASIC_CONSTRAINTS = "X509v3 Basic Constraints"
KEY_USAGE = "X509v3 Key Usage"
EXTENDED_KEY_USAGE = "X509v3 Extended Key Usage"
ALTERNATIVE_NAME = "X509v3 Subject Alternative Name"
SUBJECT_KEY_IDENTIFIER = "X509v3 Subject Key Identifier"
AUTHORITY_KEY_IDENTIFIER = "X509v3 Authority Key Identifier"
NAME_CONSTRAINTS = "X509v3 Name Constraints"
CRL_NUMBER = "X509v3 CRL Number"

_USAGES = {
    "Digital Signature": "digitalSignature",
    "Non Repudiation": "nonRepudiation",
    "Key Encipherment": "keyEncipherment",
    "Data Encipherment": "dataEncipherment",
    "Key Agreement": "keyAgreement",
    "Certificate Sign": "keyCertSign",
    "CRL Sign": "cRLSign",
    "Encipher Only": "encipherOnly",
    "Decipher Only": "decipherOnly",
    "TLS Web Server Authentication": "serverAuth",
    "TLS Web Client Authentication": "clientAuth",
    "Code Signing": "codeSigning",
    "E-mail Protection": "emailProtection",
    "Time Stamping": "timeStamping",
    "OCSP Signing": "OCSPSigning",
    "Any Extended Key Usage": "anyExtendedKeyUsage",
}


@dataclass(frozen=True)
class Extension:
    """One extension as openssl prints it: its values, and whether it is critical."""

    values: tuple[str, ...]
    critical: bool = False


def parse(text: str, header: str) -> dict[str, Extension]:
    """The extensions below a line such as `X509v3 extensions:`, by the name that openssl prints.

    Args:
        text: what `-text` printed.
        header: the line above them, without its indentation.
    """
    found: dict[str, Extension] = {}
    name, critical, values = "", False, list[str]()
    margin = -1
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        if margin < 0:
            margin = indent if line.strip() == header else -1
        elif not line.strip():
            continue
        elif indent <= margin:
            break
        elif indent == margin + 4:
            name, _, rest = line.strip().rpartition(":")
            critical, values = rest.strip() == "critical", []
            found[name] = Extension((), critical)
        elif name:
            values += line.strip().split(", ")
            found[name] = Extension(tuple(values), critical)
    return found


def usages(extension: Extension | None) -> tuple[str, ...]:
    """Key usages and purposes by their names in RFC 5280; one without is left as it is printed."""
    values = extension.values if extension else ()
    return tuple(_USAGES.get(value, value) for value in values)


def alternatives(extension: Extension | None) -> tuple[str, ...]:
    """The names in a subjectAltName (RFC 5280, 4.2.1.6), such as `DNS:localhost`.

    Addresses are in their usual form (RFC 5952). One that is none, of five bytes, is left as
    openssl prints it: a certificate of somebody else's may say anything.

    >>> alternatives(Extension(("IP Address:0:0:0:0:0:0:0:1", "IP Address:<invalid>")))
    ('IP:::1', 'IP Address:<invalid>')
    """
    return tuple(map(_alternative, extension.values if extension else ()))


def _alternative(printed: str) -> str:
    kind, _, value = printed.partition(":")
    if kind != "IP Address":
        return printed
    try:
        return f"IP:{ipaddress.ip_address(value)}"
    except ValueError:
        return printed


def key_identifier(extension: Extension | None) -> str:
    """The key identifier in an extension, in lower-case hex; empty if there is none."""
    for value in extension.values if extension else ():
        digits = value.removeprefix("keyid:")
        if re.fullmatch(r"[0-9A-F]{2}(:[0-9A-F]{2})*", digits):
            return digits.replace(":", "").lower()
    return ""

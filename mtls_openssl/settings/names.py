"""What one value in a table of `mtls.toml` may be: as `values`, for what only whole sets have."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from mtls_openssl.language import _
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Key
from mtls_openssl.profiles import P12_FOR
from mtls_openssl.settings import values
from mtls_openssl.settings.values import UnfitError

LONGEST_FILE_NAME = 60
_FILE_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_RSA = re.compile(r"rsa[-_ ]?(\d{4,5})", re.IGNORECASE)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9:/?@!&()*+=._~%\[\]-]+")
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
LONGEST_PATH = 10
TAKEN: Final = frozenset(
    {ROOT, INTERMEDIATE, "chain", "truststore", "dhparam", "crl", "index", "openssl", "backup"}
)
"""Names that files of a set have already."""
# Windows' own names for devices, with any ending (Naming Files, learn.microsoft.com).
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_ENDINGS = (".chain", ".p12", ".key", ".crt", ".csr", ".srl", *(f".{reader}" for reader in P12_FOR))


def file_name(value: object) -> str:
    """What the files of a certificate are called before the dot."""
    text = values.name(value)
    if not _FILE_NAME.fullmatch(text) or len(text) > LONGEST_FILE_NAME:
        raise UnfitError(_("can't be the name of its files on every system"))
    if text.lower() in TAKEN:
        raise UnfitError(_("is the name of another file already"))
    if _DEVICES.fullmatch(text):
        raise UnfitError(_("is the name of a device on Windows, which no file can have there"))
    if text.lower().endswith(_ENDINGS):
        raise UnfitError(_("ends as another file of a set does"))
    return text


def key_kind(value: object) -> Key:
    """A kind of key: RSA with its bits, an EC curve, or Ed25519."""
    text = values.name(value)
    if rsa := _RSA.fullmatch(text):
        return Key("RSA", bits=values.rsa_size(int(rsa[1])))
    plain = text.upper().replace("-", "").replace("_", "")
    if plain in {"P256", "P384"}:
        return Key("EC", curve=f"P-{plain[1:]}")
    if plain == "ED25519":
        return Key("ED25519")
    raise UnfitError(_("is no kind of key"))


def mail(value: object) -> str:
    """An e-mail address (RFC 5280: rfc822Name)."""
    text = values.name(value)
    if "@" not in text:
        raise UnfitError(_("is not an e-mail address"))
    return values.alternative_name(text).removeprefix("email:")


def address(value: object) -> str:
    """A URI, in characters that mean nothing to openssl's configuration (RFC 3986)."""
    text = values.visible(value)
    if not _URI.fullmatch(text):
        raise UnfitError(_("is not a URI, or has a character that can't stand in a certificate"))
    return text


def web_address(value: object) -> str:
    """An address that a program fetches from, or empty for none."""
    text = values.visible(value)
    if not text:
        return ""
    if not text.lower().startswith(("http://", "https://", "ldap://")):
        raise UnfitError(_("does not begin with http://"))
    return address(text)


def limit(value: object) -> str:
    """A name constraint as openssl writes it: `DNS:…`, `IP:…/…` or `email:…`.

    A domain stands for itself and all below it (RFC 5280, section 4.2.1.10).
    """
    text = values.name(value)
    if "@" in text:
        return f"email:{mail(text)}"
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"DNS:{values.dns_name(text.removeprefix('.'))}"
    if network.version == 4:  # noqa: PLR2004 - as IPv4
        return f"IP:{network.with_netmask}"
    return f"IP:{_long(network.network_address)}/{_long(network.netmask)}"


def _long(address: object) -> str:
    # As openssl prints it: each group without leading zeros, none left out.
    groups = ipaddress.IPv6Address(str(address)).exploded.split(":")
    return ":".join(f"{int(group, 16):X}" for group in groups)


def passphrase_source(value: object) -> str:
    """Where a pass phrase is: `env:NAME`, `file:PATH` or `ask` (openssl-passphrase-options(1))."""
    text = values.visible(value)
    kind, _colon, rest = text.partition(":")
    if kind == "pass":
        raise UnfitError(_("is the pass phrase itself, which has no place in a file of settings"))
    named = (kind == "env" and _VARIABLE.fullmatch(rest)) or (kind == "file" and rest)
    if text not in {"", "ask"} and not named:
        raise UnfitError(_("names no place that a pass phrase can be in"))
    return text


def path_length(value: object) -> int | None:
    """How many authorities may stand below one (RFC 5280, section 4.2.1.9)."""
    if value is None:
        return None
    number = values.whole_number(value)
    if not 0 <= number <= LONGEST_PATH:
        raise UnfitError(_("is not a number of authorities"))
    return number


def reader(value: object) -> str:
    """Whom a PKCS#12 file is made for."""
    text = values.name(value)
    if text not in {"default", *P12_FOR}:
        raise UnfitError(_("is nobody that a PKCS#12 file can be made for"))
    return text

"""What one value may be: a function for each kind of setting.

Each takes whatever an option, an environment variable or a TOML file may hold, and returns the
value as the certificate will say it, or raises `UnfitError`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from mtls_openssl.language import Text, _

LONGEST_NAME: Final = 64
"""Characters in a name (RFC 5280 appendix A.1, ub-common-name and ub-organization-name)."""
CA_SUFFIX: Final = " CA"
"""What the guide puts after the organisation in the CA's own name."""

_LONGEST_DNS_NAME = 253
_LONGEST_LABEL = 63
_LONGEST_LOCAL_PART = 64
MOST_DAYS = 36500
RSA_SIZES = range(2048, 16384 + 1, 8)
# `set KEY_SIZE=2048 & ...` in a batch file leaves a blank at the end.
_BLANKS = " \t"
_UNREADABLE = "\ufffd"
_JOINERS = "\u200c\u200d"
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_NUMBER = re.compile("-?[0-9]{1,9}")
_LABEL = re.compile("[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")
_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")
_WORDS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


class UnfitError(ValueError):
    """Why a value can't be used.

    Args:
        why: the end of a sentence that begins with the value.
        beside: name of the other setting that it does not go with, if there is one.
    """

    def __init__(self, why: str, *, beside: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.beside = beside


def country(value: object) -> str:
    """Two letters, as capitals (ISO 3166-1 alpha-2; X.520 countryName)."""
    text = _text(value)
    if not re.fullmatch("[A-Za-z]{2}", text):
        raise UnfitError(_("is not two letters from A to Z"))
    return text.upper()


def name(value: object) -> str:
    """1 to 64 characters that can be seen; no white space at either end."""
    text = optional_name(value)
    if not text:
        raise UnfitError(_("is empty"))
    return text


def optional_name(value: object) -> str:
    """As `name`, or empty: then the certificate goes without."""
    text = visible(value)
    if text != text.strip():
        raise UnfitError(_("begins or ends with white space"))
    if len(text) > LONGEST_NAME:
        raise UnfitError(
            _(
                "has {count} characters; a certificate has room for {most}",
                count=len(text),
                most=LONGEST_NAME,
            )
        )
    return text


def organization(value: object) -> str:
    """As `name`, and short enough for the CA's own organisation, which has ` CA` after it."""
    text = name(value)
    if len(text + CA_SUFFIX) > LONGEST_NAME:
        raise UnfitError(
            _(
                'has {count} characters; the CA is called this and "{suffix}",'
                " and a certificate has room for {most}",
                count=len(text),
                suffix=CA_SUFFIX,
                most=LONGEST_NAME,
            )
        )
    return text


def dns_name(value: object) -> str:
    """A DNS name as it stands in a certificate (RFC 5280 section 4.2.1.6).

    Letters keep their case, an underscore is allowed as in the guide's own domain, and labels
    outside ASCII become A-labels (RFC 5891, mapped first as UTS 46 says).
    """
    text = visible(value)
    if not text:
        raise UnfitError(_("is empty"))
    if _is_address(text):
        raise UnfitError(_("is an IP address, and those go to --server-ip"))
    ascii_name = text if text.isascii() else ".".join(map(_a_label, _DOTS.split(text)))
    labels = ascii_name.split(".")
    for label in labels:
        _check_label(label)
    if labels[-1].isdigit():
        raise UnfitError(_("ends in a number, as an IP address does: those go to --server-ip"))
    if len(ascii_name) > _LONGEST_DNS_NAME:
        raise _too_long_for_dns(ascii_name)
    return ascii_name


def server_name(value: object) -> str:
    """As `dns_name`, or with `*.` before it for every name one label longer (RFC 9525)."""
    text = _text(value)
    if text == "*":
        raise UnfitError(_("is a wildcard for nothing: a name has to follow, as in *.example.com"))
    if not text.startswith("*."):
        return dns_name(text)
    wildcard = f"*.{dns_name(text[2:])}"
    if len(wildcard) > _LONGEST_DNS_NAME:
        raise _too_long_for_dns(wildcard)
    return wildcard


def ip_address(value: object) -> str:
    """An IPv4 or IPv6 address in its usual short form (RFC 5952)."""
    text = _text(value)
    if "%" in text:
        raise UnfitError(_("has a zone, which means something on one machine only"))
    if "/" in text:
        raise UnfitError(_("is a network, not one address"))
    try:
        return ipaddress.ip_address(text).compressed
    except ValueError as error:
        raise UnfitError(_("is not an IP address; a name goes to --server-dns")) from error


def alternative_name(client: str) -> str:
    """The client's name as a value of subjectAltName (x509v3_config(5)).

    Args:
        client: the client's common name.

    Returns:
        `email:…` if it is an e-mail address (RFC 5280: rfc822Name), else `DNS:…`.
    """
    local, at, domain = client.rpartition("@")
    if not at:
        return f"DNS:{dns_name(client)}"
    if len(local) > _LONGEST_LOCAL_PART or not _LOCAL_PART.fullmatch(local):
        raise UnfitError(_("has something else than A-Z a-z 0-9 . _ + - before the @"))
    return f"email:{local}@{dns_name(domain)}"


def whole_number(value: object) -> int:
    """A whole number, or its decimal digits."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip(_BLANKS)):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise UnfitError(_("is not a whole number"))


def days(value: object) -> int:
    """How long a certificate is good for: 1 to 36500 days."""
    number = whole_number(value)
    if not 1 <= number <= MOST_DAYS:
        raise UnfitError(
            _("is too short a time") if number < 1 else _("is more than a hundred years")
        )
    return number


def rsa_size(value: object) -> int:
    """The size of an RSA key: 2048 to 16384 bits, a multiple of 8."""
    number = whole_number(value)
    if number not in RSA_SIZES:
        if number < RSA_SIZES.start:
            raise UnfitError(_("is too short to be safe"))
        raise UnfitError(
            _("is more than openssl can use")
            if number >= RSA_SIZES.stop
            else _("is no multiple of 8")
        )
    return number


def yes_or_no(value: object) -> bool:
    """A boolean, or one of the words people write for it."""
    word = str(value).strip(_BLANKS).lower()
    if word not in _WORDS:
        raise UnfitError(_("is neither yes nor no"))
    return _WORDS[word]


def listed(value: object) -> tuple[object, ...]:
    """A list, or text with commas between its entries; empty entries are left out."""
    if isinstance(value, str):
        value = [entry.strip(_BLANKS) for entry in value.split(",")]
    if not isinstance(value, list | tuple):
        raise UnfitError(_("is not a list"))
    return tuple(entry for entry in value if entry != "")


def distinct(entries: Iterable[str]) -> tuple[str, ...]:
    """The entries in their order, each once; DNS and IPv6 know no upper and lower case."""
    seen: dict[str, str] = {}
    for entry in entries:
        seen.setdefault(entry.lower(), entry)
    return tuple(seen.values())


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UnfitError(_("is not text; in a file, text stands in quotes"))
    return value


def visible(value: object) -> str:
    """Text of which every character can be seen: no control, no line break, nothing unreadable."""
    text = _text(value)
    if text.isascii() and text.isprintable():
        return text
    for character in text:
        if not _can_be_seen(character):
            raise UnfitError(_("holds {what}", what=_called(character)))
    return text


def _can_be_seen(character: str) -> bool:
    if character in _JOINERS:  # Indic scripts, Persian and many emoji are not written without
        return True
    if character == _UNREADABLE:
        return False
    code = ord(character)
    nothing = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004
    return not nothing and unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _called(character: str) -> Text:
    if character in "\r\n\u2028\u2029":
        return _("a line break")
    if unicodedata.category(character) == "Cs":
        return _("bytes that are no text in UTF-8")
    if character == _UNREADABLE:
        return _("U+FFFD, which stands for what could not be read: the text was not saved as UTF-8")
    meaning = unicodedata.name(character, _("a control character"))
    return _("U+{code:04X} ({meaning}), which can't be seen", code=ord(character), meaning=meaning)


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    import idna  # noqa: PLC0415 - its tables are large, and few names need them

    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise UnfitError(
            _("can't be written as an internationalised DNS name: {error}", error=str(error))
        ) from error


def _too_long_for_dns(name: str) -> UnfitError:
    return UnfitError(
        _(
            "has {count} characters; DNS has room for {most}",
            count=len(name),
            most=_LONGEST_DNS_NAME,
        )
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check_label(label: str) -> None:
    if not label:
        raise UnfitError(_("has a dot too many: one at an end, or two in a row"))
    if len(label) > _LONGEST_LABEL:
        raise UnfitError(
            _(
                "has a part of {count} characters; DNS has room for {most}",
                count=len(label),
                most=_LONGEST_LABEL,
            )
        )
    if not _LABEL.fullmatch(label):
        raise UnfitError(
            _('has the part "{label}", which is not a part of a DNS name', label=label)
        )

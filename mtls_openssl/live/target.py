"""The address of a server as a person types it."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mtls_openssl.errors import UsageError
from mtls_openssl.language import _

HTTPS_PORT: Final = 443

STARTTLS_PORTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "smtp": 25, "imap": 143, "pop3": 110, "ldap": 389, "postgres": 5432, "mysql": 3306,
        "ftp": 21, "nntp": 119, "sieve": 4190, "xmpp": 5222, "lmtp": 24, "irc": 6667,
    }
)  # fmt: skip
"""The protocols that can turn to TLS on their plain port (openssl-s_client(1)), and that port."""

_LARGEST_PORT = 65535
_EXAMPLES = _("write HOST, HOST:PORT, [IPv6]:PORT or https://HOST/PATH")


@dataclasses.dataclass(frozen=True)
class Target:
    """Where to connect.

    Args:
        host: a DNS name in ASCII, or an IP address without brackets.
        port: the TCP port.
        path: what to ask an HTTP server for.
    """

    host: str
    port: int
    path: str = "/"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(text: str, *, starttls: str | None = None) -> Target:
    """Read an address.

    Args:
        text: HOST, HOST:PORT, [IPv6], [IPv6]:PORT, an IPv6 address by itself, or an https URL.
        starttls: the protocol before TLS, which has a port of its own.

    Raises:
        UsageError: it is not that.
    """
    scheme, slashes, rest = text.strip().rpartition("://")
    if slashes and scheme.lower() != "https":
        raise UsageError(
            _("{text} is not an https address.", text=text),
            cause=_("other protocols have no address of their own here"),
            fix=_("write HOST:PORT, and --starttls PROTOCOL for one that begins without TLS"),
        )
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise UsageError(_("An address has no room for a user or a password."), fix=_EXAMPLES)
    host, port = _split(authority)
    default = STARTTLS_PORTS[starttls] if starttls else HTTPS_PORT
    if port is not None and not (port.isascii() and port.isdigit() and _is_port(int(port))):
        raise UsageError(
            _("{port} is not a port: a number from 1 to 65535.", port=port or '""'), fix=_EXAMPLES
        )
    return Target(name(host), int(port) if port else default, f"/{path}" if slash else "/")


def name(host: str) -> str:
    """A DNS name in ASCII (RFC 5890), or an IP address, from what was typed.

    Raises:
        UsageError: it is neither.
    """
    try:
        plain = host.rstrip(".").encode("idna").decode() if not is_address(host) else host
    except UnicodeError:
        plain = ""
    if is_address(plain) or re.fullmatch(r"(?!-)[A-Za-z0-9_.-]+", plain):
        return plain
    raise UsageError(
        _("{host} is neither a DNS name nor an IP address.", host=host or '""'), fix=_EXAMPLES
    )


def is_address(host: str) -> bool:
    """Whether it is an IP address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _split(authority: str) -> tuple[str, str | None]:
    if is_address(authority):
        return authority, None
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", authority)
    if bracketed and is_address(bracketed[1]):
        return bracketed[1], bracketed[2]
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon else (port, None)


def _is_port(number: int) -> bool:
    return 0 < number <= _LARGEST_PORT

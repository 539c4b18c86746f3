"""Which host, as whom: USER@HOST, with :PORT where it is not the usual one."""

from __future__ import annotations

import dataclasses
import re

from mtls_openssl.errors import UsageError
from mtls_openssl.language import _

# Nothing that ssh could take for an option, or a shell for anything.
_ADDRESS = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_][A-Za-z0-9._-]*))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_PORTS = range(1, 65536)


@dataclasses.dataclass(frozen=True)
class Address:
    """Whom ssh is to reach.

    Args:
        host: its name, its address, or what ssh's own configuration calls it.
        user: as whom; empty to leave that to ssh.
        port: where; 0 to leave that to ssh.
    """

    host: str
    user: str = ""
    port: int = 0

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host


def parse(text: str) -> Address:
    """Read what was typed.

    Raises:
        UsageError: it is not that.
    """
    found = _ADDRESS.fullmatch(text)
    port = int(found["port"] or 0) if found else 0
    if not found or (found["port"] and port not in _PORTS):
        raise UsageError(
            _("--ssh {value!r} is no host that ssh could reach.", value=text),
            fix=_("give USER@HOST, or USER@HOST:PORT"),
        )
    return Address(found["six"] or found["host"], found["user"] or "", port)

"""What IIS serves: the entries of http.sys for its sites, as the registry keeps them.

`netsh http show sslcert` shows the same in the language of Windows, which no program can read.
"""

from __future__ import annotations

import dataclasses
import sys
import uuid
from collections.abc import Iterator
from typing import Any

from mtls_openssl.webserver.iis import APPLICATION

PARAMETERS = r"SYSTEM\CurrentControlSet\Services\HTTP\Parameters"
"""The key of http.sys in HKEY_LOCAL_MACHINE."""

_BRANCHES = ("SslBindingInfo", "SslSniBindingInfo")
_NEGOTIATES = 2
"""HTTP_SERVICE_CONFIG_SSL_FLAG_NEGOTIATE_CLIENT_CERT (http.h)."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One address that IIS serves by TLS.

    Args:
        endpoint: the address and port, or the host and port.
        thumbprint: the SHA-1 of its certificate, hex in capitals.
        negotiates: whether it asks for a client certificate in the handshake, and not after it.
    """

    endpoint: str
    thumbprint: str
    negotiates: bool


def entries(parameters: str = PARAMETERS, *, user: bool = False) -> tuple[Entry, ...]:
    """All that IIS serves by TLS on this computer; nothing where there is no Windows.

    Args:
        parameters: the key of http.sys.
        user: whether that is one of HKEY_CURRENT_USER.
    """
    if sys.platform != "win32":
        return ()
    import winreg  # noqa: PLC0415 - Windows only

    hive = winreg.HKEY_CURRENT_USER if user else winreg.HKEY_LOCAL_MACHINE
    return tuple(
        entry
        for branch in _BRANCHES
        for name, values in _children(hive, rf"{parameters}\{branch}")
        if (entry := _entry(name, values))
    )


def _entry(name: str, values: dict[str, Any]) -> Entry | None:
    thumbprint, application = values.get("SslCertHash"), values.get("AppId")
    if not isinstance(thumbprint, bytes) or not isinstance(application, bytes):
        return None
    try:
        if uuid.UUID(bytes_le=application) != uuid.UUID(APPLICATION):
            return None
    except ValueError:
        return None
    negotiates = bool(int(values.get("DefaultFlags") or 0) & _NEGOTIATES)
    return Entry(str(values.get("HostnamePort") or name), thumbprint.hex().upper(), negotiates)


def _children(hive: int, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if sys.platform != "win32":
        return
    import winreg  # noqa: PLC0415 - Windows only

    try:
        with winreg.OpenKey(hive, key) as opened:
            for index in range(winreg.QueryInfoKey(opened)[0]):
                name = winreg.EnumKey(opened, index)
                with winreg.OpenKey(opened, name) as child:
                    rows = [
                        winreg.EnumValue(child, at) for at in range(winreg.QueryInfoKey(child)[1])
                    ]
                yield name, {row[0]: row[1] for row in rows}
    except OSError:
        return  # no such key, or not ours to read

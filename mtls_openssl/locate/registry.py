"""What Windows keeps in its registry about installed programs and the PATH.

A program that was installed a minute ago is on the PATH in the registry, but not yet on the PATH
of the shells that were open then.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from mtls_openssl.language import _

_MACHINE_ENVIRONMENT = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
_USER_ENVIRONMENT = "Environment"
_UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"


class SystemRegistry:
    """This computer's registry; empty where there is none."""

    def paths(self) -> Iterator[tuple[str, str]]:
        """The PATH as it is kept for new processes.

        Yields:
            Whose it is ("machine" or "user") and its text, with variables filled in.
        """
        if sys.platform != "win32":
            return
        import winreg  # noqa: PLC0415  Windows only

        for hive, key, whose in (
            (winreg.HKEY_LOCAL_MACHINE, _MACHINE_ENVIRONMENT, _("machine")),
            (winreg.HKEY_CURRENT_USER, _USER_ENVIRONMENT, _("user")),
        ):
            for name, text in _values(hive, key).items():
                if name.upper() == "PATH":
                    yield whose, text

    def installed(self) -> Iterator[dict[str, str]]:
        """Every entry of the list of installed programs.

        Yields:
            Its text values by name: the machine's 64-bit programs first, then its 32-bit ones,
            then this user's.
        """
        if sys.platform != "win32":
            return
        import winreg  # noqa: PLC0415  Windows only

        for hive, view in (
            (winreg.HKEY_LOCAL_MACHINE, winreg.KEY_WOW64_64KEY),
            (winreg.HKEY_LOCAL_MACHINE, winreg.KEY_WOW64_32KEY),
            (winreg.HKEY_CURRENT_USER, 0),
        ):
            for name in _children(hive, _UNINSTALL, view):
                yield _values(hive, rf"{_UNINSTALL}\{name}", view)


def _values(hive: int, key: str, view: int = 0) -> dict[str, str]:
    if sys.platform != "win32":
        return {}
    import winreg  # noqa: PLC0415  Windows only

    texts: dict[str, str] = {}
    try:
        with winreg.OpenKey(hive, key, 0, winreg.KEY_READ | view) as opened:
            for index in range(winreg.QueryInfoKey(opened)[1]):
                name, value, kind = winreg.EnumValue(opened, index)
                if kind == winreg.REG_EXPAND_SZ:
                    texts[name] = winreg.ExpandEnvironmentStrings(value)
                elif kind == winreg.REG_SZ:
                    texts[name] = value
    except OSError:
        # No such key, not ours to read, or changed while it was read: what was read counts.
        return texts
    return texts


def _children(hive: int, key: str, view: int) -> tuple[str, ...]:
    if sys.platform != "win32":
        return ()
    import winreg  # noqa: PLC0415  Windows only

    names: list[str] = []
    try:
        with winreg.OpenKey(hive, key, 0, winreg.KEY_READ | view) as opened:
            names.extend(
                winreg.EnumKey(opened, index) for index in range(winreg.QueryInfoKey(opened)[0])
            )
    except OSError:
        return tuple(names)
    return tuple(names)

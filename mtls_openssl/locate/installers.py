"""What installs programs on a computer, and how each is told to install OpenSSL."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mtls_openssl.locate.machine import Machine, is_file

Step = tuple[Path, tuple[str, ...]]
"""A program and its arguments."""

_LINUX = (
    ("apt-get", "usr/bin/apt-get", (("update",), ("install", "-y", "openssl"))),
    ("dnf", "usr/bin/dnf", (("install", "-y", "openssl"),)),
    ("yum", "usr/bin/yum", (("install", "-y", "openssl"),)),
    ("zypper", "usr/bin/zypper", (("install", "-y", "openssl"),)),
    ("pacman", "usr/bin/pacman", (("-S", "--noconfirm", "openssl"),)),
    ("apk", "sbin/apk", (("add", "openssl"),)),
)
_BREW = ("opt/homebrew/bin/brew", "usr/local/bin/brew")

BOOTSTRAP: Final = (
    "-NoProfile",
    "-InputFormat",
    "None",
    "-ExecutionPolicy",
    "Bypass",
    "-Command",
    (
        "[System.Net.ServicePointManager]::SecurityProtocol = 3072; "
        "iex ((New-Object System.Net.WebClient)"
        ".DownloadString('https://community.chocolatey.org/install.ps1'))"
    ),
)
"""Arguments of PowerShell that install Chocolatey (its documentation, "Install with cmd.exe")."""

WINGET: Final = (
    *("install", "--id", "ShiningLight.OpenSSL.Light", "--exact", "--source", "winget"),
    *("--accept-package-agreements", "--accept-source-agreements", "--disable-interactivity"),
)
"""Arguments of winget that install OpenSSL and ask nothing (winget install)."""


class Rights(enum.Enum):
    """Who may run an installer."""

    ADMINISTRATOR = "administrator"
    ANYONE = "anyone"
    NOT_ROOT = "anyone but root"


@dataclasses.dataclass(frozen=True)
class Installer:
    """One way to install OpenSSL.

    Args:
        name: the program's name.
        steps: what to run, in order.
        rights: who may run it.
    """

    name: str
    steps: tuple[Step, ...]
    rights: Rights = Rights.ADMINISTRATOR


def installers(machine: Machine) -> Iterator[Installer]:
    """The ways to install OpenSSL on a computer, the best first.

    Args:
        machine: the computer.

    Yields:
        Those that are there; on Windows Chocolatey in any case, with what installs it first
        where it is not there yet.
    """
    if machine.windows:
        yield from _of_windows(machine)
    elif machine.platform == "darwin":
        for place in _BREW:
            program = machine.root / place
            if program.exists():
                yield Installer("brew", ((program, ("install", "openssl@3")),), Rights.NOT_ROOT)
    else:
        for name, place, steps in _LINUX:
            program = machine.root / place
            if program.exists():
                yield Installer(name, tuple((program, argv) for argv in steps))


def _of_windows(machine: Machine) -> Iterator[Installer]:
    data = machine.folder("ProgramData") or machine.root / "ProgramData"
    folder = machine.folder("ChocolateyInstall") or data / "chocolatey"
    choco = folder / "bin" / "choco.exe"
    steps: tuple[Step, ...] = ((choco, ("install", "openssl", "-y")),)
    if is_file(choco):
        yield Installer("choco", steps)
    local = machine.folder("LOCALAPPDATA")
    winget = local / "Microsoft" / "WindowsApps" / "winget.exe" if local else None
    if winget and is_file(winget):
        # Its installers ask for elevation themselves, through Windows.
        yield Installer("winget", ((winget, WINGET),), Rights.ANYONE)
    if not is_file(choco):
        yield Installer("choco", ((powershell(machine), BOOTSTRAP), *steps))


def powershell(machine: Machine) -> Path:
    """Windows PowerShell, which every Windows has."""
    return system32(machine) / "WindowsPowerShell" / "v1.0" / "powershell.exe"


def system32(machine: Machine) -> Path:
    """The folder of Windows' own programs."""
    return (machine.folder("SystemRoot") or machine.root / "Windows") / "System32"

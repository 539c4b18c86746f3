"""Where an openssl may be, in the order of trust. Nothing is run here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.language import _
from mtls_openssl.locate.machine import Machine, is_file

VARIABLE = "MTLS_OPENSSL"
OPTION = "--openssl"

_ROOT_VARIABLES = ("OPENSSL_ROOT_DIR", "OPENSSL_DIR", "OPENSSL_HOME")

_POSIX = (
    ("usr/local/ssl/bin", _("OpenSSL's own default folder")),
    ("usr/local/bin", _("system folder")),
    ("usr/bin", _("system folder")),
)

# Before the PATH, on which the first openssl is usually the system's LibreSSL.
_MACOS = (
    ("opt/homebrew/opt/openssl@3/bin", "Homebrew"),
    ("usr/local/opt/openssl@3/bin", "Homebrew"),
    ("opt/homebrew/opt/openssl@1.1/bin", "Homebrew"),
    ("usr/local/opt/openssl@1.1/bin", "Homebrew"),
    ("opt/local/bin", "MacPorts"),
)

# (which folders, what is below each of them, where it comes from); `*`: the newest first.
_WINDOWS = (
    ("programs", "OpenSSL-Win64/bin", _("Chocolatey / slproweb folder")),
    ("programs", "OpenSSL-Win32/bin", _("Chocolatey / slproweb folder")),
    ("programs", "OpenSSL-Win64-ARM/bin", _("slproweb folder")),
    ("programs", "OpenSSL/bin", _("slproweb folder")),
    ("programs", "openssl-*/x86_64/bin", _("OpenSSL's own installer")),
    ("programs", "openssl-*/x86/bin", _("OpenSSL's own installer")),
    ("drive", "OpenSSL*/bin", _("slproweb folder in the drive's root")),
    ("programs", "FireDaemon OpenSSL */bin", "FireDaemon"),
    ("scoop", "apps/openssl/current/bin", "Scoop"),
    ("scoop", "apps/openssl-lts/current/bin", "Scoop"),
    ("scoop", "apps/openssl-light/current/bin", "Scoop"),
    ("conda", "Library/bin", "conda"),
    ("drive", "Strawberry/c/bin", "Strawberry Perl"),
    ("programs", "OpenVPN/bin", "OpenVPN"),
    ("drive", "msys64/ucrt64/bin", "MSYS2"),
    ("drive", "msys64/mingw64/bin", "MSYS2"),
    ("drive", "msys64/clang64/bin", "MSYS2"),
    ("drive", "msys64/clangarm64/bin", "MSYS2"),
    ("drive", "msys64/usr/bin", "MSYS2"),
    ("git", "mingw64/bin", "Git for Windows"),
    ("git", "clangarm64/bin", "Git for Windows"),
    ("git", "usr/bin", "Git for Windows"),
    ("drive", "cygwin64/bin", "Cygwin"),
    ("drive", "cygwin/bin", "Cygwin"),
)


def named(option: Path | None, machine: Machine) -> tuple[Path, str, str] | None:
    """The openssl that the user asked for by name.

    Args:
        option: the value of `--openssl`, if it was given: the program, or a folder that holds it
            directly or in `bin`. Without it, the same in `MTLS_OPENSSL` counts.
        machine: where to look.

    Returns:
        The program's path, who named it, and why it can't be taken (empty: nothing against it so
        far); None if nobody named one.
    """
    if option is not None:
        value, origin = option, OPTION
    elif text := machine.unquoted(machine.environ.get(VARIABLE, "")):
        value, origin = Path(text), VARIABLE
    else:
        return None
    asked = value
    if machine.current is not None and not value.is_absolute():
        asked = machine.current / value
        asked = asked.parent.resolve() / asked.name
    found = next((path for path in _readings(asked, machine) if is_file(path)), None)
    if found is None:
        empty = _(
            "this folder has no {program}, and neither has its bin folder",
            program=machine.program,
        )
        is_folder = os.path.isdir(asked)  # noqa: PTH112 - is_dir() raises where one may not look
        return asked, origin, empty if is_folder else _("there is no such file")
    if not value.is_absolute() and in_current_folder(found, machine):
        # `--openssl openssl` may mean the one on the PATH.
        nowhere = _("nothing in the current folder is run unless its full path is given")
        return found, origin, nowhere
    return found, origin, ""


def searched(machine: Machine) -> Iterator[tuple[Path, str]]:
    """Every openssl in the places where one may be, the current folder excepted.

    Args:
        machine: where to look.

    Yields:
        The path of a program, as it was found, and where that was, for people. Each program once,
        however many names and links lead to it.
    """
    seen: set[str] = set()
    for folder, origin in _folders(machine):
        path = folder / machine.program
        if not is_file(path) or (machine.windows and _is_alias(path)):
            continue
        real = identity(path)
        if real in seen or in_current_folder(path, machine):
            continue
        seen.add(real)
        yield path, origin


def identity(path: Path) -> str:
    """What the names of one program have in common: its real path."""
    return os.path.normcase(os.path.realpath(path))


def in_current_folder(path: Path, machine: Machine) -> bool:
    """Whether a program lies in the current folder, by any name or link."""
    if machine.current is None:
        return False
    folders = (path.parent, Path(os.path.realpath(path)).parent)
    return any(_is_same(folder, machine.current) for folder in folders)


def _folders(machine: Machine) -> Iterator[tuple[Path, str]]:
    for variable in _ROOT_VARIABLES:
        if root := machine.folder(variable):
            yield root / "bin", variable
            yield root, variable
    if machine.platform == "darwin":
        yield from ((machine.root / folder, origin) for folder, origin in _MACOS)
    yield from _path_folders(machine.environ.get("PATH", ""), "PATH", machine)
    if machine.windows:
        for whose, text in machine.registry.paths():
            yield from _path_folders(text, _("registry PATH ({whose})", whose=whose), machine)
        yield from _installed_folders(machine)
        yield from _windows_folders(machine)
        return
    yield from ((machine.root / folder, origin) for folder, origin in _POSIX)
    if conda := machine.folder("CONDA_PREFIX"):
        yield conda / "bin", "conda"


def _path_folders(text: str, origin: str, machine: Machine) -> Iterator[tuple[Path, str]]:
    # Not shutil.which: on Windows it begins with the current folder, and may find a batch file.
    for entry in text.split(";" if machine.windows else ":"):
        if folder := machine.absolute(entry):
            yield folder, origin


def _installed_folders(machine: Machine) -> Iterator[tuple[Path, str]]:
    for values in machine.registry.installed():
        name = values.get("DisplayName", "")
        if not re.match(r"(FireDaemon )?OpenSSL\b", name):
            continue
        texts = (
            values.get("Inno Setup: App Path", ""),
            values.get("InstallLocation", ""),
            _folder_of(values.get("UninstallString", "")),
            _folder_of(values.get("DisplayIcon", "")),
        )
        for folder in filter(None, map(machine.absolute, texts)):
            origin = _("uninstall entry {name}", name=name)
            yield folder / "bin", origin
            yield folder, origin


def _folder_of(command: str) -> str:
    # Such a value may be quoted and have arguments, or the number of an icon, behind the file.
    program = re.match(r'"?([^"]+?\.(?:exe|ico))', command, re.IGNORECASE)
    return os.fspath(Path(program[1]).parent) if program else ""


def _windows_folders(machine: Machine) -> Iterator[tuple[Path, str]]:
    def known(*folders: Path | None) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(folder for folder in folders if folder))

    def below(variable: str, *names: str) -> tuple[Path, ...]:
        base = machine.folder(variable)
        return tuple(base / name for name in names) if base else ()

    programs = known(*map(machine.folder, ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)")))
    scoop = known(
        *(machine.folder(variable) for variable in ("SCOOP", "SCOOP_GLOBAL")),
        *below("USERPROFILE", "scoop"),
        *below("ProgramData", "scoop"),
    )
    bases = {
        "programs": programs,
        "drive": (machine.root,),
        "scoop": scoop,
        "conda": known(
            machine.folder("CONDA_PREFIX"), *below("USERPROFILE", "miniconda3", "anaconda3")
        ),
        "git": known(
            *(folder / "Git" for folder in programs),
            *below("LOCALAPPDATA", "Programs/Git"),
            *(folder / "apps/git/current" for folder in scoop),
        ),
    }
    for base, pattern, origin in _WINDOWS:
        for folder in bases[base]:
            matches = newest_first(folder, pattern) if "*" in pattern else [folder / pattern]
            yield from ((match, origin) for match in matches)


def newest_first(folder: Path, pattern: str) -> list[Path]:
    """What is below `folder` by a pattern, the highest numbers in its path first."""

    def version(path: Path) -> tuple[list[int], str]:
        return [int(number) for number in re.findall(r"\d+", os.fspath(path))], os.fspath(path)

    return sorted(folder.glob(pattern), key=version, reverse=True)


def _readings(asked: Path, machine: Machine) -> Iterator[Path]:
    yield asked
    if machine.windows and asked.name:
        yield asked.with_name(asked.name + ".exe")
    yield asked / machine.program
    yield asked / "bin" / machine.program


def _is_alias(path: Path) -> bool:
    # An empty file in WindowsApps is not a program: it opens the Store.
    try:
        return path.stat().st_size == 0
    except OSError:
        return True


def _is_same(folder: Path, other: Path) -> bool:
    try:
        return folder.samefile(other)
    except OSError:
        return False

"""Where Java's keytool is: JAVA_HOME, PATH, then the folders that JDKs are installed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtls_openssl.locate.machine import Machine, is_file
from mtls_openssl.locate.places import in_current_folder, newest_first

_PROGRAMS: tuple[str, ...] = (
    *("Java/*", "Eclipse Adoptium/*", "Microsoft/jdk-*", "Amazon Corretto/*", "Zulu/*"),
    *("BellSoft/*", "Semeru/*", "OpenJDK/*", "Android/Android Studio/jbr"),
)
_POSIX: tuple[str, ...] = ("usr/lib/jvm/*", "usr/java/*", "opt/java/*", "opt/jdk*")
_MACOS = (
    "Library/Java/JavaVirtualMachines/*/Contents/Home",
    "opt/homebrew/opt/openjdk*",
    "usr/local/opt/openjdk*",
)


def find_keytool(machine: Machine | None = None) -> Path | None:
    """The keytool of this computer; nothing is run.

    Args:
        machine: where to look; this computer where it is not given.

    Returns:
        The absolute path of the first one that there is; None if there is none.
    """
    machine = machine or Machine.here()
    name = "keytool.exe" if machine.windows else "keytool"
    for folder in _folders(machine):
        program = folder / name
        if is_file(program) and not in_current_folder(program, machine):
            return program
    return None


def _folders(machine: Machine) -> Iterator[Path]:
    for variable in ("JAVA_HOME", "JDK_HOME", "JRE_HOME"):
        if home := machine.folder(variable):
            yield home / "bin"
    paths = [machine.environ.get("PATH", "")]
    if machine.windows:
        paths += [text for _whose, text in machine.registry.paths()]
    for text in paths:
        for entry in text.split(";" if machine.windows else ":"):
            folder = machine.absolute(entry)
            # That of macOS itself is there without any Java, and asks for one in a window.
            if folder and not (machine.platform == "darwin" and folder == machine.root / "usr/bin"):
                yield folder
    for home in _homes(machine):
        yield home / "bin"


def _homes(machine: Machine) -> Iterator[Path]:
    bases, patterns = [machine.root], _POSIX
    if machine.platform == "darwin":
        patterns = _MACOS
    elif machine.windows:
        variables = ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)")
        bases, patterns = [home for home in map(machine.folder, variables) if home], _PROGRAMS
    for base in bases:
        for pattern in patterns:
            yield from newest_first(base, pattern)

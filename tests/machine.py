"""What the end-to-end tests share: this machine's openssl, and ways to run things on it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from typer.testing import CliRunner

from mtls_openssl.locate import find
from mtls_openssl.process import Door

CHECKOUT = Path(__file__).parent.parent
PASSWORD = "only for a test"
QUICK_JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""For a Java that runs for half a second: it does not compile itself for longer."""
_OURS = {"MTLS_LANG": "en", "MTLS_P12_PASSWORD": PASSWORD}


@functools.cache
def openssl() -> str:
    """The openssl that the program itself would take; MTLS_OPENSSL chooses another."""
    return str(find(None, Door()).chosen.path)


def ran(
    *argv: str | Path, cwd: Path, env: Mapping[str, str] | None = None, exit_code: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """Run a program without a terminal; fail unless it ends with `exit_code` (None: any)."""
    done = subprocess.run(
        [str(argument) for argument in argv],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=240,
    )
    if exit_code is not None:
        assert done.returncode == exit_code, f"{argv}\n{done.stdout}\n{done.stderr}"
    return done


def stand_in(folder: Path, pattern: str, script: str) -> Path:
    """The openssl under test, which goes wrong at the commands that fit a pattern.

    Args:
        folder: where it goes.
        pattern: of the shell, for the words of a command, each between blanks.
        script: what is done in the place of those, by the shell.
    """
    program = folder / "openssl"
    program.write_text(
        f'#!/bin/sh\ncase " $* " in\n{pattern.replace(" ", chr(92) + " ")}) {script};;\nesac\n'
        f'exec {openssl()} "$@"\n'
    )
    program.chmod(0o700)
    return program


def lock(key: Path, password: str) -> None:
    """Give a private key a pass phrase, where it lies."""
    new = key.with_name("locked.key")
    # By their names: openssl of Windows can't write to every path that it is told.
    command = ("pkey", "-in", key.name, "-aes256", "-passout", f"pass:{password}")
    ran(openssl(), *command, "-out", new.name, cwd=key.parent)
    new.replace(key)


def mtls(
    *argv: str | Path,
    cwd: Path,
    env: Mapping[str, str | None] | None = None,
    exit_code: int | None = 0,
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours in a folder, without a terminal; not from two threads at once.

    It runs in this process: a start takes longer than most commands, and seconds in Wine. A
    variable that is None in `env` is left out.
    """
    from mtls_openssl.cli import app

    given = {**_OURS, "COLUMNS": "80", **(env or {})}
    words = [str(argument) for argument in argv]
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, words, env=given, prog_name="python -m mtls_openssl")
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    if exit_code is not None:
        assert done.exit_code == exit_code, f"{argv}\n{done.stdout}\n{done.stderr}"
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


def started(
    *argv: str | Path,
    cwd: Path,
    env: Mapping[str, str | None] | None = None,
    exit_code: int | None = 0,
) -> subprocess.CompletedProcess[str]:
    """Run `python -m mtls_openssl` in a process of its own, with UTF-8 on its pipes.

    For what only a process has, such as its language; else as `mtls`.
    """
    process = {"PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "utf-8"}
    ours = {**process, **_OURS, **(env or {})}
    given = {name: value for name, value in ours.items() if value is not None}
    return ran(sys.executable, "-m", "mtls_openssl", *argv, cwd=cwd, env=given, exit_code=exit_code)


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a certificate is, without what is different each time."""

    subject: str
    issuer: str
    days: int
    key: str
    signature: str
    extensions: Mapping[str, str]


def facts(certificate: Path) -> Facts:
    """Read a certificate with openssl."""
    text = ran(
        *(openssl(), "x509", "-in", certificate.name, "-noout", "-text"),
        *("-nameopt", "RFC2253,utf8,-esc_msb"),
        cwd=certificate.parent,
    ).stdout
    dates = ran(
        openssl(), "x509", "-in", certificate.name, "-noout", "-dates", cwd=certificate.parent
    )
    return Facts(
        _one(r"Subject: ?(.*)", text),
        _one(r"Issuer: ?(.*)", text),
        _days(dates.stdout),
        _one(r"Public-Key: \((\d+ bit)", text),
        _one(r"Signature Algorithm: (.*)", text),
        {
            name.strip(): _without_hashes(value)
            for name, value in re.findall(
                r"^ {12}(X509v3 [^\n]*)\n {16}([^\n]*)", text, re.MULTILINE
            )
        },
    )


def _one(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, f"no {pattern} in {text}"
    return found[1]


def _without_hashes(value: str) -> str:
    return re.sub(r"(keyid:)?([0-9A-F]{2}:){19}[0-9A-F]{2}", "<key identifier>", value)


def _days(dates: str) -> int:
    from mtls_openssl.openssl.x509 import parse_time

    first, last = (line.partition("=")[2] for line in dates.splitlines()[:2])
    return (parse_time(last) - parse_time(first)).days


def tool(name: str) -> str:
    """The path of a program that a test needs besides openssl."""
    found = shutil.which(name)
    assert found, f"{name} is not installed: scripts/test.sh installs it"
    return found


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def openssl_lines(script: str) -> Sequence[str]:
    """The lines of a script that start with openssl."""
    return [line for line in script.splitlines() if line.startswith("openssl ")]

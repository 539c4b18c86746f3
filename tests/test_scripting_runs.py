"""An exported script makes a whole set with openssl and a shell, and loses nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mtls_openssl.scripting import Format, Written, script
from mtls_openssl.steps import Command
from tests import guide_recipe
from tests.terminal import Terminal

SECRET = "correct horse"
INSTALLED = [r"C:\Program Files\OpenSSL-Win64\bin", r"C:\Program Files\OpenSSL\bin"]
FORM: Format = "bat" if sys.platform == "win32" else "sh"


def _path() -> str:
    installed = INSTALLED if sys.platform == "win32" else []
    return os.pathsep.join([*installed, os.environ["PATH"]])


def _openssl(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("openssl", path=_path())
    assert program
    return subprocess.run(
        [program, *argv], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def _run(
    folder: Path,
    lines: list[Command | Written],
    *,
    temporary: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    text = script(FORM, lines, temporary=temporary, title="A set")
    made = folder.parent / f"make.{FORM}"
    made.write_bytes(text.encode())
    shell = ["cmd", "/d", "/c"] if FORM == "bat" else ["/bin/sh"]
    kept = {name: value for name, value in os.environ.items() if name != guide_recipe.PASSWORD}
    return subprocess.run(
        [*shell, str(made)],
        cwd=folder,
        env={**kept, "PATH": _path(), "OPENSSL_CONF": "not-there.cnf", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a set"
    made.mkdir()
    return made


def test_the_guides_commands_make_a_set_that_verifies_and_run_only_once(folder: Path) -> None:
    lines = guide_recipe.lines('A & B "Best" 100%')
    done = _run(
        folder, lines, temporary=guide_recipe.TEMPORARY, env={guide_recipe.PASSWORD: SECRET}
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [*guide_recipe.KEPT]
    assert SECRET not in done.stdout + done.stderr

    for name, purpose in (("server", "sslserver"), ("client", "sslclient")):
        strict = ("verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.crt")
        assert _openssl(folder, *strict, f"{name}.crt").returncode == 0
    opened = _openssl(folder, "pkcs12", "-in", "client.p12", "-nokeys", "-passin", f"pass:{SECRET}")
    assert opened.returncode == 0, opened.stderr
    subject = _openssl(
        folder, "x509", "-in", "ca.crt", "-noout", "-subject", "-nameopt", "multiline"
    )
    assert 'organizationName          = A & B "Best" 100% CA' in subject.stdout

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = _run(
        folder, lines, temporary=guide_recipe.TEMPORARY, env={guide_recipe.PASSWORD: SECRET}
    )
    assert again.returncode == 7
    assert "is here already" in again.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_it_stops_at_the_first_command_that_fails_with_its_exit_code(folder: Path) -> None:
    lines: list[Command | Written] = [
        Command(("x509", "-in", "missing.crt"), "read what is not there"),
        Command(("rand", "-out", "after", "8"), "go on regardless", writes=("after",)),
    ]
    done = _run(folder, lines)
    assert done.returncode == _openssl(folder, "x509", "-in", "missing.crt").returncode != 0
    assert "what was made so far is still here" in done.stderr
    assert [*folder.iterdir()] == []


def test_a_temporary_file_that_was_there_before_is_not_removed(folder: Path) -> None:
    (folder / "ca.srl").write_text("01", encoding="ascii")
    done = _run(folder, [Written("openssl.cnf", "[req]\n")], temporary=("ca.srl",))
    assert done.returncode == 7
    assert [path.name for path in folder.iterdir()] == ["ca.srl"]


def test_nothing_is_done_where_there_is_nobody_to_ask_for_the_password(folder: Path) -> None:
    done = _run(folder, guide_recipe.lines(), temporary=guide_recipe.TEMPORARY)
    assert done.returncode == 6
    assert [*folder.iterdir()] == []


@pytest.mark.posix
def test_what_the_posix_script_makes_is_for_its_owner_alone(folder: Path) -> None:
    assert _run(folder, guide_recipe.lines()[:2]).returncode == 0
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]


@pytest.mark.posix
@pytest.mark.parametrize(("second", "exit_code"), [(SECRET, 0), ("misspelt", 6)])
def test_the_posix_script_asks_twice_for_the_password_without_showing_it(
    folder: Path, second: str, exit_code: int
) -> None:
    encrypt = ("enc", "-aes-128-cbc", "-pbkdf2", "-in", "plain", "-out", "sealed")
    lines: list[Command | Written] = [
        Written("plain", "hello\n"),
        Command(
            (*encrypt, "-pass", f"env:{guide_recipe.PASSWORD}"),
            "seal",
            writes=("sealed",),
            secrets=(guide_recipe.PASSWORD,),
        ),
    ]
    made = folder.parent / "make.sh"
    made.write_bytes(script("sh", lines, temporary=["plain"], title="Sealed").encode())
    kept = {name: value for name, value in os.environ.items() if name != guide_recipe.PASSWORD}
    with Terminal("/bin/sh", str(made), env=kept, cwd=folder) as terminal:
        terminal.answer("(not shown): ", SECRET)
        terminal.answer("Once more: ", second)
        assert terminal.exit() == exit_code
    assert SECRET not in terminal.shown
    assert second not in terminal.shown
    if exit_code == 0:
        decrypt = ("enc", "-d", "-aes-128-cbc", "-pbkdf2", "-in", "sealed")
        opened = _openssl(folder, *decrypt, "-pass", f"pass:{SECRET}")
        assert opened.stdout == "hello\n"

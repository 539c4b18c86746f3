"""A key with a pass phrase, where openssl is not told it: it asks nobody, and waits for nothing."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.audit import LOG
from mtls_openssl.errors import Exit
from mtls_openssl.process.child import by_itself
from tests.machine import PASSWORD, lock, mtls, openssl
from tests.standin import environ
from tests.terminal import Terminal

DETACHED_PROCESS, CREATE_NO_WINDOW = 0x00000008, 0x08000000
"""Flags of Windows' CreateProcess (Process Creation Flags)."""

MAKE_A_CLIENT = ("client", "--profile", "modern")


@pytest.fixture(name="folder")
def folder_fixture(modern: Path, tmp_path: Path) -> Path:
    """A set whose authority somebody has given a pass phrase."""
    folder = Path(shutil.copytree(modern, tmp_path / "set"))
    lock(folder / "ca.key", PASSWORD)
    return folder


def last_signing(folder: Path) -> dict[str, Any]:
    """The line of the last command that was to use the authority's key."""
    lines = map(json.loads, (folder / LOG).read_text("utf-8").splitlines())
    last: dict[str, Any] = [line for line in lines if "-CAkey" in line.get("argv", ())][-1]
    return last


@pytest.mark.end_to_end
def test_openssl_says_so_by_itself_and_is_not_ended_for_want_of_an_answer(folder: Path) -> None:
    mtls(*MAKE_A_CLIENT, cwd=folder, exit_code=Exit.COMMAND_FAILED)
    assert last_signing(folder)["ending"] == "exited"


def test_whoever_runs_it_is_told_that_the_key_has_a_pass_phrase(folder: Path) -> None:
    told = mtls(*MAKE_A_CLIENT, cwd=folder, exit_code=Exit.COMMAND_FAILED).stderr
    assert "the private key has a pass phrase, which openssl was not told" in told
    assert "`client add`" in told


@pytest.mark.posix
def test_openssl_asks_nothing_at_the_terminal_of_whoever_runs_it(folder: Path) -> None:
    words = (sys.executable, "-m", "mtls_openssl", *MAKE_A_CLIENT, "--out", str(folder))
    with Terminal(*words, env=environ()) as terminal:
        assert terminal.exit() == Exit.COMMAND_FAILED
    before_our_error, _colon, _words = terminal.shown.partition("Error:")
    assert "pass phrase" not in before_our_error


@pytest.mark.windows
def test_on_windows_openssl_has_no_console() -> None:
    assert by_itself(Path(openssl()))["creationflags"] == DETACHED_PROCESS


@pytest.mark.windows
@pytest.mark.parametrize("name", ["openssl.exe", "powershell.exe"])
def test_on_windows_a_program_that_starts_others_has_one_without_a_window(
    name: str, tmp_path: Path
) -> None:
    shutil.copy(openssl(), tmp_path / name)
    assert by_itself(tmp_path / name)["creationflags"] == CREATE_NO_WINDOW

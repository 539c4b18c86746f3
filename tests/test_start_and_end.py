"""How the process starts: with what it needs; and ends: at once, with all that was printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

US = (sys.executable, "-m", "mtls_openssl")


def test_a_run_does_not_wait_for_what_other_commands_need(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mtls_openssl", "all", "--out", str(tmp_path)],
        capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    loaded = set(re.findall(r"\| +(mtls_openssl\.[\w.]+|[a-z]+)$", ran.stderr, re.MULTILINE))
    ours = {name.removeprefix("mtls_openssl.") for name in loaded if "." in name}
    rooms = {name.split(".")[0] for name in ours}
    assert {"runner", "audit", "cli", "process"} <= rooms
    assert rooms.isdisjoint({"desk", "doctor", "inspection", "live", "register", "trust"})
    assert ours.isdisjoint({"audit.chain", "cli.adding", "cli.live", "scripting.bat"})
    assert loaded.isdisjoint({"asyncio", "http", "rich", "ssl", "tomllib"})


@pytest.mark.parametrize(
    ("arguments", "code"), [(("--version",), 0), (("no-such-command",), 2), ((), 2)]
)
def test_all_that_was_printed_arrives_and_the_exit_code_is_kept(
    arguments: tuple[str, ...], code: int
) -> None:
    ran = subprocess.run([*US, *arguments], capture_output=True, text=True, check=False)

    assert ran.returncode == code
    assert (ran.stdout + ran.stderr).endswith("\n")


@pytest.mark.posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_fault(closed: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *US, "--help"], capture_output=True, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.posix
def test_what_could_not_be_printed_is_no_success() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        ran = subprocess.run(
            [*US, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert ran.returncode != 0
    assert "No space left" in ran.stderr

"""How the process ends: at once, with all that was printed, and with the right exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

US = (sys.executable, "-m", "mtls_openssl")


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

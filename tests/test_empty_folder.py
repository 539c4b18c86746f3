"""What is said where nothing was made yet: the folder by its whole path, not as a dot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machine import mtls

COMMANDS = {
    "crl": ("crl",),
    "handshake": ("handshake",),
    "issue": ("issue", "-n", "3", "--cn", "device-{}"),
    "ocsp serve": ("ocsp", "serve"),
    "p12": ("p12", "alice"),
    "repair-ca": ("repair-ca",),
    "report": ("report",),
    "revoke": ("revoke", "alice"),
    "status": ("status",),
}


@pytest.mark.parametrize("argv", COMMANDS.values(), ids=COMMANDS)
def test_a_folder_that_lacks_the_set_is_named_whole(argv: tuple[str, ...], tmp_path: Path) -> None:
    told = mtls(*argv, cwd=tmp_path, exit_code=7).stderr

    assert f" in {tmp_path}.\n" in told

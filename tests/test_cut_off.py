"""A run that is killed while it puts its set in place, and the run after it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.machine import CHECKOUT, PASSWORD, mtls, ran

KILLED = 9
BEFORE_AND_AFTER = {
    "before the journal": "mtls_openssl.workspace.commit.write_journal",
    "before the first move": "mtls_openssl.workspace.commit.carry_out",
    "before the journal is gone": "mtls_openssl.workspace.commit.forget",
}


def killed_at(function: str, folder: Path) -> None:
    """Run `all`, and have the process end there as if it were killed."""
    module, _, name = function.rpartition(".")
    program = (
        f"import os, {module} as module; module.{name} = lambda *_, **__: os._exit({KILLED});"
        "from mtls_openssl.cli import app; app(['all'])"
    )
    env = {"PYTHONPATH": str(CHECKOUT), "MTLS_P12_PASSWORD": PASSWORD, **os.environ}
    ran(sys.executable, "-c", program, cwd=folder, env=env, exit_code=KILLED)


@pytest.mark.parametrize("moment", BEFORE_AND_AFTER)
def test_after_a_kill_the_set_is_whole_and_the_log_agrees_with_it(
    moment: str, tmp_path: Path
) -> None:
    killed_at(BEFORE_AND_AFTER[moment], tmp_path)

    mtls("ca", cwd=tmp_path)

    assert "unbroken" in mtls("audit", "verify", cwd=tmp_path).stdout
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_set_that_was_in_place_when_the_run_was_killed_is_in_the_log_of_the_next(
    tmp_path: Path,
) -> None:
    killed_at(BEFORE_AND_AFTER["before the first move"], tmp_path)

    said = mtls("verify", cwd=tmp_path, exit_code=None).stdout

    assert "the move is finished now" in said
    assert "unbroken" in mtls("audit", "verify", cwd=tmp_path).stdout

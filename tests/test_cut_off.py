"""A run that is killed while it puts its set in place, and the run after it."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.machine import CHECKOUT, PASSWORD, mtls, ran

KILLED = 9
QUICK = ("--profile", "modern")
BEFORE_AND_AFTER = {
    "before the journal": "mtls_openssl.workspace.commit.write_journal",
    "before the first move": "mtls_openssl.workspace.commit.carry_out",
    "before the journal is gone": "mtls_openssl.workspace.commit.forget",
}


@pytest.fixture(name="killed", scope="module")
def killed_fixture(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a run that was killed at a moment; each is made once."""
    return functools.cache(lambda moment: killed_at(moment, tmp_path_factory.mktemp("killed")))


def killed_at(moment: str, folder: Path) -> Path:
    """Run `all`, and have the process end there as if it were killed."""
    module, _, name = BEFORE_AND_AFTER[moment].rpartition(".")
    program = (
        f"import os, {module} as module; module.{name} = lambda *_, **__: os._exit({KILLED});"
        f"from mtls_openssl.cli import app; app({['all', *QUICK]})"
    )
    env = {"PYTHONPATH": str(CHECKOUT), "MTLS_P12_PASSWORD": PASSWORD, **os.environ}
    ran(sys.executable, "-c", program, cwd=folder, env=env, exit_code=KILLED)
    return folder


@pytest.mark.parametrize("moment", BEFORE_AND_AFTER)
def test_after_a_kill_the_set_is_whole_and_the_log_agrees_with_it(
    moment: str, killed: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(killed(moment), tmp_path / "set"))

    mtls("ca", *QUICK, cwd=folder)

    assert "unbroken" in mtls("audit", "verify", cwd=folder).stdout
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_a_set_that_was_in_place_when_the_run_was_killed_is_in_the_log_of_the_next(
    killed: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(killed("before the first move"), tmp_path / "set"))

    said = mtls("verify", cwd=folder, exit_code=None).stdout

    assert "the move is finished now" in said
    assert "unbroken" in mtls("audit", "verify", cwd=folder).stdout

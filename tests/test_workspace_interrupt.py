"""Ctrl-C at any instruction, once or by an impatient person: done is done, else as it was."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mtls_openssl.workspace import Workspace
from tests.test_workspace import OLD, commit_new_set, contents, kept, old_set, stage_new_set
from tests.test_workspace_cut_off import Instructions, no_sync

__all__ = ["no_sync"]


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def make_interrupted_set(directory: Path, at: int, press: Callable[[], object]) -> Path | None:
    """Returns the backup, once the set is in place; raises KeyboardInterrupt if it is not."""
    backup = None
    try:
        with Instructions(at, press), Workspace.open(directory, command="all") as workspace:
            stage_new_set(workspace)
            backup = commit_new_set(workspace)
    except KeyboardInterrupt:
        if backup is None:
            raise
    return backup


@pytest.mark.usefixtures("no_sync")
@pytest.mark.parametrize("times", [1, 3])
def test_an_interrupt_at_any_instruction_leaves_the_old_set_or_the_new_and_nothing_else(
    tmp_path: Path, times: int
) -> None:
    with Instructions() as instructions, Workspace.open(old_set(tmp_path / "0"), command="") as run:
        stage_new_set(run)
        commit_new_set(run)
    endings = set()

    def press() -> None:
        for _ in range(times):
            press_ctrl_c()

    for number in instructions.worth_a_visit(step=11):
        directory = old_set(tmp_path / str(number))
        try:
            backup = make_interrupted_set(directory, number, press)
        except KeyboardInterrupt:
            endings.add("old")
            assert contents(directory) == OLD
        else:
            endings.add("new")
            assert contents(directory) == kept(backup)
        shutil.rmtree(directory)

    assert endings == {"old", "new"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_while_a_command_runs_comes_at_once(tmp_path: Path) -> None:
    reached = []
    with (
        pytest.raises(KeyboardInterrupt),
        Workspace.open(tmp_path, command="all"),
    ):
        reached.append("before")
        press_ctrl_c()
        reached.append("after")

    assert reached == ["before"]
    assert os.listdir(tmp_path) == []


def test_a_handler_of_the_callers_own_is_asked_and_gets_its_place_back(tmp_path: Path) -> None:
    asked = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    own = signal.getsignal(signal.SIGTERM)
    try:
        with Workspace.open(tmp_path, command="all"):
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)

    assert asked == [signal.SIGTERM]


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Workspace.open(tmp_path, command="all"):
            during = signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert during is signal.SIG_IGN


def test_a_workspace_works_in_a_thread_that_may_not_touch_signals(tmp_path: Path) -> None:
    backups = []

    def story() -> None:
        with Workspace.open(tmp_path, command="all") as workspace:
            stage_new_set(workspace)
            backups.append(commit_new_set(workspace))

    thread = threading.Thread(target=story)
    thread.start()
    thread.join()

    assert backups == [None]

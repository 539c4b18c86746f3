"""Ctrl-C at any instruction, once or by an impatient person: done is done, else as it was."""

from __future__ import annotations

import shutil
import signal
import threading
from pathlib import Path

import pytest

from mtls_openssl.workspace import Workspace
from tests.test_workspace import (
    NEW,
    OLD,
    commit_new_set,
    contents,
    kept,
    names,
    old_set,
    stage_new_set,
)
from tests.test_workspace_cut_off import Instructions, without_sync


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def make_interrupted_set(directory: Path, instructions: Instructions) -> Path | None:
    """Returns the backup, once the set is in place; raises KeyboardInterrupt if it is not."""
    drafts = directory.with_suffix(".drafts")
    drafts.mkdir()
    for name, content in NEW.items():
        (drafts / name).write_bytes(content)
    backup = None
    try:
        with instructions, Workspace.open(directory, command="all") as workspace:
            for name in NEW:
                # Nothing is opened here: Windows removes no file that an interrupt left open.
                (drafts / name).rename(workspace.stage / name)
            backup = commit_new_set(workspace)
    except KeyboardInterrupt:
        if backup is None:
            raise
    return backup


def test_an_interrupt_at_any_instruction_leaves_the_old_set_or_the_new_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_sync(monkeypatch)
    for name in ("rehearsal", "again, with all imported"):
        rehearsal = Instructions()
        make_interrupted_set(old_set(tmp_path / name), rehearsal)
    endings = set()

    for number in rehearsal.worth_a_visit():
        directory = old_set(tmp_path / str(number))
        impatience = 300 if number % 2 else 0
        pressed = Instructions(number, action=press_ctrl_c, again_after=impatience)
        try:
            backup = make_interrupted_set(directory, pressed)
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
    with Workspace.open(tmp_path, command="all"), pytest.raises(KeyboardInterrupt):
        press_ctrl_c()

    assert names(tmp_path) == []


def test_an_interrupt_once_the_set_is_in_place_comes_too_late(tmp_path: Path) -> None:
    with Workspace.open(tmp_path, command="all") as workspace:
        stage_new_set(workspace)
        commit_new_set(workspace)
        press_ctrl_c()

    assert contents(tmp_path) == NEW


def test_a_handler_of_the_callers_own_is_asked_and_gets_its_place_back(tmp_path: Path) -> None:
    asked = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
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

"""Ctrl-C while another thread is waited for: it comes as what it is, whenever it comes."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from mtls_openssl.interrupts import Shield, held, shielded
from mtls_openssl.process import Door, clean_environment
from tests.machine import openssl
from tests.test_workspace_cut_off import Instructions
from tests.test_workspace_interrupt import press_ctrl_c

EVERY = 7
"""Of so many instructions one is visited; those that were never safe came in rows of 17."""


def ask(instructions: Instructions) -> str:
    path, door = Path(openssl()), Door()
    environment, _names = clean_environment({"OPENSSL_CONF": os.devnull})
    with instructions:
        return door.run(path, ("version",), cwd=path.parent, env=environment, limit=60).stdout


@pytest.mark.posix
def test_an_interrupt_at_any_instruction_while_openssl_runs_comes_as_an_interrupt() -> None:
    threads = threading.active_count()
    for rehearsal in (Instructions(), Instructions()):
        assert ask(rehearsal).startswith("OpenSSL ")
    for number in range(1, rehearsal.count, EVERY):
        pressed = Instructions(number, action=press_ctrl_c)
        try:
            ask(pressed)
        except KeyboardInterrupt:
            continue
        assert pressed.count < number, "it was pressed, and nobody was told"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert threading.active_count() == threads


def test_an_interrupt_while_another_thread_is_waited_for_does_not_wait_for_its_end() -> None:
    gate = threading.Event()

    def wait() -> None:
        with Door().meanwhile(gate.wait) as awaited:
            threading.Timer(0.05, press_ctrl_c).start()
            try:
                awaited()
            finally:
                gate.set()

    with pytest.raises(KeyboardInterrupt):
        wait()


def test_what_is_called_between_two_looks_is_called_until_the_end() -> None:
    calls: list[float] = []
    gate = threading.Event()

    def between() -> None:
        calls.append(time.monotonic())
        if len(calls) == 3:
            gate.set()

    with Door().meanwhile(gate.wait) as awaited:
        assert awaited(between)
    assert len(calls) == 3


def test_an_interrupt_goes_to_the_shield_behind_and_counts_as_come_where_the_inner_was_called() -> (
    None
):
    outer = Shield()
    told: list[str] = []

    @held
    def work() -> None:
        try:
            outer.up()
            wait()
            told.append("went on")
            outer.deliver()
        finally:
            outer.down()

    @held
    def wait() -> None:
        with shielded() as deliver:
            press_ctrl_c()
            deliver()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert told == ["went on"]


def test_an_interrupt_that_nobody_asked_for_comes_when_the_shield_is_taken_away() -> None:
    told: list[str] = []

    @held
    def wait() -> None:
        with shielded():
            press_ctrl_c()
            told.append("went on")

    with pytest.raises(KeyboardInterrupt):
        wait()
    assert told == ["went on"]

"""An openssl that goes wrong at any one of its commands: told, on record, and nothing lost."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.errors import Exit
from mtls_openssl.process import Door
from mtls_openssl.steps import Command, Ending, Finished
from tests.standin import (
    NUMBERED,
    Folder,
    StandIn,
    described,
    folder_fixture,  # noqa: F401 - pytest's way
    stand_in_fixture,  # noqa: F401
)

WORDS = "0:error:stand-in:the moon is in the wrong house"
FAILING = f"echo {WORDS!r} >&2; exit 1"
WRITERS = {number: command for number, command in NUMBERED.items() if command.writes}
SIGNERS = {number: command for number, command in NUMBERED.items() if not command.writes}


def each(commands: Mapping[int, Command]) -> pytest.MarkDecorator:
    ids = [f"{number}-{described(command)}" for number, command in commands.items()]
    return pytest.mark.parametrize(("step", "command"), commands.items(), ids=ids)


def place(step: int, command: Command) -> str:
    return f"openssl {command.argv[0]} (step {step}: {command.purpose}) "


@pytest.mark.posix
@each(NUMBERED)
def test_an_openssl_that_fails(
    step: int, command: Command, folder: Folder, stand_in: StandIn
) -> None:
    ran = folder.all(stand_in.write({command.argv: FAILING}))
    if command.verdict:
        assert ran.code == Exit.NOT_PROVEN
        assert f"exit code 1 and said: {WORDS}" in ran.stderr
        assert f"pass its proof: {command.reads[-1]}: " in ran.stderr
    else:
        assert ran.code == Exit.COMMAND_FAILED
        assert f"{place(step, command)}ended with exit code 1." in ran.stderr
        assert f"openssl said: {WORDS}" in ran.stderr
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)

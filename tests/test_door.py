"""What a process says, and what it costs us to hear it."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from mtls_openssl.process import Door, clean_environment
from mtls_openssl.steps import Finished

MUCH = 200_000
"""Characters: more than fits into a pipe."""
CHATTY = f"import sys; sys.stderr.write('e' * {MUCH}); sys.stdout.write('o' * {MUCH})"

STEPS = 400
TELLING = f"""
import os, time
for _step in range({STEPS}):
    os.write(2, b"+")
    time.sleep(0.001)
"""
"""As openssl tells of each number that it tries for a prime."""


def run(program: str, *argv: str) -> Finished:
    path = Path(program)
    environment, _names = clean_environment({"OPENSSL_CONF": os.devnull})
    return Door().run(path, argv, cwd=path.parent, env=environment, limit=60)


@pytest.mark.parametrize("in_memory", [True, False])
def test_all_that_a_process_says_is_heard(
    monkeypatch: pytest.MonkeyPatch, *, in_memory: bool
) -> None:
    if not in_memory:  # as on Windows, and in a container that does not allow it
        monkeypatch.setattr(os, "memfd_create", refused, raising=False)

    said = run(sys.executable, "-c", CHATTY)

    assert (said.stderr, said.stdout) == ("e" * MUCH, "o" * MUCH)


@pytest.mark.posix
def test_what_a_wrapper_script_says_of_its_own_stands_before_what_openssl_says() -> None:
    said = run("/bin/sh", "-c", "echo the wrapper > /dev/stderr; echo openssl >&2")

    assert said.stderr == "the wrapper\nopenssl\n"


def refused(_name: str) -> int:
    raise PermissionError


if sys.platform == "linux":  # only there are files in memory, and does a thread know its waits
    import resource

    def test_who_tells_of_each_step_character_by_character_does_not_wake_us_each_time() -> None:
        woken: list[int] = []

        def hear() -> None:
            before = waits()
            assert run(sys.executable, "-c", TELLING).stderr == "+" * STEPS
            woken.append(waits() - before)

        # The main thread is not the one that hears it.
        thread = threading.Thread(target=hear)
        thread.start()
        thread.join()

        assert woken[0] < STEPS // 10

    def waits() -> int:
        """How often this thread has waited for something so far."""
        return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw

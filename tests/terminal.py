"""A terminal for a program, and somebody who reads it and types."""

from __future__ import annotations

import codecs
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.machine import CHECKOUT

if sys.platform != "win32":
    import termios

_PATIENCE = 60
_LOCAL_FLAGS = 3


class Terminal:
    """A program that has a terminal of its own, and somebody at it.

    Args:
        argv: its command line.
        env: its environment.
        cwd: the folder it runs in.

    Attributes:
        shown: all that it has shown so far.
    """

    def __init__(self, *argv: str, env: Mapping[str, str], cwd: Path = CHECKOUT) -> None:
        # Nobody is asked at a terminal that is not the program's controlling one.
        begin = (
            "import fcntl, os, sys, termios\n"
            "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
            "os.execv(sys.argv[1], sys.argv[1:])\n"
        )
        self._ours, theirs = os.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", begin, *argv],
            stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=cwd,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""
        self._letters = codecs.getincrementaldecoder("utf-8")()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def answer(self, question: str, answer: str) -> None:
        """Wait until `question` has been asked, and what is typed is hidden, and type."""
        while question not in self.shown:
            assert self._read(), f"{question!r} was never asked: {self.shown}"
        until = time.monotonic() + _PATIENCE
        while termios.tcgetattr(self._ours)[_LOCAL_FLAGS] & termios.ECHO:
            assert time.monotonic() < until, f"what is typed after {question!r} would be shown"
            time.sleep(0.01)
        os.write(self._ours, f"{answer}\n".encode())

    def exit(self) -> int:
        """Wait for its end; its exit code."""
        while self._read():
            pass
        return self._process.wait(_PATIENCE)

    def _read(self) -> bool:
        assert select.select([self._ours], [], [], _PATIENCE)[0], f"no more after {self.shown!r}"
        try:
            read = os.read(self._ours, 4096)
        except OSError:  # what Linux says when the other side has been closed
            return False
        self.shown += self._letters.decode(read)
        return bool(read)

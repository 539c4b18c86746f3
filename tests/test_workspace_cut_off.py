"""A run cut off by kill -9 at any instruction: the next run finds the old set or the new, whole."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import mtls_openssl.workspace
from mtls_openssl.workspace import Workspace
from tests.test_workspace import NEW, OLD, contents, kept, make_new_set, mode, old_set

ROOM = os.path.dirname(mtls_openssl.workspace.__file__)


class Instructions:
    """Counts the bytecode instructions that run in the workspace's own code, and acts at one."""

    def __init__(self, at: int, action: Callable[[], object]) -> None:
        self.count = 0
        self.near_system_calls: set[int] = set()
        self._at = at
        self._action = action

    def __enter__(self) -> Instructions:
        sys.setprofile(self._call)
        sys.settrace(self._frame)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        sys.setprofile(None)

    def _frame(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(ROOM):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._instruction

    def _instruction(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode":
            self.count += 1
            if self.count == self._at:
                self._action()
        return self._instruction

    def _call(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and getattr(argument, "__module__", "") in {"posix", "nt"}:
            self.near_system_calls |= {self.count, self.count + 1}

if __name__ == "__main__":
    import tempfile, time
    d = Path(tempfile.mkdtemp())
    i = Instructions(-1, lambda: None)
    t=time.time()
    with i:
        make_new_set(old_set(d/"a"))
    print(i.count, len(i.near_system_calls), time.time()-t)
    t=time.time()
    make_new_set(old_set(d/"b"))
    print(time.time()-t)

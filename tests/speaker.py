"""A process that speaks one language, and runs commands of ours in it one after the other.

The language of a process is chosen when it starts, and a start takes seconds on an emulated
Windows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.machine import CHECKOUT

_LISTENING = """
import json, sys
from mtls_openssl import language
language.speak(sys.argv[1])
from tests.machine import mtls
for line in sys.stdin:
    asked = json.loads(line)
    done = mtls(*asked["argv"], cwd=asked["cwd"], env=asked["env"], exit_code=None)
    print(json.dumps([done.returncode, done.stdout, done.stderr]), flush=True)
"""


class Speaker:
    """Such a process, until the block is left.

    Args:
        language: a key of `language.LANGUAGES`.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LISTENING, language],
            cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def run(
        self,
        *argv: str | Path,
        cwd: Path,
        env: Mapping[str, str | None] | None = None,
        exit_code: int | None = 0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command, as `machine.mtls` does."""
        assert self._process.stdin
        assert self._process.stdout
        words = [str(argument) for argument in argv]
        speaking = {"MTLS_LANG": self._language, **(env or {})}
        print(
            json.dumps({"argv": words, "cwd": str(cwd), "env": speaking}),
            file=self._process.stdin, flush=True,
        )  # fmt: skip
        code, out, err = json.loads(self._process.stdout.readline())
        if exit_code is not None:
            assert code == exit_code, f"{argv}\n{out}\n{err}"
        return subprocess.CompletedProcess(words, code, out, err)

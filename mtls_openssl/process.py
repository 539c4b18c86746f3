"""The one door to openssl: starts a process in a clean room and tells how it ended.

plumbum is imported here and nowhere else. A password reaches a process through its environment
only, and that environment is handed to `popen` and never bound to a plumbum command: a bound
command shows its environment in its repr.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import plumbum

from mtls_openssl.steps import Ending, Finished

_DROPPED = frozenset(
    {
        "OPENSSL_CONF",
        "OPENSSL_CONF_INCLUDE",
        "OPENSSL_ENGINES",
        "OPENSSL_MODULES",
        "SSLEAY_CONF",
        "RANDFILE",
        "LANG",
        "LANGUAGE",
    }
)

# The machine's own trust store has no say in what a set is. openssl x509 would read the whole of
# it for every certificate (40 ms), and openssl verify might find an issuer there.
_OURS = {"LC_ALL": "C", "SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}

_TICK = 0.1

# plumbum adds its own snapshot of the environment to what it is given: it must be empty.
plumbum.local.env.clear()


def foreign_environment() -> tuple[dict[str, str], tuple[str, ...]]:
    """The environment of a program other than openssl: this process's, but its words in English.

    Returns:
        The variables, without our own; and the names of those that were set.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("LC_", "MTLS_"))
        and name.upper() not in {"LANG", "LANGUAGE"}
    }
    return {**kept, "LC_ALL": "C"}, ("LC_ALL",)


def clean_environment(settings: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The environment of an openssl process.

    Args:
        settings: variables to set for this process.

    Returns:
        This process's environment without anything that changes what openssl does or says
        (openssl-env(7)) and without our own variables, with `settings` on top; and the names of
        the variables that were set.
    """
    ours = {**_OURS, **settings}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in _DROPPED and not name.upper().startswith(("LC_", "MTLS_"))
    }
    return {**kept, **ours}, tuple(ours)


class Door:
    """Starts processes, and can end all of those that it started.

    `run` may be called from several threads at the same time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Any] = set()
        self._closed = False

    def run(
        self,
        executable: Path,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        limit: float,
    ) -> Finished:
        """Run one command to its end.

        Args:
            executable: the absolute path of the program.
            argv: its arguments.
            cwd: the folder it runs in.
            env: its whole environment.
            limit: seconds after which it is killed.

        Returns:
            How it ended. It never raises for anything the program or the system does.
        """
        if threading.current_thread() is not threading.main_thread():
            return self._run(executable, argv, cwd, env, limit)
        # Ctrl-C comes to the main thread, at any instruction: a process that it has only just
        # started would be left behind.
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            try:
                future = pool.submit(self._run, executable, argv, cwd, env, limit)
                while not concurrent.futures.wait([future], timeout=_TICK).done:
                    pass  # Windows tells of a Ctrl-C only between two waits
                return future.result()
            except BaseException:
                self.close()
                raise

    def _run(
        self,
        executable: Path,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        limit: float,
    ) -> Finished:
        started = datetime.now(UTC)
        clock = time.perf_counter()

        def finished(ending: Ending, code: int | None, out: bytes, err: bytes) -> Finished:
            return Finished(
                ending,
                code,
                _text(out),
                _text(err),
                time.perf_counter() - clock,
                started,
            )

        try:
            with self._lock:
                if self._closed:
                    return finished(Ending.STOPPED, None, b"", b"")
                child: Any = plumbum.local[os.fspath(executable)].popen(
                    [_argument(argument) for argument in argv],
                    cwd=os.fspath(cwd),
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    **_private_files(),
                )
                self._running.add(child)
        except (OSError, struct.error, plumbum.CommandNotFound) as error:
            # struct.error: on Windows plumbum reads the header of a program that has none.
            return finished(Ending.NOT_STARTED, None, b"", str(error).encode())
        try:
            out, err = child.communicate(timeout=limit)
            ending = Ending.STOPPED if self._closed and child.returncode else Ending.EXITED
        except subprocess.TimeoutExpired:
            _kill(child)
            out, err = _drain(child)
            ending = Ending.STOPPED if self._closed else Ending.TIMED_OUT
        finally:
            with self._lock:
                self._running.discard(child)
        return finished(ending, child.returncode, out, err)

    def close(self) -> None:
        """End every process still running, and start no more."""
        with self._lock:
            self._closed = True
            for child in self._running:
                _kill(child)


def _kill(child: Any) -> None:
    if sys.platform != "win32" and _is_our_child(child.pid):
        # Its whole group: where `openssl` is a wrapper script, the program that does the work too.
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def _is_our_child(number: int) -> bool:
    # Once it was waited for, its number may be another process's.
    if sys.platform == "win32" or not hasattr(os, "waitid"):
        return False
    try:
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _drain(child: Any) -> tuple[bytes, bytes]:
    # A killed program's own children may hold the pipes open; they are not waited for.
    try:
        out, err = child.communicate(timeout=2)
    except subprocess.TimeoutExpired:
        return b"", b""
    return out or b"", err or b""


def _private_files() -> dict[str, Any]:
    if sys.platform == "win32":
        # CREATE_NO_WINDOW: no console to ask for a password on, so nothing can wait for one.
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    # A process group of its own: Ctrl-C comes to us alone, and we end what we started.
    return {"umask": 0o077, "process_group": 0}


def _argument(argument: str) -> str:
    # openssl reads its arguments as UTF-8, whatever this process's locale is.
    return argument if sys.platform == "win32" else os.fsdecode(argument.encode())


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").replace("\r\n", "\n")

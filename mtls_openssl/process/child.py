"""One process of another program: how it is started, and how it is ended."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mtls_openssl.process import plumbing

T = TypeVar("T")

_INTERNAL_ERROR = 1359
_ATTEMPTS = 5
_PAUSE = 0.2


def popen(
    executable: Path, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], **more: Any
) -> Any:
    """Start a program on this computer.

    Args:
        executable: its absolute path.
        argv: its arguments.
        cwd: the folder it runs in.
        env: its whole environment.
        more: further arguments of `subprocess.Popen`.

    Returns:
        The process, as plumbum makes it.

    Raises:
        OSError: it can't be started.
        CommandNotFound: there is no such program.
    """
    return _program(os.fspath(executable)).popen(
        [_argument(argument) for argument in argv], cwd=os.fspath(cwd), env=dict(env), **more
    )


def patiently(starting: Callable[[], T]) -> T:
    """Start a process, again where Windows says that something within it went wrong.

    A machine with much to do says so now and then (ERROR_INTERNAL_ERROR), and not a moment later.
    """
    for _attempt in range(_ATTEMPTS - 1):
        try:
            return starting()
        except OSError as error:
            if getattr(error, "winerror", None) != _INTERNAL_ERROR:
                raise
            time.sleep(_PAUSE)
    return starting()


def by_itself(executable: Path) -> dict[str, Any]:
    """What keeps a process away from our terminal, and others away from the files it makes.

    A Ctrl-C comes to us alone, and we end what we started. And openssl, which asks at the terminal
    for a pass phrase that it was not given (UI_OpenSSL(3)), finds none, and says so at once.

    Args:
        executable: the program.

    Returns:
        Arguments of `subprocess.Popen`.
    """
    if sys.platform == "win32":
        # In a console without a window openssl would ask, and wait for an answer that nobody can
        # give; and Windows starts a process for each such console.
        alone = _needs_no_console(executable)
        return {
            "creationflags": subprocess.DETACHED_PROCESS if alone else subprocess.CREATE_NO_WINDOW,
            # With one plumbum does not read the program's header, which winget.exe, a name that
            # Windows itself resolves (an app execution alias), does not let it do.
            "startupinfo": subprocess.STARTUPINFO(),
        }
    return {"umask": 0o077, "start_new_session": True}


@functools.cache
def _needs_no_console(executable: Path) -> bool:
    """Whether it is openssl, and will start no other program, which would open a window then.

    What stands for an openssl elsewhere (a shim of Scoop or Chocolatey) has no library beside it.
    """
    return executable.stem.lower() == "openssl" and any(executable.parent.glob("libcrypto*.dll"))


def kill(child: Any) -> None:
    """End a process that `popen` has started, and what it has started itself."""
    if sys.platform != "win32" and _is_ours(child.pid):
        # Its whole group: where `openssl` is a wrapper script, the program that does the work too.
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()


def _is_ours(number: int) -> bool:
    # Once it was waited for, its number may be another process's.
    if sys.platform == "win32" or not hasattr(os, "waitid"):
        return False
    try:
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


@functools.cache
def _program(path: str) -> Any:
    return plumbing.local[path]


def _argument(argument: str) -> str:
    # openssl reads its arguments as UTF-8, whatever this process's locale is.
    if sys.platform == "win32" or argument.isascii():
        return argument
    return os.fsdecode(argument.encode())

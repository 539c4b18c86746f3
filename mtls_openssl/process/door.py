"""The one door to openssl: starts a process in a clean room and tells how it ended.

plumbum starts it. A password reaches a process through its environment
only, and that environment is handed to `popen` and never bound to a plumbum command: a bound
command shows its environment in its repr.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, ParamSpec, Protocol, TypeVar

from mtls_openssl.interrupts import held, shielded
from mtls_openssl.process import plumbing
from mtls_openssl.process.child import by_itself, kill, patiently, popen
from mtls_openssl.steps import Ending, Finished

_TICK = 0.1
_LAST_WORDS = 2.0
_MUCH = 65536

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Awaited(Protocol[T_co]):
    """Waits for what another thread does."""

    def __call__(self, between: Callable[[], object] = ...) -> T_co:
        """What it returned or raised; `between` is called again and again until then."""


class _Clock:
    """When a process was started, to the end."""

    def __init__(self) -> None:
        self._started = datetime.now(UTC)
        self._since = time.perf_counter()

    def finished(
        self, ending: Ending, code: int | None, out: bytes = b"", err: bytes = b""
    ) -> Finished:
        seconds = time.perf_counter() - self._since
        return Finished(ending, code, _text(out), _text(err), seconds, self._started)


class Door:
    """Starts processes, and can end all of those that it started.

    `run` may be called from several threads at the same time.

    Args:
        starting: what starts one, from what `run` is given and the arguments of `Popen`.
    """

    def __init__(self, starting: Callable[..., Any] = popen) -> None:
        self._starting = starting
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
        stdin: bytes | None = None,
    ) -> Finished:
        """Run one command to its end.

        Args:
            executable: the absolute path of the program.
            argv: its arguments.
            cwd: the folder it runs in.
            env: its whole environment.
            limit: seconds after which it is killed.
            stdin: what it reads from its standard input, which then stays open until it ends;
                None for nothing, and the end at once. It must fit into a pipe: 4096 bytes.

        Returns:
            How it ended. It never raises for anything the program or the system does.
        """
        return self._apart(self._run, executable, argv, cwd=cwd, env=env, limit=limit, stdin=stdin)

    def start(
        self, executable: Path, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]
    ) -> Serving:
        """Start a program that keeps running, such as a server.

        Args:
            executable: the absolute path of the program.
            argv: its arguments.
            cwd: the folder it runs in.
            env: its whole environment.

        Returns:
            The program; where it can't be started, one that has ended. It never raises for
            anything the program or the system does.
        """
        return self._apart(self._start, executable, argv, cwd, env)

    @contextlib.contextmanager
    @held
    def meanwhile(
        self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs
    ) -> Iterator[Awaited[T]]:
        """Have something done with this door while the block goes on.

        Yields:
            Waits for its end, and hands over what it returned or raised. If the block is left by
            an error, the door is closed.
        """
        with shielded() as deliver:
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                try:
                    future = pool.submit(work, *arguments, **named)
                    deliver()
                    yield functools.partial(_awaited, future, deliver)
                except BaseException:
                    self.close()
                    raise
            del pool  # within the shield: what Python calls at its end lets an interrupt vanish

    def _apart(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        if threading.current_thread() is not threading.main_thread():
            return work(*arguments, **named)
        # Ctrl-C comes to the main thread, at any instruction: a process that it has only just
        # started would be left behind.
        with self.meanwhile(work, *arguments, **named) as awaited:
            return awaited()

    def _run(
        self,
        executable: Path,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        limit: float,
        stdin: bytes | None,
    ) -> Finished:
        clock = _Clock()
        try:
            with _spoken_to(stdin) as source, _complained_to() as errors:
                child = self._popen(executable, argv, cwd, env, stdin=source, stderr=errors)
                if child is None:
                    return clock.finished(Ending.STOPPED, None)
                return self._to_its_end(child, errors, limit, clock)
        except (OSError, plumbing.CommandNotFound) as error:
            return clock.finished(Ending.NOT_STARTED, None, err=str(error).encode())

    def _to_its_end(
        self, child: Any, errors: IO[bytes] | int, limit: float, clock: _Clock
    ) -> Finished:
        try:
            out, err = child.communicate(timeout=limit)
            ending = Ending.STOPPED if self._closed and child.returncode else Ending.EXITED
        except subprocess.TimeoutExpired:
            kill(child)
            out, err = _drain(child)
            ending = Ending.STOPPED if self._closed else Ending.TIMED_OUT
        finally:
            with self._lock:
                self._running.discard(child)
        if not isinstance(errors, int):
            errors.seek(0)
            err = errors.read()
        return clock.finished(ending, child.returncode, out, err)

    def _start(
        self, executable: Path, argv: Sequence[str], cwd: Path, env: Mapping[str, str]
    ) -> Serving:
        clock = _Clock()
        try:
            child = self._popen(executable, argv, cwd, env, stdin=subprocess.DEVNULL)
        except (OSError, plumbing.CommandNotFound) as error:
            failed = clock.finished(Ending.NOT_STARTED, None, err=str(error).encode())
            return Serving(self, clock, None, failed)
        stopped = None if child else clock.finished(Ending.STOPPED, None)
        return Serving(self, clock, child, stopped)

    def _popen(
        self,
        executable: Path,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        **streams: IO[bytes] | int,
    ) -> Any:
        with self._lock:
            if self._closed:
                return None
            more = {**streams, **by_itself(executable)}
            child: Any = patiently(
                lambda: self._starting(executable, argv, cwd=cwd, env=env, **more)
            )
            self._running.add(child)
            return child

    def forget(self, child: Any) -> None:
        """A program that `start` started has ended."""
        with self._lock:
            self._running.discard(child)

    def close(self) -> None:
        """End every process still running, and start no more."""
        with self._lock:
            self._closed = True
            for child in self._running:
                kill(child)


class Serving:
    """A program that keeps running while others do; made by `Door.start`.

    What it prints is heard as it comes, so that it never waits for a reader.
    """

    def __init__(self, door: Door, clock: _Clock, child: Any, finished: Finished | None) -> None:
        self._door = door
        self._clock = clock
        self._child = child
        self._finished = finished
        self._heard = {"stdout": b"", "stderr": b""}
        self._changed = threading.Condition()
        self._ears = [
            threading.Thread(target=self._listen, args=(name,), daemon=True)
            for name in (self._heard if child else ())
        ]
        for ear in self._ears:
            ear.start()

    @held
    def hear(self, pattern: str, limit: float) -> re.Match[str] | None:
        """Wait until its standard output has something that matches `pattern`.

        Args:
            pattern: a regular expression; `^` and `$` are those of each line.
            limit: seconds to wait.

        Returns:
            The first match; None if it ended, or the time did, without one.
        """
        until = time.monotonic() + limit
        with shielded() as deliver, self._changed:
            while True:
                deaf = not any(ear.is_alive() for ear in self._ears)
                found = re.search(pattern, _text(self._heard["stdout"]), re.MULTILINE)
                if found or deaf or time.monotonic() > until:
                    return found
                self._changed.wait(_TICK)
                deliver()

    def has_said(self, pattern: str) -> bool:
        """Whether it has printed on either output what matches `pattern`, as for `hear`."""
        with self._changed:
            heard = [_text(some) for some in self._heard.values()]
        return any(re.search(pattern, text, re.MULTILINE) for text in heard)

    def end(self, patience: float = 0) -> Finished:
        """Wait `patience` seconds for it to end by itself, then end it. Twice does no harm.

        Returns:
            How it ended; STOPPED if it was ended by us.
        """
        if self._finished is None:
            until = time.monotonic() + patience
            while self._child.poll() is None and time.monotonic() < until:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._child.wait(_TICK)
            ending = Ending.STOPPED if self._child.poll() is None else Ending.EXITED
            kill(self._child)
            code = self._child.wait()
            for ear in self._ears:
                ear.join(_LAST_WORDS)  # its own children may hold the pipes open
            self._door.forget(self._child)
            self._finished = self._clock.finished(
                ending, code, self._heard["stdout"], self._heard["stderr"]
            )
        return self._finished

    def _listen(self, name: str) -> None:
        with getattr(self._child, name) as stream:
            while some := stream.read1(_MUCH):
                with self._changed:
                    self._heard[name] += some
                    self._changed.notify_all()


@held
def _awaited(
    future: concurrent.futures.Future[T],
    deliver: Callable[[], None],
    between: Callable[[], object] = int,
) -> T:
    while not concurrent.futures.wait([future], timeout=_TICK).done:
        deliver()
        between()
    return future.result()


@contextlib.contextmanager
def _spoken_to(words: bytes | None) -> Iterator[int]:
    """The standard input of a process: a pipe with `words` in it, or nothing."""
    if words is None:
        yield subprocess.DEVNULL
        return
    reading, writing = os.pipe()
    try:
        os.write(writing, words)
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _complained_to() -> contextlib.AbstractContextManager[IO[bytes] | int]:
    """The standard error of a process: a file in memory, or a pipe where the system has none.

    openssl writes a character for each number that it tries for a prime, a thousand for an RSA
    key, and a line in pieces for each name that it signs. On a pipe each of them wakes a thread of
    ours.
    """
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - of this system

        # Python has no name for it on an old one, and a container may not allow it.
        with contextlib.suppress(AttributeError, OSError):
            file = os.fdopen(os.memfd_create("stderr"), "w+b")
            # A wrapper script that opens /dev/stderr is not to be written over by openssl.
            fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)
            return file
    return contextlib.nullcontext(subprocess.PIPE)


def _drain(child: Any) -> tuple[bytes, bytes]:
    # A killed program's own children may hold the pipes open; they are not waited for.
    try:
        out, err = child.communicate(timeout=_LAST_WORDS)
    except subprocess.TimeoutExpired:
        return b"", b""
    return out or b"", err or b""


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").replace("\r\n", "\n")

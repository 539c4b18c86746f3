"""How a command speaks: lines, a live line at a terminal, errors and exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import typer

from mtls_openssl.errors import Exit, FolderUnavailableError, MtlsError, system_said
from mtls_openssl.language import LANGUAGES, _, current, spoken
from mtls_openssl.steps import Command, Outcome

_LONG = 1.0
_STDOUT = 1
# Windows says of a pipe that nobody reads that the argument is invalid.
_NO_READER = {errno.EPIPE, errno.EINVAL} if sys.platform == "win32" else {errno.EPIPE}
_USUAL = (signal.SIG_DFL, signal.default_int_handler)
_STOPPING = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
]


def open_streams() -> None:
    """Make standard output and standard error fit for what is going to be printed.

    A console of another code page shows what it can't print as an escape. Where that would be
    every character of our language, the stream is UTF-8: a file of escapes is of use to nobody.
    """
    if sys.stdout is sys.__stdout__:
        sys.stdout = _outlasting(sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _outlasting(sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", lambda **_more: None)
        reconfigure(errors="backslashreplace")
        try:
            LANGUAGES[current()].encode(stream.encoding or "ascii")
        except UnicodeEncodeError:
            reconfigure(encoding="utf-8")


class _Outlasting(io.FileIO):
    """The file of a stream that nobody may be reading to its end.

    A reader that has gone, such as `head`, is no fault: what is printed goes nowhere from then on,
    and the command does its work. What can't be written for another reason is told, once.
    """

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
                os.dup2(nowhere.fileno(), self.fileno())
            if error.errno not in _NO_READER and self.fileno() == _STDOUT:
                raise FolderUnavailableError(
                    _("The output can't be written: {why}", why=system_said(error)),
                    cause=_("what was to be done may be done for all that"),
                    fix=_("look what there is; then run it again, and send it to another place"),
                ) from error
            return memoryview(data).nbytes


def _outlasting(stream: Any) -> Any:
    if stream is None:  # closed by whoever started us
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    if stream.isatty():
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Outlasting(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


@contextlib.contextmanager
def guarded(*, json: bool, verbose: bool) -> Iterator[None]:
    """Turn every error of a command into its message and its exit code."""
    with _stopping_tidily(), _telling(json=json, verbose=verbose), _kept_out():
        yield


@contextlib.contextmanager
def _kept_out() -> Iterator[None]:
    """What is closed to us, or has a name that nothing can have, is no fault of ours anywhere."""
    try:
        yield
    except OSError as error:
        from mtls_openssl.workspace.causes import is_no_name, unreadable  # noqa: PLC0415

        if not (error.filename and (isinstance(error, PermissionError) or is_no_name(error))):
            raise
        raise unreadable(
            _("{file} can't be reached: {why}", file=error.filename, why=system_said(error)),
            error,
            fix=_("run the command as the user who owns it, or name another place"),
        ) from error


@contextlib.contextmanager
def _telling(*, json: bool, verbose: bool) -> Iterator[None]:
    try:
        yield
    except typer.Exit:
        raise
    except MtlsError as error:
        be_deaf()
        raise typer.Exit(told(error, json=json)) from None
    except (KeyboardInterrupt, typer.Abort):
        raise _interrupted() from None
    except Exception as error:  # noqa: BLE001 - the last catcher, so that nobody sees a traceback
        # Python up to 3.11 makes a RuntimeError of it where it comes while a class is made.
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise _interrupted() from None
        fault = f"{type(error).__name__}: {error}"
        said = _("Error: a fault of this program: {fault}", fault=fault)
        typer.echo(spoken(said), err=True)
        if verbose:
            import traceback  # noqa: PLC0415 - only for a fault of ours

            typer.echo(traceback.format_exc(), err=True)
        else:
            advice = _("To report it: run the same again with --verbose, add the output")
            typer.echo(spoken(advice), err=True)
        raise typer.Exit(Exit.OUR_FAULT) from None


def _interrupted() -> typer.Exit:
    be_deaf()
    typer.echo(spoken(_("Interrupted.")), err=True)
    return typer.Exit(Exit.INTERRUPTED)


def told(error: MtlsError, *, json: bool = False) -> int:
    """Tell an error as errors are told.

    Args:
        error: the error.
        json: whether a program is told as well.

    Returns:
        The exit code.
    """
    from mtls_openssl import report  # noqa: PLC0415 - only a failed command needs it

    if json:
        print_data(report.error_data(error))
    for line in report.error_text(error):
        typer.echo(line, err=True)
    return int(error.code)


class _StopError(KeyboardInterrupt):
    # Python ends itself by SIGINT, and not with our exit code, after a KeyboardInterrupt proper
    # that came out of an eval(), such as namedtuple's, even if it was handled.
    pass


def _stop(_number: int, _frame: object) -> None:
    raise _StopError


def be_deaf() -> None:
    """Let Ctrl-C and its like go: what they could stop has come to its end.

    A second one would cut off the message about the first.
    """
    for number in _STOPPING:
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def _stopping_tidily() -> Iterator[None]:
    # SIGTERM, a closed terminal and Ctrl-Break end a run as Ctrl-C does: tidily.
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in _STOPPING}
    for number, handler in before.items():
        if handler in _USUAL:
            with contextlib.suppress(ValueError):
                signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            with contextlib.suppress(ValueError):
                signal.signal(number, handler)


def is_interactive() -> bool:
    """Whether there is somebody at a terminal who can be asked."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    if sys.platform != "win32":
        return True
    # The device NUL calls itself a terminal there; only a real console has a mode.
    import ctypes  # noqa: PLC0415 - there, and only where a password may be asked for
    import msvcrt  # noqa: PLC0415

    handle = msvcrt.get_osfhandle(sys.stdin.fileno())
    mode = ctypes.c_ulong()
    return bool(ctypes.windll.kernel32.GetConsoleMode(ctypes.c_void_p(handle), ctypes.byref(mode)))


def ask_once(text: str) -> str:
    """What is typed at the terminal, not shown; it may be empty."""
    return str(
        typer.prompt(spoken(text), default="", show_default=False, hide_input=True, err=True)
    )


def ask_twice(text: str) -> str:
    """What is typed at the terminal, twice the same and not shown; it may be empty."""
    while True:
        typed, again = (ask_once(said) for said in (text, _("Repeat for confirmation")))
        if typed == again:
            return typed
        typer.echo(spoken(_("Error: The two entered values do not match.")), err=True)


def print_data(data: Any) -> None:
    """Print `data` as JSON, as it is in every encoding."""
    import json  # noqa: PLC0415 - only for --json

    typer.echo(json.dumps(data, indent=2, ensure_ascii=not _speaks_unicode()))


def print_script(script: str) -> None:
    """Print `script` as UTF-8 with its own line ends, whatever the console's are."""
    typer.echo(script.encode(), nl=False)


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


class Progress:
    """A watcher that prints the stages, and at a terminal what takes long.

    Args:
        stages: the titles of the plan's stages.
        commands: the commands of the plan.
        quiet: print nothing.
        verbose: print every command as it ends.
    """

    def __init__(
        self, stages: tuple[str, ...], commands: tuple[Command, ...], *, quiet: bool, verbose: bool
    ) -> None:
        self._stages = stages
        self._left = [
            sum(command.stage == number for command in commands)
            for number in range(1, len(stages) + 1)
        ]
        self._shown = 0
        self._quiet = quiet
        self._verbose = verbose
        self._running: dict[int, tuple[Command, float]] = {}
        self._live = not quiet and sys.stderr.isatty()
        self._line: Any = None

    def started(self, step: int, command: Command) -> None:
        """Show the stage it belongs to, once all before it are done."""
        self._running[step] = (command, time.monotonic())
        self._show_stages()

    def finished(self, outcome: Outcome) -> None:
        """Count it off, and show the next stage if it was the last of its own."""
        self._running.pop(outcome.step, None)
        stage = outcome.command.stage - 1
        if outcome.command.kind.value == "guide" and stage < len(self._left):
            self._left[stage] -= 1
        if self._verbose:
            self._hide()
            program = outcome.command.program
            words = " ".join((program.stem if program else "openssl", *outcome.command.argv))
            typer.echo(f"  {words}  ({outcome.finished.seconds:.2f} s)")
        self._show_stages()

    def tick(self) -> None:
        """At a terminal, say what is being waited for."""
        if not self._live or not self._running:
            return
        command, since = min(self._running.values(), key=lambda one: one[1])
        elapsed = time.monotonic() - since
        if elapsed < _LONG:
            return
        if self._line is None:
            from rich.console import Console  # noqa: PLC0415 - only for what takes long

            self._line = Console(stderr=True).status("")
            self._line.start()
        self._line.update(f"{spoken(command.purpose)}: {elapsed:.0f} s")

    def close(self) -> None:
        """Take the live line away."""
        self._hide()

    def _hide(self) -> None:
        if self._line is not None:
            self._line.stop()
            self._line = None

    def _show_stages(self) -> None:
        while self._shown < len(self._stages) and not any(self._left[: self._shown]):
            self._hide()
            self._shown += 1
            if not self._quiet:
                count = len(self._stages)
                number = f"[{self._shown}/{count}] " if count > 1 else ""
                typer.echo(f"{number}{spoken(self._stages[self._shown - 1])}...")
                sys.stdout.flush()

"""Keeps Ctrl-C back where it must not come at any instruction.

While the folder of a set is between two states: an impatient person presses it more than once, and
the second one would come in the middle of putting things right after the first. And while another
thread is waited for: Python's own locks are not made for an exception between any two of their
instructions (`RuntimeError: release unlocked lock` came instead of it). So while a function marked
`@held` is running, an interrupt is only noted; it is delivered where that function asks for it, or
at the end. Once the set is in place an interrupt comes too late, and is let go: whoever gets one
knows that the folder is as it was.
"""

from __future__ import annotations

import contextlib
import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import TypeVar

_Function = TypeVar("_Function", bound=Callable[..., object])

_HELD: set[CodeType] = set()
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def held(function: _Function) -> _Function:
    """Mark a function during which interrupts wait; the function itself stays as it is."""
    # Asking which function is running, when the signal comes, leaves no gap at its first or last
    # instruction; a flag that the function sets would.
    _HELD.add(function.__code__)
    return function


class Shield:
    """Stands before this process's signal handlers from `up` to `down`.

    Only handlers written in Python are shielded: they alone can raise in the middle of our work.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Callable[[int, FrameType | None], object]] = {}
        self._waiting: list[int] = []
        self._too_late = False

    def up(self) -> None:
        """Stand before the handlers. Does nothing outside the main thread, where none runs."""
        if threading.current_thread() is not threading.main_thread():
            return
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            handler = signal.getsignal(number) if number is not None else None
            if number is not None and callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._arrived)

    def down(self) -> None:
        """Give every handler its place back. May be called more than once."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def deliver(self) -> None:
        """Hand over an interrupt that came while a held function was running.

        For whoever stands behind us it comes where that function was called: it may be held there.

        Raises:
            KeyboardInterrupt: or whatever the handler of the signal raises.
        """
        if self._waiting:
            number = self._waiting[0]
            self._waiting.clear()
            inner = _held_at(inspect.currentframe())
            self._handlers[number](number, inner and inner.f_back)

    def let_go(self) -> None:
        """From now on no interrupt is handed over any more."""
        self._too_late = True
        self._waiting.clear()

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self._too_late:
            return
        if _held_at(frame) is not None:
            self._waiting.append(number)
        else:
            self._handlers[number](number, frame)


@contextlib.contextmanager
def shielded() -> Iterator[Callable[[], None]]:
    """A shield for a block within a held function; one that came too late is delivered at its end.

    Yields:
        Delivers what was noted; to be called again and again.
    """
    shield = Shield()
    try:
        shield.up()
        yield shield.deliver
    finally:
        shield.down()
        shield.deliver()


def _held_at(frame: FrameType | None) -> FrameType | None:
    """The innermost held function that is running at `frame`."""
    while frame is not None and frame.f_code not in _HELD:
        frame = frame.f_back
    return frame

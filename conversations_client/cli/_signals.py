"""Ends a command on SIGTERM and SIGHUP in the same way as on Ctrl-C."""

import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Final

from attrs import define

_NAMES: Final = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
# Seconds in which further signals count as the first one: both the kernel and the shell send
# SIGHUP when a terminal closes, and `timeout` sends SIGTERM twice.
_SAME_SIGNAL: Final = 1.0


class StopSignalError(KeyboardInterrupt):
    """A signal that asks the command to stop; code that handles Ctrl-C handles it too.

    Attributes:
        number: The number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def stopped_by_signals() -> Generator[None, None, None]:
    """In the block, SIGTERM and SIGHUP raise StopSignalError; the second one ends the process.

    A signal that is ignored, such as SIGHUP after `nohup`, stays ignored.
    """
    if current_thread() is not main_thread():  # only the main thread can set handlers
        yield
        return
    handler = _Handler()
    numbers = [each for each in signal.Signals if each.name in _NAMES]
    handled = [each for each in numbers if signal.getsignal(each) is signal.SIG_DFL]
    try:
        for number in handled:
            signal.signal(number, handler)
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


@define
class _Handler:
    first: float | None = None

    def __call__(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first = now
            raise StopSignalError(number)
        if now - self.first >= _SAME_SIGNAL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

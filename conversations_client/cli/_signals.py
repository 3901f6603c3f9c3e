"""Ends a command on Ctrl-C, SIGTERM and SIGHUP; the second signal ends the process at once."""

import os
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from typing import Final

from attrs import define

SIGNALED: Final = 128
"""Shells add the number of the signal to it."""

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
# Seconds in which further signals count as the first one: both the kernel and the shell send
# SIGHUP when a terminal closes, and `timeout` sends SIGTERM twice.
_SAME_SIGNAL: Final = 1.0

_DEFAULTS: Final = (signal.SIG_DFL, signal.default_int_handler)
_waits: Final[list[Callable[[], str]]] = []
_last_actions: Final[list[Callable[[], object]]] = []


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
    """In the block, the first signal raises StopSignalError; the second one ends the process.

    A signal that is ignored, such as SIGHUP after `nohup`, stays ignored.
    """
    if current_thread() is not main_thread():  # only the main thread can set handlers
        yield
        return
    numbers = [each for each in signal.Signals if each.name in _NAMES]
    handlers = {each: signal.getsignal(each) for each in numbers}
    handled = [each for each in numbers if handlers[each] in _DEFAULTS]
    handler = _Handler()
    try:
        for number in handled:
            signal.signal(number, handler)
        yield
    finally:
        for number in handled:
            signal.signal(number, handlers[number])


@contextmanager
def waiting_for_requests(
    count: Callable[[], int], *, prefix: str = ""
) -> Generator[None, None, None]:
    """In the block, the first signal prints how many requests the command then waits for.

    Args:
        count: Returns the number of requests in flight.
        prefix: The text before the number.
    """

    def describe() -> str:
        number = count()
        return f"{prefix}{number:,} request{'s' * (number != 1)}" if number else ""

    _waits.append(describe)
    try:
        yield
    finally:
        _waits.remove(describe)


@contextmanager
def before_forced_end(action: Callable[[], object]) -> Generator[None, None, None]:
    """In the block, the second signal calls a function before it ends the process."""
    _last_actions.append(action)
    try:
        yield
    finally:
        _last_actions.remove(action)


@define
class _Handler:
    first: float | None = None
    is_ending: bool = False

    def __call__(self, number: int, _frame: object) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first = now
            _announce_wait(number)
            raise KeyboardInterrupt if number == signal.SIGINT else StopSignalError(number)
        if now - self.first >= _SAME_SIGNAL:
            self._end_process(SIGNALED + number)

    def _end_process(self, code: int) -> None:
        """End the process without waiting for its threads, which wait for responses."""
        if not self.is_ending:  # otherwise, a third signal came, because an action takes too long
            self.is_ending = True
            for action in (*reversed(_last_actions), sys.stdout.flush, sys.stderr.flush):
                with suppress(Exception):
                    action()
        os._exit(code)


def _announce_wait(number: int) -> None:
    again = "Press Ctrl-C again" if number == signal.SIGINT else "Send another signal"
    # The signal may have come while the main thread was printing.
    with suppress(Exception):
        for description in filter(None, (describe() for describe in _waits)):
            sys.stderr.write(f"Waiting for {description} in flight. {again} to end at once.\n")

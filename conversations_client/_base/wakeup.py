"""Wakes waiting threads and tasks, from any thread or signal handler."""

import queue
from collections.abc import Iterator
from typing import Final, Protocol
from weakref import ref

_SIGNAL_CHECK_SECONDS: Final = 0.5


def short_waits(seconds: float) -> Iterator[float]:
    """Split a wait into short ones, so that Python can call signal handlers in between.

    A signal can arrive just before the main thread begins to wait, or wake another thread instead.
    Python then calls its handler only after the wait.
    """
    while seconds > _SIGNAL_CHECK_SECONDS:
        yield _SIGNAL_CHECK_SECONDS
        seconds -= _SIGNAL_CHECK_SECONDS
    yield seconds


class Wakeup:
    """Wakes one thread. Unlike threading.Event, it can't deadlock in a signal handler."""

    __slots__ = ("__weakref__", "_queue")

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Wake the waiting thread, or the next one that waits."""
        if self._queue.empty():
            self._queue.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait for `set`; False on a timeout."""
        return any(map(self._wait, short_waits(seconds)))

    def _wait(self, seconds: float) -> bool:
        try:
            self._queue.get(timeout=seconds)
        except queue.Empty:
            return False
        return True


class Wakeable(Protocol):
    """A thread or task to wake."""

    def set(self) -> object:
        """Wake the waiting thread or task."""
        ...


class Wakeups:
    """Wakes all threads and tasks that wait for one event, such as the closing of a client.

    Like `Wakeup`, it needs no lock.

    Attributes:
        is_set: Whether the event has happened.
    """

    __slots__ = ("_waiting", "is_set")

    def __init__(self) -> None:
        self._waiting: set[ref[Wakeable]] = set()
        self.is_set: bool = False

    def add(self, wakeup: Wakeable) -> None:
        """Set the wakeup when the event happens, or now if it has; keeps only a weak reference."""
        # The callback is C code, so an interrupt can't leave an unused reference.
        self._waiting.add(ref(wakeup, self._waiting.discard))
        if self.is_set:
            wakeup.set()

    def set(self) -> None:
        """Record the event and set all wakeups; call it again after an interrupt."""
        self.is_set = True
        for reference in self._waiting.copy():
            wakeup = reference()
            if wakeup is not None:
                wakeup.set()

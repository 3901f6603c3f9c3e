"""Wakes a thread that waits, from any thread and from a signal handler."""

import queue


class Wakeup:
    """Wakes one thread. Unlike threading.Event it has no lock that a signal handler could need."""

    __slots__ = ("_queue",)

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Wake the thread that waits, or else the next one that does."""
        if self._queue.empty():
            self._queue.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait for `set`; False if it did not come in time."""
        try:
            self._queue.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

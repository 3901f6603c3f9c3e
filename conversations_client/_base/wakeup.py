"""Wakes a waiting thread, from any thread or signal handler."""

import queue


class Wakeup:
    """Wakes one thread. Unlike threading.Event, it can't deadlock in a signal handler."""

    __slots__ = ("_queue",)

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Wake the waiting thread, or the next one that waits."""
        if self._queue.empty():
            self._queue.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait for `set`; False on a timeout."""
        try:
            self._queue.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

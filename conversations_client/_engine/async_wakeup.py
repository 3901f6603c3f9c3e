"""Wakes a waiting task, from any task, thread or signal handler."""

import anyio

from conversations_client._http.streams.watchdog import call_soon, move_on_after, threadsafe_call


class AsyncWakeup:
    """Wakes one task of the event loop in which it was created."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._call = threadsafe_call()

    def set(self) -> None:
        """Wake the waiting task, from anywhere."""
        call_soon(self._call, self.set_in_loop)

    def set_in_loop(self) -> None:
        """Wake the waiting task, from another task."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it is set, or until this many real seconds have passed.

        First check whether to wait at all. No `await` may come in between.
        """
        self._event = anyio.Event()
        with move_on_after(seconds):
            await self._event.wait()

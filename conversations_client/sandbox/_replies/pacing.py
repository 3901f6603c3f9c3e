"""Pauses between events."""

import asyncio
from collections.abc import Awaitable, Callable

from anyio import CancelScope
from attrs import define, field

from conversations_client.sandbox._argument_checks import seconds


def _finite(_pacing: object, _attribute: object, value: float) -> None:
    seconds("pace", value)


@define(eq=False)
class Pacing:
    """Pauses between events until the sandbox stops.

    Attributes:
        seconds: The pause between two events; with 0, they are sent as fast as possible.
        sleep: Sleeps for a number of seconds.
    """

    seconds: float = field(default=0.0, validator=_finite)
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _stopped: bool = field(default=False, init=False)
    _pauses: set[CancelScope] = field(factory=set[CancelScope], init=False)

    async def pause(self, seconds: float | None = None) -> bool:
        """Pause before the next event. A pause of 0 seconds lets other tasks run.

        Once the sandbox stops, every pause lasts 0 seconds.

        Args:
            seconds: The length of the pause; None for `self.seconds`.

        Returns:
            Whether to continue; False when the sandbox stops.
        """
        length = self.seconds if seconds is None else seconds
        with CancelScope() as scope:
            self._pauses.add(scope)
            try:
                await self.sleep(0 if self._stopped else length)
            finally:
                self._pauses.remove(scope)
        return not self._stopped

    def stop(self) -> None:
        """End every pause; call it on the event loop."""
        self._stopped = True
        for scope in self._pauses:
            scope.cancel()

"""The pauses between events."""

import asyncio
import math
from collections.abc import Awaitable, Callable

from anyio import CancelScope
from attrs import define, field


def _finite(_pacing: object, _attribute: object, seconds: float) -> None:
    if not 0 <= seconds < math.inf:
        raise ValueError("pace must be a number of seconds, 0 or more.")


@define(eq=False)
class Pacing:
    """How fast events follow each other, until the sandbox stops.

    Attributes:
        seconds: The pause between two events; 0 is as fast as they can be sent.
        sleep: Waits for so many seconds.
    """

    seconds: float = field(default=0.0, validator=_finite)
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _stopped: bool = field(default=False, init=False)
    _pauses: set[CancelScope] = field(factory=set[CancelScope], init=False)

    async def pause(self, seconds: float | None = None) -> bool:
        """Wait for the next event's turn; with no pause, still let others take theirs.

        Args:
            seconds: How long to wait in place of `self.seconds`.

        Returns:
            Whether to go on; False once the sandbox stops.
        """
        with CancelScope() as scope:
            self._pauses.add(scope)
            try:
                await self.sleep(self.seconds if seconds is None else seconds)
            finally:
                self._pauses.remove(scope)
        return not self._stopped

    def stop(self) -> None:
        """Cut every pause short; call it on the event loop."""
        self._stopped = True
        for scope in self._pauses:
            scope.cancel()

"""The base class of the sync and async connection pools."""

from collections.abc import Callable
from typing import Any, Final, Generic

from conversations_client._http.streams.clock import monotonic

from .slot_queue import ConnectionT, SignalT, SlotQueue

_MAX_SIZE: Final = 2**16
"""The maximum number of slots: a machine has no more ports for connections to one service."""


class PoolBase(Generic[ConnectionT, SignalT]):
    """The connections of a client to its origin.

    Args:
        connect: Creates a connection, which its first request opens.
        size: The maximum number of connections open at once.
        keepalive: Seconds that a connection may be idle.
        clock: Returns monotonic time in seconds.
    """

    _new_signal: Callable[[], SignalT]

    def __init__(
        self,
        connect: Callable[[], ConnectionT],
        *,
        size: int,
        keepalive: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.hooked: dict[bool, Any] = {}
        """httpx clients that send through this pool, for tools that patch httpx."""
        self._connect = connect
        self._clock = clock
        self._slots: SlotQueue[ConnectionT, SignalT] = SlotQueue(
            size=min(size, _MAX_SIZE), keepalive=keepalive, signal=self._new_signal
        )

    @property
    def has_idle(self) -> bool:
        """Whether there is an open connection that no request uses."""
        return self._slots.has_idle

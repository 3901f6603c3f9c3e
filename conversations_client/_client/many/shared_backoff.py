"""The backoff that all clients with the same service and key share in this process."""

import math
from typing import Final
from weakref import ref

from attrs import frozen

from conversations_client._base.secret import Secret
from conversations_client.errors import StatusError


@frozen
class Pause:
    """A time in which no requests are sent.

    Attributes:
        until: The end of the pause, on the environment's clock.
        seconds: The length of the pause.
        error: The response that asks for the pause with `Retry-After`; None if there is none.
    """

    until: float = -math.inf
    seconds: float = 0.0
    error: StatusError | None = None

    def or_longer(self, other: "Pause") -> "Pause":
        """The pause that ends later."""
        return other if other.until > self.until else self


class SharedBackoff:
    """The time until which no requests are sent to a service.

    Attributes:
        pause: The pause that ends last.
    """

    __slots__ = ("__weakref__", "pause")

    def __init__(self) -> None:
        self.pause: Pause = Pause()

    def extend(self, pause: Pause) -> None:
        """Make the backoff last at least until the end of this pause.

        If two threads call this at once, the longer backoff may be lost here, but the rate limiter
        that asked for it still waits for it.
        """
        self.pause = self.pause.or_longer(pause)


_backoffs: Final[dict[tuple[object, Secret], ref[SharedBackoff]]] = {}


def shared_backoff(service: object, key: Secret) -> SharedBackoff:
    """The backoff for a service and a key; the same object while anything refers to it."""
    # No lock is used: a forked child or a signal handler could wait for it forever.
    new = SharedBackoff()
    while (shared := _backoffs.setdefault((service, key), ref(new))()) is None:
        _remove_unused()
    if shared is new:
        _remove_unused()
    return shared


def _remove_unused() -> None:
    for each, backoff in tuple(_backoffs.items()):
        if backoff() is None:
            _backoffs.pop(each, None)

"""The backoff that all clients with the same service and key share in this process."""

import math
from typing import Final
from weakref import ref

from conversations_client._base.secret import Secret


class SharedBackoff:
    """The time until which no requests are sent to a service.

    Attributes:
        until: The end of the backoff, on the environment's clock; minus infinity if there is none.
    """

    __slots__ = ("__weakref__", "until")

    def __init__(self) -> None:
        self.until: float = -math.inf

    def extend(self, until: float) -> None:
        """Make the backoff last at least until this time.

        If two threads call this at once, the longer backoff may be lost here, but the rate limiter
        that asked for it still waits for it.
        """
        self.until = max(self.until, until)


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

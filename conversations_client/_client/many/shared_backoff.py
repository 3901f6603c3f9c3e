"""The backoff that all clients of this process with the same service and key share."""

import math
from typing import Final
from weakref import ref

from conversations_client._base.secret import Secret


class SharedBackoff:
    """The time until which nothing is sent to a service.

    Attributes:
        until: The end of the backoff, on the environment's clock; minus infinity if there is none.
    """

    __slots__ = ("__weakref__", "until")

    def __init__(self) -> None:
        self.until: float = -math.inf

    def extend(self, until: float) -> None:
        """Make the backoff last at least until then.

        If two threads call this at once, the longer backoff may be lost here; the rate limiter of
        its own thread still waits for it.
        """
        self.until = max(self.until, until)


_backoffs: Final[dict[tuple[object, Secret], ref[SharedBackoff]]] = {}


def shared_backoff(service: object, key: Secret) -> SharedBackoff:
    """The backoff of a service and a key, the same object for as long as anyone refers to it."""
    # No lock: a forked child or a signal handler could wait for it forever.
    own = SharedBackoff()
    while (shared := _backoffs.setdefault((service, key), ref(own))()) is None:
        _forget_unused()
    if shared is own:
        _forget_unused()
    return shared


def _forget_unused() -> None:
    for each, backoff in tuple(_backoffs.items()):
        if backoff() is None:
            _backoffs.pop(each, None)

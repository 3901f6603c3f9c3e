"""The backoff that all clients of this process with the same service and key share."""

import math
import threading
from typing import Final
from weakref import WeakValueDictionary

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


_backoffs: Final[WeakValueDictionary[tuple[object, Secret], SharedBackoff]] = WeakValueDictionary()
_lock: Final = threading.Lock()


def shared_backoff(service: object, key: Secret) -> SharedBackoff:
    """The backoff of a service and a key, the same object for as long as anyone refers to it."""
    with _lock:
        return _backoffs.setdefault((service, key), SharedBackoff())

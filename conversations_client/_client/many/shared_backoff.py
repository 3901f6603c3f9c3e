"""How long a service wants no more, as all know who send to it from this process with one key."""

import math
import threading
from typing import Final
from weakref import WeakValueDictionary

from conversations_client._base.secret import Secret


class SharedBackoff:
    """DeadlineLimit when nothing is to be sent.

    Attributes:
        until: The time, on the clock that everyone goes by; long ago if there is no pause.
    """

    __slots__ = ("__weakref__", "until")

    def __init__(self) -> None:
        self.until = -math.inf

    def extend(self, until: float) -> None:
        """Make it last until then at least.

        Of two threads that do so at once the longer one may lose, and its own throttle knows.
        """
        self.until = max(self.until, until)


_known: Final[WeakValueDictionary[tuple[object, Secret], SharedBackoff]] = WeakValueDictionary()
_lock: Final = threading.Lock()


def shared_backoff(place: object, key: Secret) -> SharedBackoff:
    """The pause of a place and a key, the same for as long as somebody holds it."""
    with _lock:
        return _known.setdefault((place, key), SharedBackoff())

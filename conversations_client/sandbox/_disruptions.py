"""What can be made to go wrong, and the queue that it waits in; knows nothing of HTTP's ways."""

import math
import threading
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from attrs import field, frozen

_FIRST_STATUS: Final = 200
_LAST_STATUS: Final = 599


def _a_status(_answer: object, _attribute: object, status: int) -> None:
    if not _FIRST_STATUS <= status <= _LAST_STATUS:
        raise ValueError(f"status must be from {_FIRST_STATUS} to {_LAST_STATUS}.")


def _finite(_delay: object, _attribute: object, seconds: float) -> None:
    if not 0 <= seconds < math.inf:
        raise ValueError("seconds must be 0 or more.")


def _a_number(_broken: object, _attribute: object, events: int) -> None:
    if events < 0:
        raise ValueError("after_events must be 0 or more.")


@frozen(kw_only=True)
class _Disruption:
    """Something that happens to one request.

    Attributes:
        method: Only to one of this HTTP method; None for any.
        path: Only to one whose path this pattern fits, in which `*` is anything; None for any.
    """

    method: str | None = None
    path: str | None = None

    def is_for(self, method: str, path: str) -> bool:
        """Tell whether it may happen to a request.

        Args:
            method: The request's method.
            path: The request's path, unquoted.

        Returns:
            Whether it may.
        """
        return self.method in {None, method} and (self.path is None or fnmatchcase(path, self.path))


@frozen(kw_only=True)
class Answer(_Disruption):
    """Another answer in place of the sandbox's own, which does not act.

    Attributes:
        status: The HTTP status.
        headers: Names and values.
        body: What follows them.
    """

    status: int = field(validator=_a_status)
    headers: Mapping[str, str] = field(hash=False)
    body: bytes = field(repr=False)


@frozen(kw_only=True)
class Delay(_Disruption):
    """The sandbox acts at once, and answers later.

    Attributes:
        seconds: How much later.
    """

    seconds: float = field(validator=_finite)


@frozen(kw_only=True)
class Drop(_Disruption):
    """The connection is closed in place of an answer.

    Attributes:
        after_acting: Whether the sandbox has done by then what was asked.
    """

    after_acting: bool


@frozen(kw_only=True)
class BreakStream(_Disruption):
    """The connection is closed in the middle of a streamed response.

    Attributes:
        after_events: How many events are sent before.
        garbage: What is sent after them, as it is.
    """

    after_events: int = field(validator=_a_number)
    garbage: bytes = field(repr=False)


Disruption = Answer | Delay | Drop | BreakStream
"""Something that happens to one request, in place of what would otherwise."""


class Disruptions:
    """What is still to happen, in order; safe to use from several threads."""

    def __init__(self) -> None:
        self._pending: list[Disruption] = []
        self._lock = threading.Lock()

    def add(self, disruption: Disruption, *, times: int) -> None:
        """Have something happen, after all that is to happen already.

        Args:
            disruption: What.
            times: To how many requests.

        Raises:
            ValueError: It is to happen to less than one.
        """
        if times < 1:
            raise ValueError("times must be 1 or more.")
        with self._lock:
            self._pending += [disruption] * times

    def take(self, method: str, path: str) -> Disruption | None:
        """Take the first that is for a request.

        Args:
            method: The request's method.
            path: The request's path, unquoted.

        Returns:
            What happens to the request; None for nothing out of the ordinary.
        """
        with self._lock:
            found = next((each for each in self._pending if each.is_for(method, path)), None)
            if found is not None:
                self._pending.remove(found)
        return found

    def pending(self) -> tuple[Disruption, ...]:
        """List what is still to happen.

        Returns:
            Each, in order.
        """
        with self._lock:
            return tuple(self._pending)

    def clear(self) -> None:
        """Let nothing more happen."""
        with self._lock:
            self._pending.clear()

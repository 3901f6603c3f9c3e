"""The faults that the sandbox can inject, and the queue of those still to come. No I/O."""

import math
import threading
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from attrs import field, frozen

_FIRST_STATUS: Final = 200
_LAST_STATUS: Final = 599


def _is_status(_response: object, _attribute: object, status: int) -> None:
    if not _FIRST_STATUS <= status <= _LAST_STATUS:
        raise ValueError(f"status must be from {_FIRST_STATUS} to {_LAST_STATUS}.")


def _is_finite(_delay: object, _attribute: object, seconds: float) -> None:
    if not 0 <= seconds < math.inf:
        raise ValueError("seconds must be 0 or more.")


def _is_not_negative(_break: object, _attribute: object, events: int) -> None:
    if events < 0:
        raise ValueError("after_events must be 0 or more.")


@frozen(kw_only=True)
class _Fault:
    """A fault of one request.

    Attributes:
        method: The HTTP method of the request; None for any.
        path: A pattern of the request's path, in which `*` matches anything; None for any path.
    """

    method: str | None = None
    path: str | None = None

    def applies_to(self, method: str, path: str) -> bool:
        """Match a request.

        Args:
            method: The request's method.
            path: The request's path, decoded.

        Returns:
            Whether the fault applies to it.
        """
        return self.method in {None, method} and (self.path is None or fnmatchcase(path, self.path))


@frozen(kw_only=True)
class CannedResponse(_Fault):
    """The request gets this response, and has no effect.

    Attributes:
        status: The HTTP status.
        headers: The headers.
        body: The body.
    """

    status: int = field(validator=_is_status)
    headers: Mapping[str, str] = field(hash=False)
    body: bytes = field(repr=False)


@frozen(kw_only=True)
class Delay(_Fault):
    """The request takes effect at once, and its response is late.

    Attributes:
        seconds: The delay.
    """

    seconds: float = field(validator=_is_finite)


@frozen(kw_only=True)
class Drop(_Fault):
    """The connection is closed instead of a response.

    Attributes:
        after_acting: Whether the request takes effect first.
    """

    after_acting: bool


@frozen(kw_only=True)
class BreakStream(_Fault):
    """The connection is closed in the middle of a streamed response.

    Attributes:
        after_events: How many events are sent first.
        garbage: Bytes that are sent after them.
    """

    after_events: int = field(validator=_is_not_negative)
    garbage: bytes = field(repr=False)


Fault = CannedResponse | Delay | Drop | BreakStream
"""A fault of one request."""


class FaultQueue:
    """The faults still to come, in order; safe to use from several threads."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, times: int) -> None:
        """Add a fault to the end of the queue.

        Args:
            fault: The fault.
            times: How many requests it happens to.

        Raises:
            ValueError: `times` is less than 1.
        """
        if times < 1:
            raise ValueError("times must be 1 or more.")
        with self._lock:
            self._pending += [fault] * times

    def take(self, method: str, path: str) -> Fault | None:
        """Remove the first fault that applies to a request.

        Args:
            method: The request's method.
            path: The request's path, decoded.

        Returns:
            The fault; None if none applies.
        """
        with self._lock:
            found = next((each for each in self._pending if each.applies_to(method, path)), None)
            if found is not None:
                self._pending.remove(found)
        return found

    def pending(self) -> tuple[Fault, ...]:
        """List the faults still to come.

        Returns:
            The faults, in order.
        """
        with self._lock:
            return tuple(self._pending)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._pending.clear()

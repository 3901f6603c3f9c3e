"""The faults that the sandbox can inject, and the queue of pending faults. No I/O."""

import threading
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from attrs import field, frozen

from conversations_client.sandbox._argument_checks import flag, seconds, text, whole_number
from conversations_client.sandbox._operations.routes import is_own_path

STREAMS: Final = "/v2/conversations/*/responses"
"""The paths of streamed responses, as a pattern."""

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_MAX_TIMES: Final = 1_000_000


def _is_status(_response: object, _attribute: object, status: int) -> None:
    whole_number("status", status, first=200, last=599)


def _is_finite(_delay: object, _attribute: object, value: float) -> None:
    seconds("seconds", value)


def _is_flag(_drop: object, _attribute: object, value: bool) -> None:  # noqa: FBT001
    flag("after_acting", value)


def _is_not_negative(_fault: object, _attribute: object, events: int) -> None:
    whole_number("after_events", events, first=0)


def _upper_case(method: str | None) -> str | None:
    if method is None:
        return None
    found = text("method", method).upper()
    if found not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(_METHODS)}, not {method!r}.")
    return found


def _is_pattern(_fault: object, _attribute: object, path: str | None) -> None:
    if path is None:
        return
    if not text("path", path).startswith(("/", "*")):
        raise ValueError(
            f"path must begin with '/' or '*', as in '/v2/conversations/*', not {path!r}."
        )
    if is_own_path(path):
        raise ValueError(f"Faults can't be injected at {path!r}, which is not part of the API.")


@frozen(kw_only=True)
class _Fault:
    """A fault for one request.

    Attributes:
        method: The HTTP method of the request; None for any method.
        path: A pattern for the path, in which `*` matches anything; None for any path.
    """

    method: str | None = field(default=None, converter=_upper_case)
    path: str | None = field(default=None, validator=_is_pattern)

    def applies_to(self, method: str, path: str) -> bool:
        """Check whether the fault applies to a request.

        Args:
            method: The request's method.
            path: The request's decoded path.

        Returns:
            Whether it applies.
        """
        return self.method in {None, method} and (self.path is None or fnmatchcase(path, self.path))


@frozen(kw_only=True)
class CannedResponse(_Fault):
    """The request gets this response and has no effect.

    Attributes:
        status: The HTTP status.
        headers: The headers.
        body: The body.
    """

    status: int = field(validator=_is_status)
    headers: Mapping[str, str] = field(hash=False, repr=False)
    body: bytes = field(repr=False)


@frozen(kw_only=True)
class Delay(_Fault):
    """The request takes effect immediately, but its response is delayed.

    Attributes:
        seconds: The delay.
        after_events: The number of events to send first; 0 delays the start of any response.
    """

    seconds: float = field(validator=_is_finite)
    after_events: int = field(validator=_is_not_negative)

    def applies_to(self, method: str, path: str) -> bool:
        """Check whether the delay applies to a request; only streams have events.

        Args:
            method: The request's method.
            path: The request's decoded path.

        Returns:
            Whether it applies.
        """
        has_events = method == "POST" and fnmatchcase(path, STREAMS)
        return (has_events or not self.after_events) and super().applies_to(method, path)


@frozen(kw_only=True)
class Drop(_Fault):
    """The connection is closed without a response.

    Attributes:
        after_acting: Whether the request takes effect first.
    """

    after_acting: bool = field(validator=_is_flag)


@frozen(kw_only=True)
class BreakStream(_Fault):
    """The connection is closed in the middle of a streamed response.

    Attributes:
        after_events: The number of events to send first.
        garbage: Bytes to send after these events.
    """

    after_events: int = field(validator=_is_not_negative)
    garbage: bytes = field(repr=False)


Fault = CannedResponse | Delay | Drop | BreakStream
"""A fault for one request."""


class FaultQueue:
    """The queue of pending faults. It is thread-safe."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, times: int) -> None:
        """Add a fault to the end of the queue.

        Args:
            fault: The fault.
            times: The number of requests that get it.

        Raises:
            ValueError: `times` isn't a whole number from 1 to 1,000,000.
        """
        whole_number("times", times, first=1, last=_MAX_TIMES)
        with self._lock:
            self._pending += [fault] * times

    def take(self, method: str, path: str) -> Fault | None:
        """Remove and return the first fault that applies to a request.

        Args:
            method: The request's method.
            path: The request's decoded path.

        Returns:
            The fault; None if none applies.
        """
        with self._lock:
            fault = next((each for each in self._pending if each.applies_to(method, path)), None)
            if fault is not None:
                self._pending.remove(fault)
        return fault

    def pending(self) -> tuple[Fault, ...]:
        """List the pending faults.

        Returns:
            The faults, in order.
        """
        with self._lock:
            return tuple(self._pending)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._pending.clear()

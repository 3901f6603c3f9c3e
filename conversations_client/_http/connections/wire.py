"""Requests and responses on the wire, and the time limits of a request. No I/O."""

import math
from collections.abc import Callable
from typing import Any, Final

from conversations_client._http.streams.errors import PoolTimeout
from conversations_client._http.streams.limits import DeadlineLimit, seconds_left

_MIN_SECONDS: Final = 0.001  # with 0, httpx doesn't wait at all, and aiohttp waits forever


class RequestLimits:
    """How long the steps of one request may take.

    Args:
        connect: Seconds to open a connection; None for no limit.
        idle: Seconds for one read or write; None for no limit.
        deadline: The deadline of the whole call, in `clock` time; infinite for none.
        clock: Returns monotonic time in seconds.
    """

    __slots__ = ("_clock", "_connect", "_deadline", "idle")

    def __init__(
        self,
        *,
        connect: float | None,
        idle: float | None,
        deadline: float,
        clock: Callable[[], float],
    ) -> None:
        self._connect = connect
        self._deadline = deadline
        self._clock = clock
        self.idle: DeadlineLimit = self._limit(idle)

    def connect(self) -> DeadlineLimit:
        """The limit for opening a connection, starting now."""
        return self._limit(self._connect)

    def as_timeouts(self) -> dict[str, float | None]:
        """The remaining time, as httpx's timeouts."""
        return {
            "connect": _seconds(self.connect()),
            "read": _seconds(self.idle),
            "write": _seconds(self.idle),
            "pool": _seconds(self._limit(None)),
        }

    def seconds_to_wait(self) -> float:
        """The maximum wait for a pool slot, in seconds; raises PoolTimeout if the time is up."""
        seconds = seconds_left(self._limit(None), PoolTimeout)
        return math.inf if seconds is None else seconds

    def _limit(self, seconds: float | None) -> DeadlineLimit:
        return DeadlineLimit(
            math.inf if seconds is None else seconds, deadline=self._deadline, clock=self._clock
        )


def _seconds(limit: DeadlineLimit) -> float | None:
    seconds = limit.left()
    return None if seconds == math.inf else max(seconds, _MIN_SECONDS)


class WireRequest:
    """One attempt at a request.

    Args:
        method: The HTTP method.
        target: The path and the query.
        lines: The header lines of this request, each with its line end.
        body: The body; empty if there is none.
        limits: The time limits.
        fixed_lines: The header lines that many requests share, already validated.
    """

    __slots__ = ("body", "fixed_lines", "limits", "lines", "method", "target")

    def __init__(  # noqa: PLR0917 - keyword arguments would be slower
        self,
        method: bytes,
        target: bytes,
        lines: bytes,
        body: bytes,
        limits: RequestLimits,
        fixed_lines: bytes = b"",
    ) -> None:
        self.method: bytes = method
        self.target: bytes = target
        self.lines: bytes = lines
        self.body: bytes = body
        self.limits: RequestLimits = limits
        self.fixed_lines: bytes = fixed_lines

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The names and values of the header lines."""
        lines = (self.fixed_lines + self.lines).split(b"\r\n")[:-1]
        pairs = (line.split(b": ", 1) for line in lines)
        return [(name, value) for name, value in pairs]


def lower_case_names(headers: list[tuple[bytes, bytes]]) -> list[bytes]:
    """The names of headers, in lower case."""
    return [name.lower() for name, _ in headers]


class WireResponse:
    """The head of a response, with a body to read.

    Attributes:
        status: The HTTP status.
        headers: The names and values as received.
        names: The names of the headers, in lower case.
        body: The chunks of the body; close it, or read it to the end.
        content: The decoded body, if an injected client has already read it.
        is_body_lost: Whether an injected client has read the body without storing it.
        was_sent_before: Whether an injected client had sent the request before.
    """

    __slots__ = (
        "body",
        "content",
        "headers",
        "is_body_lost",
        "names",
        "reason",
        "status",
        "version",
        "was_sent_before",
    )

    def __init__(
        self,
        status: int,
        headers: list[tuple[bytes, bytes]],
        *,
        names: list[bytes] | None = None,
        version: bytes = b"1.1",
        reason: bytes = b"",
    ) -> None:
        self.status: int = status
        self.headers: list[tuple[bytes, bytes]] = headers
        self.names: list[bytes] = lower_case_names(headers) if names is None else names
        self.version: bytes = version
        self.reason: bytes = reason
        self.body: Any = None
        self.content: bytes | None = None
        self.is_body_lost: bool = False
        self.was_sent_before: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status <= 299  # noqa: PLR2004 - the range is the definition

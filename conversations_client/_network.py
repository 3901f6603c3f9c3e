"""Sync sockets that keep to a deadline.

httpcore's own hold each read and write to a limit, so that a server which sends a byte now and then
could keep a call going for ever.
"""

import math
import ssl
from collections.abc import Callable, Iterable
from typing import Any, Self

import httpcore


class Until(float):
    """Seconds that one read or write may take, less where the whole call must end sooner."""

    __slots__ = ("_clock", "_deadline", "_seconds")

    _seconds: float
    _deadline: float
    _clock: Callable[[], float]

    def __new__(cls, seconds: float, *, deadline: float, clock: Callable[[], float]) -> Self:
        self = super().__new__(cls, seconds)
        self._seconds = seconds
        self._deadline = deadline
        self._clock = clock
        return self

    def lift(self, seconds: float | None) -> None:
        """Take the deadline away, and leave so many seconds for one read; None for no limit."""
        self._seconds = math.inf if seconds is None else seconds
        self._deadline = math.inf

    def shorten(self, seconds: float) -> None:
        """Set a deadline so many seconds from now."""
        self._deadline = self._clock() + seconds

    def left(self) -> float:
        """Seconds from now; 0 or less when the deadline is over."""
        return min(self._seconds, self._deadline - self._clock())


def _left(limit: float | None, expired: type[httpcore.TimeoutException]) -> float | None:
    if not isinstance(limit, Until):
        return limit
    seconds = limit.left()
    if seconds <= 0:
        raise expired("deadline")
    return None if seconds == math.inf else seconds


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose reads and writes end at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = _left(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        return self._inner.get_extra_info(info)


class DeadlineBackend(httpcore.NetworkBackend):
    """Opens TCP connections that keep to the deadline of the call that uses them."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        limit = _left(timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, limit, local_address, socket_options)
        return DeadlineStream(stream)

"""Sockets with what httpcore's own lack.

Sync ones keep to a deadline: httpcore's hold each read and write to a limit, so that a server which
sends a byte now and then could keep a call going for ever. Async ones are closed where a task is
cancelled in the middle of TLS's handshake, and send a request in one piece.
"""

import contextlib
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any, Final, Self, cast

import anyio

from ._http import httpcore

_LARGEST_HELD: Final = 2**16


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


def seconds_left(limit: float | None, expired: type[httpcore.TimeoutException]) -> float | None:
    """What is left of a limit now; raises `expired` if nothing is."""
    if not isinstance(limit, Until):
        return limit
    seconds = limit.left()
    if seconds <= 0:
        raise expired("deadline")
    return None if seconds == math.inf else seconds


def extensions(request: httpcore.Request) -> MutableMapping[str, Any]:
    """What goes with a request besides HTTP."""
    return request.extensions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def is_reusable(
    connection: httpcore.ConnectionInterface | httpcore.AsyncConnectionInterface,
) -> bool:
    """Whether the next request may be sent over a connection whose answer was read to its end.

    It may not if more came than the answer: that would be taken for the next one.
    """
    if not connection.is_available():
        return False
    state = getattr(getattr(connection, "_connection", None), "_h11_state", None)
    return state is None or not state.trailing_data[0]


def pool_timeout(request: httpcore.Request) -> float:
    """Seconds to wait for a place in a pool; raises PoolTimeout if there are none left."""
    limits = extensions(request).get("timeout", {})
    seconds = seconds_left(limits.get("pool"), httpcore.PoolTimeout)
    return math.inf if seconds is None else seconds


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose reads and writes end at the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, seconds_left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:
            self._inner.write(buffer, seconds_left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = seconds_left(timeout, httpcore.ConnectTimeout)
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
        failure: Exception = httpcore.ConnectTimeout()
        for address, limit in _shares(host, port, timeout):
            try:
                stream = self._inner.connect_tcp(
                    address, port, limit, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream)
        raise failure


def _shares(host: str, port: int, timeout: float | None) -> Iterator[tuple[str, float | None]]:
    """The addresses of a host, each with the seconds that it may take of what is left.

    The operating system would give each of them all the time that there is for all.
    """
    addresses = _addresses(host, port)
    seconds = seconds_left(timeout, httpcore.ConnectTimeout)
    end = math.inf if seconds is None else time.monotonic() + seconds
    for number, address in enumerate(addresses):
        share = (end - time.monotonic()) / (len(addresses) - number)
        if share > 0:
            yield address, None if share == math.inf else share


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class AsyncStream(httpcore.AsyncNetworkStream):
    """A connection that is closed where its encryption fails or is cancelled.

    What is written is sent when an answer is read, a request's head and body together: each time
    that a task writes, others get their turn before it goes on.
    """

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._held: list[bytes] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._held:
            # What can't be sent to the end may be answered all the same.
            with contextlib.suppress(httpcore.WriteError):
                await self._send(timeout)
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._held.append(buffer)
        if len(buffer) > _LARGEST_HELD:
            await self._send(timeout)

    async def _send(self, timeout: float | None) -> None:  # noqa: ASYNC109 - as above
        held = b"".join(self._held)
        self._held.clear()
        await self._inner.write(held, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore declares it
    ) -> httpcore.AsyncNetworkStream:
        try:
            inner = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._inner.aclose()
            raise
        return AsyncStream(inner)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        return self._inner.get_extra_info(info)


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections, on asyncio and trio."""

    def __init__(self) -> None:
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore declares it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return AsyncStream(stream)

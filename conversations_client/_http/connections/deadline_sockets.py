"""Sync sockets that keep to a deadline, and what connections of both colours ask of a socket.

httpcore's hold each read and write to a limit, so that a server which sends a byte now and then
could keep a call going for ever.
"""

import math
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any, Final, Protocol, Self

from conversations_client._http.library import httpcore

CUT_OFF: Final = "conversations_client.cut_off"
"""The extension of a request that ended before it was sent: what it had been waiting for."""


class DeadlineLimit(float):
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
    if not isinstance(limit, DeadlineLimit):
        return limit
    seconds = limit.left()
    if seconds <= 0:
        raise expired("deadline")
    return None if seconds == math.inf else seconds


def extensions(message: httpcore.Request | httpcore.Response) -> MutableMapping[str, Any]:
    """What goes with a request or an answer besides HTTP."""
    return message.extensions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def limits(request: httpcore.Request) -> tuple[float | None, float | None, float | None]:
    """Seconds to connect, for a write and for a read; None for no limit."""
    found = extensions(request).get("timeout", {})
    return found.get("connect"), found.get("write"), found.get("read")


def pool_timeout(request: httpcore.Request) -> float:
    """Seconds to wait for a place in a pool; raises PoolTimeout if there are none left."""
    limit = extensions(request).get("timeout", {}).get("pool")
    seconds = seconds_left(limit, httpcore.PoolTimeout)
    return math.inf if seconds is None else seconds


class _Socket(Protocol):
    def fileno(self) -> int: ...


def is_readable(connection: _Socket) -> bool:
    """Whether something came over an idle connection: more than was asked for, or the end."""
    number = connection.fileno()
    if number < 0:
        return True
    if not hasattr(select, "poll"):
        return bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))


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


def each_once(found: Iterable[tuple[Any, ...]]) -> list[str]:
    """The addresses that the system found for a host, in its order."""
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return each_once(found)

"""A sync or async pool over a real server, with the same test code."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Self

import anyio
from attrs import define
from variants import Variant

from conversations_client._http.async_pool import AsyncConnectionPool
from conversations_client._http.connections.async_connection import AsyncConnection
from conversations_client._http.connections.sync_connection import Connection
from conversations_client._http.connections.wire import RequestLimits, WireRequest, WireResponse
from conversations_client._http.origin import Origin
from conversations_client._http.streams.clock import monotonic
from conversations_client._http.sync_pool import ConnectionPool


@define
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class Driven:
    """A pool with awaitable methods in every variant; sync methods never suspend."""

    def __init__(
        self, variant: Variant, url: str, *, size: int, connect: Any = None, **tls: Any
    ) -> None:
        self._url = url
        self.clock = Clock()
        options: dict[str, Any] = {"size": size, "keepalive": 5.0, "clock": self.clock}
        origin = Origin(base_url=url, max_connections=size, **{"ssl_context": None, **tls})
        self.pool: Any
        if variant.name == "sync":
            self.pool = ConnectionPool(connect or (lambda: Connection(origin.route())), **options)
            self._close = self.pool.close
        else:
            self.pool = AsyncConnectionPool(
                connect or (lambda: AsyncConnection(origin.route())), **options
            )
            self._close = self.pool.aclose

    def request(self, *, pool: float = 5.0) -> WireRequest:
        """A request with a timeout, so that a lost slot fails the test."""
        limits = RequestLimits(
            connect=None, idle=None, deadline=monotonic() + pool, clock=monotonic
        )
        return WireRequest(b"GET", b"/", b"Host: x\r\n", b"", limits)

    async def ask(self, **limits: float) -> WireResponse:
        """The head of a response."""
        response: WireResponse = await either(self.pool.send(self.request(**limits)))
        return response

    async def read(self, response: WireResponse) -> bytes:
        """Read the complete body of a response."""
        stream: Any = response.body
        if hasattr(stream, "__aiter__"):
            return b"".join([chunk async for chunk in stream])
        return b"".join(stream)

    async def end(self, response: WireResponse) -> None:
        """Close a response."""
        stream: Any = response.body
        await either(stream.close() if hasattr(stream, "close") else stream.aclose())

    async def close(self) -> None:
        await either(self._close())

    async def use(self) -> tuple[str, int]:
        """Send and read; return the local address of the connection."""
        response = await self.ask()
        address: tuple[str, int] = address_of(response)
        await self.read(response)
        return address


async def either(result: Any) -> Any:
    """The result of a sync or an async function."""
    return await result if inspect.isawaitable(result) else result


def run(variant: Variant, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario; a sync scenario never suspends."""
    if variant.name == "sync":
        _without_waiting(scenario())
    else:
        anyio.run(scenario, backend=variant.name)


def run_client(
    variant: Variant, scenario: Callable[[Any], Coroutine[Any, Any, None]], **options: Any
) -> None:
    """Run a scenario of several calls with a client."""
    if variant.name == "sync":
        variant.run(lambda client: _without_waiting(scenario(client)), **options)
    else:
        variant.run(scenario, **options)


def _without_waiting(scenario: Coroutine[Any, Any, None]) -> None:
    try:
        scenario.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


def socket_of(response: WireResponse) -> Any:
    """The socket of a response."""
    return _network_stream(response).get_extra_info("socket")


def address_of(response: WireResponse) -> Any:
    """The local address of the connection of a response."""
    return _network_stream(response).get_extra_info("client_addr")


def _network_stream(response: WireResponse) -> Any:
    return response.body.stream


class FakeBody:
    """A body for both variants that is available immediately."""

    stream = None
    is_complete = False

    def __init__(self, content: bytes) -> None:
        self._chunks = iter((content,))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration

    def close(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""


class Fake:
    """A scripted connection: the content of each response, or an error."""

    def __init__(self, *outcomes: bytes | Exception) -> None:
        self._outcomes = iter(outcomes)
        self.closed = 0

    def send(self, request: WireRequest) -> Any:
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        response = WireResponse(200, [])
        response.body = FakeBody(outcome)
        return response

    def close(self) -> None:
        self.closed += 1
        raise OSError

    async def aclose(self) -> None:
        self.close()

    def is_available(self) -> bool:
        return False

    has_expired = is_available


class AsyncFake(Fake):
    """The async variant."""

    async def send(self, request: WireRequest) -> Any:
        return super().send(request)

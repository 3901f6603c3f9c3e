"""A pool of either variant over a real server, driven by the same lines."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, cast

import anyio
import httpcore
from attrs import define
from variants import Variant

from conversations_client._http.async_pool import AsyncConnectionPool
from conversations_client._http.origin import Origin
from conversations_client._http.sync_pool import ConnectionPool


@define
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class Driven:
    """The pool, with awaitable methods in every variant; sync ones are done when they return."""

    def __init__(
        self, variant: Variant, url: str, *, size: int, connect: Any = None, **tls: Any
    ) -> None:
        self._url = url
        self.clock = Clock()
        options: dict[str, Any] = {"size": size, "keepalive": 5.0, "clock": self.clock}
        origin = Origin(base_url=url, max_connections=size, **{"ssl_context": None, **tls})
        self.pool: Any
        if variant.name == "sync":
            self.pool = ConnectionPool(connect or origin.connect(), **options)
            self._handle, self._close = self.pool.handle_request, self.pool.close
        else:
            self.pool = AsyncConnectionPool(connect or origin.connect_async(), **options)
            self._handle, self._close = self.pool.handle_async_request, self.pool.aclose

    def request(self, *, pool: float = 5.0) -> httpcore.Request:
        """A request that would rather fail than wait for ever, where a place was lost."""
        return httpcore.Request(
            "GET", f"{self._url}/", headers={"Host": "x"}, extensions={"timeout": {"pool": pool}}
        )

    async def ask(self, **limits: float) -> httpcore.Response:
        """The head of an answer."""
        response: httpcore.Response = await either(self._handle(self.request(**limits)))
        return response

    async def read(self, response: httpcore.Response) -> bytes:
        """The whole body of an answer, and the end of it."""
        stream: Any = response.stream
        if hasattr(stream, "__aiter__"):
            return b"".join([chunk async for chunk in stream])
        return b"".join(stream)

    async def end(self, response: httpcore.Response) -> None:
        """Read no more of an answer."""
        stream: Any = response.stream
        await either(stream.close() if hasattr(stream, "close") else stream.aclose())

    async def close(self) -> None:
        await either(self._close())

    async def use(self) -> tuple[str, int]:
        """Ask and read; gives the address that the answer came to."""
        response = await self.ask()
        address: tuple[str, int] = address_of(response)
        await self.read(response)
        return address


async def either(result: Any) -> Any:
    """What a sync function gave, or an async one will give."""
    return await result if inspect.isawaitable(result) else result


def run(variant: Variant, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario; a sync one never waits for an event loop."""
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


def socket_of(response: httpcore.Response) -> Any:
    """The socket that an answer came over."""
    return _network_stream(response).get_extra_info("socket")


def address_of(response: httpcore.Response) -> Any:
    """The client's end of the connection that an answer came over."""
    return _network_stream(response).get_extra_info("client_addr")


def _network_stream(response: httpcore.Response) -> Any:
    return cast("Any", response).extensions["network_stream"]


class Fake:
    """A connection whose methods do what a test needs, in both variants."""

    def __init__(self, *outcomes: Any) -> None:
        self._outcomes = iter(outcomes)
        self.closed = 0

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return httpcore.Response(200, content=outcome)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        return self.handle_request(request)

    def close(self) -> None:
        self.closed += 1
        raise OSError

    async def aclose(self) -> None:
        self.close()

    def is_available(self) -> bool:
        return False

    is_idle = is_closed = has_expired = is_available

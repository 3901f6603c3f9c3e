"""The two engines: send, judge, pause, and again. All that they decide is decided elsewhere."""

import contextlib
import math
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar, cast
from urllib.parse import urlencode

import anyio
import httpx
from attrs import evolve, field, frozen

from ._body import Body
from ._call import Call, RawResponse
from ._config import Settings
from ._failures import FOREIGN, transport_error
from ._headers import Headers
from ._network import Until
from ._operation import Operation, Outcome, Reply
from ._transport import (
    AsyncConnections,
    Connections,
    InjectedAsyncConnections,
    InjectedConnections,
    cut_off,
)
from ._version import __version__
from .errors import (
    Delivery,
    PoolTimeoutError,
    TransportError,
    TransportTimeoutError,
)

T = TypeVar("T")

_GRACE: Final = 0.05  # seconds in which httpx's own timeout can still say what it waited for


@frozen(kw_only=True)
class Effects:
    """What an engine knows of the world besides the network; tests put their own in place."""

    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random
    new_key: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = anyio.sleep


class _Exchange:
    """What both engines do alike around one exchange of request and reply."""

    def __init__(self, settings: Settings, effects: Effects) -> None:
        self._settings = settings
        self._effects = effects
        self._headers = {
            "Authorization": f"Bearer {settings.api_key.reveal()}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"conversations-client/{__version__} httpx/{httpx.__version__}",
        }

    def _start(self, operation: Operation[T]) -> Call[T]:
        request = operation.request
        if request.method == "POST" and request.idempotency_key is None:
            keyed = evolve(request, idempotency_key=self._effects.new_key())
            operation = evolve(operation, request=keyed)
        return Call(
            operation,
            retry=self._settings.retry,
            total=self._settings.timeout.total,
            key=self._settings.api_key,
            started=self._effects.clock(),
        )

    def _request(self, call: Call[T]) -> httpx.Request:
        request = call.operation.request
        headers = dict(self._headers)
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        query = f"?{urlencode(request.query)}" if request.query else ""
        return httpx.Request(
            request.method,
            f"{self._settings.base_url}{request.path}{query}",
            headers=headers,
            content=request.body,
            extensions={"timeout": self._limits(call)},
        )

    def _limits(self, call: Call[T]) -> dict[str, float | None]:
        timeout = self._settings.timeout
        phases = {"connect": timeout.connect, "read": timeout.idle, "write": timeout.idle}
        limits: dict[str, float | None] = {**phases, "pool": None}
        if call.deadline == math.inf:
            return limits
        left = call.deadline - self._effects.clock()
        if left <= 0:
            raise call.out_of_time(Delivery.UNSENT)
        return {
            phase: Until(
                left if seconds is None else min(seconds, left),
                deadline=call.deadline,
                clock=self._effects.clock,
            )
            for phase, seconds in limits.items()
        }

    def _body(self, response: httpx.Response) -> Body:
        return Body(
            response.headers.get("content-encoding", ""), limit=self._settings.max_response_bytes
        )

    def _check_deadline(self, call: Call[T]) -> None:
        if self._effects.clock() >= call.deadline:
            raise call.out_of_time(Delivery.UNKNOWN)

    def _reply(self, response: httpx.Response, body: Body) -> Reply:
        return Reply(
            status=response.status_code,
            headers=Headers(response.headers.items()),
            body=body.whole(),
            received_at=self._effects.wall(),
        )

    def _failure(self, error: Exception, call: Call[T]) -> TransportError:
        failure = transport_error(error)
        if (
            not isinstance(failure, TransportTimeoutError)
            or isinstance(failure, PoolTimeoutError)
            or self._effects.clock() < call.deadline
        ):
            return failure
        return call.out_of_time(failure.delivery)


class Engine(_Exchange):
    """Sends operations and gives their answers."""

    def __init__(
        self,
        settings: Settings,
        connections: Connections | InjectedConnections,
        effects: Effects,
    ) -> None:
        super().__init__(settings, effects)
        self._connections = connections

    def send(self, operation: Operation[T]) -> RawResponse[T]:
        """The answer in its envelope; raises the package's errors."""
        call = self._start(operation)
        effects = self._effects
        while True:
            outcome = self._attempt(call)
            pause = call.judge(outcome, now=effects.clock(), jitter=effects.jitter())
            if pause is None:
                return call.resolve(outcome, now=effects.clock())
            effects.sleep(pause)

    def _attempt(self, call: Call[T]) -> Outcome:
        try:
            return self._exchange(call)
        except TransportError as error:
            return error
        except FOREIGN as error:
            return self._failure(error, call)

    def _exchange(self, call: Call[T]) -> Reply:
        response = self._connections.send(self._request(call))
        try:
            body = self._body(response)
            for chunk in cast("httpx.SyncByteStream", response.stream):
                body.feed(chunk)
                self._check_deadline(call)
        finally:
            response.close()
        return self._reply(response, body)


class AsyncEngine(_Exchange):
    """Sends operations and gives their answers, on asyncio and trio."""

    def __init__(
        self,
        settings: Settings,
        connections: AsyncConnections | InjectedAsyncConnections,
        effects: Effects,
    ) -> None:
        super().__init__(settings, effects)
        self._connections = connections

    async def send(self, operation: Operation[T]) -> RawResponse[T]:
        """The answer in its envelope; raises the package's errors."""
        call = self._start(operation)
        effects = self._effects
        while True:
            outcome = await self._attempt(call)
            pause = call.judge(outcome, now=effects.clock(), jitter=effects.jitter())
            if pause is None:
                return call.resolve(outcome, now=effects.clock())
            await effects.sleep_async(pause)

    async def _attempt(self, call: Call[T]) -> Outcome:
        try:
            request = self._request(call)
            with anyio.move_on_after(call.deadline - self._effects.clock() + _GRACE):
                return await self._exchange(request)
        except TransportError as error:
            return error
        except FOREIGN as error:
            return self._failure(error, call)
        waited_for = cut_off(request)
        if waited_for is None:
            return call.out_of_time(Delivery.UNKNOWN)
        return self._failure(waited_for, call)

    async def _exchange(self, request: httpx.Request) -> Reply:
        response = await self._connections.send(request)
        chunks = aiter(cast("httpx.AsyncByteStream", response.stream))
        try:
            body = self._body(response)
            async for chunk in chunks:
                body.feed(chunk)
        except TransportError:
            await response.aclose()
            await _exhaust(chunks)
            raise
        finally:
            await response.aclose()
        return self._reply(response, body)


async def _exhaust(chunks: AsyncIterator[bytes]) -> None:
    # The generators below can only be ended by running them: left to the garbage collector they
    # would be finished outside their task, of which trio warns.
    with contextlib.suppress(*FOREIGN):
        async for _ in chunks:
            pass

"""The async engine: send a request, judge the outcome, wait, send again; on asyncio and trio."""

import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar, cast

from conversations_client._calls.call import Call, RawResponse
from conversations_client._calls.operation import Operation, Outcome, Reply
from conversations_client._calls.settings import Settings
from conversations_client._http.buffered import async_chunks, release_async
from conversations_client._http.error_mapping import AttemptFailed
from conversations_client._http.failure_origin import is_network_failure
from conversations_client._http.injected import InjectedAsyncConnections
from conversations_client._http.library import httpx
from conversations_client._http.transport import AsyncConnections, cut_off
from conversations_client.errors import ClientClosedError, Delivery, TransportError
from conversations_client.hooks import AsyncHooks, RetryInfo

from .call_log import is_log_enabled, log
from .engine_base import EngineBase, outcome_of
from .environment import Environment
from .response_body import AsyncResponseBody, close_again_async, exhaust_async
from .tracing import traced
from .watchdog import is_clock_replaced, move_on_after

T = TypeVar("T")
B = TypeVar("B", Reply, "Reply | AsyncResponseBody")

_GRACE: Final = 0.05  # seconds for httpx's own timeout, which knows what it waited for
_ERROR_REPLY: Final = "conversations_client.error_reply"
"""The extension of a request with the reply of an error whose body is still being read."""


class AsyncEngine(EngineBase):
    """Runs operations on asyncio and trio."""

    def __init__(
        self,
        settings: Settings,
        connections: AsyncConnections | InjectedAsyncConnections,
        environment: Environment | None = None,
        hooks: AsyncHooks | None = None,
    ) -> None:
        is_injected = isinstance(connections, InjectedAsyncConnections)
        super().__init__(settings, environment, is_injected=is_injected)
        self._connections = connections
        self._hooks = hooks or AsyncHooks()

    async def send(self, operation: Operation[T], /) -> RawResponse[T]:
        """The parsed response with its headers; raises the package's errors."""
        call = self._start(operation)
        with traced(call):
            outcome = await self._run(call, self._fetch)
            return call.resolve(outcome, now=self._environment.clock())

    async def call(self, operation: Operation[T], /) -> T:
        """The parsed response alone; raises the package's errors."""
        call = self._start(operation)
        with traced(call):
            return call.parsed(await self._run(call, self._fetch))

    async def open(self, operation: Operation[None], /) -> AsyncResponseBody:
        """The response, its body still unread; raises the package's errors."""
        call = self._start(operation)
        opened: list[AsyncResponseBody] = []
        try:
            with traced(call, ends=False) as end:
                call.successful_reply(
                    outcome_of(await self._run(call, partial(self._open_stream, opened)))
                )
            opened[0].on_close = end
            return opened[0]
        except BaseException:
            for body in opened:
                await body.aclose()
            raise

    async def _run(
        self, call: Call[Any], exchange: Callable[[Call[Any], httpx.Request], Awaitable[B]]
    ) -> B | TransportError:
        """Make attempts until one has the final outcome."""
        environment = self._environment
        while True:
            if self._hooks.on_request is not None:
                await self._hooks.on_request(call.request_info())
            started = environment.clock()
            result = await self._attempt(call, exchange)
            now = environment.clock()
            pause = call.judge(outcome_of(result), now=now, jitter=environment.jitter())
            if is_log_enabled() or self._hooks.on_response or self._hooks.on_retry:
                await self._report(call, result, now - started, pause)
            if pause is None:
                return result
            await environment.sleep_async(pause)

    async def _report(
        self,
        call: Call[Any],
        result: "Outcome | AsyncResponseBody",
        elapsed: float,
        pause: float | None,
    ) -> None:
        response = call.response_info(outcome_of(result), elapsed=elapsed)
        log(response, pause)
        if self._hooks.on_response is not None:
            await self._hooks.on_response(response)
        if self._hooks.on_retry is not None and pause is not None:
            await self._hooks.on_retry(RetryInfo(response=response, pause=pause))

    async def _attempt(
        self, call: Call[Any], exchange: Callable[[Call[Any], httpx.Request], Awaitable[B]]
    ) -> B | TransportError:
        try:
            request = self._request(call)
            with move_on_after(self._seconds_for_attempt(call)):
                return await exchange(call, request)
            return self._at_deadline(call, request)
        except AttemptFailed as failed:
            error = failed.error
        if isinstance(error, ClientClosedError):
            raise call.closed_error(error)
        return error

    def _seconds_for_attempt(self, call: Call[Any]) -> float:
        seconds = call.deadline - self._environment.clock() + _GRACE
        timeout = self._settings.timeout
        if seconds == math.inf and timeout.idle is not None and is_clock_replaced():
            # The limits of the connection never end then.
            return timeout.idle + (timeout.connect or 0.0)
        return seconds

    def _at_deadline(self, call: Call[Any], request: httpx.Request) -> Outcome:
        """The outcome of an attempt that was cancelled at the deadline."""
        reply = cast("Reply | None", request.extensions.get(_ERROR_REPLY))
        if reply is not None:
            return reply
        waited_for = cut_off(request)
        if waited_for is None and call.deadline == math.inf:
            waited_for = httpx.ReadTimeout("")
        if waited_for is None:
            return call.deadline_error(Delivery.UNKNOWN)
        raise self._failed(waited_for, call)

    async def _fetch(self, call: Call[Any], request: httpx.Request) -> Reply:
        response = None
        try:
            response = await self._send(call, request)
            return await self._read(call, request, response)
        except BaseException:
            await close_again_async(response)
            raise

    async def _open_stream(
        self, opened: list[AsyncResponseBody], call: Call[Any], request: httpx.Request
    ) -> "Reply | AsyncResponseBody":
        # The cancel scope enforces the deadline until the head is there; the body has none.
        request.extensions["timeout"]["read"] = self._settings.timeout.idle
        response = None
        try:
            response = await self._send(call, request)
            if not response.is_success:
                return await self._read(call, request, response)
            buffered = self._buffered_stream(response)
            head = self._head(call, response, is_decoded=buffered is not None)
            idle = self._settings.timeout.idle
            opened.append(AsyncResponseBody(head, response, buffered, idle=idle))
            return opened[0]
        except BaseException:
            await close_again_async(response)
            raise

    async def _send(self, call: Call[Any], request: httpx.Request) -> httpx.Response:
        try:
            return await self._connections.send(request)
        except self._send_errors() as error:
            failed = self._failed(error, call)
        raise failed

    async def _read(
        self, call: Call[Any], request: httpx.Request, response: httpx.Response
    ) -> Reply:
        if not response.is_success:
            request.extensions[_ERROR_REPLY] = self._unread_reply(response)
        try:
            return self._buffered_reply(response) or await self._read_body(call, response)
        except AttemptFailed:
            if response.is_success:
                raise
            return self._unread_reply(response)
        finally:
            await release_async(response)

    async def _read_body(self, call: Call[Any], response: httpx.Response) -> Reply:
        chunks = async_chunks(response.stream)
        decoder = self._decoder(response)
        try:
            async for chunk in chunks:
                if not decoder.feed(chunk):
                    break
        except Exception as error:
            if not is_network_failure(error):
                raise
            failed = self._failed(error, call)
        else:
            if decoder.problem is not None:
                # Ends the generators below the chunks, which trio would warn of.
                await release_async(response)
                await exhaust_async(chunks)
            return self._reply(response, decoder)
        raise failed

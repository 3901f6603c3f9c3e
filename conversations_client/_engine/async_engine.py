"""The async engine, for asyncio and trio."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from conversations_client._base.wakeup import Wakeups
from conversations_client._calls.call import Call, RawResponse
from conversations_client._calls.operation import Operation, Outcome, Reply
from conversations_client._calls.settings import Settings
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.httpx_clients.failure_origin import is_network_failure
from conversations_client._http.transport_errors import AttemptFailed
from conversations_client.errors import ClientClosedError, TransportError
from conversations_client.hooks import AsyncHooks, RetryInfo

from .async_wakeup import AsyncWakeup
from .call_log import is_log_enabled, log
from .engine_base import EngineBase, outcome_of
from .environment import Environment
from .response_body import AsyncResponseBody, close_async
from .tracing import traced

if TYPE_CHECKING:
    from conversations_client._http.httpx_clients.injected_clients import InjectedAsyncConnections
    from conversations_client._http.transport import AsyncConnections

T = TypeVar("T")
B = TypeVar("B", Reply, "Reply | AsyncResponseBody")


class AsyncEngine(EngineBase):
    """Runs operations on asyncio and trio; raises the package's errors."""

    def __init__(
        self,
        settings: Settings,
        connections: "AsyncConnections | InjectedAsyncConnections",
        environment: Environment | None = None,
        hooks: AsyncHooks | None = None,
    ) -> None:
        super().__init__(
            settings,
            environment,
            is_injected=connections.is_injected,
            proxy=connections.proxy,
            closing=connections.closing,
        )
        self._connections = connections
        self._hooks = hooks or AsyncHooks()

    async def send(
        self, operation: Operation[T], /, *, stop: Wakeups | None = None
    ) -> RawResponse[T]:
        """Run an operation and return the parsed response with its headers.

        Args:
            operation: What to call.
            stop: Once this is set, the call makes no further attempt and fails with its last error.
        """
        call = self._start(operation)
        with traced(call, self.base_url):
            outcome = await self._run(call, self._fetch, stop)
            return call.resolve(outcome, now=self._environment.clock())

    async def call(self, operation: Operation[T], /) -> T:
        """Run an operation and return only the parsed response."""
        call = self._start(operation)
        with traced(call, self.base_url):
            return call.parsed(await self._run(call, self._fetch))

    async def open(
        self, operation: Operation[None], /, *, is_collected: bool = False
    ) -> AsyncResponseBody:
        """Run an operation and return its response before the body is read.

        Args:
            operation: What to call.
            is_collected: Whether the caller waits for the complete response.
        """
        call = self._start(operation, is_collected=is_collected)
        opened: list[AsyncResponseBody] = []
        try:
            with traced(call, self.base_url, ends=False) as end:
                call.successful_reply(
                    outcome_of(await self._run(call, partial(self._open_stream, opened)))
                )
            opened[0].on_close = partial(self._end_stream, call, end)
            return opened[0]
        except BaseException:
            for body in opened:
                await body.aclose()
            raise

    async def _run(
        self,
        call: Call[Any],
        exchange: Callable[[Call[Any]], Awaitable[B]],
        stop: Wakeups | None = None,
    ) -> B | TransportError:
        """Make attempts until an outcome is final."""
        environment = self._environment
        while True:
            if self._hooks.on_request is not None:
                self._check_open(call)  # otherwise no hook would report the result
                await _awaitable(self._hooks.on_request(call.request_info()), "on_request")
            started = environment.clock()
            result = await self._attempt(call, exchange)
            now = environment.clock()
            pause = call.judge(outcome_of(result), now=now, jitter=environment.jitter)
            if is_log_enabled() or self._hooks.on_response or self._hooks.on_retry:
                await self._report(call, result, now - started, pause)
            if pause is None:
                return result
            await environment.sleep_async(pause, self._woken_by(stop, AsyncWakeup()))
            if stop is not None and stop.is_set:
                return result

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
            await _awaitable(self._hooks.on_response(response), "on_response")
        if self._hooks.on_retry is not None and pause is not None:
            retry = RetryInfo(response=response, pause=pause)
            await _awaitable(self._hooks.on_retry(retry), "on_retry")

    async def _attempt(
        self, call: Call[Any], exchange: Callable[[Call[Any]], Awaitable[B]]
    ) -> B | TransportError:
        try:
            return await exchange(call)
        except AttemptFailed as failed:
            error = failed.error
        if isinstance(error, ClientClosedError):
            raise call.closed_error(error)
        return error

    async def _fetch(self, call: Call[Any]) -> Reply:
        response = None
        try:
            response = await self._send(call, self._request(call))
            return await self._read(call, response)
        except BaseException:
            await close_async(response)
            raise

    async def _open_stream(
        self, opened: list[AsyncResponseBody], call: Call[Any]
    ) -> "Reply | AsyncResponseBody":
        request, response = self._request(call), None
        try:
            response = await self._send(call, request)
            if not response.is_success:
                return await self._read(call, response)
            if not call.is_body_limited:
                request.limits.idle.lift(self._timeout(call.operation).idle)
            buffered = self._buffered_stream(response)
            head = self._head(call, response, is_decoded=buffered is not None)
            opened.append(AsyncResponseBody(head, response, buffered))
            return opened[0]
        except BaseException:
            await close_async(response)
            raise

    async def _send(self, call: Call[Any], request: WireRequest) -> WireResponse:
        try:
            return await self._connections.send(request)
        except self._send_errors() as error:
            failed = self._failed(error, call)
        raise failed

    async def _read(self, call: Call[Any], response: WireResponse) -> Reply:
        try:
            return self._buffered_reply(response) or await self._read_body(call, response)
        except AttemptFailed:
            if response.is_success:
                raise
            return self._unread_reply(response)
        finally:
            await response.body.aclose()

    async def _read_body(self, call: Call[Any], response: WireResponse) -> Reply:
        decoder = self._decoder(response)
        try:
            async for chunk in response.body:
                if not decoder.feed(chunk) or response.body.is_complete:
                    break
        except Exception as error:
            if not is_network_failure(error):
                raise
            failed = self._failed(error, call)
        else:
            return self._reply(response, decoder)
        raise failed


def _awaitable(result: Awaitable[object], hook: str) -> Awaitable[object]:
    """What a hook returned; raises TypeError if it can't be awaited."""
    if hasattr(result, "__await__"):
        return result
    raise TypeError(
        f"AsyncHooks.{hook} must be an async function, but it returned {type(result).__name__}: "
        "define it with async def."
    )

"""The two engines: send, judge, pause, and again. All that they decide is decided elsewhere."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeVar, cast

import anyio

from conversations_client._calls.call import Call, RawResponse
from conversations_client._calls.operation import Operation, Outcome, Reply
from conversations_client._calls.settings import Settings
from conversations_client._http.connections.limits import DeadlineLimit
from conversations_client._http.error_mapping import library_errors
from conversations_client._http.library import httpx
from conversations_client._http.transport import (
    AsyncConnections,
    Connections,
    InjectedAsyncConnections,
    InjectedConnections,
    cut_off,
)
from conversations_client.errors import ClientClosedError, Delivery, TransportError
from conversations_client.hooks import AsyncHooks, Hooks, RetryInfo

from .call_log import is_wanted, log
from .engine_base import EngineBase
from .environment import Environment
from .response_body import (
    AsyncResponseBody,
    ResponseBody,
    close_again,
    close_again_async,
    exhaust_async,
)
from .tracing import traced

T = TypeVar("T")
A = TypeVar("A", Reply, "Reply | ResponseBody")
B = TypeVar("B", Reply, "Reply | AsyncResponseBody")

_GRACE: Final = 0.05  # seconds in which httpx's own timeout can still say what it waited for


def head_of(answer: Outcome | ResponseBody | AsyncResponseBody) -> Outcome:
    """What is known of an answer before its body."""
    return answer.head.reply if isinstance(answer, ResponseBody | AsyncResponseBody) else answer


class Engine(EngineBase):
    """Sends operations and gives their answers."""

    def __init__(
        self,
        settings: Settings,
        connections: Connections | InjectedConnections,
        environment: Environment | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        super().__init__(settings, environment)
        self._connections = connections
        self._hooks = hooks or Hooks()

    def send(self, operation: Operation[T], /) -> RawResponse[T]:
        """The answer in its envelope; raises the package's errors."""
        call = self._start(operation)
        with traced(call):
            outcome = self._settled(call, self._whole)
            return call.resolve(outcome, now=self._environment.clock())

    def call(self, operation: Operation[T], /) -> T:
        """The parsed answer alone."""
        call = self._start(operation)
        with traced(call):
            return call.parsed(self._settled(call, self._whole))

    def open(self, operation: Operation[None], /) -> ResponseBody:
        """The answer whose body is still to come; raises the package's errors."""
        call = self._start(operation)
        opened: list[ResponseBody] = []
        try:
            with traced(call, ends=False) as end:
                call.success(head_of(self._settled(call, partial(self._opened, opened))))
            opened[0].then = end
            return opened[0]
        except BaseException:
            for body in opened:
                body.close()
            raise

    def _settled(self, call: Call[Any], exchange: Callable[[Call[Any]], A]) -> A | TransportError:
        environment = self._environment
        while True:
            if self._hooks.on_request is not None:
                self._hooks.on_request(call.request_info())
            started = environment.clock()
            answer = self._attempt(call, exchange)
            now = environment.clock()
            pause = call.judge(head_of(answer), now=now, jitter=environment.jitter())
            if is_wanted() or self._hooks.on_response or self._hooks.on_retry:
                self._tell(call, answer, now - started, pause)
            if pause is None:
                return answer
            environment.sleep(pause)

    def _tell(
        self, call: Call[Any], answer: "Outcome | ResponseBody", elapsed: float, pause: float | None
    ) -> None:
        response = call.response_info(head_of(answer), elapsed=elapsed)
        log(response, pause)
        if self._hooks.on_response is not None:
            self._hooks.on_response(response)
        if self._hooks.on_retry is not None and pause is not None:
            self._hooks.on_retry(RetryInfo(response=response, pause=pause))

    def _attempt(self, call: Call[Any], exchange: Callable[[Call[Any]], A]) -> A | TransportError:
        try:
            return exchange(call)
        except TransportError as error:
            return error
        except library_errors() as error:
            return self._failure(error, call)
        except ClientClosedError as error:
            raise call.closed(error) from None

    def _whole(self, call: Call[Any]) -> Reply:
        request, response = self._request(call), None
        try:
            response = self._connections.send(request)
            return self._read(call, response)
        except BaseException:
            close_again(response)
            raise

    def _opened(self, opened: list[ResponseBody], call: Call[Any]) -> "Reply | ResponseBody":
        request, response = self._request(call), None
        try:
            response = self._connections.send(request)
            if not response.is_success:
                return self._read(call, response)
            self._lift(request)
            opened.append(ResponseBody(self._head(call, response), request, response))
            return opened[0]
        except BaseException:
            close_again(response)
            raise

    def _within(self, seconds: float, call: Call[Any]) -> float:
        return DeadlineLimit(seconds, deadline=call.deadline, clock=self._environment.clock)

    def _lift(self, request: httpx.Request) -> None:
        """Let a stream go on as long as it isn't silent."""
        limit = request.extensions["timeout"]["read"]
        if isinstance(limit, DeadlineLimit):
            limit.lift(self._settings.timeout.idle)

    def _read(self, call: Call[Any], response: httpx.Response) -> Reply:
        try:
            body = self._body(response)
            for chunk in cast("httpx.SyncByteStream", response.stream):
                body.feed(chunk)
                self._check_deadline(call)
        finally:
            response.close()
        return self._reply(response, body.whole())


class AsyncEngine(EngineBase):
    """Sends operations and gives their answers, on asyncio and trio."""

    def __init__(
        self,
        settings: Settings,
        connections: AsyncConnections | InjectedAsyncConnections,
        environment: Environment | None = None,
        hooks: AsyncHooks | None = None,
    ) -> None:
        super().__init__(settings, environment)
        self._connections = connections
        self._hooks = hooks or AsyncHooks()

    async def send(self, operation: Operation[T], /) -> RawResponse[T]:
        """The answer in its envelope; raises the package's errors."""
        call = self._start(operation)
        with traced(call):
            outcome = await self._settled(call, self._whole)
            return call.resolve(outcome, now=self._environment.clock())

    async def call(self, operation: Operation[T], /) -> T:
        """The parsed answer alone."""
        call = self._start(operation)
        with traced(call):
            return call.parsed(await self._settled(call, self._whole))

    async def open(self, operation: Operation[None], /) -> AsyncResponseBody:
        """The answer whose body is still to come; raises the package's errors."""
        call = self._start(operation)
        opened: list[AsyncResponseBody] = []
        try:
            with traced(call, ends=False) as end:
                call.success(head_of(await self._settled(call, partial(self._opened, opened))))
            opened[0].then = end
            return opened[0]
        except BaseException:
            for body in opened:
                await body.aclose()
            raise

    async def _settled(
        self, call: Call[Any], exchange: "Callable[[Call[Any], httpx.Request], Awaitable[B]]"
    ) -> B | TransportError:
        environment = self._environment
        while True:
            if self._hooks.on_request is not None:
                await self._hooks.on_request(call.request_info())
            started = environment.clock()
            answer = await self._attempt(call, exchange)
            now = environment.clock()
            pause = call.judge(head_of(answer), now=now, jitter=environment.jitter())
            if is_wanted() or self._hooks.on_response or self._hooks.on_retry:
                await self._tell(call, answer, now - started, pause)
            if pause is None:
                return answer
            await environment.sleep_async(pause)

    async def _tell(
        self,
        call: Call[Any],
        answer: "Outcome | AsyncResponseBody",
        elapsed: float,
        pause: float | None,
    ) -> None:
        response = call.response_info(head_of(answer), elapsed=elapsed)
        log(response, pause)
        if self._hooks.on_response is not None:
            await self._hooks.on_response(response)
        if self._hooks.on_retry is not None and pause is not None:
            await self._hooks.on_retry(RetryInfo(response=response, pause=pause))

    async def _attempt(
        self, call: Call[Any], exchange: "Callable[[Call[Any], httpx.Request], Awaitable[B]]"
    ) -> B | TransportError:
        try:
            request = self._request(call)
            with anyio.move_on_after(call.deadline - self._environment.clock() + _GRACE):
                return await exchange(call, request)
        except TransportError as error:
            return error
        except library_errors() as error:
            return self._failure(error, call)
        except ClientClosedError as error:
            raise call.closed(error) from None
        waited_for = cut_off(request)
        if waited_for is None:
            return call.out_of_time(Delivery.UNKNOWN)
        return self._failure(waited_for, call)

    async def _whole(self, _: Call[Any], request: httpx.Request) -> Reply:
        response = None
        try:
            response = await self._connections.send(request)
            return await self._read(response)
        except BaseException:
            await close_again_async(response)
            raise

    async def _opened(
        self, opened: list[AsyncResponseBody], call: Call[Any], request: httpx.Request
    ) -> "Reply | AsyncResponseBody":
        # The deadline of the call, which `_attempt` enforces, ends with the head.
        request.extensions["timeout"]["read"] = self._settings.timeout.idle
        response = None
        try:
            response = await self._connections.send(request)
            if not response.is_success:
                return await self._read(response)
            opened.append(AsyncResponseBody(self._head(call, response), response))
            return opened[0]
        except BaseException:
            await close_again_async(response)
            raise

    async def _read(self, response: httpx.Response) -> Reply:
        chunks = aiter(cast("httpx.AsyncByteStream", response.stream))
        try:
            body = self._body(response)
            async for chunk in chunks:
                body.feed(chunk)
        except TransportError:
            await response.aclose()
            await exhaust_async(chunks)
            raise
        finally:
            await response.aclose()
        return self._reply(response, body.whole())

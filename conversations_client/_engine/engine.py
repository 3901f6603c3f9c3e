"""The sync engine."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from conversations_client._base.wakeup import Wakeup, Wakeups
from conversations_client._calls.call import Call, RawResponse
from conversations_client._calls.operation import Operation, Outcome, Reply
from conversations_client._calls.settings import Settings
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.httpx_clients.failure_origin import is_network_failure
from conversations_client._http.transport_errors import AttemptFailed
from conversations_client.errors import ClientClosedError, TransportError
from conversations_client.hooks import Hooks, RetryInfo

from .call_log import is_log_enabled, log
from .engine_base import EngineBase, outcome_of
from .environment import Environment
from .response_body import ResponseBody, close
from .tracing import traced

if TYPE_CHECKING:
    from conversations_client._http.httpx_clients.injected_clients import InjectedConnections
    from conversations_client._http.transport import Connections

T = TypeVar("T")
A = TypeVar("A", Reply, "Reply | ResponseBody")


class Engine(EngineBase):
    """Runs operations; raises the package's errors."""

    def __init__(
        self,
        settings: Settings,
        connections: "Connections | InjectedConnections",
        environment: Environment | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        super().__init__(
            settings,
            environment,
            is_injected=connections.is_injected,
            proxy=connections.proxy,
            closing=connections.closing,
        )
        self._connections = connections
        self._hooks = hooks or Hooks()

    def send(self, operation: Operation[T], /, *, stop: Wakeups | None = None) -> RawResponse[T]:
        """Run an operation and return the parsed response with its headers.

        Args:
            operation: What to call.
            stop: Once this is set, the call makes no further attempt and fails with its last error.
        """
        call = self._start(operation)
        with traced(call, self.base_url):
            outcome = self._run(call, self._fetch, stop)
            return call.resolve(outcome, now=self._environment.clock())

    def call(self, operation: Operation[T], /) -> T:
        """Run an operation and return only the parsed response."""
        call = self._start(operation)
        with traced(call, self.base_url):
            return call.parsed(self._run(call, self._fetch))

    def open(self, operation: Operation[None], /, *, is_collected: bool = False) -> ResponseBody:
        """Run an operation and return its response before the body is read.

        Args:
            operation: What to call.
            is_collected: Whether the caller waits for the complete response.
        """
        call = self._start(operation, is_collected=is_collected)
        opened: list[ResponseBody] = []
        try:
            with traced(call, self.base_url, ends=False) as end:
                call.successful_reply(
                    outcome_of(self._run(call, partial(self._open_stream, opened)))
                )
            opened[0].on_close = partial(self._end_stream, call, end)
            return opened[0]
        except BaseException:
            for body in opened:
                body.close()
            raise

    def _run(
        self, call: Call[Any], exchange: Callable[[Call[Any]], A], stop: Wakeups | None = None
    ) -> A | TransportError:
        """Make attempts until an outcome is final."""
        environment = self._environment
        while True:
            if self._hooks.on_request is not None:
                self._check_open(call)  # otherwise no hook would report the result
                self._hooks.on_request(call.request_info())
            started = environment.clock()
            result = self._attempt(call, exchange)
            now = environment.clock()
            pause = call.judge(outcome_of(result), now=now, jitter=environment.jitter)
            if is_log_enabled() or self._hooks.on_response or self._hooks.on_retry:
                self._report(call, result, now - started, pause)
            if pause is None:
                return result
            environment.sleep(pause, self._woken_by(stop, Wakeup()))
            if stop is not None and stop.is_set:
                return result

    def _report(
        self, call: Call[Any], result: "Outcome | ResponseBody", elapsed: float, pause: float | None
    ) -> None:
        response = call.response_info(outcome_of(result), elapsed=elapsed)
        log(response, pause)
        if self._hooks.on_response is not None:
            self._hooks.on_response(response)
        if self._hooks.on_retry is not None and pause is not None:
            self._hooks.on_retry(RetryInfo(response=response, pause=pause))

    def _attempt(self, call: Call[Any], exchange: Callable[[Call[Any]], A]) -> A | TransportError:
        try:
            return exchange(call)
        except AttemptFailed as failed:
            error = failed.error
        if isinstance(error, ClientClosedError):
            raise call.closed_error(error)
        return error

    def _fetch(self, call: Call[Any]) -> Reply:
        response = None
        try:
            response = self._send(call, self._request(call))
            return self._read(call, response)
        except BaseException:
            close(response)
            raise

    def _open_stream(self, opened: list[ResponseBody], call: Call[Any]) -> "Reply | ResponseBody":
        request, response = self._request(call), None
        try:
            response = self._send(call, request)
            if not response.is_success:
                return self._read(call, response)
            if not call.is_body_limited:
                request.limits.idle.lift(self._timeout(call.operation).idle)
            buffered = self._buffered_stream(response)
            head = self._head(call, response, is_decoded=buffered is not None)
            opened.append(ResponseBody(head, response, buffered))
            return opened[0]
        except BaseException:
            close(response)
            raise

    def _send(self, call: Call[Any], request: WireRequest) -> WireResponse:
        try:
            return self._connections.send(request)
        except self._send_errors() as error:
            failed = self._failed(error, call)
        raise failed

    def _read(self, call: Call[Any], response: WireResponse) -> Reply:
        try:
            return self._buffered_reply(response) or self._read_body(call, response)
        except AttemptFailed:
            if response.is_success:
                raise
            return self._unread_reply(response)
        finally:
            response.body.close()

    def _read_body(self, call: Call[Any], response: WireResponse) -> Reply:
        decoder = self._decoder(response)
        try:
            for chunk in response.body:
                if not decoder.feed(chunk) or response.body.is_complete:
                    break
        except Exception as error:
            if not is_network_failure(error):
                raise
            failed = self._failed(error, call)
        else:
            return self._reply(response, decoder)
        raise failed

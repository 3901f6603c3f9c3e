"""The base class of the sync and async engines. No I/O."""

from itertools import chain
from typing import Any, TypeVar

from conversations_client._base.headers import Headers
from conversations_client._base.wakeup import Wakeable, Wakeups
from conversations_client._calls.call import Call
from conversations_client._calls.operation import Operation, Outcome, Reply
from conversations_client._calls.retry import Retry
from conversations_client._calls.settings import Settings, Timeout
from conversations_client._http.connections.route import Proxy
from conversations_client._http.connections.wire import RequestLimits, WireRequest, WireResponse
from conversations_client._http.content_decoding import BodyDecoder
from conversations_client._http.httpx_clients.buffered_bodies import LOST
from conversations_client._http.requests import Requests
from conversations_client._http.slot_queue import closed_error
from conversations_client._http.transport_errors import (
    AttemptFailed,
    SendFailed,
    library_exceptions,
    transport_error,
)
from conversations_client._http.used_proxy import UsedProxy
from conversations_client._sse.stream_context import StreamContext
from conversations_client.errors import (
    ClientClosedError,
    ConversationsError,
    Delivery,
    DisconnectError,
    InvalidArgumentError,
    PoolTimeoutError,
    ResponseTooLargeError,
    TransportError,
    TransportTimeoutError,
)

from .call_log import is_log_enabled, log_broken_stream
from .environment import Environment
from .response_body import AsyncResponseBody, ResponseBody, ResponseHead
from .tracing import End

T = TypeVar("T")
W = TypeVar("W", bound=Wakeable)


def outcome_of(result: Outcome | ResponseBody | AsyncResponseBody) -> Outcome:
    """The outcome of an attempt; for a stream, the reply with its status and headers."""
    return result.head.reply if isinstance(result, ResponseBody | AsyncResponseBody) else result


class EngineBase:
    """Builds the requests to send, and turns the results into replies or errors."""

    def __init__(
        self,
        settings: Settings,
        environment: Environment | None,
        *,
        is_injected: bool,
        proxy: Proxy | None,
        closing: Wakeups,
    ) -> None:
        self._settings = settings
        self._environment = environment or Environment()
        self._requests = Requests(settings)
        self._is_injected = is_injected
        self._proxy = proxy
        self.closing = closing
        """Wakes those who wait when the client is closed."""
        self._missing_paths: set[str] = set()

    @property
    def environment(self) -> Environment:
        """The engine's clocks, random numbers and sleep functions."""
        return self._environment

    @property
    def base_url(self) -> str:
        """The URL of the service."""
        return self._settings.base_url

    @property
    def retry(self) -> Retry:
        """The retry settings."""
        return self._settings.retry

    @property
    def max_event_bytes(self) -> int:
        """The maximum size of an event in a stream, in bytes."""
        return self._settings.max_event_bytes

    def _timeout(self, operation: Operation[Any]) -> Timeout:
        return operation.request.timeout or self._settings.timeout

    def check(self, operation: Operation[Any]) -> None:
        """Raise InvalidArgumentError if the API key was passed as an ID or as text for a URL.

        Servers log URLs, and errors, hooks and reprs contain paths.
        """
        request = operation.request
        texts = (request.path, request.idempotency_key or "", *chain.from_iterable(request.query))
        if self._settings.api_key.is_in("\n".join(texts)):
            raise InvalidArgumentError(
                "An ID, the path, the query or the idempotency key contains the API key: pass the "
                "correct value."
            )

    def _start(self, operation: Operation[T], *, is_collected: bool = False) -> Call[T]:
        self.check(operation)
        key = operation.request.idempotency_key
        if key is None and operation.request.method == "POST":
            key = self._environment.new_key()
        return Call(
            operation,
            retry=self._settings.retry,
            total=self._timeout(operation).total,
            idempotency_key=key,
            api_key=self._settings.api_key,
            missing_paths=self._missing_paths,
            started=self._environment.clock(),
            is_collected=is_collected,
        )

    def _check_open(self, call: Call[Any]) -> None:
        if self.closing.is_set:
            raise call.closed_error(closed_error())

    def _woken_by(self, stop: Wakeups | None, wakeup: W) -> W:
        """The wakeup, which is set when the client is closed or the calls are stopped."""
        self.closing.add(wakeup)
        if stop is not None:
            stop.add(wakeup)
        return wakeup

    def _request(self, call: Call[T]) -> WireRequest:
        if self._is_past_deadline(call):
            raise AttemptFailed(call.deadline_error(Delivery.UNSENT))
        timeout = self._timeout(call.operation)
        limits = RequestLimits(
            connect=timeout.connect,
            idle=timeout.idle,
            deadline=call.deadline,
            clock=self._environment.clock,
        )
        return self._requests.make(
            call.operation.request, idempotency_key=call.idempotency_key, limits=limits
        )

    def _head(self, call: Call[Any], response: WireResponse, *, is_decoded: bool) -> ResponseHead:
        reply = self._reply(response, BodyDecoder("", limit=0))
        request = call.operation.request
        context = StreamContext(
            request=str(request),
            method=request.method,
            template=request.template,
            status=reply.status,
            content_type=call.header_text(reply, "content-type"),
            content_encoding="" if is_decoded else call.header_text(reply, "content-encoding"),
            attempts=call.attempts + 1,
            request_id=call.request_id(reply),
            max_bytes=self._settings.max_response_bytes,
            key=self._settings.api_key,
        )
        return ResponseHead(reply=reply, context=context, call=call, clock=self._environment.clock)

    def _end_stream(self, call: Call[Any], end: End, error: BaseException | None) -> None:
        """End the span of a stream, and log the stream if it broke."""
        end(error)
        if isinstance(error, ConversationsError) and is_log_enabled():
            elapsed = call.elapsed(self._environment.clock())
            log_broken_stream(call.request_info(call.attempts), error, elapsed)

    def _decoder(self, response: WireResponse) -> BodyDecoder:
        # Creating Headers is slower, and most responses have no encoding.
        has_encoding = b"content-encoding" in response.names
        return BodyDecoder(
            Headers(response.headers)["content-encoding"] if has_encoding else "",
            limit=self._settings.max_response_bytes,
            may_be_decoded=self._is_injected,
        )

    def _buffered_reply(self, response: WireResponse) -> Reply | None:
        """The reply if an injected client has read or lost the body; None otherwise."""
        if response.content is None and not response.is_body_lost:
            return None
        decoder = BodyDecoder("", limit=self._settings.max_response_bytes)
        if response.content is None:
            decoder.problem = LOST
        else:
            decoder.feed(response.content)
        return self._reply(response, decoder)

    def _buffered_stream(self, response: WireResponse) -> list[bytes] | None:
        """The chunks of a stream if an injected client has read them; None otherwise."""
        if response.is_body_lost:
            raise AttemptFailed(DisconnectError(f"{LOST}.", delivery=Delivery.UNKNOWN))
        return None if response.content is None else [response.content]

    def _reply(self, response: WireResponse, decoder: BodyDecoder) -> Reply:
        body = decoder.finish()
        if response.is_success and decoder.is_too_large:
            raise AttemptFailed(
                ResponseTooLargeError(f"{decoder.problem}.", delivery=Delivery.UNKNOWN)
            )
        return Reply(
            status=response.status,
            headers=Headers(response.headers),
            body=body,
            received_at=self._environment.wall(),
            body_problem=decoder.problem,
            was_sent_before=response.was_sent_before,
        )

    def _unread_reply(self, response: WireResponse) -> Reply:
        """The reply for an unsuccessful response whose body can't be read."""
        decoder = BodyDecoder("", limit=0)
        decoder.problem = "the body could not be read"
        return self._reply(response, decoder)

    def _is_past_deadline(self, call: Call[T]) -> bool:
        return self._environment.clock() >= call.deadline

    def _send_errors(self) -> tuple[type[Exception], ...]:
        """The exceptions for a failed exchange; all others come from the caller's code."""
        if self._is_injected:
            return (SendFailed,)
        return (SendFailed, ClientClosedError, *library_exceptions())

    def _failed(self, error: Exception, call: Call[T]) -> AttemptFailed:
        """The failure of an attempt, for an exception from sending or reading."""
        cause = error.error if isinstance(error, SendFailed) else error
        if isinstance(cause, TransportError | ClientClosedError):
            return AttemptFailed(cause)
        failure = transport_error(
            cause,
            self._settings.api_key,
            base_url=self._settings.base_url,
            proxy=self._used_proxy(error),
        )
        if isinstance(error, SendFailed) and not error.is_unsent:
            failure.delivery = Delivery.UNKNOWN
        is_timeout = isinstance(failure, TransportTimeoutError)
        if (
            is_timeout
            and not isinstance(failure, PoolTimeoutError)
            and self._is_past_deadline(call)
        ):
            failure = call.deadline_error(failure.delivery)
        return AttemptFailed(failure)

    def _used_proxy(self, error: Exception) -> UsedProxy | None:
        if self._proxy is not None:
            return UsedProxy.from_environment(self._proxy)
        return error.proxy if self._is_injected and isinstance(error, SendFailed) else None

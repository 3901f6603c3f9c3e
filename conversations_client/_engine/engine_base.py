"""What both engines do alike around one exchange of request and reply."""

import math
from typing import Any, TypeVar

from conversations_client._base.headers import Headers
from conversations_client._calls.call import Call
from conversations_client._calls.operation import Operation, Reply
from conversations_client._calls.retry import Retry
from conversations_client._calls.settings import Settings
from conversations_client._http.content_decoding import BodyDecoder
from conversations_client._http.error_mapping import transport_error
from conversations_client._http.library import httpx
from conversations_client._http.requests import Requests
from conversations_client._sse.stream_context import StreamContext
from conversations_client.errors import (
    Delivery,
    PoolTimeoutError,
    TransportError,
    TransportTimeoutError,
)

from .environment import Environment
from .response_body import ResponseHead

T = TypeVar("T")


class EngineBase:
    """Requests and replies as httpx has them, and what they mean. No I/O."""

    def __init__(self, settings: Settings, environment: Environment | None) -> None:
        self._settings = settings
        self._environment = environment or Environment()
        self._requests = Requests(settings)
        self._gone: set[str] = set()

    @property
    def environment(self) -> Environment:
        """What the engine knows of the world besides the network."""
        return self._environment

    @property
    def retry(self) -> Retry:
        """How often a request is sent again."""
        return self._settings.retry

    @property
    def max_event_bytes(self) -> int:
        """How many bytes one event of a stream may have."""
        return self._settings.max_event_bytes

    def _start(self, operation: Operation[T]) -> Call[T]:
        key = operation.request.idempotency_key
        if key is None and operation.request.method == "POST":
            key = self._environment.new_key()
        return Call(
            operation,
            retry=self._settings.retry,
            total=self._settings.timeout.total,
            idempotency_key=key,
            api_key=self._settings.api_key,
            gone=self._gone,
            started=self._environment.clock(),
        )

    def _request(self, call: Call[T]) -> httpx.Request:
        return self._requests.make(
            call.operation.request,
            idempotency_key=call.idempotency_key,
            extensions={"timeout": self._limits(call)},
        )

    def _limits(self, call: Call[T]) -> dict[str, float | None]:
        timeout = self._settings.timeout
        left = call.deadline - self._environment.clock()
        if left <= 0:
            raise call.out_of_time(Delivery.UNSENT)
        idle = self._limit(timeout.idle, left, call)
        return {
            "connect": self._limit(timeout.connect, left, call),
            "read": idle,
            "write": idle,
            "pool": self._limit(None, left, call),
        }

    def _limit(self, seconds: float | None, left: float, call: Call[T]) -> float | None:
        limit = left if seconds is None else min(seconds, left)
        return None if limit == math.inf else self._within(limit, call)

    def _within(self, seconds: float, call: Call[T]) -> float:  # noqa: ARG002 - for who needs it
        """A limit that also keeps to the call's deadline, where nothing else does."""
        return seconds

    def _head(self, call: Call[Any], response: httpx.Response) -> ResponseHead:
        reply = self._reply(response, b"")
        source = StreamContext(
            request=str(call.operation.request),
            content_type=call.said(reply, "content-type"),
            content_encoding=call.said(reply, "content-encoding"),
            attempts=call.attempts + 1,
            request_id=call.request_id(reply),
            max_bytes=self._settings.max_response_bytes,
            key=self._settings.api_key,
        )
        return ResponseHead(reply=reply, source=source, call=call, clock=self._environment.clock)

    def _body(self, response: httpx.Response) -> BodyDecoder:
        # Most answers have none, which is quickest seen without reading every header.
        raw = response.headers.raw
        encodings = [value for name, value in raw if name.lower() == b"content-encoding"]
        encoding = b", ".join(encodings).decode("latin-1")
        return BodyDecoder(encoding, limit=self._settings.max_response_bytes)

    def _check_deadline(self, call: Call[T]) -> None:
        if self._environment.clock() >= call.deadline:
            raise call.out_of_time(Delivery.UNKNOWN)

    def _reply(self, response: httpx.Response, body: bytes) -> Reply:
        return Reply(
            status=response.status_code,
            headers=Headers(response.headers.raw),
            body=body,
            received_at=self._environment.wall(),
        )

    def _failure(self, error: Exception, call: Call[T]) -> TransportError:
        failure = transport_error(error, self._settings.api_key)
        if (
            not isinstance(failure, TransportTimeoutError)
            or isinstance(failure, PoolTimeoutError)
            or self._environment.clock() < call.deadline
        ):
            return failure
        return call.out_of_time(failure.delivery)

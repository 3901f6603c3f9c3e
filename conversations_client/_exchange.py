"""What both engines do alike around one exchange of request and reply."""

import math
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
from attrs import field, frozen

from ._body import Body
from ._call import Call
from ._config import Settings
from ._failures import transport_error
from ._headers import Headers
from ._http import httpx
from ._incoming import Head
from ._operation import Operation, Reply
from ._requests import Requests
from ._retry import Retry
from ._source import Source
from .errors import Delivery, PoolTimeoutError, TransportError, TransportTimeoutError

T = TypeVar("T")


@frozen(kw_only=True)
class Effects:
    """What an engine knows of the world besides the network; tests put their own in place."""

    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random
    new_key: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] = anyio.sleep


class Exchange:
    """Requests and replies as httpx has them, and what they mean. No I/O."""

    def __init__(self, settings: Settings, effects: Effects | None) -> None:
        self._settings = settings
        self._effects = effects or Effects()
        self._requests = Requests(settings)
        self._gone: set[str] = set()

    @property
    def effects(self) -> Effects:
        """What the engine knows of the world besides the network."""
        return self._effects

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
            key = self._effects.new_key()
        return Call(
            operation,
            retry=self._settings.retry,
            total=self._settings.timeout.total,
            idempotency_key=key,
            api_key=self._settings.api_key,
            gone=self._gone,
            started=self._effects.clock(),
        )

    def _request(self, call: Call[T]) -> httpx.Request:
        return self._requests.make(
            call.operation.request,
            idempotency_key=call.idempotency_key,
            extensions={"timeout": self._limits(call)},
        )

    def _limits(self, call: Call[T]) -> dict[str, float | None]:
        timeout = self._settings.timeout
        left = call.deadline - self._effects.clock()
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

    def _head(self, call: Call[Any], response: httpx.Response) -> Head:
        reply = self._reply(response, b"")
        source = Source(
            request=str(call.operation.request),
            content_type=call.said(reply, "content-type"),
            content_encoding=call.said(reply, "content-encoding"),
            attempts=call.attempts + 1,
            request_id=call.request_id(reply),
            max_bytes=self._settings.max_response_bytes,
            key=self._settings.api_key,
        )
        return Head(reply=reply, source=source, call=call, clock=self._effects.clock)

    def _body(self, response: httpx.Response) -> Body:
        return Body(
            response.headers.get("content-encoding", ""), limit=self._settings.max_response_bytes
        )

    def _check_deadline(self, call: Call[T]) -> None:
        if self._effects.clock() >= call.deadline:
            raise call.out_of_time(Delivery.UNKNOWN)

    def _reply(self, response: httpx.Response, body: bytes) -> Reply:
        return Reply(
            status=response.status_code,
            headers=Headers(response.headers.raw),
            body=body,
            received_at=self._effects.wall(),
        )

    def _failure(self, error: Exception, call: Call[T]) -> TransportError:
        failure = transport_error(error, self._settings.api_key)
        if (
            not isinstance(failure, TransportTimeoutError)
            or isinstance(failure, PoolTimeoutError)
            or self._effects.clock() < call.deadline
        ):
            return failure
        return call.out_of_time(failure.delivery)

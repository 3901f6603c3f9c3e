"""The log of received requests, which tests can inspect."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conversations_client.sandbox._operations.routes import is_own_path

MAX_REQUESTS: Final = 1000
MAX_BYTES: Final = 64 * 1024 * 1024


@frozen(kw_only=True)
class ReceivedRequest:
    """A request as the sandbox received it.

    Attributes:
        method: The HTTP method.
        path: The decoded path.
        query: The query string.
        headers: The headers, keyed by lowercase name, without `authorization`. For a repeated
            header, only the last value is kept.
        body: The part of the body that was read.

    Example:
        first_page = next(client.conversations.list(limit=5).pages())
        request = sandbox.requests[-1]
        assert (request.method, request.path, request.query) == (
            "GET",
            "/v2/conversations/",
            "limit=5",
        )
        assert "authorization" not in request.headers
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(hash=False, repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Parse the body.

        Returns:
            The JSON, as Python values.

        Raises:
            ValueError: The body isn't JSON.

        Example:
            client.conversations.create(display_name="Refunds")
            assert sandbox.requests[-1].json() == {"displayName": "Refunds"}
        """
        return json.loads(self.body)


class RequestLog:
    """The latest requests: at most 1,000, with at most 64 MiB of bodies. It is thread-safe.

    A request is added when its body is complete or its response starts.
    """

    def __init__(self) -> None:
        self._requests: deque[ReceivedRequest] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, request: ReceivedRequest) -> None:
        """Add a request, and remove the oldest requests beyond the limits.

        Args:
            request: The request.
        """
        with self._lock:
            self._requests.append(request)
            self._bytes += len(request.body)
            while len(self._requests) > MAX_REQUESTS or self._bytes > MAX_BYTES:
                self._bytes -= len(self._requests.popleft().body)

    def all(self) -> tuple[ReceivedRequest, ...]:
        """List the requests.

        Returns:
            The requests, oldest first.
        """
        with self._lock:
            return tuple(self._requests)

    def clear(self) -> None:
        """Remove all requests."""
        with self._lock:
            self._requests.clear()
            self._bytes = 0


class RequestLogging:
    """ASGI middleware that logs the requests of the API."""

    def __init__(self, app: ASGIApp, *, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_own_path(scope["path"]):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        is_logged = False

        def log_once() -> None:
            nonlocal is_logged
            if not is_logged:
                is_logged = True
                self._log.add(_received(scope, bytes(body)))

        async def receive_and_log() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                log_once()
            return message

        async def log_and_send(message: Message) -> None:
            log_once()
            await send(message)

        await self._app(scope, receive_and_log, log_and_send)


def _received(scope: Scope, body: bytes) -> ReceivedRequest:
    headers = dict(Headers(scope=scope).items())
    headers.pop("authorization", None)
    return ReceivedRequest(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
    )

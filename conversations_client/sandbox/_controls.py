"""The sandbox's methods for tests: faults and received requests."""

import re
from collections.abc import Mapping
from typing import Final

from conversations_client.sandbox._argument_checks import seconds, text, whole_number
from conversations_client.sandbox._fault_injection.faults import (
    STREAMS,
    BreakStream,
    CannedResponse,
    Delay,
    Drop,
    Fault,
    FaultQueue,
)
from conversations_client.sandbox._server.request_log import ReceivedRequest, RequestLog
from conversations_client.sandbox._storage.json_encoding import encode

_SUCCESS_AND_REDIRECTS: Final = range(200, 400)
_WITHOUT_BODY: Final = (204, 304)
_HEADER_VALUE: Final = re.compile(r"[!-~]([ -~]*[!-~])?")


class Controls:
    """Injects faults into the next requests, and lists the received requests.

    Faults wait in a queue. A request gets the first fault that applies to it, which is then
    removed. `method` and `path` (a pattern in which `*` matches anything) select the requests that
    a fault applies to.
    """

    def __init__(self) -> None:
        self._faults = FaultQueue()
        self._log = RequestLog()

    @property
    def disruptions(self) -> tuple[Fault, ...]:
        """The pending faults, in order; empty if all have occurred.

        Example:
            sandbox.fail_next(503, times=2)
            assert len(sandbox.disruptions) == 2
        """
        return self._faults.pending()

    def clear_disruptions(self) -> None:
        """Remove all pending faults.

        Example:
            sandbox.drop_next()
            sandbox.clear_disruptions()
            client.conversations.create()
        """
        self._faults.clear()

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The received API requests, oldest first, including those that failed.

        The list contains the latest 1,000 requests, or fewer if their bodies exceed 64 MiB. Each
        request has `method`, `path`, `query`, `headers` (without `authorization`), `body`, and
        `json()`.

        Example:
            client.conversations.create(display_name="Refunds")
            request = sandbox.requests[-1]
            assert (request.method, request.path) == ("POST", "/v2/conversations")
            assert request.json() == {"displayName": "Refunds"}
        """
        return self._log.all()

    def clear_requests(self) -> None:
        """Remove all requests from `requests`.

        Example:
            client.conversations.create()
            sandbox.clear_requests()
            assert sandbox.requests == ()
        """
        self._log.clear()

    def fail_next(
        self,
        status: int = 503,
        *,
        retry_after: float | None = None,
        message: str = "The sandbox injected this error.",
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Make the next request fail; the request has no effect.

        Args:
            status: The HTTP status, 400 to 599. Default: 503.
            retry_after: The value of the `Retry-After` header, in seconds. With 0, a client retries
                immediately. Default: no header.
            message: The error message in the response.
            times: The number of requests that fail. Default: 1.
            method: The HTTP method of the requests. Default: any method.
            path: A pattern that the path must match. Default: any path.

        Raises:
            ValueError: An argument is invalid, such as a `status` below 400 or an unknown `method`.

        Example:
            sandbox.fail_next(429, retry_after=0)
            client.conversations.create()  # succeeds on the second attempt
            assert [each.method for each in sandbox.requests[-2:]] == ["POST", "POST"]
        """
        if status in _SUCCESS_AND_REDIRECTS:
            raise ValueError("status must be 400 or more: use answer_next for a lower status.")
        whole_number("status", status, first=400, last=599)
        pause: dict[str, str] = {}
        if retry_after is not None:
            pause["Retry-After"] = f"{seconds('retry_after', retry_after):.15g}"
        response = CannedResponse(
            status=status,
            headers={"Content-Type": "application/json", **pause},
            body=encode({"message": text("message", message)}),
            method=method,
            path=path,
        )
        self._faults.add(response, times=times)

    def answer_next(
        self,
        body: bytes | str | Mapping[str, object],
        *,
        status: int = 200,
        content_type: str = "application/json",
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Respond to the next request with the given content; the request has no effect.

        Args:
            body: The content; a mapping is sent as JSON.
            status: The HTTP status, 200 to 599; 204 and 304 require an empty body. Default: 200.
            content_type: The media type of the content. Default: `application/json`.
            times: The number of requests that get this response. Default: 1.
            method: The HTTP method of the requests. Default: any method.
            path: A pattern that the path must match. Default: any path.

        Raises:
            ValueError: An argument is invalid, such as an out-of-range `status`.

        Example:
            sandbox.answer_next("<html>Please log in</html>", content_type="text/html")
            try:
                client.conversations.create()
            except DecodeError as error:
                assert error.may_have_acted
        """
        content = encode(body) if isinstance(body, Mapping) else _to_bytes("body", body)
        if content and status in _WITHOUT_BODY:
            raise ValueError(f"status {status} has no body: pass b'' as the body.")
        if not _HEADER_VALUE.fullmatch(text("content_type", content_type)):
            raise ValueError("content_type must be ASCII without control characters.")
        response = CannedResponse(
            status=status,
            headers={"Content-Type": content_type},
            body=content,
            method=method,
            path=path,
        )
        self._faults.add(response, times=times)

    def delay_next(
        self,
        seconds: float,
        *,
        after_events: int = 0,
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Delay the response to the next request; the request takes effect immediately.

        Args:
            seconds: The delay, which ends early if the sandbox stops.
            after_events: The number of events to send before the delay, so that a streamed response
                stalls. If it is positive, only streamed responses are delayed; a shorter stream is
                sent without a delay. Default: 0, which delays the start of any response.
            times: The number of responses to delay. Default: 1.
            method: The HTTP method of the requests. Default: any method.
            path: A pattern that the path must match. Default: any path.

        Raises:
            ValueError: An argument is invalid, such as a negative delay.

        Example:
            impatient = client.with_options(timeout=Timeout(total=0.1))
            sandbox.delay_next(60, method="PATCH")
            try:
                impatient.conversations.update(conversation_id, display_name="Late")
            except TransportError as error:
                assert error.may_have_acted
            assert client.conversations.retrieve(conversation_id).display_name == "Late"

            impatient = client.with_options(timeout=Timeout(idle=0.1))
            sandbox.delay_next(60, after_events=2)
            try:
                impatient.conversations.responses.create(
                    conversation_id, message="One two", model="sandbox/echo"
                )
            except StreamTruncatedError as error:
                assert isinstance(error.reason, IdleTimeoutError)
                assert error.partial.text == "One "
        """
        delay = Delay(seconds=seconds, after_events=after_events, method=method, path=path)
        self._faults.add(delay, times=times)

    def drop_next(
        self,
        *,
        after_acting: bool = False,
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Close the connection of the next request without sending a response.

        Args:
            after_acting: Whether the request takes effect first. Default: False.
            times: The number of connections to close. Default: 1.
            method: The HTTP method of the requests. Default: any method.
            path: A pattern that the path must match. Default: any path.

        Raises:
            ValueError: An argument is invalid, such as an unknown `method`.

        Example:
            sandbox.drop_next(after_acting=True)
            try:
                client.conversations.create(display_name="Refunds")
            except DisconnectError as error:
                assert error.may_have_acted
        """
        drop = Drop(after_acting=after_acting, method=method, path=path)
        self._faults.add(drop, times=times)

    def break_stream(
        self, *, after_events: int = 1, garbage: bytes | str = b"", times: int = 1
    ) -> None:
        """Close the connection of the next streamed response before the stream ends.

        Args:
            after_events: The number of events to send first; a shorter stream is sent in full.
                Default: 1.
            garbage: Bytes to send after these events, such as a malformed event. Default: none.
            times: The number of streams to break. Default: 1.

        Raises:
            ValueError: An argument is invalid, such as a negative `after_events`.

        Example:
            sandbox.break_stream(after_events=2)
            try:
                client.conversations.responses.create(
                    conversation_id, message="One two", model="sandbox/echo"
                )
            except StreamTruncatedError as error:
                assert error.partial.text == "One "
        """
        fault = BreakStream(
            after_events=after_events,
            garbage=_to_bytes("garbage", garbage),
            method="POST",
            path=STREAMS,
        )
        self._faults.add(fault, times=times)


def _to_bytes(name: str, value: object) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    return text(name, value).encode()

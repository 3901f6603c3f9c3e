"""The state of a stream, sync or async: opened, read, closed. No I/O."""

import warnings
from typing import Generic, TypeVar

from conversations_client._base.headers import Headers
from conversations_client._base.not_pickled import NotPickled
from conversations_client._base.public_dir import PublicDir
from conversations_client._calls.call import RawResponse
from conversations_client._calls.operation import Request
from conversations_client._engine.response_body import AsyncResponseBody, ResponseBody
from conversations_client._sse.event_stream import EventStreamState
from conversations_client.errors import ConversationsError, StreamClosedError, TransportError
from conversations_client.responses import PartialResponse, Response

T = TypeVar("T")
AnyResponseBody = TypeVar("AnyResponseBody", ResponseBody, AsyncResponseBody)


class StreamBase(NotPickled, PublicDir, Generic[AnyResponseBody]):
    """The state of a stream, sync or async."""

    _refusal = "copied or pickled: use the response that collect() returns"
    _request: Request
    _body: AnyResponseBody | None = None
    _state: EventStreamState | None = None
    _limit: int
    _reader: str
    _is_closed = False
    _is_released = False
    _is_being_read = False
    _interruption = ""  # the message for further reads, after an exception that may have lost data

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._request}: {self._progress()}>"

    def _progress(self) -> str:
        if self._state is None:
            return "not opened"
        if self._state.is_complete:
            return "complete"
        return "closed" if self._is_closed or self._interruption else "open"

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._open_body().head.reply.status

    @property
    def headers(self) -> Headers:
        """The headers of the response, with case-insensitive names."""
        return self._open_body().head.reply.headers

    @property
    def request_id(self) -> str | None:
        """The service's ID for the request (`x-request-id`); None if it sent none."""
        return self._open_body().head.context.request_id

    @property
    def attempts(self) -> int:
        """How many times the request was sent."""
        return self._open_body().head.context.attempts

    @property
    def partial(self) -> PartialResponse:
        """The response so far; you can also read it after the `with` block.

        It contains the events that you have read. If the service echoes your API key, the key is
        redacted.

        Example:
            with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                for text in stream.text_deltas():
                    if text.startswith("a "):
                        break
            print(stream.partial.text)
        """
        self._open_body()
        return PartialResponse() if self._state is None else self._state.partial()

    def envelope(self, parsed: T) -> RawResponse[T]:
        """Combine a parsed response with the status and headers of the stream."""
        return self._open_body().head.raw_response(parsed)

    def _open_body(self) -> AnyResponseBody:
        if self._body is None:
            raise StreamClosedError("The stream is not open: use it inside its with block.")
        return self._body

    def _begin(self, body: AnyResponseBody) -> None:
        self._state = EventStreamState(body.head.context, limit=self._limit)
        self._state.check()

    def _check_unused(self) -> None:
        if self._body is not None:
            raise StreamClosedError("A stream can be opened only once: call stream() again.")

    def _open_state(self) -> EventStreamState:
        self._open_body()
        if self._interruption:
            raise StreamClosedError(self._interruption)
        if self._state is None or self._is_closed:
            raise StreamClosedError(
                "The stream is closed: read it inside its with block. An error or a call to "
                "close() also closes it."
            )
        return self._state

    def _broken_by(self, error: TransportError, state: EventStreamState) -> ConversationsError:
        return _closed_during_read() if self._is_closed else state.broken_by(error)

    def _interrupted_by(self, error: BaseException) -> None:
        """Refuse further reads if an exception from a read may have lost data."""
        if not isinstance(error, ConversationsError | StopIteration | StopAsyncIteration):
            self._interruption = self._interruption or self._open_body().interruption(error)

    def _check_still_open(self) -> None:
        if self._is_closed:
            raise _closed_during_read()

    def _complete_response(self) -> Response | None:
        return None if self._state is None else self._state.response()

    def _unread(self) -> EventStreamState:
        state = self._open_state()
        if state.is_complete:
            raise StreamClosedError(
                "The stream has ended, and yields its events only once: collect() returns the "
                "complete response."
            )
        return state

    def _is_over(self) -> bool:
        return self._state is not None and self._state.is_over

    def _begin_reading(self) -> None:
        if self._is_being_read:
            raise StreamClosedError(
                f"Another {self._reader} is reading the stream: read it in one {self._reader}."
            )
        self._is_being_read = True

    def __del__(self) -> None:
        if self._body is not None and not self._is_closed:
            # A finalizer may run at any point, so the pool closes the connection later. The body is
            # dropped because the warning keeps a reference to the stream and may outlive the
            # connection.
            self._is_closed = True
            self._body.abandon()
            self._body = None
            message = f"unclosed {type(self).__name__}: use it in a with block"
            warnings.warn(message, ResourceWarning, stacklevel=2, source=self)


def _closed_during_read() -> StreamClosedError:
    """The error for a stream that another thread or task closed during a read."""
    return StreamClosedError("The stream was closed while it was being read.")

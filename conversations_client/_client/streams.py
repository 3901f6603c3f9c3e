"""Streamed responses, as users read them: opened, iterated and closed."""

import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from conversations_client._base.headers import Headers
from conversations_client._base.public_dir import PublicDir
from conversations_client._calls.call import RawResponse
from conversations_client._calls.operation import Request
from conversations_client._engine.response_body import AsyncResponseBody, ResponseBody
from conversations_client._sse.event_stream import EventStreamState
from conversations_client.errors import ConversationsError, StreamClosedError, TransportError
from conversations_client.events import Event
from conversations_client.responses import Response, StreamError

T = TypeVar("T")
AnyResponseBody = TypeVar("AnyResponseBody", ResponseBody, AsyncResponseBody)


class _StreamBase(PublicDir, Generic[AnyResponseBody]):
    """The state of a stream, sync or async: whether it is open, and what was read."""

    _request: Request
    _body: AnyResponseBody | None = None
    _state: EventStreamState | None = None
    _limit: int
    _reader: str
    _is_closed = False
    _is_released = False
    _is_being_read = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._request}: {self._progress()}>"

    def _progress(self) -> str:
        if self._state is None:
            return "not opened"
        if self._state.is_complete:
            return "complete"
        return "closed" if self._is_closed else "open"

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._open_body().head.reply.status

    @property
    def headers(self) -> Headers:
        """The response's headers; names match in any case."""
        return self._open_body().head.reply.headers

    @property
    def request_id(self) -> str | None:
        """The service's name for the exchange (`x-request-id`); None if it sends none."""
        return self._open_body().head.context.request_id

    @property
    def attempts(self) -> int:
        """How often the request was sent."""
        return self._open_body().head.context.attempts

    def envelope(self, parsed: T) -> RawResponse[T]:
        """The response of the stream, in its envelope."""
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
        if self._state is None or self._is_closed:
            raise StreamClosedError(
                "The stream is closed: read it inside its with block, up to its first error."
            )
        return self._state

    def _broken_by(self, error: TransportError, state: EventStreamState) -> ConversationsError:
        if self._is_closed:
            # By another thread or task, which is what ended the read.
            return StreamClosedError("The stream was closed while it was being read.")
        return state.broken_by(error)

    def _unread(self) -> EventStreamState:
        state = self._open_state()
        if state.is_complete:
            raise StreamClosedError(
                "The stream is at its end, and yields its events once: collect() returns them "
                "together."
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
            # The pool closes the connection: a finalizer may run in the middle of anything. Whoever
            # keeps the warning keeps the stream, but not the connection.
            self._is_closed = True
            self._body.abandon()
            self._body = None
            words = f"unclosed {type(self).__name__}: use it in a with block"
            warnings.warn(words, ResourceWarning, stacklevel=2, source=self)


class Stream(_StreamBase[ResponseBody]):
    """The events of a response as they arrive: iterate inside the `with` block, in one thread.

    However you leave the block, the connection is released.
    """

    _reader = "thread"

    def __init__(
        self, opening: Callable[[], ResponseBody], request: Request, *, limit: int
    ) -> None:
        self._opening = opening
        self._request = request
        self._limit = limit

    def __enter__(self) -> Self:
        self._check_unused()
        try:
            self._body = self._opening()
            self._begin(self._body)
            return self  # noqa: TRY300 - an interrupt here closes it too
        except BaseException as error:
            self._end(error if isinstance(error, StreamError) else None)
            raise

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except BaseException:
            self.close()  # again, for an interrupt may have ended the first
            raise

    def __iter__(self) -> Iterator[Event]:
        self._unread()
        return self

    def __next__(self) -> Event:
        state = self._open_state()
        try:
            while (event := state.take()) is None:
                if state.is_complete:
                    raise StopIteration
                self._feed(state)
        except StreamError as error:
            self._end(error)
            raise
        return event

    def text_deltas(self) -> Iterator[str]:
        """The text alone, as it arrives.

        Raises:
            StreamError: As the iteration does.
        """
        return _TextDeltas(self, self._unread())

    def collect(self) -> Response:
        """Read to the end; returns the whole response, with the events you read before.

        Raises:
            ResponseFailedError: The service reports that the response failed.
            StreamTruncatedError: The stream ended before the response did, or is not readable.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            StreamClosedError: The stream is not open, or is being read already.
        """
        state = self._open_state()
        while (response := state.response()) is None:
            next(self)
        return response

    def close(self) -> None:
        """Release the connection; again does nothing."""
        self._end(None)

    def _end(self, error: StreamError | None) -> None:
        if self._body is not None and not self._is_released:
            self._is_closed = True
            self._body.close(drain=self._is_over(), error=error)
            self._is_released = True

    def _feed(self, state: EventStreamState) -> None:
        self._begin_reading()
        try:
            state.feed(self._open_body().read())
        except TransportError as error:
            raise self._broken_by(error, state) from None
        finally:
            self._is_being_read = False


class _TextDeltas:
    # Not a generator: after an error, one ends as if the text were complete.

    def __init__(self, stream: Stream, state: EventStreamState) -> None:
        self._stream = stream
        self._state = state

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while True:
            next(self._stream)
            if self._state.text:
                return self._state.text


class AsyncStream(_StreamBase[AsyncResponseBody]):
    """The events of a response as they arrive: iterate inside the `async with` block, in one task.

    However you leave the block, the connection is released.
    """

    _reader = "task"

    def __init__(
        self, opening: Callable[[], Awaitable[AsyncResponseBody]], request: Request, *, limit: int
    ) -> None:
        self._opening = opening
        self._request = request
        self._limit = limit

    async def __aenter__(self) -> Self:
        self._check_unused()
        try:
            self._body = await self._opening()
            self._begin(self._body)
            return self  # noqa: TRY300 - an interrupt here closes it too
        except BaseException as error:
            await self._end(error if isinstance(error, StreamError) else None)
            raise

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.aclose()
        except BaseException:
            await self.aclose()  # again, for an interrupt may have ended the first
            raise

    def __aiter__(self) -> AsyncIterator[Event]:
        self._unread()
        return self

    async def __anext__(self) -> Event:
        state = self._open_state()
        try:
            while (event := state.take()) is None:
                if state.is_complete:
                    raise StopAsyncIteration
                await self._feed(state)
        except StreamError as error:
            await self._end(error)
            raise
        return event

    def text_deltas(self) -> AsyncIterator[str]:
        """The text alone, as it arrives.

        Raises:
            StreamError: As the iteration does.
        """
        return _AsyncTextDeltas(self, self._unread())

    async def collect(self) -> Response:
        """Read to the end; returns the whole response, with the events you read before.

        Raises:
            ResponseFailedError: The service reports that the response failed.
            StreamTruncatedError: The stream ended before the response did, or is not readable.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            StreamClosedError: The stream is not open, or is being read already.
        """
        state = self._open_state()
        while (response := state.response()) is None:
            await anext(self)
        return response

    async def aclose(self) -> None:
        """Release the connection; again does nothing."""
        await self._end(None)

    async def _end(self, error: StreamError | None) -> None:
        if self._body is not None and not self._is_released:
            self._is_closed = True
            await self._body.aclose(drain=self._is_over(), error=error)
            self._is_released = True

    async def _feed(self, state: EventStreamState) -> None:
        self._begin_reading()
        try:
            state.feed(await self._open_body().read())
        except TransportError as error:
            raise self._broken_by(error, state) from None
        finally:
            self._is_being_read = False


class _AsyncTextDeltas:
    # Not an async generator: one that is abandoned has to be closed.

    def __init__(self, stream: AsyncStream, state: EventStreamState) -> None:
        self._stream = stream
        self._state = state

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            await anext(self._stream)
            if self._state.text:
                return self._state.text

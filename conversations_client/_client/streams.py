"""Streamed responses in the caller's hands: opened, read event by event, and let go of."""

import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from conversations_client._base.headers import Headers
from conversations_client._calls.call import RawResponse
from conversations_client._engine.response_body import AsyncResponseBody, ResponseBody
from conversations_client._sse.event_stream import EventStreamState
from conversations_client.errors import ConversationsError, StreamClosedError, TransportError
from conversations_client.events import Event
from conversations_client.responses import Response, StreamError

T = TypeVar("T")
AnyResponseBody = TypeVar("AnyResponseBody", ResponseBody, AsyncResponseBody)


class _Streamed(Generic[AnyResponseBody]):
    """What streams of both colours know of their life."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._incoming: AnyResponseBody | None = None
        self._reading: EventStreamState | None = None
        self._is_closed = False

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._answer().head.reply.status

    @property
    def headers(self) -> Headers:
        """The answer's headers, names in any case."""
        return self._answer().head.reply.headers

    @property
    def request_id(self) -> str | None:
        """What the service calls the exchange (`x-request-id`); None if it doesn't say."""
        return self._answer().head.source.request_id

    @property
    def attempts(self) -> int:
        """How often the request was sent."""
        return self._answer().head.source.attempts

    def envelope(self, parsed: T) -> RawResponse[T]:
        """What the stream came to, in its envelope."""
        return self._answer().head.envelope(parsed)

    def _answer(self) -> AnyResponseBody:
        if self._incoming is None:
            raise StreamClosedError("The stream is not open: use it inside its with block.")
        return self._incoming

    def _begin(self, incoming: AnyResponseBody) -> None:
        self._incoming = incoming
        self._reading = EventStreamState(incoming.head.source, limit=self._limit)
        self._reading.check()

    def _check_unused(self) -> None:
        if self._incoming is not None:
            raise StreamClosedError("A stream is opened once: call stream() for another one.")

    def _open_reading(self) -> EventStreamState:
        self._answer()
        if self._reading is None or self._is_closed:
            raise StreamClosedError(
                "The stream is closed: read it inside its with block, up to its first error."
            )
        return self._reading

    def _is_over(self) -> bool:
        return self._reading is not None and self._reading.is_over

    def _ends_now(self) -> bool:
        """Whether the stream is open and to be closed; from now on it is closed."""
        is_open = self._incoming is not None and not self._is_closed
        self._is_closed = self._is_closed or is_open
        return is_open

    def _broken_by(self, error: TransportError, reading: EventStreamState) -> ConversationsError:
        if self._is_closed:
            # By another thread or task, which is what ended the read.
            return StreamClosedError("The stream was closed while it was being read.")
        return reading.broken_by(error)

    def _unread(self) -> EventStreamState:
        reading = self._open_reading()
        if reading.is_complete:
            raise StreamClosedError(
                "The stream is at its end and gives its events once: collect() has them together."
            )
        return reading

    def __del__(self) -> None:
        if self._ends_now():
            # Whoever keeps the warning keeps the stream, but not its connection. The pool closes
            # that: this may run in the middle of anything, also where the pool's lock is held.
            self._answer().abandon()
            self._incoming = None
            words = f"unclosed {type(self).__name__}: use it in a with block"
            warnings.warn(words, ResourceWarning, stacklevel=2, source=self)


class Stream(_Streamed[ResponseBody]):
    """The events of a response as they come: iterate inside its `with` block.

    Leaving the block, however it is left, frees the connection.
    """

    def __init__(self, opening: Callable[[], ResponseBody], *, limit: int) -> None:
        super().__init__(limit=limit)
        self._opening = opening

    def __enter__(self) -> Self:
        self._check_unused()
        incoming = self._opening()
        try:
            self._begin(incoming)
        except StreamError as error:
            self._end(error)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        self._unread()
        return self

    def __next__(self) -> Event:
        reading = self._open_reading()
        try:
            while (event := reading.take()) is None:
                if reading.is_complete:
                    raise StopIteration
                self._feed(reading)
        except StreamError as error:
            self._end(error)
            raise
        return event

    def text_deltas(self) -> Iterator[str]:
        """The words alone, as they come.

        Raises:
            StreamError: As the iteration does.
        """
        return _TextDeltas(self, self._unread())

    def collect(self) -> Response:
        """Read to the end; gives the whole response, with what was read before.

        Raises:
            ResponseFailedError: The service says that the response failed.
            StreamTruncatedError: The stream ended before the response did, or can't be read.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            StreamClosedError: The stream isn't open.
        """
        reading = self._open_reading()
        while (response := reading.response()) is None:
            next(self)
        return response

    def close(self) -> None:
        """Free the connection; again does nothing."""
        self._end(None)

    def _end(self, error: StreamError | None) -> None:
        if self._ends_now():
            self._answer().close(drain=self._is_over(), error=error)

    def _feed(self, reading: EventStreamState) -> None:
        try:
            reading.feed(self._answer().read())
        except TransportError as error:
            raise self._broken_by(error, reading) from None


class _TextDeltas:
    # Not a generator: one that has raised ends as if there were no more words.

    def __init__(self, stream: Stream, reading: EventStreamState) -> None:
        self._stream = stream
        self._reading = reading

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while True:
            next(self._stream)
            if self._reading.text:
                return self._reading.text


class AsyncStream(_Streamed[AsyncResponseBody]):
    """The events of a response as they come: iterate inside its `async with` block.

    Leaving the block, however it is left, frees the connection.
    """

    def __init__(self, opening: Callable[[], Awaitable[AsyncResponseBody]], *, limit: int) -> None:
        super().__init__(limit=limit)
        self._opening = opening

    async def __aenter__(self) -> Self:
        self._check_unused()
        incoming = await self._opening()
        try:
            self._begin(incoming)
        except StreamError as error:
            await self._end(error)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[Event]:
        self._unread()
        return self

    async def __anext__(self) -> Event:
        reading = self._open_reading()
        try:
            while (event := reading.take()) is None:
                if reading.is_complete:
                    raise StopAsyncIteration
                await self._feed(reading)
        except StreamError as error:
            await self._end(error)
            raise
        return event

    def text_deltas(self) -> AsyncIterator[str]:
        """The words alone, as they come.

        Raises:
            StreamError: As the iteration does.
        """
        return _AsyncTextDeltas(self, self._unread())

    async def collect(self) -> Response:
        """Read to the end; gives the whole response, with what was read before.

        Raises:
            ResponseFailedError: The service says that the response failed.
            StreamTruncatedError: The stream ended before the response did, or can't be read.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            StreamClosedError: The stream isn't open.
        """
        reading = self._open_reading()
        while (response := reading.response()) is None:
            await anext(self)
        return response

    async def aclose(self) -> None:
        """Free the connection; again does nothing."""
        await self._end(None)

    async def _end(self, error: StreamError | None) -> None:
        if self._ends_now():
            await self._answer().aclose(drain=self._is_over(), error=error)

    async def _feed(self, reading: EventStreamState) -> None:
        try:
            reading.feed(await self._answer().read())
        except TransportError as error:
            raise self._broken_by(error, reading) from None


class _AsyncTextDeltas:
    # Not an async generator: one that is left early has to be closed by whoever left it.

    def __init__(self, stream: AsyncStream, reading: EventStreamState) -> None:
        self._stream = stream
        self._reading = reading

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            await anext(self._stream)
            if self._reading.text:
                return self._reading.text

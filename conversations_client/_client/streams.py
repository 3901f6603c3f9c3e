"""Streamed responses, sync and async."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Self

from conversations_client._calls.operation import Request
from conversations_client._engine.response_body import AsyncResponseBody, ResponseBody
from conversations_client._sse.event_stream import EventStreamState
from conversations_client.errors import TransportError
from conversations_client.events import Event
from conversations_client.responses import Response, StreamError

from .stream_base import StreamBase


class Stream(StreamBase[ResponseBody]):
    """The events of a response as they arrive: iterate inside the `with` block, in one thread.

    After an exception that interrupts a read, such as `KeyboardInterrupt`, the next read raises
    `StreamClosedError`. However you leave the block, the connection is released.

    Example:
        with client.conversations.responses.stream(
            conversation_id, message="How do I get a refund?", model="sandbox/echo"
        ) as stream:
            for event in stream:
                print(event.type)
            print(stream.request_id)
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
            return self  # noqa: TRY300 - an interrupt here must still close the stream
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
            # Again, in case an interrupt cut the first attempt short.
            self.close()
            raise

    def __iter__(self) -> Iterator[Event]:
        self._unread()
        return self

    def __next__(self) -> Event:
        state = self._open_state()
        try:
            while (event := state.take()) is None and not state.is_complete:
                self._feed(state)
            if event is not None:
                return event  # here, because an interrupt loses the event
        except StreamError as error:
            self._end(error)
            raise
        except BaseException as error:
            self._interrupted_by(error)
            raise
        raise StopIteration

    def text_deltas(self) -> Iterator[str]:
        """Iterate over only the text, as it arrives.

        Raises:
            StreamError: The response is incomplete; raised during iteration.

        Example:
            with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                for text in stream.text_deltas():
                    print(text, end="", flush=True)
        """
        return _TextDeltas(self, self._unread(), self._interrupted_by)

    def collect(self) -> Response:
        """Read the rest of the stream and return the complete response.

        Once the response is complete, you can call it again, even after the block.

        Raises:
            ResponseFailedError: The service reports that the response failed.
            StreamTruncatedError: The stream is invalid, or ended before the response was complete.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            StreamClosedError: The stream is not open, is already being read, or was interrupted.

        Example:
            with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                for text in stream.text_deltas():
                    print(text, end="", flush=True)
                response = stream.collect()
            print(response.usage)
        """
        while (response := self._complete_response()) is None:
            next(self)
        return response

    def close(self) -> None:
        """Release the connection; repeated calls have no effect.

        It is called when you leave the block. To stop a read, call it in another thread or, with an
        async client, in another task.

        Example:
            with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                print(next(stream))
                stream.close()
        """
        self._end(None)

    def _end(self, error: StreamError | None) -> None:
        if self._body is not None and not self._is_released:
            self._is_closed = True
            self._body.close(drain=self._is_over(), error=error)
            self._is_released = True

    def _feed(self, state: EventStreamState) -> None:
        self._begin_reading()
        try:
            data = self._open_body().read()
        except TransportError as error:
            raise self._broken_by(error, state) from None
        finally:
            self._is_being_read = False
        self._check_still_open()
        state.feed(data)


class _TextDeltas:
    # Not a generator: after an error, a generator ends as if the text were complete.

    def __init__(
        self,
        stream: Stream,
        state: EventStreamState,
        interrupted_by: Callable[[BaseException], None],
    ) -> None:
        self._stream = stream
        self._state = state
        self._interrupted_by = interrupted_by

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        try:
            while True:
                next(self._stream)
                if self._state.text:
                    return self._state.text
        except BaseException as error:
            self._interrupted_by(error)
            raise


class AsyncStream(StreamBase[AsyncResponseBody]):
    """The events of a response as they arrive: iterate inside the `async with` block, in one task.

    If you cancel a read, the next one continues where it stopped. With an HTTP client that you
    inject, the next read raises `StreamClosedError` instead. However you leave the block, the
    connection is released.

    Example:
        async with client.conversations.responses.stream(
            conversation_id, message="How do I get a refund?", model="sandbox/echo"
        ) as stream:
            async for event in stream:
                print(event.type)
            print(stream.request_id)
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
            return self  # noqa: TRY300 - an interrupt here must still close the stream
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
            # Again, in case an interrupt cut the first attempt short.
            await self.aclose()
            raise

    def __aiter__(self) -> AsyncIterator[Event]:
        self._unread()
        return self

    async def __anext__(self) -> Event:
        state = self._open_state()
        try:
            while (event := state.take()) is None and not state.is_complete:
                await self._feed(state)
            if event is not None:
                return event  # here, because an interrupt loses the event
        except StreamError as error:
            await self._end(error)
            raise
        except BaseException as error:
            self._interrupted_by(error)
            raise
        raise StopAsyncIteration

    def text_deltas(self) -> AsyncIterator[str]:
        """Iterate over only the text, as it arrives.

        Raises:
            StreamError: The response is incomplete; raised during iteration.

        Example:
            async with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                async for text in stream.text_deltas():
                    print(text, end="", flush=True)
        """
        return _AsyncTextDeltas(self, self._unread(), self._interrupted_by)

    async def collect(self) -> Response:
        """Read the rest of the stream and return the complete response.

        Once the response is complete, you can call it again, even after the block.

        Raises:
            ResponseFailedError: The service reports that the response failed.
            StreamTruncatedError: The stream is invalid, or ended before the response was complete.
            EventTooLargeError: An event is larger than `max_event_bytes`.
            StreamClosedError: The stream is not open, is already being read, or was interrupted.

        Example:
            async with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                async for text in stream.text_deltas():
                    print(text, end="", flush=True)
                response = await stream.collect()
            print(response.usage)
        """
        while (response := self._complete_response()) is None:
            await anext(self)
        return response

    async def aclose(self) -> None:
        """Release the connection; repeated calls have no effect.

        It is called when you leave the block. To stop a read, call it in another thread or, with an
        async client, in another task.

        Example:
            async with client.conversations.responses.stream(
                conversation_id, message="How do I get a refund?", model="sandbox/echo"
            ) as stream:
                print(await anext(stream))
                await stream.aclose()
        """
        await self._end(None)

    async def _end(self, error: StreamError | None) -> None:
        if self._body is not None and not self._is_released:
            self._is_closed = True
            await self._body.aclose(drain=self._is_over(), error=error)
            self._is_released = True

    async def _feed(self, state: EventStreamState) -> None:
        self._begin_reading()
        try:
            data = await self._open_body().read()
        except TransportError as error:
            raise self._broken_by(error, state) from None
        finally:
            self._is_being_read = False
        self._check_still_open()
        state.feed(data)


class _AsyncTextDeltas:
    # Not an async generator: an async generator must be closed if it isn't exhausted.

    def __init__(
        self,
        stream: AsyncStream,
        state: EventStreamState,
        interrupted_by: Callable[[BaseException], None],
    ) -> None:
        self._stream = stream
        self._state = state
        self._interrupted_by = interrupted_by

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        try:
            while True:
                await anext(self._stream)
                if self._state.text:
                    return self._state.text
        except BaseException as error:
            self._interrupted_by(error)
            raise

"""The body of a streamed response, sync and async."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from attrs import field, frozen

from conversations_client._calls.call import Call, RawResponse
from conversations_client._calls.operation import Reply
from conversations_client._http.connections.wire import WireResponse
from conversations_client._http.httpx_clients.buffered_bodies import async_chunks
from conversations_client._http.httpx_clients.failure_origin import is_network_failure
from conversations_client._http.streams.limits import CLOSING_SECONDS
from conversations_client._http.transport_errors import library_exceptions, transport_error
from conversations_client._sse.stream_context import StreamContext
from conversations_client.errors import TransportError, TransportTimeoutError

T = TypeVar("T")

_DRAINING_SECONDS: Final = 0.25  # the maximum wait for the end of a body after its last event
_PARTIAL: Final = "`partial` contains what arrived; the service may have continued the response."
_CANCELLED: Final = (
    "An earlier read was cancelled, which closed the stream: an HTTP client that you inject can't "
    f"continue after that. Read in a separate task, and cancel only the wait for that task. "
    f"{_PARTIAL}"
)


@frozen(kw_only=True)
class ResponseHead:
    """The part of a response before its body.

    Attributes:
        reply: The status and the headers.
        context: The context for the errors of the stream.
    """

    reply: Reply
    context: StreamContext
    _call: Call[Any] = field(repr=False, alias="call")
    _clock: Callable[[], float] = field(repr=False, alias="clock")

    def raw_response(self, parsed: T) -> RawResponse[T]:
        """Combine a parsed body with the status and the headers."""
        return self._call.raw_response(self.reply, parsed, now=self._clock())

    def failure(self, error: Exception) -> TransportError:
        """The failure of a read, for an exception of the HTTP library."""
        failure = transport_error(error, self.context.key)
        is_timeout = isinstance(failure, TransportTimeoutError)
        if is_timeout and self._call.is_body_limited and self._clock() >= self._call.deadline:
            return self._call.deadline_error(failure.delivery)
        return failure


class _ResponseBodyBase:
    """The base class of sync and async bodies."""

    def __init__(self, head: ResponseHead) -> None:
        self.head = head
        self.on_close: Callable[[BaseException | None], None] | None = None
        """Called when the body is closed, with the error of the stream or None."""

    def abandon(self) -> None:
        """End the call; the pool closes the connection later."""
        self._end(None)

    def interruption(self, error: BaseException) -> str:
        """The error message for reads after this exception; empty if they lose no data."""
        return (
            f"An earlier read was interrupted by {type(error).__name__}, which closed the stream: "
            f"data may be lost. {_PARTIAL}"
        )

    def _end(self, error: BaseException | None) -> None:
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close(error)


class ResponseBody(_ResponseBodyBase):
    """A body that is read chunk by chunk.

    Args:
        head: The part of the response before the body.
        response: The response.
        buffered: The chunks, if an injected client has already read them.
    """

    def __init__(
        self,
        head: ResponseHead,
        response: WireResponse,
        buffered: Iterable[bytes] | None = None,
    ) -> None:
        super().__init__(head)
        self._response = response
        self._chunks: Iterator[bytes] = iter(response.body if buffered is None else buffered)

    def read(self) -> bytes:
        """The next chunk, empty at the end; raises TransportError."""
        try:
            return next(filter(None, self._chunks), b"")
        except Exception as error:
            if not is_network_failure(error):
                raise
            failure = self.head.failure(error)
        raise failure

    def close(self, *, drain: bool = False, error: BaseException | None = None) -> None:
        """Release the connection; idempotent.

        Args:
            drain: Whether only the end of the body remains to be read. If so, this waits for it
                briefly, so that the connection can be reused.
            error: The error of the stream; None if it is complete or was closed early.
        """
        try:
            with contextlib.suppress(*library_exceptions()):
                try:
                    if drain:
                        self._response.body.drain(_DRAINING_SECONDS)
                finally:
                    self._response.body.close()
        except BaseException:
            # Again, in case an interrupt cut the first attempt short.
            close(self._response)
            raise
        finally:
            self._end(error)


class AsyncResponseBody(_ResponseBodyBase):
    """A body that is read chunk by chunk.

    Args:
        head: The part of the response before the body.
        response: The response.
        buffered: The chunks, if an injected client has already read them.
    """

    def __init__(
        self,
        head: ResponseHead,
        response: WireResponse,
        buffered: Iterable[bytes] | None = None,
    ) -> None:
        super().__init__(head)
        self._response = response
        self._chunks: AsyncIterator[bytes] = (
            response.body if buffered is None else async_chunks(buffered)
        )

    async def read(self) -> bytes:
        """The next chunk, empty at the end; raises TransportError."""
        try:
            async for chunk in self._chunks:
                if chunk:
                    return chunk
        except Exception as error:
            if not is_network_failure(error):
                raise
            failure = self.head.failure(error)
        else:
            return b""
        raise failure

    def interruption(self, error: BaseException) -> str:
        """The error message for reads after this exception; empty if they lose no data."""
        if not _is_cancellation(error):
            return super().interruption(error)
        return "" if self._response.body.is_resumable else _CANCELLED

    async def aclose(self, *, drain: bool = False, error: BaseException | None = None) -> None:
        """Release the connection, even in a cancelled task; idempotent.

        Args:
            drain: Whether only the end of the body remains to be read. If so, this waits for it
                briefly, so that the connection can be reused.
            error: The error of the stream; None if it is complete or was closed early.
        """
        import anyio

        try:
            with (
                anyio.move_on_after(CLOSING_SECONDS, shield=True),
                contextlib.suppress(*library_exceptions()),
            ):
                try:
                    if drain:
                        await self._response.body.drain(_DRAINING_SECONDS)
                finally:
                    await self._response.body.aclose()
        except BaseException:
            # Again, in case an interrupt cut the first attempt short.
            await close_async(self._response)
            raise
        finally:
            self._end(error)


def _is_cancellation(error: BaseException) -> bool:
    import anyio

    if isinstance(error, GeneratorExit):  # a coroutine may be closed where no event loop runs
        return True
    return isinstance(error, anyio.get_cancelled_exc_class())


def close(response: WireResponse | None) -> None:
    """Close the body of a response, if there is one; idempotent."""
    if response is not None:
        with contextlib.suppress(Exception):
            response.body.close()


async def close_async(response: WireResponse | None) -> None:
    """Close the body of a response, if there is one; idempotent."""
    if response is not None:
        with contextlib.suppress(Exception):
            await response.body.aclose()

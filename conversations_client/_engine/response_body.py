"""A response whose body is still being received, sync and async."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from attrs import field, frozen

from conversations_client._calls.call import Call, RawResponse
from conversations_client._calls.operation import Reply
from conversations_client._http.connections.wire import WireResponse
from conversations_client._http.error_mapping import library_errors, transport_error
from conversations_client._http.httpx_clients.buffered import async_chunks
from conversations_client._http.httpx_clients.failure_origin import is_network_failure
from conversations_client._sse.stream_context import StreamContext

T = TypeVar("T")

_CLOSING: Final = 1.0  # seconds that closing a connection may take
_DRAINING: Final = 0.25  # seconds that the end of a body may come after its last event


@frozen(kw_only=True)
class ResponseHead:
    """What comes before the body of a response.

    Attributes:
        reply: The status and the headers.
        context: What the errors of the stream need to know.
    """

    reply: Reply
    context: StreamContext
    _call: Call[Any] = field(repr=False, alias="call")
    _clock: Callable[[], float] = field(repr=False, alias="clock")

    def raw_response(self, parsed: T) -> RawResponse[T]:
        """What was parsed from the body, with the status and the headers."""
        return self._call.raw_response(self.reply, parsed, now=self._clock())


class _ResponseBodyBase:
    """What sync and async bodies share."""

    def __init__(self, head: ResponseHead) -> None:
        self.head = head
        self.on_close: Callable[[BaseException | None], None] | None = None
        """Called when the body is closed, with the error of the stream or None."""

    def abandon(self) -> None:
        """End the call without closing the connection, which its pool does."""
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close(error)


class ResponseBody(_ResponseBodyBase):
    """A body that is read chunk by chunk, and its connection.

    Args:
        head: What came before the body.
        response: The response.
        buffered: The chunks, if an injected client has read them; None to read them here.
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
            failure = transport_error(error, self.head.context.key)
        raise failure

    def close(self, *, drain: bool = False, error: BaseException | None = None) -> None:
        """Release the connection; has no effect the second time.

        Args:
            drain: Whether only the end of the body is missing. It is waited for briefly, so that
                the connection can be reused.
            error: The error of the stream; None if it is complete or was left early.
        """
        try:
            with contextlib.suppress(*library_errors()):
                try:
                    if drain:
                        self._response.body.drain(_DRAINING)
                finally:
                    self._response.body.close()
        except BaseException:
            close(self._response)  # again, for an interrupt may have ended the first
            raise
        finally:
            self._end(error)


class AsyncResponseBody(_ResponseBodyBase):
    """A body that is read chunk by chunk, and its connection.

    Args:
        head: What came before the body.
        response: The response.
        buffered: The chunks, if an injected client has read them; None to read them here.
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
            failure = transport_error(error, self.head.context.key)
        else:
            return b""
        raise failure

    async def aclose(self, *, drain: bool = False, error: BaseException | None = None) -> None:
        """Release the connection, even if cancelled; has no effect the second time.

        Args:
            drain: Whether only the end of the body is missing. It is waited for briefly, so that
                the connection can be reused.
            error: The error of the stream; None if it is complete or was left early.
        """
        import anyio

        try:
            with anyio.move_on_after(_CLOSING, shield=True), contextlib.suppress(*library_errors()):
                try:
                    if drain:
                        await self._response.body.drain(_DRAINING)
                finally:
                    await self._response.body.aclose()
        except BaseException:
            await close_async(self._response)  # again, for an interrupt may have ended the first
            raise
        finally:
            self._end(error)


def close(response: WireResponse | None) -> None:
    """Close the body of a response, if there is one; again does nothing."""
    if response is not None:
        with contextlib.suppress(Exception):
            response.body.close()


async def close_async(response: WireResponse | None) -> None:
    """Close the body of a response, if there is one; again does nothing."""
    if response is not None:
        with contextlib.suppress(Exception):
            await response.body.aclose()

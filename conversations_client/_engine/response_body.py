"""An answer whose body is still coming in, in both colours."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, TypeVar, cast

import anyio
from attrs import field, frozen

from conversations_client._calls.call import Call, RawResponse
from conversations_client._calls.operation import Reply
from conversations_client._http.connections.limits import DeadlineLimit
from conversations_client._http.connections.sync_stream import NestedTLSStream, SocketStream
from conversations_client._http.error_mapping import library_errors, transport_error
from conversations_client._http.library import httpx
from conversations_client._sse.stream_context import StreamContext

T = TypeVar("T")

_CLOSING: Final = 1.0  # seconds that a connection may take to say goodbye
_DRAINING: Final = 0.25  # seconds that the end of a body may be behind what it says


@frozen(kw_only=True)
class ResponseHead:
    """What is known of an answer before its body.

    Attributes:
        reply: The status and the headers.
        source: Where the events come from.
    """

    reply: Reply
    source: StreamContext
    _call: Call[Any] = field(repr=False, alias="call")
    _clock: Callable[[], float] = field(repr=False, alias="clock")

    def envelope(self, parsed: T) -> RawResponse[T]:
        """What the body came to, in its envelope."""
        return self._call.envelope(self.reply, parsed, now=self._clock())


class _ResponseBodyBase:
    """What answers of both colours know of themselves."""

    def __init__(self, head: ResponseHead) -> None:
        self.head = head
        self.then: Callable[[BaseException | None], None] | None = None
        """What is to be called when it is closed, with the error that it came to."""

    def abandon(self) -> None:
        """Leave the connection to the pool: nobody reads on."""
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        then, self.then = self.then, None
        if then is not None:
            then(error)


class ResponseBody(_ResponseBodyBase):
    """An answer whose body is read piece by piece, and its connection."""

    def __init__(
        self, head: ResponseHead, request: httpx.Request, response: httpx.Response
    ) -> None:
        super().__init__(head)
        self._request = request
        self._response = response
        self._pieces = iter(cast("httpx.SyncByteStream", response.stream))

    def read(self) -> bytes:
        """The next piece, or nothing at the end; raises TransportError."""
        try:
            return next(filter(None, self._pieces), b"")
        except library_errors() as error:
            failure = transport_error(error, self.head.source.key)
        raise failure

    def close(self, *, drain: bool = False, error: BaseException | None = None) -> None:
        """Let go of the connection; again does nothing.

        Args:
            drain: Whether the body has nothing more to say: its end is waited for a moment, for
                only so can the connection be used again.
            error: What the body came to, if it isn't whole.
        """
        try:
            with contextlib.suppress(*library_errors()):
                try:
                    if drain:
                        self._drain()
                finally:
                    self._response.close()
        except BaseException:
            close_again(self._response)
            raise
        finally:
            self._end(error)

    def _drain(self) -> None:
        # Connections other than our own can't be told now to wait for a moment alone.
        limit = self._request.extensions["timeout"]["read"]
        connection = self._response.extensions.get("network_stream")
        if isinstance(limit, DeadlineLimit) and isinstance(
            connection, SocketStream | NestedTLSStream
        ):
            limit.shorten(_DRAINING)
            exhaust(self._pieces)


class AsyncResponseBody(_ResponseBodyBase):
    """An answer whose body is read piece by piece, and its connection."""

    def __init__(self, head: ResponseHead, response: httpx.Response) -> None:
        super().__init__(head)
        self._response = response
        self._pieces = aiter(cast("httpx.AsyncByteStream", response.stream))

    async def read(self) -> bytes:
        """The next piece, or nothing at the end; raises TransportError."""
        try:
            async for piece in self._pieces:
                if piece:
                    return piece
        except library_errors() as error:
            failure = transport_error(error, self.head.source.key)
        else:
            return b""
        raise failure

    async def aclose(self, *, drain: bool = False, error: BaseException | None = None) -> None:
        """Let go of the connection, cancelled or not; again does nothing.

        Args:
            drain: Whether the body has nothing more to say: its end is waited for a moment, for
                only so can the connection be used again.
            error: What the body came to, if it isn't whole.
        """
        try:
            with anyio.move_on_after(_CLOSING, shield=True), contextlib.suppress(*library_errors()):
                if drain:
                    with anyio.move_on_after(_DRAINING):
                        await exhaust_async(self._pieces)
                await self._response.aclose()
                await exhaust_async(self._pieces)
        except BaseException:
            await close_again_async(self._response)
            raise
        finally:
            self._end(error)


def close_again(response: httpx.Response | None) -> None:
    """Close a response whose `close` may have been interrupted: httpx does not try again."""
    if response is not None:
        with contextlib.suppress(Exception):
            cast("httpx.SyncByteStream", response.stream).close()


async def close_again_async(response: httpx.Response | None) -> None:
    """Close a response whose `aclose` may have been interrupted: httpx does not try again."""
    if response is not None:
        with contextlib.suppress(Exception):
            await cast("httpx.AsyncByteStream", response.stream).aclose()


def exhaust(pieces: Iterator[bytes]) -> None:
    """Read to the end, for nothing."""
    for _ in pieces:
        pass


async def exhaust_async(pieces: AsyncIterator[bytes]) -> None:
    """Read to the end, for nothing.

    Of an answer that is closed this ends the generators below it. They can only be ended by
    running them: left to the garbage collector they would be finished outside their task, of
    which trio warns.
    """
    with contextlib.suppress(*library_errors()):
        async for _ in pieces:
            pass

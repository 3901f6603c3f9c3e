"""A response whose body is still being received, sync and async."""

import contextlib
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final, TypeVar, cast

import anyio
from attrs import field, frozen

from conversations_client._calls.call import Call, RawResponse
from conversations_client._calls.operation import Reply
from conversations_client._http.buffered import async_chunks, release, release_async
from conversations_client._http.connections.limits import DeadlineLimit
from conversations_client._http.connections.sync_stream import SocketStream
from conversations_client._http.connections.tls_stream import TLSStream
from conversations_client._http.error_mapping import library_errors, transport_error
from conversations_client._http.failure_origin import is_network_failure
from conversations_client._http.library import httpx
from conversations_client._sse.stream_context import StreamContext

from .watchdog import is_clock_replaced, move_on_after

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
        request: The request.
        response: The response.
        buffered: The chunks, if an injected client has read them; None to read them here.
    """

    def __init__(
        self,
        head: ResponseHead,
        request: httpx.Request,
        response: httpx.Response,
        buffered: Iterable[bytes] | None = None,
    ) -> None:
        super().__init__(head)
        self._request = request
        self._response = response
        stream = cast("httpx.SyncByteStream", response.stream)
        self._chunks = iter(stream if buffered is None else buffered)

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
                        self._drain()
                finally:
                    release(self._response)
        except BaseException:
            close_again(self._response)
            raise
        finally:
            self._end(error)

    def _drain(self) -> None:
        # Only the package's own connections can change the limit of a read that has begun.
        limit = self._request.extensions["timeout"]["read"]
        connection = self._response.extensions.get("network_stream")
        if isinstance(limit, DeadlineLimit) and isinstance(connection, SocketStream | TLSStream):
            limit.shorten(_DRAINING)
            exhaust(self._chunks)


class AsyncResponseBody(_ResponseBodyBase):
    """A body that is read chunk by chunk, and its connection.

    Args:
        head: What came before the body.
        response: The response.
        buffered: The chunks, if an injected client has read them; None to read them here.
        idle: Seconds to wait for a chunk; None for no limit.
    """

    def __init__(
        self,
        head: ResponseHead,
        response: httpx.Response,
        buffered: Iterable[bytes] | None = None,
        *,
        idle: float | None,
    ) -> None:
        super().__init__(head)
        self._idle = math.inf if idle is None else idle
        self._response = response
        self._chunks = async_chunks(response.stream if buffered is None else buffered)

    async def read(self) -> bytes:
        """The next chunk, empty at the end; raises TransportError."""
        if not is_clock_replaced():
            return await self._read()
        # The connection's own limit never ends then.
        with move_on_after(self._idle):
            return await self._read()
        raise transport_error(httpx.ReadTimeout(""), self.head.context.key)

    async def _read(self) -> bytes:
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
        try:
            with anyio.move_on_after(_CLOSING, shield=True), contextlib.suppress(*library_errors()):
                if drain:
                    with anyio.move_on_after(_DRAINING):
                        await exhaust_async(self._chunks)
                await release_async(self._response)
                await exhaust_async(self._chunks)
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


def exhaust(chunks: Iterator[bytes]) -> None:
    """Read and discard the rest."""
    for _ in chunks:
        pass


async def exhaust_async(chunks: AsyncIterator[bytes]) -> None:
    """Read and discard the rest.

    After a response is closed, this ends the generators below it. Only running them ends them: the
    garbage collector would finish them outside their task, and trio warns of that.
    """
    with contextlib.suppress(*library_errors()):
        async for _ in chunks:
            pass

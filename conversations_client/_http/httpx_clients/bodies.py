"""The bodies of httpx's responses, with the interface of the package's own bodies."""

import contextlib
import math
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import anyio

from conversations_client._http.connections.wire import RequestLimits
from conversations_client._http.streams.errors import ReadTimeout
from conversations_client._http.streams.limits import CLOSING_SECONDS, seconds_left
from conversations_client._http.streams.watchdog import move_on_after

from .buffered_bodies import async_chunks, is_from_library, release, release_async

RESUMABLE: Final = "conversations_client.resumable"
"""The response extension for a body that continues if it is iterated over again."""


class HTTPXBody(Iterator[bytes]):
    """The body of a sync response, chunk by chunk."""

    is_complete: Final = False  # not known

    def __init__(self, response: Any, limits: RequestLimits) -> None:  # noqa: ANN401 - the library's
        self._response = response
        self._limits = limits
        self._chunks: Iterator[bytes] | None = None
        self._reader: int | None = None  # the thread that waits for a chunk
        self._is_closed = False

    def __next__(self) -> bytes:
        if self._chunks is None:
            self._chunks = iter(self._response.stream)
        self._reader = threading.get_ident()
        try:
            chunk = next(self._chunks)
        finally:
            self._reader = None
            if self._is_closed:
                release(self._response)
        seconds_left(self._limits.idle, ReadTimeout)
        return chunk

    def close(self) -> None:
        """Stop reading; idempotent."""
        self._is_closed = True
        is_read_elsewhere = self._reader not in {None, threading.get_ident()}
        if is_read_elsewhere and _wake_reader(self._response):
            return  # that thread releases the connection: its descriptor is still in use
        try:
            release(self._response)
        except BaseException:
            # After an interrupt, the library would not close the stream again.
            with contextlib.suppress(Exception):
                self._response.stream.close()
            raise

    def drain(self, seconds: float) -> None:
        """Do nothing: the library's limits can't be changed during a response."""


def _wake_reader(response: Any) -> bool:  # noqa: ANN401 - the library's
    """Shut down a response's connection to wake its reader; False if that isn't possible."""
    extensions = response.extensions
    stream = extensions.get("network_stream")
    connection = None if stream is None else stream.get_extra_info("socket")
    # With HTTP/2, other requests use the same connection.
    if extensions.get("http_version") == b"HTTP/2" or not isinstance(connection, socket.socket):
        return False
    with contextlib.suppress(OSError):
        # SSLSocket.shutdown() would let the other thread read encrypted data as plaintext.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    return True


class AsyncHTTPXBody(AsyncIterator[bytes]):
    """The body of an async response, chunk by chunk."""

    is_complete: Final = False  # not known

    def __init__(self, response: Any, limits: RequestLimits) -> None:  # noqa: ANN401 - the library's
        self._response = response
        self._limits = limits
        self._chunks: AsyncIterator[bytes] | None = None

    @property
    def is_resumable(self) -> bool:
        """Whether the next read continues after a cancelled one, without losing data."""
        # A cancellation ends the library's generators. New ones continue over the client's own
        # pool, but httpcore closes its connection.
        return RESUMABLE in self._response.extensions and is_from_library(self._response.stream)

    async def __anext__(self) -> bytes:
        if self._chunks is None:
            self._chunks = async_chunks(self._response.stream)
        seconds = seconds_left(self._limits.idle, ReadTimeout)
        try:
            with move_on_after(math.inf if seconds is None else seconds):
                return await anext(self._chunks)
        except BaseException:
            if self.is_resumable:
                self._chunks = None
            raise
        raise ReadTimeout("timed out")

    async def aclose(self) -> None:
        """Stop reading; idempotent."""
        try:
            with anyio.move_on_after(CLOSING_SECONDS, shield=True):
                await release_async(self._response)
                await self._exhaust()
        except BaseException:
            # After an interrupt, the library would not close the stream again.
            with contextlib.suppress(Exception):
                await self._response.stream.aclose()
            raise

    async def drain(self, seconds: float) -> None:
        """Read the rest within this many seconds."""
        with move_on_after(seconds):
            await self._exhaust()

    async def _exhaust(self) -> None:
        # After the response is closed, this ends its generators. The garbage collector would end
        # them outside their task, which makes trio warn.
        if self._chunks is not None:
            with contextlib.suppress(Exception):
                async for _ in self._chunks:
                    pass

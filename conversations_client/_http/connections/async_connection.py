"""An async connection: the bytes of `_http11` sent and read."""

import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Self, cast

import anyio

from conversations_client._http.library import httpcore, httpx

from .connection import ConnectionState, ResponseState
from .deadline_sockets import CUT_OFF, extensions, limits
from .http11 import MOST_READ


class AsyncConnection(
    ConnectionState[httpcore.AsyncNetworkStream], httpcore.AsyncConnectionInterface
):
    """An async connection, opened by its first request."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """The head of the answer; raises httpcore's errors."""
        connect, write, read = limits(request)
        stream = self._stream = self._stream or await self._opened(request, connect)
        self._idle = False
        try:
            # What can't be sent to the end may be answered all the same.
            with contextlib.suppress(httpcore.WriteError):
                await stream.write(self._http.request(request), write)
            response = None
            while response is None:
                self._http.receive(await stream.read(MOST_READ, read))
                response = self._http.head()
        except BaseException:
            await self.aclose()
            raise
        response.stream = AsyncResponseStream(self, stream, self._http, read)
        extensions(response)["network_stream"] = stream
        return response

    async def _opened(
        self, request: httpcore.Request, limit: float | None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._connect(limit)
        except BaseException:
            extensions(request)[CUT_OFF] = httpx.ConnectTimeout("")
            raise

    async def _connect(self, limit: float | None) -> httpcore.AsyncNetworkStream:
        host, tls = self._origin.host.decode("ascii"), self._ssl_context
        stream = await _connect_tcp(host, self._origin.port, limit, encrypted=tls is not None)
        if tls is None:
            return stream
        try:
            return await stream.start_tls(tls, host, limit)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await stream.aclose()
            raise

    async def done(self) -> None:
        """Get ready for the next request, or close."""
        self._idle = self._http.renew()
        if not self._idle:
            await self.aclose()

    async def aclose(self) -> None:
        """Close it for good; again does nothing."""
        self._idle = False
        if self._stream is not None:
            await self._stream.aclose()


async def _connect_tcp(
    host: str, port: int, limit: float | None, *, encrypted: bool
) -> httpcore.AsyncNetworkStream:
    if not _is_asyncios():
        backend = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        return await backend.connect_tcp(host, port, limit)
    from .asyncio_stream import connect

    return await connect(host, port, limit, encrypted=encrypted)


def _is_asyncios() -> bool:
    # As a guest of asyncio, trio runs while asyncio does, but in no task of it.
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.current_task() is not None
    except RuntimeError:
        return False


class AsyncResponseStream(
    ResponseState[AsyncConnection, httpcore.AsyncNetworkStream], AsyncIterator[bytes]
):
    """The body of an answer, piece by piece."""

    __slots__ = ()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while (piece := self._http.piece()) is None:
            self._http.receive(await self._stream.read(MOST_READ, self._limit))
        if piece:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._connection.done()

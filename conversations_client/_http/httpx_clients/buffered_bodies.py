"""Bodies that an injected client or one of its hooks has read, replaced or closed."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Final

from conversations_client._http.client_protocols import classes

if TYPE_CHECKING:
    from .library import httpx

LOST: Final = (
    "the HTTP client consumed the body without keeping it; in a hook, read it with "
    "response.read() or await response.aread()"
)


def buffered_body(response: "httpx.Response") -> bytes | None:
    """The decoded body if it was read and stored; None if not."""
    if not (response.is_closed or response.is_stream_consumed):
        return None
    try:
        return response.content
    except RuntimeError:  # httpx's ResponseNotRead
        return None


def is_body_lost(response: "httpx.Response") -> bool:
    """Whether the body was consumed or the response closed, so that nothing is left to read."""
    if not (response.is_closed or response.is_stream_consumed):
        return False
    # The caller's code may have set a different stream, which can still be read.
    stream = response.stream
    return is_from_library(stream) and not isinstance(stream, classes("ByteStream"))


def is_from_library(stream: object) -> bool:
    """Whether a stream is the library's own, so that no other code has replaced or wrapped it."""
    return type(stream).__module__.partition(".")[0] in {"httpx", "httpx2"}


def release(response: "httpx.Response") -> None:
    """Close a response, unless the caller's code has replaced its stream with a different type."""
    if isinstance(response.stream, classes("SyncByteStream")):
        response.close()


async def release_async(response: "httpx.Response") -> None:
    """Close a response, unless the caller's code has replaced its stream with a different type."""
    if isinstance(response.stream, classes("AsyncByteStream")):
        await response.aclose()


def async_chunks(stream: Any) -> AsyncIterator[bytes]:  # noqa: ANN401 - of any kind
    """The chunks of a sync or async stream."""
    return aiter(stream) if hasattr(stream, "__aiter__") else _AsyncChunks(iter(stream))


class _AsyncChunks(AsyncIterator[bytes]):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration

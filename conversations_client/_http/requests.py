"""Builds httpx requests, from headers and URLs that are prepared once for each client."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from urllib.parse import urlencode

from conversations_client._base.version import __version__
from conversations_client._calls.operation import Request
from conversations_client._calls.settings import Settings
from conversations_client.errors import ConfigurationError, InvalidArgumentError

from .library import httpx

_USER_AGENT: Final = f"conversations-client/{__version__} {httpx.__title__}/{httpx.__version__}"
_STREAMING: Final = {
    "Accept": "text/event-stream",
    "Accept-Encoding": "identity",  # a compressor may delay events
    "Cache-Control": "no-store",
}
_MOST_URLS: Final = 64


class Requests:
    """Builds the requests of a client; raises ConfigurationError.

    Args:
        settings: The client's settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._base_url = settings.base_url
        self._urls: dict[str, httpx.URL] = {}
        plain = {
            "Host": _base(settings.base_url).netloc.decode("ascii"),
            "Authorization": f"Bearer {settings.api_key.reveal()}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": _USER_AGENT,
        }
        # The repr of httpx's class doesn't show the key.
        self._without_body = httpx.Headers(plain)
        with_body = {**plain, "Content-Type": "application/json"}
        self._with_body = httpx.Headers(with_body)
        self._streaming = httpx.Headers({**with_body, **_STREAMING})

    def make(
        self, request: Request, *, idempotency_key: str | None, extensions: dict[str, Any]
    ) -> httpx.Request:
        """The request of one attempt; raises InvalidArgumentError."""
        # With headers and a stream, httpx adds no headers of its own.
        built = httpx.Request(
            request.method,
            self._url(request),
            headers=self._headers(request),
            stream=_Body(request.body or b""),
            extensions=extensions,
        )
        if idempotency_key is not None:
            built.headers["Idempotency-Key"] = idempotency_key
        if request.body is not None:
            built.headers["Content-Length"] = str(len(request.body))
        return built

    def _headers(self, request: Request) -> httpx.Headers:
        if request.streams:
            return self._streaming
        return self._without_body if request.body is None else self._with_body

    def _url(self, request: Request) -> httpx.URL:
        query = f"?{urlencode(request.query)}" if request.query else ""
        target = request.path + query
        url = self._urls.get(target)
        if url is None:
            url = _url(self._base_url + target)
            # Paths with IDs are too many to keep; parsing one again costs less.
            if len(self._urls) < _MOST_URLS and request.path == request.template:
                self._urls[target] = url
        return url


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    # httpx's own class makes async generators; trio warns if one is left unfinished.

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._body,))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncChunks(iter(self))


class _AsyncChunks(AsyncIterator[bytes]):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


def _base(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL as error:
        problem = str(error)
    raise ConfigurationError(f"base_url is not a URL: {problem}.")


def _url(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL as error:
        problem = str(error)
    raise InvalidArgumentError(
        f"The path and query are not valid in a URL ({problem}): shorten or quote them."
    )

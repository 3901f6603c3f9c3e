"""A call's request as httpx has it, made of what is prepared once for all of a client's calls."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from urllib.parse import urlencode

from conversations_client._base.version import __version__
from conversations_client._calls.operation import Request
from conversations_client._calls.settings import Settings
from conversations_client.errors import ConfigurationError, InvalidArgumentError

from .library import httpx

_USER_AGENT: Final = f"conversations-client/{__version__} {httpx.__title__}/{httpx.__version__}"
_EVENTS_AS_THEY_COME: Final = {
    "Accept": "text/event-stream",
    "Accept-Encoding": "identity",  # for what compresses may hold events back
    "Cache-Control": "no-store",
}
_KEPT_URLS: Final = 64


class Requests:
    """Makes the requests of a client."""

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
        # As httpx's own, whose repr doesn't show the key.
        self._without_body = httpx.Headers(plain)
        with_body = {**plain, "Content-Type": "application/json"}
        self._with_body = httpx.Headers(with_body)
        self._streaming = httpx.Headers({**with_body, **_EVENTS_AS_THEY_COME})

    def make(
        self, request: Request, *, idempotency_key: str | None, extensions: dict[str, Any]
    ) -> httpx.Request:
        """The request of one attempt."""
        # Given headers and a stream, httpx takes both as they are, and adds none.
        made = httpx.Request(
            request.method,
            self._url(request),
            headers=self._headers(request),
            stream=_Content(request.body or b""),
            extensions=extensions,
        )
        if idempotency_key is not None:
            made.headers["Idempotency-Key"] = idempotency_key
        if request.body is not None:
            made.headers["Content-Length"] = str(len(request.body))
        return made

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
            # Ids make many paths; parsing one again costs less than keeping them all.
            if len(self._urls) < _KEPT_URLS and request.path == request.template:
                self._urls[target] = url
        return url


class _Content(httpx.SyncByteStream, httpx.AsyncByteStream):
    # httpx's own gives generators, and trio warns of one that a broken connection leaves.

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._body,))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncPieces(iter(self))


class _AsyncPieces(AsyncIterator[bytes]):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


def _base(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL as error:
        problem = str(error)
    raise ConfigurationError(f"base_url is no URL: {problem}.")


def _url(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL as error:
        problem = str(error)
    raise InvalidArgumentError(f"The path and query make no URL ({problem}): shorten them.")

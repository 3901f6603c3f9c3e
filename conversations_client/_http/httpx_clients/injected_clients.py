"""Sends requests through an injected HTTP client."""

from typing import Any, Final

from conversations_client._base.wakeup import Wakeups
from conversations_client._http.client_protocols import AsyncHTTPClient, HTTPClient
from conversations_client._http.connections.wire import WireRequest, WireResponse
from conversations_client._http.slot_queue import closed_error
from conversations_client._http.streams.errors import (
    ConnectError,
    ConnectionFailure,
    ConnectTimeout,
    PoolTimeout,
    ProxyError,
    ReadTimeout,
)
from conversations_client._http.streams.watchdog import move_on_after
from conversations_client._http.transport_errors import SendFailed
from conversations_client.errors import ClientClosedError

from .bodies import AsyncHTTPXBody, HTTPXBody
from .buffered_bodies import buffered_body, is_body_lost
from .deadlines import Timeouts, limit_sending
from .failure_origin import FailureOrigin
from .library import httpx
from .progress import TRACE, Progress, opening_failure

_UNSENT: Final = (ConnectError, ConnectTimeout, PoolTimeout, ProxyError)
_GRACE: Final = 0.05  # seconds; the library's own timeout, if it comes first, is more precise
LIMITS: Final = "conversations_client.limits"
"""The request extension for its `RequestLimits`."""


class InjectedConnections:
    """Sends through the caller's `httpx.Client` or `httpx2.Client`."""

    is_injected: Final = True
    proxy: None = None

    def __init__(self, client: HTTPClient, base_url: str) -> None:
        self._client = client
        self._origin = origin_of(base_url)
        self.closing: Wakeups = Wakeups()

    def send(self, request: WireRequest) -> WireResponse:
        """Send a request; returns the head of the response.

        Raises:
            SendFailed: The exchange failed, or the client is closed.
            Exception: The caller's code raised it.
        """
        if self.closing.is_set or self._client.is_closed:
            error = closed_error() if self.closing.is_set else _http_client_closed_error()
            raise SendFailed(error, is_unsent=True)
        own = _built_by(self._client, self._origin, request)
        limit_sending(own, request.body, request.limits)
        progress = Progress(own)
        own.extensions[TRACE] = progress.report
        try:
            response = self._client.send(own, stream=True, auth=None, follow_redirects=False)
        except Exception as error:
            response = _response_despite(error, own, progress)
            if response is None:
                raise
        return _as_received(response, HTTPXBody(response, request.limits), progress)

    def close(self) -> None:
        """Stop using the caller's client; it stays open."""
        self.closing.set()

    def close_client(self) -> None:
        """Close the client too, if it is not the caller's."""
        self._client.close()


class InjectedAsyncConnections:
    """Sends through the caller's `httpx.AsyncClient` or `httpx2.AsyncClient`."""

    is_injected: Final = True
    proxy: None = None

    def __init__(self, client: AsyncHTTPClient, base_url: str) -> None:
        self._client = client
        self._origin = origin_of(base_url)
        self.closing: Wakeups = Wakeups()

    async def send(self, request: WireRequest) -> WireResponse:
        """Send a request; returns the head of the response.

        Raises:
            SendFailed: The exchange failed, or the client is closed.
            Exception: The caller's code raised it.
        """
        if self.closing.is_set or self._client.is_closed:
            error = closed_error() if self.closing.is_set else _http_client_closed_error()
            raise SendFailed(error, is_unsent=True)
        own = _built_by(self._client, self._origin, request)
        limit_sending(own, request.body, request.limits)
        progress = Progress(own)
        own.extensions[TRACE] = progress.report_async
        response: Any = None
        try:
            with move_on_after(request.limits.seconds_to_wait() + _GRACE):
                response = await self._client.send(
                    own, stream=True, auth=None, follow_redirects=False
                )
        except Exception as error:
            response = _response_despite(error, own, progress)
            if response is None:
                raise
        if response is None:
            raise SendFailed(ReadTimeout("deadline"), is_unsent=False)
        return _as_received(response, AsyncHTTPXBody(response, request.limits), progress)

    async def aclose(self) -> None:
        """Stop using the caller's client; it stays open."""
        self.closing.set()

    async def close_client(self) -> None:
        """Close the client too, if it is not the caller's."""
        await self._client.aclose()


def origin_of(base_url: str) -> str:
    """The scheme, the host and the port of a URL, unchanged."""
    scheme, _, rest = base_url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _http_client_closed_error() -> ClientClosedError:
    return ClientClosedError(
        "The HTTP client that you passed as http_client is closed. Create a new client with an "
        "open one, and close it only after the last call."
    )


def _built_by(client: HTTPClient | AsyncHTTPClient, origin: str, request: WireRequest) -> Any:  # noqa: ANN401 - its own
    """Build the request with the caller's client, which adds headers, cookies and parameters."""
    target = request.target.decode("ascii")
    return client.build_request(
        request.method.decode("ascii"),
        origin + target,
        # The client's parameters would replace the query of the URL.
        params=target.partition("?")[2] or None if client.params else None,
        headers=request.headers,
        content=request.body or None,
        extensions={"timeout": Timeouts(request.limits), LIMITS: request.limits},
    )


def _as_received(
    response: Any,  # noqa: ANN401 - the library's
    body: HTTPXBody | AsyncHTTPXBody,
    progress: Progress,
) -> WireResponse:
    content = buffered_body(response)
    received = WireResponse(response.status_code, list(response.headers.raw))
    received.body = body
    received.content = content
    received.is_body_lost = content is None and is_body_lost(response)
    # The caller's code may follow redirects, authenticate or retry.
    received.was_sent_before = bool(response.history) or progress.was_repeated
    return received


def _response_despite(
    error: Exception,
    request: Any,  # noqa: ANN401 - the library's
    progress: Progress,
) -> Any:  # noqa: ANN401 - the library's
    """The response that the library received before it failed; None if the caller's code failed.

    Raises:
        SendFailed: The exchange failed.
    """
    if isinstance(error, ConnectionFailure):
        # From this client's own connections, which a hooked library sends through.
        raise SendFailed(error, is_unsent=isinstance(error, _UNSENT)) from None
    origin = FailureOrigin(error, request)
    is_proxied = origin.is_through_proxy
    proxy = progress.used_proxy(is_proxied=is_proxied)
    rejection = progress.rejected_certificate(error)
    if rejection is not None:
        raise SendFailed(rejection, is_unsent=True, proxy=proxy) from None
    is_unsent = progress.proves_unsent(error)
    # A host name that can't be encoded is a UnicodeError.
    if origin.is_exchange or (is_unsent and isinstance(error, UnicodeError)):
        partial = origin.partial_response
        if partial is not None and not partial.is_success:
            return _without_body(partial)
        failure = opening_failure(error, is_proxied=is_proxied) if is_unsent else error
        is_unsent = is_unsent or origin.is_refused_by_aiohttp
        raise SendFailed(failure, is_unsent=is_unsent, proxy=proxy) from None
    if not origin.is_library:
        return None
    # httpx builds the next request even if it doesn't follow redirects, and fails for an invalid
    # Location.
    if origin.response is None:
        raise SendFailed(error, is_unsent=False) from None
    return _without_body(origin.response)


def _without_body(response: Any) -> Any:  # noqa: ANN401 - the library's
    # The body is lost, but the status is enough.
    headers = [each for each in response.headers.raw if each[0].lower() != b"content-encoding"]
    return httpx.Response(response.status_code, headers=headers, content=b"")

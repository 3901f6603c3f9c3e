"""Sends through an HTTP client that the caller injects."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from .failure_origin import FailureOrigin
from .library import AsyncHTTPClient, HTTPClient, httpx
from .pool import closed_error

_TRACE: Final = "trace"
"""The extension of a request to which httpcore reports its progress."""
_STARTED: Final = ".send_request_headers.started"
_FAILED: Final = ".failed"
_CORES: Final = frozenset({"httpcore", "httpcore2"})
_UNREPORTED: Final = frozenset({"PoolTimeout", "ProxyError", "UnsupportedProtocol"})
"""The exceptions of httpcore that it raises without a report, always before it sends."""

Report: TypeAlias = Callable[[str, dict[str, Any]], Any]
AsyncReport: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[Any]]


class SendFailed(Exception):  # noqa: N818 - never leaves the package
    """The exchange over the caller's client failed, or the client is closed.

    Attributes:
        error: The exception that the client raised, or a ClientClosedError.
        is_unsent: Whether it is proven that the request never left.
    """

    def __init__(self, error: Exception, *, is_unsent: bool) -> None:
        super().__init__()
        self.error = error
        self.is_unsent = is_unsent


class InjectedConnections:
    """Sends through the caller's `httpx.Client` or `httpx2.Client`."""

    proxy: None = None

    def __init__(self, client: HTTPClient) -> None:
        self._client = client
        self._closed = False

    def send(self, request: httpx.Request) -> httpx.Response:
        """The head of the response, its body still to come.

        Raises:
            SendFailed: The exchange failed, or the client is closed.
            Exception: The caller's own code raised it.
        """
        if self._closed or self._client.is_closed:
            raise SendFailed(closed_error(), is_unsent=True)
        own = _as_built_by(self._client, request)
        progress = _Progress(own)
        own.extensions[_TRACE] = progress.report
        try:
            return self._client.send(own, stream=True, auth=None, follow_redirects=False)  # type: ignore[no-any-return]
        except Exception as error:
            response = _response_despite(error, own, progress)
            if response is None:
                raise
            return response

    def close(self) -> None:
        """Stop using the caller's client; it stays open."""
        self._closed = True


class InjectedAsyncConnections:
    """Sends through the caller's `httpx.AsyncClient` or `httpx2.AsyncClient`."""

    proxy: None = None

    def __init__(self, client: AsyncHTTPClient) -> None:
        self._client = client
        self._closed = False

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The head of the response, its body still to come; raises as the sync one does."""
        if self._closed or self._client.is_closed:
            raise SendFailed(closed_error(), is_unsent=True)
        own = _as_built_by(self._client, request)
        progress = _Progress(own)
        own.extensions[_TRACE] = progress.report_async
        try:
            return await self._client.send(own, stream=True, auth=None, follow_redirects=False)  # type: ignore[no-any-return]
        except Exception as error:
            response = _response_despite(error, own, progress)
            if response is None:
                raise
            return response

    async def aclose(self) -> None:
        """Stop using the caller's client; it stays open."""
        self._closed = True


class _Progress:
    """What httpcore reports of a request: whether it began to send it, and what failed.

    The caller's own listener gets the reports too.
    """

    def __init__(self, request: Any) -> None:  # noqa: ANN401 - the library's
        self._request = request
        self._listener: Any = request.extensions.get(_TRACE)
        self._was_sent = False
        self._failures: list[BaseException] = []

    def report(self, event: str, info: dict[str, Any]) -> Any:  # noqa: ANN401 - the listener's
        self._note(event, info)
        return None if self._listener is None else self._listener(event, info)

    async def report_async(self, event: str, info: dict[str, Any]) -> None:
        self._note(event, info)
        if self._listener is not None:
            await self._listener(event, info)

    def _note(self, event: str, info: dict[str, Any]) -> None:
        # A CONNECT goes to the proxy and carries nothing of the request.
        if event.endswith(_STARTED) and info["request"].method != b"CONNECT":
            self._was_sent = True
        if event.endswith(_FAILED):
            self._failures.append(info["exception"])

    def proves_unsent(self, error: BaseException | None) -> bool:
        """Whether the exception is one that httpcore reported or raised before it sent."""
        # A hook or transport that replaced the extension hides the progress.
        listener = self._request.extensions.get(_TRACE)
        if self._was_sent or getattr(listener, "__self__", None) is not self:
            return False
        while error is not None:
            package, name = type(error).__module__.partition(".")[0], type(error).__name__
            is_unreported = package in _CORES and name in _UNREPORTED
            if is_unreported or any(error is failure for failure in self._failures):
                return True
            error = error.__cause__
        return False


def _as_built_by(client: HTTPClient | AsyncHTTPClient, request: httpx.Request) -> Any:  # noqa: ANN401 - its own
    """The request with the headers, cookies and parameters that the caller's client adds."""
    return client.build_request(
        request.method,
        str(request.url),
        headers=request.headers.raw,
        content=request.read() or None,
        extensions=request.extensions,
    )


def _response_despite(
    error: Exception,
    request: Any,  # noqa: ANN401 - the library's
    progress: _Progress,
) -> httpx.Response | None:
    """The response that the library had when it failed; None if the caller's code failed.

    Raises:
        SendFailed: The exchange failed.
    """
    origin = FailureOrigin(error, request)
    is_unsent = progress.proves_unsent(error)
    # A host that can't be encoded is the one failure of a network that is a UnicodeError.
    if origin.is_exchange or (is_unsent and isinstance(error, UnicodeError)):
        is_unsent = is_unsent or origin.is_refused_by_aiohttp
        raise SendFailed(error, is_unsent=is_unsent) from None
    if not origin.is_library:
        return None
    if origin.response is None:
        raise SendFailed(error, is_unsent=False) from None
    return without_body(origin.response)


def without_body(response: Any) -> httpx.Response:  # noqa: ANN401 - the library's
    """The status and the headers of a response whose body is lost.

    httpx prepares the next request of a redirect, although it isn't followed, and fails if its
    Location is invalid. The status decides.
    """
    headers = [each for each in response.headers.raw if each[0].lower() != b"content-encoding"]
    return httpx.Response(response.status_code, headers=headers, content=b"")

"""Distinguishes failed exchanges from exceptions in the caller's code by the traceback. No I/O.

An injected HTTP client also runs the caller's code: event hooks, transports, an overridden `send`,
logging. Exception classes can't distinguish the two, because hooks also raise httpx's exceptions
(`raise_for_status()`) and OSErrors (a log file on a full disk). Tracebacks can: an exchange fails
below a transport with the request, or while the body of its response is read. Unless proven
otherwise, the request counts as sent.
"""

import errno
import socket
import ssl
from collections.abc import Iterator
from itertools import takewhile
from types import FrameType
from typing import Any, Final

from conversations_client._base.causes import causes
from conversations_client._http.client_protocols import classes
from conversations_client._http.transport_errors import transport_exceptions
from conversations_client.errors import TransportError

_STACKS: Final = frozenset({"httpx", "httpx2"})
_CORES: Final = frozenset({"httpcore", "httpcore2"})
_PROXY_MODULES: Final = (".http_proxy", ".socks_proxy")
_AIOHTTP: Final = frozenset({"aiohttp", "httpx_aiohttp"})
_LIBRARIES: Final = _STACKS | _AIOHTTP | {"asyncio", "contextlib", "conversations_client"}

_TRANSPORT: Final = frozenset({"_send_single_request", "handle_request", "handle_async_request"})
"""The functions in httpx and in transports that send a request."""
_BODY: Final = frozenset({"iter_raw", "aiter_raw", "iter_bytes", "aiter_bytes"})
"""The methods of a response that read its body."""

_NETWORK_ERRNOS: Final = frozenset(
    {
        errno.EADDRNOTAVAIL,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.ENOTCONN,
    }
)
_NETWORK_ERRORS: Final = (ConnectionError, TimeoutError, ssl.SSLError, socket.gaierror)


def is_network_failure(error: BaseException) -> bool:
    """Whether an exception from a transport or a body is a failure of the exchange.

    Other exceptions, such as an OSError from a file, come from the caller's code.
    """
    return (
        isinstance(error, (*transport_exceptions(), *_NETWORK_ERRORS))
        and not isinstance(error, classes("HTTPStatusError"))
    ) or (isinstance(error, OSError) and error.errno in _NETWORK_ERRNOS)


class FailureOrigin:
    """The origin of an exception that a client's `send` raised.

    Args:
        error: The exception.
        request: The request, as the client sent it.
    """

    def __init__(self, error: Exception, request: Any) -> None:  # noqa: ANN401 - the library's
        self._error = error
        self._request = request
        self._frames = list(_frames(error))

    @property
    def is_exchange(self) -> bool:
        """Whether the exchange itself failed, not the caller's code."""
        if any(_package(frame) == "logging" for frame in self._frames):
            return False
        if self._has_transport():
            return isinstance(self._error, TransportError) or is_network_failure(self._error)
        # Reading a body twice is an error in the hook.
        is_misuse = isinstance(self._error, classes("StreamError"))
        reads_body = self.partial_response is not None
        return reads_body and is_network_failure(self._error) and not is_misuse

    @property
    def partial_response(self) -> Any | None:  # noqa: ANN401 - the library's
        """The response whose body could not be read; None if something else failed."""
        is_below_transport = False
        for frame in self._frames:
            name, is_from_library = frame.f_code.co_name, _package(frame) in _STACKS
            if is_from_library and name == "send":
                # A hook or a transport may send requests of its own.
                is_below_transport = False
            elif name in _TRANSPORT and self._holds_request(frame):
                is_below_transport = True
            elif is_from_library and name in _BODY:
                response = frame.f_locals.get("self")
                # A transport that reads the body gets a response that has no request yet.
                if is_below_transport or getattr(response, "_request", None) is self._request:
                    return response
        return None

    @property
    def is_library(self) -> bool:
        """Whether the library itself failed, before it sent the request or after the response."""
        own = self._frames_after_send()
        return bool(own) and all(_package(frame) in _STACKS for frame in own)

    @property
    def response(self) -> Any | None:  # noqa: ANN401 - the library's
        """The response that the library had received when it failed; None if there is none."""
        responses = classes("Response")
        for frame in reversed(self._frames_after_send()):
            for value in frame.f_locals.values():
                if isinstance(value, responses):
                    return value
        return None

    @property
    def is_through_proxy(self) -> bool:
        """Whether httpcore failed to connect through a proxy, or to send through one."""
        frames = (frame for cause in causes(self._error) for frame in _frames(cause))
        return any(
            _package(frame) in _CORES and frame.f_globals["__name__"].endswith(_PROXY_MODULES)
            for frame in frames
        )

    @property
    def is_refused_by_aiohttp(self) -> bool:
        """Whether aiohttp provably did not send the request."""
        return "ClientConnectorError" in _names(self._error) and self._is_plain_aiohttp()

    def _is_plain_aiohttp(self) -> bool:
        # aiohttp reports no progress, and retries requests with other methods on its own.
        packages = {_package(frame) for frame in self._frames}
        return (
            self._request.method in {"POST", "PATCH"}
            and not packages.isdisjoint(_AIOHTTP)
            and packages <= _LIBRARIES
        )

    def _has_transport(self) -> bool:
        # The library may also send other requests for this one, such as redirects.
        own = takewhile(lambda frame: _package(frame) in _STACKS, self._frames_after_send())
        return any(frame.f_code.co_name in _TRANSPORT for frame in own) or any(
            frame.f_code.co_name in _TRANSPORT and self._holds_request(frame)
            for frame in self._frames
        )

    def _frames_after_send(self) -> list[FrameType]:
        """The frames from the library's `send` call for the request onward; empty if none."""
        for index in range(len(self._frames) - 1, -1, -1):
            frame = self._frames[index]
            is_send = frame.f_code.co_name == "send" and _package(frame) in _STACKS
            if is_send and self._holds_request(frame):
                return self._frames[index:]
        return []

    def _holds_request(self, frame: FrameType) -> bool:
        return any(value is self._request for value in frame.f_locals.values())


def _frames(error: BaseException) -> Iterator[FrameType]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _names(error: BaseException) -> Iterator[str]:
    chain = causes(error, has_context=False)
    return (cls.__name__ for cause in chain for cls in type(cause).__mro__)


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]

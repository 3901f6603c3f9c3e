"""Records httpcore's progress reports for a request through an injected client. No I/O."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from conversations_client._base.causes import causes
from conversations_client._http.streams.errors import ConnectError, ConnectTimeout, ProxyError
from conversations_client._http.streams.tls_errors import is_tls, rejects_certificate
from conversations_client._http.used_proxy import POSSIBLE, UsedProxy

TRACE: Final = "trace"
"""The request extension for a function to which httpcore reports progress."""
_CONNECTING: Final = ".connect_tcp.started"
_STARTED: Final = ".send_request_headers.started"
_FAILED: Final = ".failed"
_ENCRYPTED: Final = ".start_tls.complete"
_RESPONDED: Final = ".receive_response_headers.complete"
_CORES: Final = frozenset({"httpcore", "httpcore2"})
_UNREPORTED: Final = frozenset({"PoolTimeout", "ProxyError", "UnsupportedProtocol"})
"""The exceptions that httpcore raises without a report, always before it sends the request."""
_FINAL: Final = frozenset({"ConnectTimeout", "PoolTimeout", "ProxyError"})

Report: TypeAlias = Callable[[str, dict[str, Any]], Any]
AsyncReport: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[Any]]


class Progress:
    """Records httpcore's progress reports for a request: whether it was sent, and what failed.

    It forwards the reports to the caller's listener.

    Args:
        request: The request; its extensions may contain the caller's listener.
    """

    def __init__(self, request: Any) -> None:  # noqa: ANN401 - the library's
        self._request = request
        self._listener: Any = request.extensions.get(TRACE)
        self._was_sent = False
        self.was_repeated = False
        """Whether the library sent the request more than once."""
        self._address: tuple[str, int] | None = None
        self._is_new_connection = False
        self._failures: list[BaseException] = []

    def report(self, event: str, info: dict[str, Any]) -> Any:  # noqa: ANN401 - the listener's
        self._record(event, info)
        return None if self._listener is None else self._listener(event, info)

    async def report_async(self, event: str, info: dict[str, Any]) -> None:
        self._record(event, info)
        if self._listener is not None:
            await self._listener(event, info)

    def _record(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(_CONNECTING):
            self._address = info["host"], info["port"]
        # A CONNECT request goes only to the proxy.
        if event.endswith(_STARTED) and info["request"].method != b"CONNECT":
            self.was_repeated = self._was_sent
            self._was_sent = True
        if event.endswith(_ENCRYPTED):
            # An earlier attempt by the library itself may have been processed.
            self._is_new_connection = not self._was_sent
        if event.endswith(_RESPONDED):
            self._is_new_connection = False
        if event.endswith(_FAILED):
            self._failures.append(info["exception"])

    def proves_unsent(self, error: BaseException) -> bool:
        """Whether httpcore raised the exception before it sent the request."""
        # A hook or a transport that replaces the extension hides the progress.
        listener = self._request.extensions.get(TRACE)
        if self._was_sent or getattr(listener, "__self__", None) is not self:
            return False
        for cause in causes(error, has_context=False):
            package, name = type(cause).__module__.partition(".")[0], type(cause).__name__
            is_unreported = package in _CORES and name in _UNREPORTED
            if is_unreported or any(cause is failure for failure in self._failures):
                return True
        return False

    def rejected_certificate(self, error: Exception) -> ConnectError | None:
        """The error if the server rejected the client's certificate and so processed nothing.

        With TLS 1.3, the client learns this only after it has sent the request.
        """
        if not self._is_new_connection or not rejects_certificate(error):
            return None
        failure = ConnectError(str(error))
        failure.__cause__ = error
        return failure

    def used_proxy(self, *, is_proxied: bool) -> UsedProxy | None:
        """The proxy that the client used, or may have used."""
        if is_proxied:
            return UsedProxy.of_injected_client(self._address, is_certain=True)
        return POSSIBLE if self._address is None else None


def opening_failure(error: Exception, *, is_proxied: bool) -> Exception:
    """Convert the failure of an unsent request to a failure to open a connection."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & _FINAL:
        return error
    if "TimeoutException" in names:
        return ConnectTimeout(str(error))
    if not names & {"NetworkError", "ProtocolError"}:
        return error
    failure = (ProxyError if is_proxied and not is_tls(error) else ConnectError)(str(error))
    failure.__cause__ = error
    return failure

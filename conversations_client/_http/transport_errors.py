"""Maps the exceptions of connections and HTTP libraries to the package's own errors."""

import ast
import re
import sys
from typing import Final

from conversations_client._base.causes import causes
from conversations_client._base.secret import Secret
from conversations_client._base.text import readable, truncate
from conversations_client.errors import (
    ClientClosedError,
    ConnectError,
    ConnectTimeoutError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    PoolTimeoutError,
    ProxyError,
    TLSError,
    TransportError,
)

from .client_protocols import classes
from .streams.errors import ConnectionFailure
from .streams.tls_errors import is_tls, rejects_certificate
from .used_proxy import POSSIBLE, UsedProxy

_KINDS: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "InvalidURL",
        "PoolTimeout",
        "ProxyError",
        "SOCKSError",
        "TimeoutException",
        "UnicodeError",  # from looking up a host whose name is too long or invalid
        "UnsupportedProtocol",
    }
)

_CORE: Final = (
    "NetworkError",
    "ProtocolError",
    "ProxyError",
    "TimeoutException",
    "UnsupportedProtocol",
)
_UNTRANSLATED: Final = {
    "aiohttp": ("ClientError",),
    "anyio": ("BrokenResourceError", "ClosedResourceError", "EndOfStream"),
    "h11": ("ProtocolError",),
    "http.client": ("HTTPException",),
    "httpcore": _CORE,
    "httpcore2": _CORE,
    "socksio": ("SOCKSError",),
    "trio": ("BrokenResourceError", "ClosedResourceError"),
}
"""Libraries under httpx, or under the caller's transport, whose exceptions may arrive
untranslated, and the base classes of these exceptions."""

_AIOHTTP_KINDS: Final = {
    "ClientProxyConnectionError": "ProxyError",
    "ClientConnectorError": "ConnectError",
}


class AttemptFailed(Exception):  # noqa: N818 - never leaves the package
    """An attempt failed without a complete response, or the client is closed.

    Only the package raises it, so it can't be confused with an error from the caller's code.
    """

    def __init__(self, error: TransportError | ClientClosedError) -> None:
        super().__init__()
        self.error = error


class SendFailed(Exception):  # noqa: N818 - never leaves the package
    """An exchange through an injected client failed, or the client is closed.

    Attributes:
        error: The exception that the client raised, or a ClientClosedError.
        is_unsent: Whether the request was provably not sent.
        proxy: The proxy that the client used, or may have used.
    """

    def __init__(
        self, error: Exception, *, is_unsent: bool, proxy: UsedProxy | None = None
    ) -> None:
        super().__init__()
        self.error = error
        self.is_unsent = is_unsent
        self.proxy = proxy


def library_exceptions() -> tuple[type[Exception], ...]:
    """The exceptions that the HTTP library and the network raise for a failed request."""
    return (*transport_exceptions(), *classes("InvalidURL"), OSError, UnicodeError)


def transport_exceptions() -> tuple[type[Exception], ...]:
    """The exceptions that connections and transports raise for a failed request."""
    found: list[type[Exception]] = [ConnectionFailure, *classes("HTTPError", "StreamError")]
    for library, names in _UNTRANSLATED.items():
        module = sys.modules.get(library)
        found += [getattr(module, name) for name in names if hasattr(module, name)]
    return tuple(found)


_NOT_TLS: Final = "WRONG_VERSION_NUMBER"
"""OpenSSL's error for a peer that doesn't use TLS."""
_NOT_TEXT: Final = "the response is not HTTP"
_MESSAGES: Final = {
    # The response doesn't begin with a letter: it may be a TLS alert.
    "illegal request line": _NOT_TEXT,
    "Received server _SWITCH_UPGRADE event": (
        "the server switched to a protocol that was not requested"
    ),
    "InformationalResponse status_code": "the response has an invalid status",
}
"""Plain error messages, keyed by the start of h11's message."""
_BYTES: Final = re.compile(
    r"""(?:bytearray\()?(?<!\w)b((['"])(?:[ -\[\]-~]|\\[\\'nrt]|\\x[0-9a-f]{2})*?\2)\)?"""
)
"""The repr of bytes, which h11's error messages contain.

No other text matches, because a proxy may choose a part of the message.
"""

_MAX_REASON_LENGTH: Final = 200


def transport_error(  # noqa: PLR0911 - a table
    error: Exception, key: Secret, *, base_url: str = "", proxy: UsedProxy | None = None
) -> TransportError:
    """The package's error for one of `library_exceptions()`.

    Args:
        error: The exception.
        key: The API key, which must not appear in the error even if the service echoes it.
        base_url: The URL of the service; empty if a connection was open.
        proxy: The proxy that the request used, or may have used.
    """
    if isinstance(error, TransportError):  # from a transport for tests
        return error
    reason = _reason(error, key)
    to = f" to {truncate(key.redact(base_url), _MAX_REASON_LENGTH)}" if base_url else ""
    to += proxy.route if proxy else ""
    settings = f"base_url and {proxy.setting}" if proxy else "base_url"
    match _kind(error):
        case "ConnectTimeout":
            return ConnectTimeoutError(
                f"connecting{to} took too long: check {settings}, or increase Timeout(connect=…)."
            )
        case "PoolTimeout":
            return PoolTimeoutError(
                "no connection became free in time: increase max_connections, or send fewer "
                "requests at once."
            )
        case "TimeoutException":
            return IdleTimeoutError(
                "nothing was received in time: increase Timeout(idle=…) if the service needs "
                "longer.",
                delivery=Delivery.UNKNOWN,
            )
        case "ProxyError" | "SOCKSError":
            failed = proxy or POSSIBLE
            return ProxyError(f"{failed.name} failed ({reason}): check {failed.advice}.")
        case "ConnectError" if is_tls(error):
            return TLSError(
                f"the connection{to} could not be encrypted ({reason}): "
                f"{_tls_advice(error, proxy)}."
            )
        case "ConnectError" | "UnsupportedProtocol" | "InvalidURL" | "UnicodeError":
            return ConnectError(
                f"could not connect{to} ({reason}): check {settings} and the network."
            )
        case _:
            return DisconnectError(
                f"the connection broke ({reason}).{_tls_hint(reason)}", delivery=Delivery.UNKNOWN
            )


def _tls_advice(error: Exception, proxy: UsedProxy | None) -> str:
    if rejects_certificate(error):
        return (
            "the service requires a client certificate that it accepts; pass an ssl_context with "
            "one"
        )
    is_plain = _NOT_TLS in _message(error)
    if is_plain and proxy:
        return (
            "the service or the proxy doesn't use encryption; correct the scheme or port in "
            f"base_url or {proxy.setting}"
        )
    if is_plain:
        return (
            "the server doesn't use encryption; correct the port in base_url, or use http:// if "
            "the connection should be unencrypted"
        )
    return "check base_url, or pass an ssl_context that trusts the service's certificate"


def _tls_hint(reason: str) -> str:
    if reason != _NOT_TEXT:
        return ""
    return " If the server expects encryption, begin base_url with https://."


def _kind(error: Exception) -> str:
    """The most specific name in `_KINDS` among the classes of an exception."""
    kind = next((name for name in _names(error) if name in _KINDS), "")
    cause = error.__cause__
    if kind != "ConnectTimeout" or cause is None or any("Timeout" in n for n in _names(cause)):
        return kind
    # httpx-aiohttp raises ConnectTimeout for every failed connection, even after sending on it.
    return next((_AIOHTTP_KINDS[name] for name in _names(cause) if name in _AIOHTTP_KINDS), "")


def _names(error: BaseException) -> list[str]:
    return [cls.__name__ for cls in type(error).__mro__]


def _reason(error: Exception, key: Secret) -> str:
    # The message would quote the invalid header, which may contain the key.
    if "LocalProtocolError" in _names(error):
        return "a header or the length of the request is invalid"
    # The message may contain a whole invalid response.
    message = _BYTES.sub(_as_text, _message(error))
    text = readable(key.redact(message)).rstrip(".")
    return truncate(text, _MAX_REASON_LENGTH) or type(error).__name__


def _message(error: BaseException) -> str:
    """The message of an error, or the first message among its causes."""
    message = next((text for cause in causes(error) if (text := str(cause))), "")
    return next((text for start, text in _MESSAGES.items() if message.startswith(start)), message)


def _as_text(quoted: re.Match[str]) -> str:
    content: bytes = ast.literal_eval(f"b{quoted[1]}")
    return repr(content.decode("latin-1"))

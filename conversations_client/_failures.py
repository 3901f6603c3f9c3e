"""What the HTTP stack raises, as the package's own errors."""

import ssl
import sys
from typing import Final

from ._http import classes
from .errors import (
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

_KINDS: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "InvalidURL",
        "PoolTimeout",
        "ProxyError",
        "TimeoutException",
        "UnsupportedProtocol",
    }
)

_AIOHTTPS: Final = {
    "ClientProxyConnectionError": "ProxyError",
    "ClientConnectorError": "ConnectError",
}


def foreign() -> tuple[type[Exception], ...]:
    """Whatever the HTTP stack and what is below it raise for a request that fails."""
    # httpx-aiohttp, which a caller may have put below, doesn't translate all that aiohttp raises.
    aiohttp = getattr(sys.modules.get("aiohttp"), "ClientError", OSError)
    return (*classes("HTTPError", "InvalidURL", "StreamError"), aiohttp, OSError, UnicodeError)


def transport_error(error: Exception) -> TransportError:  # noqa: PLR0911 - a table
    """The package's error for one of `foreign()`."""
    match _kind(error):
        case "ConnectTimeout":
            return ConnectTimeoutError(
                "no connection in time: check base_url, or raise Timeout(connect=…)."
            )
        case "PoolTimeout":
            return PoolTimeoutError(
                "no connection became free in time: raise max_connections, or send less at once."
            )
        case "TimeoutException":
            return IdleTimeoutError(
                "nothing was heard in time: raise Timeout(idle=…) if the service needs longer.",
                delivery=Delivery.UNKNOWN,
            )
        case "ProxyError":
            return ProxyError(
                f"the proxy failed ({_words(error)}): check HTTPS_PROXY and NO_PROXY."
            )
        case "ConnectError" if _is_tls(error):
            return TLSError(
                f"the connection could not be secured ({_words(error)}): check base_url, or pass "
                "an ssl_context that trusts the service's certificate."
            )
        case "ConnectError" | "UnsupportedProtocol" | "InvalidURL":
            return ConnectError(f"no connection ({_words(error)}): check base_url and the network.")
        case _:
            return DisconnectError(
                f"the connection broke ({_words(error)}).", delivery=Delivery.UNKNOWN
            )


def _kind(error: Exception) -> str:
    """The nearest of the names that the table knows; the stack and its fork share them."""
    kind = next((name for name in _names(error) if name in _KINDS), "")
    cause = error.__cause__
    if kind != "ConnectTimeout" or cause is None or any("Timeout" in n for n in _names(cause)):
        return kind
    # httpx-aiohttp gives this name to every failure of a connection, also of one that had been made
    # and had carried the request.
    return next((_AIOHTTPS[name] for name in _names(cause) if name in _AIOHTTPS), "")


def _names(error: BaseException) -> list[str]:
    return [cls.__name__ for cls in type(error).__mro__]


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _words(error: Exception) -> str:
    # A header that can't be sent would be quoted, and one of them holds the key.
    if "LocalProtocolError" in _names(error):
        return "LocalProtocolError"
    return str(error).rstrip(".") or type(error).__name__

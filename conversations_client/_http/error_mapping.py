"""What the HTTP stack raises, as the package's own errors."""

import sys
from typing import Final

from conversations_client._base.secret import Secret
from conversations_client._base.text import truncate
from conversations_client.errors import (
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

from .connections.tls_errors import is_tls
from .library import classes

_KINDS: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "InvalidURL",
        "PoolTimeout",
        "ProxyError",
        "TimeoutException",
        "UnicodeError",  # a host that can't be looked up, its name being too long or no name
        "UnsupportedProtocol",
    }
)

_AIOHTTPS: Final = {
    "ClientProxyConnectionError": "ProxyError",
    "ClientConnectorError": "ConnectError",
}


def library_errors() -> tuple[type[Exception], ...]:
    """Whatever the HTTP stack and what is below it raise for a request that fails."""
    # httpx-aiohttp, which a caller may have put below, doesn't translate all that aiohttp raises.
    aiohttp = getattr(sys.modules.get("aiohttp"), "ClientError", OSError)
    return (*classes("HTTPError", "InvalidURL", "StreamError"), aiohttp, OSError, UnicodeError)


_NO_TLS: Final = "WRONG_VERSION_NUMBER"
"""What OpenSSL says of an answer that isn't encrypted."""
_NO_TEXT: Final = "illegal request line"
"""What h11 says of an answer that begins with no letter, as one of TLS does."""

_LONGEST: Final = 200


def transport_error(error: Exception, key: Secret) -> TransportError:  # noqa: PLR0911 - a table
    """The package's error for one of `library_errors()`.

    Args:
        error: What was raised.
        key: What must not appear in the error, should the service repeat it.
    """
    words = _words(error, key)
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
            return ProxyError(f"the proxy failed ({words}): check HTTPS_PROXY and NO_PROXY.")
        case "ConnectError" if is_tls(error):
            return TLSError(f"the connection could not be secured ({words}): {_advice(words)}.")
        case "ConnectError" | "UnsupportedProtocol" | "InvalidURL" | "UnicodeError":
            return ConnectError(f"no connection ({words}): check base_url and the network.")
        case _:
            return DisconnectError(
                f"the connection broke ({words}).{_guess(words)}", delivery=Delivery.UNKNOWN
            )


def _advice(words: str) -> str:
    if _NO_TLS in words:
        return (
            "what answers there doesn't encrypt; correct the port in base_url, or begin it with "
            "http:// if that is meant"
        )
    return "check base_url, or pass an ssl_context that trusts the service's certificate"


def _guess(words: str) -> str:
    if words != _NO_TEXT:
        return ""
    return " What answers there may want encryption: then base_url begins with https://."


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


def _words(error: Exception, key: Secret) -> str:
    # A header that can't be sent would be quoted, and one of them holds the key.
    if "LocalProtocolError" in _names(error):
        return "LocalProtocolError"
    # What can't be understood of an answer is quoted, all of it.
    said = key.redact(str(error)).rstrip(".")
    return truncate(said, _LONGEST) or type(error).__name__

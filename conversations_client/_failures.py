"""What httpx raises, as the package's own errors."""

import ssl
from typing import Final

import httpx

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

FOREIGN: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)
"""Whatever httpx and what is below it raise for a request that fails."""


def transport_error(error: Exception) -> TransportError:  # noqa: PLR0911 - a table
    """The package's error for one of `FOREIGN`."""
    match error:
        case httpx.ConnectTimeout():
            return ConnectTimeoutError(
                "no connection in time: check base_url, or raise Timeout(connect=…)."
            )
        case httpx.PoolTimeout():
            return PoolTimeoutError(
                "no connection became free in time: raise max_connections, or send less at once."
            )
        case httpx.TimeoutException():
            return IdleTimeoutError(
                "nothing was heard in time: raise Timeout(idle=…) if the service needs longer.",
                delivery=Delivery.UNKNOWN,
            )
        case httpx.ProxyError():
            return ProxyError(
                f"the proxy failed ({_words(error)}): check HTTPS_PROXY and NO_PROXY."
            )
        case httpx.ConnectError() if _is_tls(error):
            return TLSError(
                f"the connection could not be secured ({_words(error)}): check base_url, or pass "
                "an ssl_context that trusts the service's certificate."
            )
        case httpx.ConnectError() | httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return ConnectError(f"no connection ({_words(error)}): check base_url and the network.")
        case _:
            return DisconnectError(
                f"the connection broke ({_words(error)}).", delivery=Delivery.UNKNOWN
            )


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _words(error: Exception) -> str:
    # A header that can't be sent would be quoted, and one of them holds the key.
    if isinstance(error, httpx.LocalProtocolError):
        return "LocalProtocolError"
    return str(error).rstrip(".") or type(error).__name__

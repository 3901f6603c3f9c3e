"""What httpx raises, as the package's own errors."""

import ssl
from typing import Final

import httpx

from ._secret import Secret
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

_CUT_OFF: Final = (ssl.SSLWantReadError, ssl.SSLEOFError)
"""What says that encryption was waiting for more, which never came."""

_LONGEST: Final = 200


def transport_error(error: Exception, key: Secret) -> TransportError:  # noqa: PLR0911 - a table
    """The package's error for one of `FOREIGN`.

    Args:
        error: What was raised.
        key: What must not appear in the error, should the service repeat it.
    """
    words = _words(error, key)
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
            return ProxyError(f"the proxy failed ({words}): check HTTPS_PROXY and NO_PROXY.")
        case httpx.ConnectError() if _is_tls(error):
            return TLSError(
                f"the connection could not be secured ({words}): check base_url, or pass "
                "an ssl_context that trusts the service's certificate."
            )
        case (
            httpx.ConnectError()
            | httpx.UnsupportedProtocol()
            | httpx.InvalidURL()
            | UnicodeError()  # a host that can't be looked up, its name being too long or no name
        ):
            return ConnectError(f"no connection ({words}): check base_url and the network.")
        case _:
            return DisconnectError(f"the connection broke ({words}).", delivery=Delivery.UNKNOWN)


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError) and not isinstance(error, _CUT_OFF):
            return True
        error = error.__cause__ or error.__context__
    return False


def _words(error: Exception, key: Secret) -> str:
    # A header that can't be sent would be quoted, and one of them holds the key.
    if isinstance(error, httpx.LocalProtocolError):
        return "LocalProtocolError"
    # What can't be understood of an answer is quoted, all of it.
    said = key.redact(str(error)).rstrip(".")
    return said[:_LONGEST] + ("…" if len(said) > _LONGEST else "") or type(error).__name__

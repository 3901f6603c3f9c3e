"""Why a connection could not do its work.

httpx and httpcore have the same names for the same failures: `error_mapping` looks at names, so
that one table serves the client's own connections and every HTTP client that you inject.
"""


class ConnectionFailure(Exception):  # noqa: N818 - the root of the names below
    """The root of these errors; none of them leaves the package."""


class TimeoutException(ConnectionFailure):
    """A limit was reached."""


class ConnectTimeout(TimeoutException):
    """The connection was not open in time."""


class ReadTimeout(TimeoutException):
    """The peer sent nothing in time."""


class WriteTimeout(TimeoutException):
    """The peer read nothing in time."""


class PoolTimeout(TimeoutException):
    """No slot of the pool became free in time."""


class NetworkError(ConnectionFailure):
    """The operating system or TLS reported an error."""


class ConnectError(NetworkError):
    """The connection could not be opened."""


class ReadError(NetworkError):
    """The connection broke while it was read."""


class WriteError(NetworkError):
    """The connection broke while it was written to."""


class ProxyError(ConnectionFailure):
    """The proxy did not open a tunnel."""


class ProtocolError(ConnectionFailure):
    """The request or the response is not HTTP/1.1."""


class LocalProtocolError(ProtocolError):
    """The request can't be sent."""


class RemoteProtocolError(ProtocolError):
    """The response can't be parsed."""

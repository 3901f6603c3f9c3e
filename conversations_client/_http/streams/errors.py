"""Connection errors.

They have the same names as the exceptions of httpx and httpcore. `transport_errors` maps names, so
one table serves the client's own connections and every HTTP client that you inject.
"""


class ConnectionFailure(Exception):  # noqa: N818 - the errors have httpx's names
    """The base class of these errors, which never leave the package."""


class TimeoutException(ConnectionFailure):
    """A limit was reached."""


class ConnectTimeout(TimeoutException):
    """Connecting took too long."""


class ReadTimeout(TimeoutException):
    """The peer sent nothing in time."""


class WriteTimeout(TimeoutException):
    """The peer read nothing in time."""


class PoolTimeout(TimeoutException):
    """No pool slot became free in time."""


class NetworkError(ConnectionFailure):
    """The operating system or TLS reported an error."""


class ConnectError(NetworkError):
    """The connection could not be opened."""


class ReadError(NetworkError):
    """The connection broke during a read."""


class WriteError(NetworkError):
    """The connection broke during a write."""


class ProxyError(ConnectionFailure):
    """The proxy did not open a tunnel."""


class ProtocolError(ConnectionFailure):
    """The request or the response is not HTTP/1.1."""


class LocalProtocolError(ProtocolError):
    """The request can't be sent."""


class RemoteProtocolError(ProtocolError):
    """The response can't be parsed."""

"""Connections through a proxy, which are httpx's, kept to the call's deadline and told apart."""

from functools import partial
from typing import Any, TypeVar, cast

from conversations_client._http.connections.deadline_sockets import CUT_OFF, DeadlineBackend
from conversations_client.errors import ConfigurationError

from .async_pool import AsyncConnectionPool
from .error_mapping import is_tls
from .library import httpcore, httpx
from .origin import KEEPALIVE_SECONDS

TransportT = TypeVar("TransportT", httpx.HTTPTransport, httpx.AsyncHTTPTransport)


class _Lane(httpcore.AsyncConnectionInterface):
    """A place in httpx's own pool, which sees to the connection itself."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        return await self._pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Nothing: the connection is not this lane's."""

    def has_expired(self) -> bool:
        return False

    is_idle = is_closed = has_expired

    def is_available(self) -> bool:
        return True


class _Sending:
    """Whether a request itself was begun to be sent, and not only what asks the proxy for a tunnel.

    Called by httpcore with each of its steps.
    """

    has_begun = False

    def note(self, step: str, given: dict[str, Any]) -> None:
        if step.endswith("send_request_headers.started") and given["request"].method != b"CONNECT":
            self.has_begun = True

    async def note_async(self, step: str, given: dict[str, Any]) -> None:
        self.note(step, given)

    def failure(self, error: httpx.TransportError) -> httpx.TransportError | None:
        """What an error means that came before; None if it means what it says."""
        if self.has_begun or (isinstance(error, httpx.ConnectError) and is_tls(error)):
            return None
        if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
            return httpx.ConnectTimeout(str(error))
        if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
            # The proxy is all that is connected to, but for the encryption of what goes through it.
            return httpx.ProxyError(str(error))
        return None


class ProxiedTransport(httpx.HTTPTransport):
    """httpx's transport through a proxy, whose reads and writes end at the deadline."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - httpx's
        super().__init__(**options)
        pool: Any = self._pool
        pool._network_backend = DeadlineBackend()  # noqa: SLF001 - what it is made with

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sending = _Sending()
        request.extensions["trace"] = sending.note
        try:
            return super().handle_request(request)
        except httpx.TransportError as error:
            failure = sending.failure(error)
            if failure is None:
                raise
            raise failure from error


class ProxiedAsyncTransport(httpx.AsyncHTTPTransport):
    """httpx's transport through a proxy, with never more requests in its pool than connections.

    Where tasks wait in that pool it gets slow, and one that is cancelled may lose a connection.
    """

    def __init__(self, *, limits: httpx.Limits, **options: Any) -> None:  # noqa: ANN401 - httpx's
        super().__init__(limits=limits, **options)
        self._proxied = self._pool
        pool = AsyncConnectionPool(
            partial(_Lane, self._proxied),
            size=cast("int", limits.max_connections),
            keepalive=KEEPALIVE_SECONDS,
        )
        self._pool = cast("httpcore.AsyncConnectionPool", pool)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sending = _Sending()
        request.extensions["trace"] = sending.note_async
        try:
            return await super().handle_async_request(request)
        except httpx.TransportError as error:
            failure = sending.failure(error)
            if failure is None:
                raise
            raise failure from error
        except BaseException:
            if not sending.has_begun:
                request.extensions.setdefault(CUT_OFF, httpx.ConnectTimeout(""))
            raise

    async def aclose(self) -> None:
        await super().aclose()
        await self._proxied.aclose()


def through_proxy(cls: type[TransportT], options: dict[str, Any]) -> TransportT:
    """A transport of one of the classes above; raises ConfigurationError."""
    try:
        return cls(**options)
    except ImportError:
        problem = f"needs another package: pip install '{httpx.__name__}[socks]'"
    except (ValueError, TypeError, httpx.InvalidURL):
        problem = "is not a URL such as http://host:port"
    raise ConfigurationError(f"The proxy that the environment sets {problem}.")

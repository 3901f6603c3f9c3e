"""Blocking sockets whose reads and writes keep to a deadline, and which any thread may close.

httpcore's apply a limit to each step of a write again, so that a slow peer could keep a call going
forever, and a reader of theirs isn't woken when another thread closes the connection.
"""

import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from conversations_client._http.library import httpcore

from .limits import seconds_left
from .readiness import is_readable
from .tls_stream import TLSStream

T = TypeVar("T")


class SocketStream(httpcore.NetworkStream):
    """A TCP connection, encrypted or not.

    The descriptor is closed when no thread uses it any more: another connection could get the same
    number under a reader.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._pid = os.getpid()
        self._is_closed = False
        self._users: set[object] = set()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._use(
            partial(self._socket.recv, max_bytes),
            timeout,
            httpcore.ReadTimeout,
            httpcore.ReadError,
        )

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            sent = self._use(
                partial(self._socket.send, rest),
                timeout,
                httpcore.WriteTimeout,
                httpcore.WriteError,
            )
            rest = rest[sent:]

    def close(self) -> None:
        self._is_closed = True
        # A forked child shares the connection with its parent, which goes on using it.
        if self._pid == os.getpid():
            with contextlib.suppress(OSError):
                # Not SSLSocket's own, after which a reader would take what is encrypted for data.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._close_if_unused()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        if isinstance(self._socket, ssl.SSLSocket):
            return TLSStream.open(self, ssl_context, server_hostname or "", timeout)
        encrypt = partial(ssl_context.wrap_socket, self._socket, server_hostname=server_hostname)
        try:
            # A blocking handshake keeps to the timeout of the socket as a whole.
            encrypted = self._use(encrypt, timeout, httpcore.ConnectTimeout, httpcore.ConnectError)
        except BaseException:
            self.close()
            raise
        return SocketStream(encrypted)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        match info:
            case "socket":
                return self._socket
            case "ssl_object":
                return getattr(self._socket, "_sslobj", None)
            case "client_addr":
                return self._socket.getsockname()
            case "server_addr":
                return self._socket.getpeername()
            case "is_readable":
                return is_readable(self._socket)
            case _:
                return None

    def _use(
        self,
        operation: Callable[[], T],
        limit: float | None,
        expired: type[httpcore.TimeoutException],
        failed: type[httpcore.NetworkError],
    ) -> T:
        user = object()
        try:
            self._users.add(user)
            if self._is_closed:
                raise failed("The connection is closed.")
            self._socket.settimeout(seconds_left(limit, expired))
            result = operation()
        except TimeoutError as error:
            raise expired(str(error)) from error
        except OSError as error:
            raise failed(str(error)) from error
        finally:
            self._users.discard(user)
            if self._is_closed:
                self._close_if_unused()
        if self._is_closed:
            # By another thread, or a signal handler, which is what ended the operation.
            raise failed("The connection is closed.")
        return result

    def _close_if_unused(self) -> None:
        if not self._users:
            self._socket.close()

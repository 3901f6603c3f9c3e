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
from typing import Any, Final, TypeVar

from conversations_client._http.library import httpcore

from .limits import seconds_left
from .readiness import is_readable

T = TypeVar("T")

_RECORD: Final = 2**14


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
            return NestedTLSStream(self, ssl_context, server_hostname, timeout)
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
        return result

    def _close_if_unused(self) -> None:
        if not self._users:
            self._socket.close()


class NestedTLSStream(httpcore.NetworkStream):
    """Encryption within an encrypted connection: to the service, through an https proxy."""

    def __init__(
        self,
        outer: SocketStream,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None,
        timeout: float | None,
    ) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = ssl_context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        try:
            self._run(self._tls.do_handshake, timeout, httpcore.ConnectError)
        except BaseException:
            self.close()
            raise

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._run(partial(self._tls.read, max_bytes), timeout, httpcore.ReadError)
        except httpcore.ReadError as error:
            if isinstance(error.__cause__, ssl.SSLZeroReturnError | ssl.SSLEOFError):
                return b""
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            record = partial(self._tls.write, rest[:_RECORD])
            rest = rest[self._run(record, timeout, httpcore.WriteError) :]

    def close(self) -> None:
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        return self._tls if info == "ssl_object" else self._outer.get_extra_info(info)

    def _run(
        self, operation: Callable[[], T], limit: float | None, failed: type[httpcore.NetworkError]
    ) -> T:
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                self._flush(limit)
                self._fill(limit)
            except ssl.SSLError as error:
                raise failed(str(error)) from error
            else:
                self._flush(limit)
                return result

    def _flush(self, limit: float | None) -> None:
        self._outer.write(self._outgoing.read(), limit)

    def _fill(self, limit: float | None) -> None:
        data = self._outer.read(_RECORD, limit)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

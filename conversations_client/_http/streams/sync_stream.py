"""Sync network streams with deadlines, which any thread may close.

The sockets are non-blocking: sockets with a timeout need two more system calls for each read and
write.
"""

import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final, TypeVar

from attrs import frozen

from .errors import (
    ConnectError,
    ConnectTimeout,
    NetworkError,
    ReadError,
    ReadTimeout,
    TimeoutException,
    WriteError,
    WriteTimeout,
)
from .interfaces import Limit, NetworkStream
from .limits import seconds_left
from .readiness import MAX_WAIT_SECONDS, READABLE, WRITABLE, is_readable, is_ready

A = TypeVar("A")
T = TypeVar("T")


@frozen
class _Step:
    """A kind of socket operation.

    Attributes:
        event: The event that the socket must be ready for.
        waits: Whether to wait before the first attempt, because a response takes time to arrive.
            Ignored with TLS, which may have buffered data.
        expired: The error at the end of the limit.
        failed: The error for a broken connection.
    """

    event: int
    waits: bool
    expired: type[TimeoutException]
    failed: type[NetworkError]


_READ: Final = _Step(READABLE, True, ReadTimeout, ReadError)
_WRITE: Final = _Step(WRITABLE, False, WriteTimeout, WriteError)
_HANDSHAKE: Final = _Step(READABLE, False, ConnectTimeout, ConnectError)


class SocketStream(NetworkStream):
    """A TCP connection, with or without TLS.

    The descriptor is closed only when no thread uses it: otherwise another connection could get the
    same number, and a thread would read from it.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self.is_encrypted = isinstance(connection, ssl.SSLSocket)
        """Whether the socket itself encrypts the data."""
        self._pid = os.getpid()
        self._is_closed = False
        self._users: set[object] = set()

    def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, or none at the end; raises ReadTimeout and ReadError."""
        return self._use(self._socket.recv, max_bytes, limit, _READ)

    def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        sent = self._use(self._socket.send, data, limit, _WRITE)
        while sent < len(data):
            sent += self._use(self._socket.send, memoryview(data)[sent:], limit, _WRITE)

    def close(self) -> None:
        """Close the connection immediately; idempotent."""
        self._is_closed = True
        # In a forked child, the connection belongs to the parent, which continues to use it.
        if self._pid == os.getpid():
            with contextlib.suppress(OSError):
                # After SSLSocket.shutdown(), another thread would read encrypted data as plaintext.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._close_if_unused()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str, limit: Limit = None
    ) -> "SocketStream":
        """Start TLS; returns the new stream. Raises ConnectTimeout and ConnectError."""
        try:
            encrypted = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            stream = SocketStream(encrypted)
        except BaseException:
            self.close()
            raise
        try:
            stream._use(lambda _: encrypted.do_handshake(), None, limit, _HANDSHAKE)
        except BaseException:
            stream.close()
            raise
        return stream

    def is_readable(self) -> bool:
        """Whether data, or the end of the stream, has arrived."""
        return is_readable(self._socket)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its httpcore name; None if it isn't available."""
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
                return self.is_readable()
            case _:
                return None

    def _use(self, operation: Callable[[A], T], argument: A, limit: Limit, step: "_Step") -> T:
        user = object()
        try:
            try:
                self._users.add(user)
                result = self._attempt(operation, argument, limit, step)
            except OSError as error:
                raise step.failed(str(error)) from error
            finally:
                self._users.discard(user)
        finally:
            # Again, in case an interrupt cut the first attempt short.
            self._users.discard(user)
            if self._is_closed:
                self._close_if_unused()
        if self._is_closed:
            # Another thread or a signal handler closed the connection during the operation.
            raise step.failed("The connection is closed.")
        return result

    def _attempt(self, operation: Callable[[A], T], argument: A, limit: Limit, step: "_Step") -> T:
        event, waits = step.event, step.waits and not self.is_encrypted
        while not self._is_closed:
            seconds = seconds_left(limit, step.expired)
            if waits and not is_ready(self._socket, event, seconds):
                if seconds is not None and seconds <= MAX_WAIT_SECONDS:
                    raise step.expired("timed out")
                continue
            try:
                return operation(argument)
            except BlockingIOError:
                waits = True
            except ssl.SSLWantReadError:
                event, waits = READABLE, True
            except ssl.SSLWantWriteError:
                event, waits = WRITABLE, True
        raise step.failed("The connection is closed.")

    def _close_if_unused(self) -> None:
        if not self._users:
            self._socket.close()

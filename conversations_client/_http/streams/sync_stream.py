"""Sockets whose reads and writes keep to a deadline, and which any thread may close.

They do not block: a socket with a timeout takes two more calls of the operating system for each
read and write.
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
from .readiness import LONGEST_WAIT, READABLE, WRITABLE, is_readable, is_ready

A = TypeVar("A")
T = TypeVar("T")


@frozen
class _Step:
    """What a step waits for, and the errors that it ends with.

    Attributes:
        event: What the socket must be ready for.
        waits: Whether to wait before the first attempt, as a response takes its time. Encryption
            may have received data that the socket doesn't have any more.
        expired: The error when a limit is over.
        failed: The error when the connection breaks.
    """

    event: int
    waits: bool
    expired: type[TimeoutException]
    failed: type[NetworkError]


_READ: Final = _Step(READABLE, True, ReadTimeout, ReadError)
_WRITE: Final = _Step(WRITABLE, False, WriteTimeout, WriteError)
_HANDSHAKE: Final = _Step(READABLE, False, ConnectTimeout, ConnectError)


class SocketStream(NetworkStream):
    """A TCP connection, encrypted or not.

    The descriptor is closed when no thread uses it any more: another connection could get the same
    number under a reader.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self.is_encrypted = isinstance(connection, ssl.SSLSocket)
        """Whether the socket itself encrypts."""
        self._pid = os.getpid()
        self._is_closed = False
        self._users: set[object] = set()

    def read(self, max_bytes: int, limit: Limit = None) -> bytes:
        """Receive some bytes, none at the end; raises ReadTimeout and ReadError."""
        return self._use(self._socket.recv, max_bytes, limit, _READ)

    def write(self, data: bytes, limit: Limit = None) -> None:
        """Send all bytes; raises WriteTimeout and WriteError."""
        sent = self._use(self._socket.send, data, limit, _WRITE)
        while sent < len(data):
            sent += self._use(self._socket.send, memoryview(data)[sent:], limit, _WRITE)

    def close(self) -> None:
        """Close it at once; again does nothing."""
        self._is_closed = True
        # A forked child shares the connection with its parent, which goes on using it.
        if self._pid == os.getpid():
            with contextlib.suppress(OSError):
                # Not SSLSocket's own, after which a reader would take what is encrypted for data.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._close_if_unused()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str, limit: Limit = None
    ) -> "SocketStream":
        """The stream with encryption; raises ConnectTimeout and ConnectError."""
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
        """Whether it has received anything, or has ended."""
        return is_readable(self._socket)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        """A detail of the connection by its name in httpcore; None if there is none."""
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
            self._users.add(user)
            result = self._attempt(operation, argument, limit, step)
        except OSError as error:
            raise step.failed(str(error)) from error
        finally:
            self._users.discard(user)
            if self._is_closed:
                self._close_if_unused()
        if self._is_closed:
            # By another thread, or a signal handler, which is what ended the operation.
            raise step.failed("The connection is closed.")
        return result

    def _attempt(self, operation: Callable[[A], T], argument: A, limit: Limit, step: "_Step") -> T:
        event, waits = step.event, step.waits and not self.is_encrypted
        while not self._is_closed:
            seconds = seconds_left(limit, step.expired)
            if waits and not is_ready(self._socket, event, seconds):
                if seconds is not None and seconds <= LONGEST_WAIT:
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

"""A loopback server that misbehaves on a connection."""

import socket
import struct
import threading
from collections.abc import Callable, Sequence
from ssl import SSLContext
from types import TracebackType
from typing import BinaryIO

from attrs import frozen
from scripted import ScriptedServer

TRICKLE_SECONDS = 0.1


@frozen
class Visit:
    """A connection, as passed to each step of a script."""

    connection: socket.socket
    stream: BinaryIO
    server: "FaultyServer"


Step = bytes | Callable[[Visit], None]
"""Bytes to send, or something else to do."""


class FaultyServer(ScriptedServer):
    """Runs the same steps on every connection, then closes it."""

    def __init__(self, steps: Sequence[Step], *, tls: SSLContext | None = None) -> None:
        super().__init__([], tls=tls)
        self.is_over = threading.Event()
        self._steps = steps

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_over.set()
        super().__exit__(exc_type, exc_value, traceback)

    def _converse(self, connection: socket.socket, stream: BinaryIO) -> None:
        visit = Visit(connection, stream, self)
        for step in self._steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            else:
                step(visit)

    def read_request(self, stream: BinaryIO) -> None:
        """Wait for a complete request and record it."""
        self._listen(stream)


def receive(visit: Visit) -> None:
    """Read a complete request."""
    visit.server.read_request(visit.stream)


def receive_start(visit: Visit) -> None:
    """Read the beginning of a request."""
    visit.stream.read(10)


def await_request(visit: Visit) -> None:
    """Wait for a request without reading it."""
    visit.connection.recv(1, socket.MSG_PEEK)


def reset(visit: Visit) -> None:
    """Reset the connection, as after a crash."""
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.stream.close()
    visit.connection.close()


def silence(visit: Visit) -> None:
    """Send nothing until the client disconnects."""
    while visit.stream.read(1):
        pass


def trickled(data: bytes) -> Callable[[Visit], None]:
    """Send a byte from time to time, often enough for any idle timeout."""

    def step(visit: Visit) -> None:
        for number in range(len(data)):
            visit.connection.sendall(data[number : number + 1])
            if visit.server.is_over.wait(TRICKLE_SECONDS):
                return

    return step


def endless(data: bytes) -> Callable[[Visit], None]:
    """Send the same data repeatedly."""

    def step(visit: Visit) -> None:
        while not visit.server.is_over.is_set():
            visit.connection.sendall(data)

    return step

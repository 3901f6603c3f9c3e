"""A server on loopback that does to a connection what no framework would."""

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
    """One connection, as a step of a script finds it."""

    connection: socket.socket
    stream: BinaryIO
    server: "FaultyServer"


Step = bytes | Callable[[Visit], None]
"""Bytes to send, or something else to do."""


class FaultyServer(ScriptedServer):
    """Takes the same steps with every connection, then closes it."""

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
        """Wait for a whole request, and keep it."""
        self._listen(stream)


def asked(visit: Visit) -> None:
    """Read a whole request."""
    visit.server.read_request(visit.stream)


def glanced(visit: Visit) -> None:
    """Read the beginning of a request."""
    visit.stream.read(10)


def glimpsed(visit: Visit) -> None:
    """Wait for a request, and read nothing of it."""
    visit.connection.recv(1, socket.MSG_PEEK)


def reset(visit: Visit) -> None:
    """End the connection as a crash would, without a goodbye."""
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.stream.close()
    visit.connection.close()


def silence(visit: Visit) -> None:
    """Say nothing until the other side has had enough."""
    while visit.stream.read(1):
        pass


def trickled(data: bytes) -> Callable[[Visit], None]:
    """Send a byte now and then, each in time for any limit on a silence."""

    def step(visit: Visit) -> None:
        for number in range(len(data)):
            visit.connection.sendall(data[number : number + 1])
            if visit.server.is_over.wait(TRICKLE_SECONDS):
                return

    return step


def endless(data: bytes) -> Callable[[Visit], None]:
    """Send the same again and again."""

    def step(visit: Visit) -> None:
        while not visit.server.is_over.is_set():
            visit.connection.sendall(data)

    return step

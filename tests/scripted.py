"""A loopback HTTP server that sends scripted responses and records requests."""

import contextlib
import itertools
import json
import socket
import ssl
import threading
from collections.abc import Generator, Iterable, Iterator
from types import TracebackType
from typing import Any, BinaryIO, Self

from attrs import frozen

CONVERSATION: dict[str, Any] = {
    "_id": "conv_01jj1hdhn79xas7a01wb3hysdb",
    "kind": "conversation",
    "displayName": "Product Feature Discussion",
    "createdAt": 1734789600000,
    "updatedAt": 1734793200000,
}

HANG_UP = b""
"""Read the request, then close the connection."""


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
"""The beginning of an answer whose end does not come."""


def answer(status: int = 201, body: object = CONVERSATION, **headers: str) -> bytes:
    """A complete response; bytes are sent unchanged, other bodies as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + content


def always() -> Iterator[bytes]:
    """A script that repeats the same response forever."""
    return itertools.repeat(answer())


@frozen
class ReceivedRequest:
    """A received request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class ScriptedServer:
    """Responds to each request with the next bytes of the script.

    If the script has a list, its parts are sent one by one with pauses. After the last part, the
    connection stays open.
    """

    def __init__(
        self, script: Iterable[bytes | list[bytes]], *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.seen: list[ReceivedRequest] = []
        self.connections = 0
        self._script: Iterator[bytes | list[bytes]] = iter(script)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._tls = tls
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        workers: list[threading.Thread] = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            self.connections += 1
            self._open.append(connection)
            workers.append(threading.Thread(target=self._serve, args=(connection,)))
            workers[-1].start()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for worker in workers:
            worker.join()

    def _serve(self, connection: socket.socket) -> None:
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                return
            self._open.append(connection)
        with connection.makefile("rb") as stream, contextlib.suppress(OSError):
            self._converse(connection, stream)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def _converse(self, connection: socket.socket, stream: BinaryIO) -> None:
        while self._listen(stream) and self._reply(connection):
            pass

    def _listen(self, stream: BinaryIO) -> bool:
        seen = read_request(stream)
        if seen is not None:
            self.seen.append(seen)
        return seen is not None

    def _reply(self, connection: socket.socket) -> bool:
        step = next(self._script, HANG_UP)
        if step == HANG_UP:
            return False
        if isinstance(step, bytes):
            connection.sendall(step)
            return True
        for part in step:
            connection.sendall(part)
        return connection.recv(1) != b""


class ClosingServer(ScriptedServer):
    """Closes the connection after every response, without announcing it."""

    def __init__(self, script: Iterable[bytes | list[bytes]]) -> None:
        super().__init__(script)
        self.gone = threading.Semaphore(0)

    def _serve(self, connection: socket.socket) -> None:
        super()._serve(connection)
        self.gone.release()

    def _reply(self, connection: socket.socket) -> bool:
        super()._reply(connection)
        return False


@contextlib.contextmanager
def refused_url() -> Generator[str]:
    """The URL of a reserved port that refuses connections."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}"


def read_request(stream: BinaryIO) -> ReceivedRequest | None:
    """Wait for a complete request; None if the connection ends."""
    line = stream.readline()
    if not line:
        return None
    method, target, _ = line.decode().split(" ")
    headers: dict[str, str] = {}
    while (field := stream.readline().decode().strip()) != "":
        name, _, value = field.partition(":")
        known = headers.get(name.lower())
        headers[name.lower()] = value.strip() if known is None else f"{known}, {value.strip()}"
    return ReceivedRequest(
        method, target, headers, stream.read(int(headers.get("content-length", "0")))
    )

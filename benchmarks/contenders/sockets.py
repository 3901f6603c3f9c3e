"""Sockets and a prepared request, as a lower bound for any client.

`saturate` sends many requests at a time, to find the server's maximum rate.
"""

import asyncio
import json
import socket
from collections import deque
from typing import cast
from urllib.parse import urlsplit

from harness import payloads
from harness.measuring import Clock, Load, Measurement, run, timed, timed_async

_BODY = json.dumps(payloads.BODY).encode()
_REQUEST = (
    b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer key\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
) % (payloads.PATH.encode(), len(_BODY), _BODY)
_AT_ONCE = 64
_BUFFER = 2**18


def _address(load: Load) -> tuple[str, int]:
    parts = urlsplit(load.url)
    return parts.hostname or "", parts.port or 0


def _id(answer: bytes) -> object:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 201 "):
        raise ValueError(head)
    return json.loads(body)["_id"]


def create(load: Load) -> Measurement:
    with socket.create_connection(_address(load), payloads.TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def call() -> object:
            connection.sendall(_REQUEST)
            return _id(connection.recv(_BUFFER))

        return timed(load, call, expected=payloads.conversation_id(0))


class _Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self) -> asyncio.Future[bytes]:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.transport.write(_REQUEST)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.answer.set_result(data)


async def create_async(load: Load) -> Measurement:
    loop = asyncio.get_running_loop()
    free: deque[_Connection] = deque()

    async def call() -> object:
        if free:
            connection = free.pop()
        else:
            _, connection = await loop.create_connection(_Connection, *_address(load))
        answer = await connection.ask()
        free.append(connection)
        return _id(answer)

    try:
        return await timed_async(load, call, expected=payloads.conversation_id(0))
    finally:
        for connection in free:
            connection.transport.close()


def saturate(load: Load) -> Measurement:
    with socket.create_connection(_address(load), payloads.TIMEOUT) as connection:
        connection.sendall(_REQUEST)
        size = len(connection.recv(_BUFFER))
        clock = Clock()
        for _ in range(load.count // _AT_ONCE):
            connection.sendall(_REQUEST * _AT_ONCE)
            left = size * _AT_ONCE
            while left:
                left -= len(connection.recv(_BUFFER)) or left
        return clock.read(load.count // _AT_ONCE * _AT_ONCE)


if __name__ == "__main__":
    run(create=create, create_async=create_async, saturate=saturate)

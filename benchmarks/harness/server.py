"""The server for all contenders. It sends prepared responses, on uvloop, in a separate process.

It does as little as possible, so that no contender waits for it. `GET /cpu` returns its CPU
seconds, which show how far it is from its limit. After `GET /hold/64`, it holds responses until 64
requests are waiting, so that there are 64 connections, as with a slow service. After
`GET /late/20`, it delays responses to create requests by 20 ms.
"""

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from typing import cast
from urllib.parse import parse_qs, urlsplit

import uvloop

from harness import payloads

LIFETIME = 3600.0  # seconds, unless it is stopped earlier
HOLD = 20.0  # seconds, if the requests don't arrive
_BLOCK = 2**16
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAMED = re.compile(rb'"events/(\d+)x(\d+)"')
_LISTED = re.compile(r"agent_(\d+)")
_RETRIEVED = re.compile(r"/v2/conversations/(conv_\d+)")


def head(status: bytes, content: bytes) -> bytes:
    """The head of a response, with common headers."""
    return (
        b"HTTP/1.1 %b\r\nDate: Sat, 21 Dec 2024 14:00:00 GMT\r\nServer: benchmark\r\n"
        b"X-Request-Id: req_01jj1hdhn79xas7a01wb3hysdb\r\nContent-Type: %b\r\n"
    ) % (status, content)


def answer(status: bytes, body: bytes) -> bytes:
    """A complete JSON response."""
    return head(status, b"application/json") + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


CREATED = answer(b"201 Created", payloads.conversation(0))
NOT_FOUND = answer(b"404 Not Found", b'{"message":"Not found"}')
STREAM = head(b"200 OK", b"text/event-stream") + b"Transfer-Encoding: chunked\r\n\r\n"


def found(target: str) -> bytes:
    """A conversation with its messages, or a page of conversations."""
    retrieved = _RETRIEVED.fullmatch(target)
    if retrieved is None:
        return listing(target)
    return answer(b"200 OK", payloads.with_messages(retrieved[1]))


def listing(target: str) -> bytes:
    """A page of conversations; the entity's name contains their number."""
    query = parse_qs(urlsplit(target).query)
    total = _LISTED.fullmatch(query.get("entityId", [""])[0])
    if total is None:
        return NOT_FOUND
    after = query.get("startingAfter")
    first = int(after[0].removeprefix("conv_")) + 1 if after else 0
    return answer(b"200 OK", payloads.page(first, int(total[1])))


def stream(events: int, per_chunk: int) -> Iterator[bytes]:
    """A complete stream of events in large blocks, to save server time."""
    yield STREAM
    for chunk, count in payloads.chunks(events, per_chunk):
        at_once = max(1, _BLOCK // len(chunk))
        for _ in range(count // at_once):
            yield chunk * at_once
        yield chunk * (count % at_once)


class Creation:
    """Responds to create requests; sends held responses all at once."""

    def __init__(self) -> None:
        self._held: list[asyncio.Transport] = []
        self._until = 0
        self.late = 0.0

    def hold(self, count: int) -> None:
        """Hold responses until `count` requests are waiting."""
        self._until = count
        asyncio.get_running_loop().call_later(HOLD, self._release)

    def answer(self, transport: asyncio.Transport) -> None:
        """Respond to a create request, or hold the response."""
        if self.late:
            asyncio.get_running_loop().call_later(self.late, transport.write, CREATED)
            return
        if not self._until:
            transport.write(CREATED)
            return
        self._held.append(transport)
        if len(self._held) >= self._until:
            self._release()

    def _release(self) -> None:
        self._until = 0
        while self._held:
            self._held.pop().write(CREATED)


class Connection(asyncio.Protocol):
    """A connection that responds to requests in order, however they are split into packets."""

    transport: asyncio.Transport

    def __init__(self, creation: Creation) -> None:
        self._creation = creation
        self._received = b""
        self._blocks: Iterator[bytes] = iter(())
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Respond to every complete request."""
        self._received += data
        while True:
            end = self._received.find(b"\r\n\r\n") + 4
            if end < 4:  # noqa: PLR2004 - not found
                return
            length = _LENGTH.search(self._received, 0, end)
            whole = end + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            request, self._received = self._received[:whole], self._received[whole:]
            self._answer(request, end)

    def pause_writing(self) -> None:
        """Pause a stream."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Resume a stream."""
        self._is_paused = False
        self._go_on()

    def _answer(self, request: bytes, end: int) -> None:
        method, target, _ = request.split(b" ", 2)
        if method == b"POST" and target.endswith(b"/conversations"):
            self._creation.answer(self.transport)
        elif method == b"POST" and (streamed := _STREAMED.search(request, end)):
            self._blocks = stream(int(streamed[1]), int(streamed[2]))
            self._go_on()
        elif target.startswith(b"/hold/"):
            self._creation.hold(int(target.rpartition(b"/")[2]))
            self.transport.write(answer(b"200 OK", b"true"))
        elif target.startswith(b"/late/"):
            self._creation.late = int(target.rpartition(b"/")[2]) / 1000
            self.transport.write(answer(b"200 OK", b"true"))
        elif target == b"/cpu":
            self.transport.write(answer(b"200 OK", b"%f" % time.process_time()))
        else:
            self.transport.write(found(target.decode()))

    def _go_on(self) -> None:
        while not self._is_paused and (block := next(self._blocks, None)) is not None:
            self.transport.write(block)


async def serve() -> None:
    """Print the port and respond until standard input ends."""
    loop = asyncio.get_running_loop()
    creation = Creation()
    server = await loop.create_server(lambda: Connection(creation), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    async with asyncio.timeout(LIFETIME):
        await ended.wait()


if __name__ == "__main__":
    uvloop.run(serve())

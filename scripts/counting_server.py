"""A server that creates conversations, counts requests, and injects random faults."""

import asyncio
import contextlib
import json
import random
import struct
import threading
from collections import Counter
from collections.abc import Generator, Mapping
from socket import SO_LINGER, SOL_SOCKET
from types import TracebackType
from typing import Any, Final, Self

from attrs import define, field, frozen


@frozen
class Fault:
    """A fault for one request.

    Attributes:
        acts: Whether the server stores the conversation anyway.
        refuses: Whether the response shows that the server didn't store it.
        response: A status, or bytes to send before the connection is closed; None for no response.
        silent: Whether the connection stays open without a response.
    """

    acts: bool = False
    refuses: bool = False
    response: int | bytes | None = None
    silent: bool = False


FAULTS: Final[Mapping[str, Fault]] = {
    "reset, nothing done": Fault(),
    "reset, done": Fault(acts=True),
    "silence, nothing done": Fault(silent=True),
    "silence, done": Fault(acts=True, silent=True),
    "cut in the head, done": Fault(acts=True, response=b"HTTP/1.1 201 Cre"),
    "cut in the body, done": Fault(
        acts=True, response=b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{"
    ),
    "no JSON, done": Fault(acts=True, response=b"HTTP/1.1 201 Created\r\n\r\n<p>Created</p>"),
    "408": Fault(response=408),
    "409": Fault(refuses=True, response=409),
    "422": Fault(refuses=True, response=422),
    "425": Fault(refuses=True, response=425),
    "429": Fault(refuses=True, response=429),
    "500, nothing done": Fault(response=500),
    "500, done": Fault(acts=True, response=500),
    "503 for now": Fault(refuses=True, response=b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n\r\n"),
    "504, done": Fault(acts=True, response=504),
}


@define
class Ledger:
    """The records of a server.

    Attributes:
        stored: The number of times that each display name was stored.
        ids: The latest ID for each display name.
        faults: The faults in the requests for each display name, in order.
        order: The display name of every request, in order of arrival.
        most_concurrent: The maximum number of requests that were handled at the same time.
        connections: The number of connections that were opened.
    """

    stored: Counter[str] = field(factory=Counter[str])
    ids: dict[str, str] = field(factory=dict[str, str])
    faults: dict[str, list[Fault]] = field(factory=dict[str, list[Fault]])
    order: list[str] = field(factory=list[str])
    most_concurrent: int = 0
    connections: int = 0


class CountingServer:
    """Serves create requests on a loopback port, from its own thread.

    Args:
        honors_keys: Whether a repeated `Idempotency-Key` gets the first response again.
        fault_rate: The share of requests that get a fault, from 0 to 1.
        seed: The seed for the faults. The faults don't depend on the order of the requests.
    """

    def __init__(self, *, honors_keys: bool = True, fault_rate: float = 0.0, seed: int = 0) -> None:
        self.ledger = Ledger()
        self.url = ""
        self._honours_keys = honors_keys
        self._fault_rate = fault_rate
        self._seed = seed
        self._responses: dict[str, bytes] = {}
        self._concurrent = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(timeout=60):
            raise TimeoutError("The server did not start within a minute.")
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._is_over.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_over = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.create_task(self._converse(reader, writer)))

        server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._is_over.wait()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ledger.connections += 1
        is_open = True
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while is_open:
                head = await reader.readuntil(b"\r\n\r\n")
                headers = _headers(head)
                body = await reader.readexactly(int(headers["content-length"]))
                name = json.loads(body)["displayName"]
                with self._counted():
                    await asyncio.sleep(0)
                    is_open = await self._respond(name, headers["idempotency-key"], reader, writer)

    @contextlib.contextmanager
    def _counted(self) -> Generator[None, None, None]:
        self._concurrent += 1
        self.ledger.most_concurrent = max(self.ledger.most_concurrent, self._concurrent)
        try:
            yield
        finally:
            self._concurrent -= 1

    async def _respond(
        self, name: str, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        fault = self._fault(name)
        created = self._create(name, key) if fault is None or fault.acts else b""
        if fault is None:
            writer.write(created)
            return True
        if isinstance(fault.response, int):
            writer.write(b"HTTP/1.1 %d Fault\r\nContent-Length: 2\r\n\r\n{}" % fault.response)
            return True
        if fault.response is not None:
            writer.write(fault.response)
            return False
        if fault.silent:
            await reader.read()
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _fault(self, name: str) -> Fault | None:
        faults = self.ledger.faults.setdefault(name, [])
        self.ledger.order.append(name)
        generator = random.Random(f"{self._seed} {name} {len(faults)}")  # noqa: S311 - repeatable, no secret
        if generator.random() >= self._fault_rate:
            return None
        faults.append(FAULTS[generator.choice(list(FAULTS))])
        return faults[-1]

    def _create(self, name: str, key: str) -> bytes:
        if self._honours_keys and key in self._responses:
            return self._responses[key]
        self.ledger.stored[name] += 1
        self.ledger.ids[name] = f"conv_{len(self._responses):026d}"
        response = self._responses[key] = _created(self.ledger.ids[name], name)
        return response


def _headers(head: bytes) -> dict[str, str]:
    fields = (line.partition(":") for line in head.decode().splitlines()[1:] if line)
    return {name.lower(): value.strip() for name, _, value in fields}


def _created(conversation_id: str, name: str) -> bytes:
    conversation: dict[str, Any] = {
        "_id": conversation_id,
        "kind": "conversation",
        "displayName": name,
        "createdAt": 0,
        "updatedAt": 0,
    }
    body = json.dumps(conversation).encode()
    return b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

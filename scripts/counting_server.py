"""A server that creates conversations, counts requests, and fails at random on purpose."""

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
    """A fault that one request meets.

    Attributes:
        acts: Whether the server stores the conversation nevertheless.
        refuses: Whether the response states that it did not.
        answer: What the server sends before it closes the connection: a status, part of a
            response, or None for nothing.
        silent: Whether the connection stays open without a response.
    """

    acts: bool = False
    refuses: bool = False
    answer: int | bytes | None = None
    silent: bool = False


FAULTS: Final[Mapping[str, Fault]] = {
    "reset, nothing done": Fault(),
    "reset, done": Fault(acts=True),
    "silence, nothing done": Fault(silent=True),
    "silence, done": Fault(acts=True, silent=True),
    "cut in the head, done": Fault(acts=True, answer=b"HTTP/1.1 201 Cre"),
    "cut in the body, done": Fault(
        acts=True, answer=b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{"
    ),
    "no JSON, done": Fault(acts=True, answer=b"HTTP/1.1 201 Created\r\n\r\n<p>Created</p>"),
    "408": Fault(answer=408),
    "409": Fault(refuses=True, answer=409),
    "422": Fault(refuses=True, answer=422),
    "425": Fault(refuses=True, answer=425),
    "429": Fault(refuses=True, answer=429),
    "500, nothing done": Fault(answer=500),
    "500, done": Fault(acts=True, answer=500),
    "503 for now": Fault(refuses=True, answer=b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\n\r\n"),
    "504, done": Fault(acts=True, answer=504),
}


@define
class Ledger:
    """What a server has recorded.

    Attributes:
        stored: How often each display name was stored.
        ids: The last id under which each display name was stored.
        met: The faults that each display name's requests met, in order.
        order: The display name of every request, in order of arrival.
        at_once: The maximum number of requests that were handled at once.
        connections: How many connections were opened.
    """

    stored: Counter[str] = field(factory=Counter[str])
    ids: dict[str, str] = field(factory=dict[str, str])
    met: dict[str, list[Fault]] = field(factory=dict[str, list[Fault]])
    order: list[str] = field(factory=list[str])
    at_once: int = 0
    connections: int = 0


class CountingServer:
    """Serves creates on a loopback port, from its own thread.

    Args:
        honours_keys: Whether a repeated `Idempotency-Key` gets the first response again.
        fault_rate: The share of requests that meet a fault, from 0 to 1.
        seed: The seed of the faults. A request meets the same ones in any order of arrival.
    """

    def __init__(
        self, *, honours_keys: bool = True, fault_rate: float = 0.0, seed: int = 0
    ) -> None:
        self.ledger = Ledger()
        self.url = ""
        self._honours_keys = honours_keys
        self._fault_rate = fault_rate
        self._seed = seed
        self._answers: dict[str, bytes] = {}
        self._now = 0
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
        goes_on = True
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while goes_on:
                head = await reader.readuntil(b"\r\n\r\n")
                headers = _headers(head)
                body = await reader.readexactly(int(headers["content-length"]))
                name = json.loads(body)["displayName"]
                with self._counted():
                    await asyncio.sleep(0)
                    goes_on = await self._answer(name, headers["idempotency-key"], reader, writer)

    @contextlib.contextmanager
    def _counted(self) -> Generator[None, None, None]:
        self._now += 1
        self.ledger.at_once = max(self.ledger.at_once, self._now)
        try:
            yield
        finally:
            self._now -= 1

    async def _answer(
        self, name: str, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        fault = self._fault(name)
        created = self._create(name, key) if fault is None or fault.acts else b""
        if fault is None:
            writer.write(created)
            return True
        if isinstance(fault.answer, int):
            writer.write(b"HTTP/1.1 %d Fault\r\nContent-Length: 2\r\n\r\n{}" % fault.answer)
            return True
        if fault.answer is not None:
            writer.write(fault.answer)
            return False
        if fault.silent:
            await reader.read()
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _fault(self, name: str) -> Fault | None:
        met = self.ledger.met.setdefault(name, [])
        self.ledger.order.append(name)
        drawn = random.Random(f"{self._seed} {name} {len(met)}")  # noqa: S311 - repeatable, no secret
        if drawn.random() >= self._fault_rate:
            return None
        met.append(FAULTS[drawn.choice(list(FAULTS))])
        return met[-1]

    def _create(self, name: str, key: str) -> bytes:
        if self._honours_keys and key in self._answers:
            return self._answers[key]
        self.ledger.stored[name] += 1
        self.ledger.ids[name] = f"conv_{len(self._answers):026d}"
        answer = self._answers[key] = _created(self.ledger.ids[name], name)
        return answer


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

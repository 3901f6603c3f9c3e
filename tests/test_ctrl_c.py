"""Ctrl-C in an event loop: the slots are free, and the next call in the same loop works."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO

import pytest
import trio
from scripted import CONVERSATION, read_request
from serving import AnsweringServer
from variants import KEY

from conversations_client import AsyncClient, CreateRequest, Timeout


class Interrupting(AnsweringServer):
    """Sends SIGINT to this process in place of one of its responses."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at

    def _converse(self, connection: socket.socket, stream: BinaryIO) -> None:
        while (seen := read_request(stream)) is not None:
            self.seen.append(seen)
            if len(self.seen) == self._at:
                os.kill(os.getpid(), signal.SIGINT)
                stream.read(1)  # until the interrupted call closes the connection
                return
            connection.sendall(self.response_to(seen))


async def call(client: AsyncClient) -> None:
    for _ in range(3):
        await client.conversations.create()


async def stream(client: AsyncClient) -> None:
    for _ in range(3):
        async with client.conversations.responses.stream("c", message="x", model="a/b") as events:
            async for _event in events:
                pass


async def listing(client: AsyncClient) -> None:
    for _ in range(3):
        async for _conversation in client.conversations.list():
            pass


async def create_many(client: AsyncClient) -> None:
    requests: list[CreateRequest] = [{}] * 9
    async with client.conversations.create_many(requests, max_in_flight=3) as outcomes:
        async for _outcome in outcomes:
            pass


async def interrupted(work: Callable[[AsyncClient], Awaitable[None]], url: str) -> Any:
    """What a call returns after some work was interrupted."""
    async with AsyncClient(KEY, base_url=url, max_connections=1, timeout=Timeout(idle=9)) as client:
        with pytest.raises((asyncio.CancelledError, KeyboardInterrupt)):
            await work(client)
        if (task := _task()) is not None:
            task.uncancel()
        results = [await client.conversations.create() for _ in range(2)]
        connections: Any = client._connections
        pool = next(iter(connections._by_loop.values()))
        assert not pool._slots._waiting
        return [result.id for result in results]


def _task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("work", [call, stream, listing, create_many])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_next_call_works(
    backend: str, work: Callable[[AsyncClient], Awaitable[None]], at: int
) -> None:
    with Interrupting(at) as server:
        if backend == "asyncio":
            results = asyncio.run(interrupted(work, server.url))
        else:
            results = trio.run(interrupted, work, server.url)
    assert results == [CONVERSATION["_id"]] * 2

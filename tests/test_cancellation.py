"""Tasks that share the async pool: their order, and cancellation at each await."""

import asyncio
import gc
import ssl

import anyio
import anyio.lowlevel
import pytest
import trustme
from certificates import client_context, server_context
from interrupting import CANCELLERS, interrupted, steps_of
from pools import Driven, Fake
from scripted import HALF, ScriptedServer, always, answer
from variants import Variant

from conversations_client import (
    ClientClosedError,
)
from conversations_client._http.connections.wire import WireRequest, WireResponse

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@BACKENDS
def test_many_tasks_share_few_connections_in_order(backend: str) -> None:
    async def main() -> list[int]:
        driven = Driven(Variant(backend), server.url, size=2)
        served: list[int] = []

        async def work(number: int) -> None:
            response = await driven.ask()
            served.append(number)
            await driven.read(response)

        held = [await driven.ask() for _ in range(2)]
        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(work, number)
                await anyio.wait_all_tasks_blocked()
            await driven.end(held[0])
        await driven.end(held[1])
        await driven.close()
        return served

    with ScriptedServer(always()) as server:
        assert anyio.run(main, backend=backend) == list(range(40))
    assert server.connections == 3


@BACKENDS
def test_waiting_tasks_fail_when_the_client_is_closed(backend: str) -> None:
    async def main() -> None:
        driven = Driven(Variant(backend), server.url, size=1)

        async def refused() -> None:
            with pytest.raises(ClientClosedError):
                await driven.ask()

        held = await driven.ask()
        async with anyio.create_task_group() as tasks:
            for _ in range(2):
                tasks.start_soon(refused)
            await anyio.wait_all_tasks_blocked()
            await driven.close()
        await driven.end(held)

    with ScriptedServer(always()) as server:
        anyio.run(main, backend=backend)


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("warm", [False, True])
@CANCELLERS
def test_cancelling_a_task_anywhere_leaks_no_connection(
    backend: str, natively: bool, warm: bool, encrypted: bool, authority: trustme.CA
) -> None:
    serving, trusting = tls_of(authority) if encrypted else (None, None)

    async def cut_at(step: int) -> bool:
        driven = Driven(Variant(backend), server.url, size=1, ssl_context=trusting)
        if warm:
            await driven.use()
        cut = await interrupted(driven.use, step=step, natively=natively)
        await driven.use()
        await driven.close()
        return cut

    with ScriptedServer(always(), tls=serving) as server:
        assert anyio.run(steps_of, cut_at, backend=backend) > 1
    gc.collect()  # an unclosed socket would emit a warning


async def end_when_awaited(driven: Driven, held: WireResponse) -> None:
    await anyio.wait_all_tasks_blocked()
    await driven.end(held)


@CANCELLERS
def test_a_task_cancelled_while_waiting_passes_its_turn_on(backend: str, natively: bool) -> None:
    async def cut_at(step: int) -> bool:
        driven = Driven(Variant(backend), server.url, size=1)
        held = await driven.ask()
        cut = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end_when_awaited, driven, held)
            cut = await interrupted(driven.use, step=step, natively=natively)
            await driven.use()
        await driven.close()
        return cut

    with ScriptedServer(always()) as server:
        assert anyio.run(steps_of, cut_at, backend=backend) > 3
    gc.collect()  # an unclosed socket would emit a warning


@pytest.mark.parametrize(("script", "connections"), [(answer(), 1), (HALF, 2)])
def test_a_task_cancelled_at_its_turn_passes_it_on(script: bytes, connections: int) -> None:
    async def main() -> None:
        driven = Driven(Variant("asyncio"), server.url, size=1)
        held = await driven.ask()
        task = asyncio.create_task(driven.ask())
        await anyio.wait_all_tasks_blocked()
        await driven.end(held) if script == HALF else await driven.read(held)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await driven.use()
        await driven.close()

    with ScriptedServer([script, answer()]) as server:
        anyio.run(main, backend="asyncio")
    assert (len(server.seen), server.connections) == (2, connections)


@BACKENDS
def test_a_connection_is_closed_completely_if_the_task_is_cancelled(backend: str) -> None:
    closed: list[bool] = []

    class Slow(Fake):
        async def send(self, request: WireRequest) -> WireResponse:
            await anyio.sleep_forever()
            raise AssertionError

        async def aclose(self) -> None:
            await anyio.lowlevel.checkpoint()
            closed.append(True)

    async def main() -> None:
        driven = Driven(Variant(backend), "http://x", size=1, connect=Slow)
        await interrupted(driven.ask, step=1, natively=False)

    anyio.run(main, backend=backend)
    assert closed == [True]


def tls_of(authority: trustme.CA) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS settings of a server and a client."""
    return server_context(authority, "127.0.0.1"), client_context(authority)

"""An AsyncClient over uvloop, whose transports are not asyncio's."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
import trustme
from faulty import FaultyServer, Step, receive, receive_start, reset, silence
from scripted import CONVERSATION, ClosingServer, ScriptedServer, always, answer
from serving import AnsweringServer
from streaming import WHOLE, streamed
from variants import KEY

from conversations_client import (
    AsyncClient,
    ConnectError,
    CreateRequest,
    DeadlineError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    Retry,
    StatusError,
    Timeout,
)

pytest.importorskip("uvloop")

LARGE = "x" * 15_000_000


def run(scenario: Callable[[AsyncClient], Awaitable[Any]], url: str, **options: Any) -> Any:
    """The result of a scenario in a uvloop event loop."""

    async def main() -> Any:
        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        async with AsyncClient(KEY, base_url=url, **options) as client:
            return await scenario(client)

    return anyio.run(main, backend="asyncio", backend_options={"use_uvloop": True})


async def create(client: AsyncClient) -> Any:
    return (await client.conversations.create()).id


async def send_much(client: AsyncClient) -> Any:
    return await client.conversations.generate_name("conv_1", context=LARGE)


async def stream(client: AsyncClient) -> Any:
    async with client.conversations.responses.stream("c", message="x", model="a/b") as events:
        return (await events.collect()).text


@pytest.mark.parametrize("encrypted", [False, True])
def test_calls_and_streams(encrypted: bool) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if encrypted else None
    trusting = ssl.create_default_context()
    if tls is not None:
        authority.issue_cert("127.0.0.1").configure_cert(tls)  # pyright: ignore[reportUnknownMemberType]
        authority.configure_trust(trusting)  # pyright: ignore[reportUnknownMemberType]

    async def scenario(client: AsyncClient) -> None:
        assert await create(client) == CONVERSATION["_id"]
        assert await stream(client) == "One two "
        assert await create(client) == CONVERSATION["_id"]

    large = answer(body={**CONVERSATION, "later": LARGE})
    script = [large, streamed(WHOLE), answer()]
    with ScriptedServer(script, tls=tls) as server:
        run(scenario, server.url, ssl_context=trusting, max_connections=1)
    assert server.connections == 1


FAULTS: dict[str, tuple[list[Step], type[Exception], str]] = {
    "hangs up": ([receive], DisconnectError, "without sending a response"),
    "resets": ([receive, reset], DisconnectError, "reset by peer"),
    "resets in the response": ([receive, answer()[:60], reset], DisconnectError, "reset by peer"),
    "is silent": ([receive, silence], IdleTimeoutError, "nothing was received"),
    "reads slowly": ([receive_start, silence], IdleTimeoutError, "nothing was received"),
    "responds early, then resets": ([receive_start, answer(413, {}), reset], StatusError, "413"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_the_same_error_as_on_asyncio(name: str) -> None:
    steps, expected, words = FAULTS[name]
    call = send_much if receive_start in steps else create
    with FaultyServer(steps) as server, pytest.raises(expected) as raised:
        run(call, server.url, timeout=Timeout(idle=1), retry=Retry(attempts=1))
    error: Any = raised.value
    assert words in str(error)
    assert error.delivery is (Delivery.REFUSED if words == "413" else Delivery.UNKNOWN)


def test_the_deadline_applies() -> None:
    with FaultyServer([receive, silence]) as server, pytest.raises(DeadlineError):
        run(create, server.url, timeout=0.3)


def test_a_refused_connection_is_unsent() -> None:
    with ScriptedServer([]) as server:
        gone = server.url
    with pytest.raises(ConnectError, match="refused") as raised:
        run(create, gone, retry=Retry(attempts=1))
    assert raised.value.delivery is Delivery.UNSENT


def test_a_closed_connection_is_noticed_before_it_is_used() -> None:
    async def scenario(client: AsyncClient) -> None:
        for _ in range(3):
            await create(client)
            await anyio.to_thread.run_sync(server.gone.acquire)

    with ClosingServer(always()) as server:
        run(scenario, server.url)
    assert (len(server.seen), server.connections) == (3, 3)


def test_many_tasks_and_a_cancellation() -> None:
    async def scenario(client: AsyncClient) -> None:
        with anyio.move_on_after(0.02):
            async with anyio.create_task_group() as tasks:
                for _ in range(100):
                    tasks.start_soon(create, client)
        requests: list[CreateRequest] = [{}] * 30
        async with client.conversations.create_many(requests, max_in_flight=8) as outcomes:
            assert len([outcome async for outcome in outcomes]) == 30

    with AnsweringServer() as server:
        run(scenario, server.url, max_connections=4)

"""Clients over their pools: dead connections, interrupts, forks, event loops and proxies."""

import contextlib
import os
import socket
import ssl
import warnings
from typing import Any

import anyio
import anyio.to_thread
import pytest
from pools import either, run_client
from scripted import ClosingServer, ScriptedServer, always
from variants import KEY, Variant

from conversations_client import (
    AsyncClient,
    Client,
    ClientClosedError,
    ConversationsError,
    DeadlineError,
    Delivery,
    PoolTimeoutError,
    Retry,
)
from conversations_client._http.origin import Origin
from conversations_client._http.transport import AsyncConnections, Connections


def create(client: Any) -> Any:
    return client.conversations.create()


def test_a_call_over_a_dead_connection_is_sent_once(variant: Variant) -> None:
    async def twice(client: Any) -> None:
        for _ in range(2):
            answered = await either(client.conversations.with_raw_response.create())
            assert answered.attempts == 1
            server.gone.acquire()

    with ClosingServer(always()) as server:
        run_client(variant, twice, api_key=KEY, base_url=server.url)
    assert (len(server.seen), server.connections) == (2, 2)


BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@BACKENDS
def test_a_call_interrupted_while_connecting_is_unsent(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(DeadlineError) as raised,
    ):
        Variant(backend).run(
            create,
            api_key=KEY,
            base_url=f"https://127.0.0.1:{silent.getsockname()[1]}",
            ssl_context=ssl.create_default_context(),
            timeout=0.25,
            retry=Retry(attempts=1),
        )
    assert raised.value.delivery is Delivery.UNSENT


@BACKENDS
def test_a_call_interrupted_while_waiting_is_unsent_and_later_unknown(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: dict[type, Delivery] = {}

    async def attempt(client: AsyncClient) -> None:
        try:
            await create(client)
        except ConversationsError as error:
            raised[type(error)] = error.delivery

    async def main() -> None:
        async with (
            AsyncClient(KEY, base_url=server.url, max_connections=1, timeout=2) as client,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(attempt, client)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(attempt, client.with_options(timeout=0.5, retry=Retry(attempts=1)))

    with ScriptedServer([[b"HTTP/1.1 201 Created\r\n"]]) as server:
        anyio.run(main, backend=backend)
    assert raised == {PoolTimeoutError: Delivery.UNSENT, DeadlineError: Delivery.UNKNOWN}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_forked_child_reads_no_data_of_its_parent() -> None:
    with ScriptedServer(always()) as server, Client(KEY, base_url=server.url) as client:
        create(client)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # the threads of the server are in this process
            child = os.fork()
        if child == 0:
            failed = True
            with contextlib.suppress(BaseException):
                create(client)
                client.close()
                failed = False
            os._exit(failed)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        create(client)
    assert (len(server.seen), server.connections) == (3, 2)


@BACKENDS
def test_every_event_loop_has_its_own_connections(backend: str) -> None:
    async def once(client: AsyncClient) -> None:
        await create(client)
        assert isinstance(client._connections, AsyncConnections)
        await client._connections._pool().aclose()

    async def main() -> None:
        async with AsyncClient(KEY, base_url=server.url) as client:
            await create(client)
            await anyio.to_thread.run_sync(
                lambda: anyio.run(
                    once, client, backend=backend
                )  # another event loop in the meantime
            )
            await create(client)

    with ScriptedServer(always()) as server:
        anyio.run(main, backend=backend)
    assert (len(server.seen), server.connections) == (3, 2)


def test_a_client_closed_by_another_thread_opens_nothing() -> None:
    connections = Connections(
        Origin(base_url="http://127.0.0.1:1", max_connections=1, ssl_context=None)
    )
    connections.closing.set()
    with pytest.raises(ClientClosedError):
        connections._open()


@BACKENDS
def test_tasks_share_few_connections_through_a_proxy(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with AsyncClient(
            KEY, base_url="http://api.invalid", allow_plain_http=True, max_connections=1
        ) as client:
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(create, client)
            await create(client)

    with ScriptedServer(always()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        anyio.run(main, backend=backend)
    assert (len(proxy.seen), proxy.connections) == (4, 1)

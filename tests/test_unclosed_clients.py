"""A client that is garbage collected with open connections warns, and no other client does."""

import contextlib
import copy
import gc
import os
import warnings
from typing import Any

import anyio
import httpx
import pytest
from pools import either
from scripted import ScriptedServer, always
from variants import KEY, Variant

from conversations_client import AsyncClient, Client, ConnectError, Retry


def create(client: Any) -> Any:
    return client.conversations.create()


def unclosed(caught: list[warnings.WarningMessage]) -> list[str]:
    """The warnings about clients; those about sockets are Python's and differ."""
    return [str(each.message) for each in caught if "Client" in str(each.message)]


def warnings_during(variant: Variant, scenario: Any, **options: Any) -> list[str]:
    """The warnings about clients while a scenario runs with a new client."""

    async def main(cls: Any) -> None:
        client = [cls(KEY, **options)]
        await scenario(client)
        client.clear()
        gc.collect()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        if variant.name == "sync":
            with contextlib.suppress(StopIteration):
                main(Client).send(None)
        else:
            anyio.run(main, AsyncClient, backend=variant.name)
        gc.collect()
    return unclosed(caught)


@pytest.fixture
def warning(variant: Variant) -> str:
    return (
        "unclosed Client: use it in a with block or call close(); closing a copy isn't enough"
        if variant.name == "sync"
        else "unclosed AsyncClient: use it in an async with block or call aclose(); closing a copy isn't "
        "enough"
    )


def test_an_unclosed_client_warns_once(variant: Variant, warning: str) -> None:
    async def scenario(clients: list[Any]) -> None:
        await either(create(clients[0]))
        await either(create(clients[0].with_options(timeout=9)))

    with ScriptedServer(always()) as server:
        assert warnings_during(variant, scenario, base_url=server.url) == [warning]


def test_a_part_of_an_unclosed_client_keeps_it_open(variant: Variant, warning: str) -> None:
    async def scenario(clients: list[Any]) -> None:
        conversations = clients.pop().conversations
        for _ in range(2):
            gc.collect()
            await either(conversations.create())

    with ScriptedServer(always()) as server:
        assert warnings_during(variant, scenario, base_url=server.url) == [warning]
        assert server.connections == 1


async def close(client: Any) -> None:
    end: Any = client.close if isinstance(client, Client) else client.aclose
    await either(end())


async def close_it(clients: list[Any]) -> None:
    await either(create(clients[0]))
    await close(clients[0])


async def drop_copies(clients: list[Any]) -> None:
    await either(create(clients[0].with_options()))
    await either(create(copy.copy(clients[0])))
    gc.collect()
    await close_it(clients)


async def keep_only_a_copy(clients: list[Any]) -> None:
    original = clients.pop()
    clients.append(original.with_options())
    await either(create(clients[0]))
    await close(original)


async def never_use_it(clients: list[Any]) -> None:
    _ = clients[0].conversations


async def fail_to_connect(clients: list[Any]) -> None:
    unreachable = type(clients[0])(KEY, base_url="http://127.0.0.1:9", retry=Retry(attempts=1))
    with pytest.raises(ConnectError):
        await either(create(unreachable))


async def inject(clients: list[Any]) -> None:
    if isinstance(clients[0], Client):
        with httpx.Client() as own:
            create(Client(KEY, base_url=clients[0].base_url, http_client=own))
    else:
        async with httpx.AsyncClient() as its:
            await create(AsyncClient(KEY, base_url=clients[0].base_url, http_client=its))


def warnings_in_a_child(clients: list[Any]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the server's threads stay here
        child = os.fork()
    if child == 0:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ResourceWarning)
            clients.clear()
            gc.collect()
        os._exit(len(unclosed(caught)))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


async def fork(clients: list[Any]) -> None:
    await either(create(clients[0]))
    assert warnings_in_a_child(clients) == 0
    await close(clients[0])


SILENT = [close_it, drop_copies, keep_only_a_copy, never_use_it, fail_to_connect, inject]


@pytest.mark.parametrize(
    "scenario", [*SILENT, *([fork] if hasattr(os, "fork") else [])], ids=lambda each: each.__name__
)
def test_a_client_without_open_connections_does_not_warn(variant: Variant, scenario: Any) -> None:
    with ScriptedServer(always()) as server:
        assert warnings_during(variant, scenario, base_url=server.url) == []

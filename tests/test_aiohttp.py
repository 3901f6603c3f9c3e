"""aiohttp as the transport of httpx: the same calls and equivalent errors."""

import ssl
from typing import Any

import anyio
import httpx
import pytest
import trustme
from httpx_aiohttp import AiohttpTransport
from scripted import (
    CONVERSATION,
    HALF,
    HANG_UP,
    ClosingServer,
    ScriptedServer,
    always,
    answer,
    refused_url,
)
from streaming import STARTED, WHOLE, chunk, head, streamed
from variants import KEY

from conversations_client import (
    AsyncClient,
    ConnectError,
    ConversationsError,
    DeadlineError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    ProxyError,
    Retry,
    StreamTruncatedError,
    Timeout,
    TLSError,
)


def run(scenario: Any, *, transport: dict[str, Any] | None = None, **options: Any) -> Any:
    async def main() -> Any:
        below = AiohttpTransport(**(transport or {"verify": False}))
        async with (
            httpx.AsyncClient(transport=below) as own,
            AsyncClient(KEY, http_client=own, **options) as client,
        ):
            return await scenario(client)

    return anyio.run(main, backend="asyncio")


async def create(client: AsyncClient) -> Any:
    return await client.conversations.create()


async def retrieve(client: AsyncClient) -> Any:
    return await client.conversations.retrieve("conv_1")


def stream(client: AsyncClient) -> Any:
    return client.conversations.responses.stream("conv_1", message="Hello", model="a/b")


async def respond(client: AsyncClient) -> Any:
    async with stream(client) as events:
        return await events.collect()


def test_calls_and_streams() -> None:
    async def scenario(client: AsyncClient) -> Any:
        return [(await create(client)).id, (await respond(client)).text]

    with ScriptedServer([answer(), streamed(WHOLE)]) as server:
        found = run(scenario, base_url=server.url)
    assert found == [CONVERSATION["_id"], "One two "]
    assert [seen.headers["authorization"] for seen in server.seen] == [f"Bearer {KEY}"] * 2
    assert [seen.headers["accept-encoding"] for seen in server.seen] == ["gzip", "identity"]


def test_many_concurrent_calls() -> None:
    async def scenario(client: AsyncClient) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(200):
                tasks.start_soon(create, client)

    with ScriptedServer(always()) as server:
        run(scenario, base_url=server.url)
    assert len(server.seen) == 200
    assert server.connections <= 100


def test_leaving_a_stream_releases_its_connection() -> None:
    async def scenario(client: AsyncClient) -> None:
        async with stream(client) as events:
            await anext(events)
        await create(client)

    limits = httpx.Limits(max_connections=1)
    with ScriptedServer([[head() + chunk(STARTED)], answer()]) as server:
        run(scenario, base_url=server.url, transport={"verify": False, "limits": limits})
    assert len(server.seen) == 2


ERRORS: list[tuple[Any, Any, dict[str, Any], type[ConversationsError]]] = [
    # A create request that got no response may have taken effect, so it is not repeated.
    (create, HANG_UP, {}, DisconnectError),
    (create, HALF, {"timeout": Timeout(idle=0.5)}, IdleTimeoutError),
    (create, b"nonsense\r\n\r\n", {}, DisconnectError),
    (create, b"HTTP/1.1 201 Created\r\nContent-Length: x\r\n\r\n", {}, DisconnectError),
    (create, [b""], {"timeout": Timeout(idle=0.5)}, IdleTimeoutError),
    (create, [HALF], {"timeout": Timeout(total=0.5)}, DeadlineError),
    (respond, [head() + chunk(STARTED)], {"timeout": Timeout(idle=0.5)}, StreamTruncatedError),
]


@pytest.mark.parametrize(("call", "step", "options", "expected"), ERRORS)
def test_a_request_that_was_sent_is_not_repeated(
    call: Any, step: Any, options: dict[str, Any], expected: type[ConversationsError]
) -> None:
    with ScriptedServer([step]) as server, pytest.raises(ConversationsError) as raised:
        run(call, base_url=server.url, **options)
    assert type(raised.value) is expected
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNKNOWN, 1)
    assert len(server.seen) == 1


def test_an_interrupted_stream() -> None:
    with (
        ClosingServer([head() + chunk(STARTED)]) as server,
        pytest.raises(StreamTruncatedError) as raised,
    ):
        run(respond, base_url=server.url)
    assert raised.value.partial.id == "resp_1"
    assert isinstance(raised.value.reason, DisconnectError)


def test_safe_requests_are_repeated() -> None:
    async def quick(client: AsyncClient) -> Any:
        return await retrieve(client.with_options(retry=Retry(wait_initial=0.001)))

    with ScriptedServer([HANG_UP, answer(200)]) as server:
        assert run(quick, base_url=server.url).id == CONVERSATION["_id"]
    assert len(server.seen) == 2


def test_no_connection() -> None:
    with refused_url() as gone, pytest.raises(ConnectError) as raised:
        run(create, base_url=gone, retry=Retry(attempts=1))
    assert (type(raised.value), raised.value.delivery) == (ConnectError, Delivery.UNSENT)


def test_an_unreachable_proxy() -> None:
    with refused_url() as gone:
        transport = {"verify": False, "proxy": httpx.Proxy(gone)}
        with pytest.raises(ProxyError) as raised:
            run(create, base_url="http://127.0.0.1:1", transport=transport, retry=Retry(attempts=1))
    assert raised.value.delivery is Delivery.UNSENT


def test_an_untrusted_certificate() -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(serving)  # pyright: ignore[reportUnknownMemberType]
    transport = {"verify": ssl.create_default_context()}
    with (
        ScriptedServer([answer()], tls=serving) as server,
        pytest.raises(TLSError) as raised,
    ):
        run(create, base_url=server.url, transport=transport)
    assert raised.value.delivery is Delivery.UNSENT

"""The transport of a call: proxies, TLS, deadlines, pools and errors of httpx."""

import json
import os
import select
import socket
import ssl
import threading
from functools import partial
from types import NoneType
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import trustme
from injected import pieces
from scripted import ScriptedServer, answer
from variants import KEY, Variant, World

from conversations_client import (
    AsyncClient,
    Client,
    ConfigurationError,
    ConnectTimeoutError,
    ConversationsError,
    DeadlineError,
    Delivery,
    Headers,
    InvalidArgumentError,
    PoolTimeoutError,
    ProxyError,
    Timeout,
    TLSError,
)
from conversations_client._base.wakeup import Wakeups
from conversations_client._calls.arguments import path_segment
from conversations_client._calls.operation import NO_CONTENT, Operation, Request
from conversations_client._http.origin import Origin
from conversations_client._http.streams.errors import ReadTimeout
from conversations_client._http.streams.limits import DeadlineLimit, seconds_left
from conversations_client._http.streams.readiness import ReadableCheck, is_readable
from conversations_client._http.transport import AsyncConnections, Connections, _abandoned


def create(client: Any) -> Any:
    return client.conversations.create()


def test_a_proxy_from_the_environment_is_used(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer([answer()]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removeprefix("http://"))
        variant.run(create, api_key=KEY, base_url="http://api.invalid", allow_plain_http=True)
    assert proxy.seen[0].target == "http://api.invalid/v2/conversations"


def test_no_proxy_is_respected(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer([answer()]) as server:
        port = server.url.rpartition(":")[2]
        monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", f"service.example:{port}")
        found = socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)

        def look_up(*_: object, **__: object) -> Any:
            return found

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        variant.run(
            create, api_key=KEY, base_url=f"http://service.example:{port}", allow_plain_http=True
        )
    assert server.seen[0].target == "/v2/conversations"


def test_a_proxy_that_refuses(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer([answer(403, b"")] * 3) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(ProxyError, match="https_proxy") as raised:
            variant.run(create, world=World(), api_key=KEY, base_url="https://api.invalid")
    assert raised.value.delivery is Delivery.UNSENT
    assert KEY not in "".join(map(str, proxy.seen))


def test_an_unreachable_proxy(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer([]) as gone:
        pass
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, gone.url)
    for url in ("http://api.invalid", "https://api.invalid"):
        with pytest.raises(ProxyError, match=f"{url[:-14]}_proxy") as raised:
            variant.run(create, world=World(), api_key=KEY, base_url=url, allow_plain_http=True)
        assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 3)


@pytest.mark.parametrize("proxy", ["socks4://127.0.0.1:1", "ftp://127.0.0.1:1", "http://"])
def test_an_unusable_proxy(variant: Variant, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(ConfigurationError, match=r"The proxy in https_proxy (must be|has an)"):
        variant.run(create, api_key=KEY, base_url="https://api.invalid")


def test_tls_with_a_trusted_and_an_untrusted_certificate(variant: Variant) -> None:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)  # pyright: ignore[reportUnknownMemberType]
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)  # pyright: ignore[reportUnknownMemberType]
    with ScriptedServer([answer()], tls=serving) as server:
        assert variant.run(create, api_key=KEY, base_url=server.url, ssl_context=trusting).id
    with (
        ScriptedServer([answer()], tls=serving) as server,
        pytest.raises(TLSError, match="certificate") as raised,
    ):
        variant.run(create, api_key=KEY, base_url=server.url)
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 1)
    assert server.seen == []


def test_a_deadline_that_expires_while_connecting(variant: Variant) -> None:
    with ScriptedServer([answer()]) as server, pytest.raises(ConversationsError) as raised:
        variant.run(create, world=World(tick=1.0), api_key=KEY, base_url=server.url, timeout=0.5)
    assert isinstance(raised.value, DeadlineError)
    assert raised.value.delivery is Delivery.UNSENT


def test_a_slow_sync_read_ends_at_the_deadline() -> None:
    with (
        ScriptedServer([answer()]) as server,
        Client(KEY, base_url=server.url, timeout=1.5) as client,
    ):
        client._environment = World(tick=1.0).environment()
        with pytest.raises(DeadlineError) as raised:
            create(client)
    assert raised.value.delivery is Delivery.UNSENT


def test_a_sync_body_is_not_read_beyond_the_deadline() -> None:
    body = pieces(httpx, b"{", b"}")
    own = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(201, stream=body)))
    with own, Client(KEY, http_client=own, timeout=2.5) as client:
        client._environment = World(tick=1.0).environment()
        with pytest.raises(DeadlineError) as raised:
            create(client)
    assert raised.value.delivery is Delivery.UNKNOWN


def test_no_attempt_starts_after_the_deadline(variant: Variant) -> None:
    with ScriptedServer([answer(429, {})]) as server, pytest.raises(DeadlineError) as raised:
        variant.run(
            create, world=World(overslept=99.0), api_key=KEY, base_url=server.url, timeout=9
        )
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.REFUSED, 2)
    assert len(server.seen) == 1


def test_a_silent_handshake_is_a_connect_timeout(variant: Variant) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ConnectTimeoutError):
        variant.run(
            create,
            world=World(),
            api_key=KEY,
            base_url=f"https://127.0.0.1:{silent.getsockname()[1]}",
            timeout=Timeout(connect=0.05),
        )


def suppressed(function: Any, client: Client) -> None:
    with pytest.raises(DeadlineError):
        function(client)


def test_waiting_for_a_connection_ends_at_the_deadline_in_sync() -> None:
    arrived = threading.Event()

    class WatchingServer(ScriptedServer):
        def _reply(self, connection: Any) -> bool:
            arrived.set()
            return super()._reply(connection)

    with (
        WatchingServer([[b"HTTP/1.1 201 Created\r\n"]]) as server,
        Client(KEY, base_url=server.url, max_connections=1, timeout=2) as client,
    ):
        first = threading.Thread(target=lambda: suppressed(create, client))
        first.start()
        arrived.wait(timeout=60)
        with pytest.raises(PoolTimeoutError, match="max_connections") as raised:
            create(client.with_options(timeout=0.1))
        first.join()
    assert (raised.value.delivery, len(server.seen)) == (Delivery.UNSENT, 1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_waiting_for_a_connection_ends_at_the_deadline_in_async(backend: str) -> None:
    async def main(url: str) -> list[ConversationsError]:
        raised: list[ConversationsError] = []

        async def attempt(client: AsyncClient) -> None:
            try:
                await client.conversations.create()
            except ConversationsError as error:
                raised.append(error)

        async with (
            AsyncClient(KEY, base_url=url, max_connections=1, timeout=2) as client,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(attempt, client)
            await anyio.lowlevel.checkpoint()
            tasks.start_soon(attempt, client.with_options(timeout=0.5))
        return raised

    with ScriptedServer([[b"HTTP/1.1 201 Created\r\n"]]) as server:
        errors = anyio.run(main, server.url, backend=backend)
    assert {type(error) for error in errors} == {PoolTimeoutError, DeadlineError}
    assert len(server.seen) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_call_ends_at_the_deadline_with_any_transport(backend: str) -> None:
    async def respond(_: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(respond)) as own,
            AsyncClient(KEY, http_client=own, timeout=0.5) as client,
        ):
            with pytest.raises(DeadlineError) as raised:
                await client.conversations.create()
            assert raised.value.delivery is Delivery.UNKNOWN

    anyio.run(main, backend=backend)


def test_other_methods_send_no_body_and_no_idempotency_key(variant: Variant) -> None:
    query = (("limit", "1"), ("entityId", "a b&c"))
    request = Request(
        method="GET", template="/x", path="/x/" + path_segment("id", "a/b ?é%2F"), query=query
    )
    with ScriptedServer([answer(204, b"")]) as server:
        answered = variant.run(
            lambda client: client.conversations._engine.send(
                Operation(request, NoneType, NO_CONTENT)
            ),
            api_key=KEY,
            base_url=server.url,
        )
    assert (answered.parsed, answered.status, answered.attempts) == (None, 204, 1)
    (seen,) = server.seen
    assert seen.target == "/x/a%2Fb%20%3F%C3%A9%252F?limit=1&entityId=a+b%26c"
    assert not {"content-type", "idempotency-key", "content-length"} & set(seen.headers)


@pytest.mark.parametrize("value", ["", " ", ".", "..", None, 1])
def test_an_invalid_id_is_rejected(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match="conversation_id"):
        path_segment("conversation_id", value)


def test_a_forked_child_opens_its_own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = Origin(base_url="http://127.0.0.1:1", max_connections=1, ssl_context=None)
    connections = Connections(origin)
    inherited = connections._open()
    assert connections._open() is inherited
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 0)
        connections.close()
        connections.closing = Wakeups()
        assert connections._open() is not inherited
        assert any(kept is inherited for kept in _abandoned)
        connections.close()

    async def main() -> None:
        connections = AsyncConnections(origin)
        inherited = connections._pool()
        assert connections._pool() is inherited
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: 0)
            assert connections._pool() is not inherited
            # It must not even be garbage-collected with the parent's event loop.
            assert any(kept is inherited for kept in _abandoned)
            await connections.aclose()

    anyio.run(main)


def test_headers() -> None:
    headers = Headers(
        [(b"Via", b"a"), (b"VIA", "\u00e9".encode("latin-1")), (b"X", "\u00e9".encode())]
    )
    assert (headers["via"], headers["X"], headers.get("y")) == ("a, é", "é", None)
    assert (list(headers), len(headers)) == (["via", "x"], 2)
    assert repr(headers) == "Headers([('via', 'a, é'), ('x', 'é')])"


def test_a_large_request_is_not_held_back(variant: Variant) -> None:
    body = {"text": "x" * 200_000}
    with ScriptedServer([answer(200, {})]) as server:
        variant.run(
            lambda client: client.request("POST", "/v2/x", returns=dict, body=body),
            api_key=KEY,
            base_url=server.url,
        )
    assert json.loads(server.seen[0].body) == body


def test_no_time_is_left_after_the_deadline() -> None:
    over = DeadlineLimit(5.0, deadline=1.0, clock=lambda: 1.0)
    with pytest.raises(ReadTimeout):
        seconds_left(over, ReadTimeout)


@pytest.mark.parametrize("is_prepared", [True, False])
@pytest.mark.parametrize("has_poll", [True, False])
def test_data_on_an_idle_connection(
    monkeypatch: pytest.MonkeyPatch, *, has_poll: bool, is_prepared: bool
) -> None:
    if not has_poll:
        monkeypatch.delattr(select, "poll")
    ours, theirs = socket.socketpair()
    check = ReadableCheck(ours) if is_prepared else partial(is_readable, ours)
    assert not check()
    theirs.send(b"!")
    assert check()
    ours.recv(1)
    assert not check()
    theirs.close()
    assert check()
    ours.close()
    assert check()


def test_the_number_of_a_closed_connection_may_belong_to_another() -> None:
    ours, theirs = socket.socketpair()
    check = ReadableCheck(ours)
    ours.close()
    other, theirs_of_other = socket.socketpair()
    with theirs, other, theirs_of_other:
        assert check()
        assert ReadableCheck(ours)()

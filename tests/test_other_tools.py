"""Tools that mock or instrument httpx work with the client's own connections."""

import sys
from functools import partialmethod
from typing import Any
from unittest.mock import patch

import httpcore
import httpx
import pytest
import respx
import trustme
from certificates import client_context, server_context
from injected import made, run
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pools import either, run_client
from pytest_httpx import HTTPXMock
from scripted import CONVERSATION, ScriptedServer, always, refused_url
from variants import KEY, Variant

from conversations_client import ConfigurationError, ConnectError, Delivery, Retry
from conversations_client._http.httpx_clients import hook_detection as hooking


def create(client: Any) -> Any:
    return client.conversations.create()


def test_respx_mocks_a_client(variant: Variant) -> None:
    async def twice(client: Any) -> None:
        for _ in range(2):
            conversation = await either(create(client))
            assert conversation.id == CONVERSATION["_id"]

    with respx.mock(base_url="http://127.0.0.1:1") as router:
        route = router.post("/v2/conversations").respond(201, json=CONVERSATION)
        run_client(variant, twice, api_key=KEY, base_url="http://127.0.0.1:1", max_connections=1)
    assert route.call_count == 2
    assert route.calls.last.request.headers["authorization"] == f"Bearer {KEY}"


def test_respx_mocks_a_connected_client_which_reconnects_afterwards(
    variant: Variant,
) -> None:
    async def thrice(client: Any) -> None:
        await either(create(client))
        with respx.mock(base_url=server.url) as router:
            route = router.post("/v2/conversations").respond(201, json=CONVERSATION)
            await either(create(client))
        assert route.call_count == 1
        await either(create(client))

    with ScriptedServer(always()) as server:
        run_client(variant, thrice, api_key=KEY, base_url=server.url, max_connections=1)
    assert len(server.seen) == 2


def test_the_connections_are_closed_even_if_a_tool_fails_to_close_its_client(
    variant: Variant,
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("tool")

    cls, close = (
        (httpx.Client, "close") if variant.name == "sync" else (httpx.AsyncClient, "aclose")
    )

    async def call(client: Any) -> None:
        with patch.object(cls, "send", partialmethod(vars(cls)["send"])):
            await either(create(client))
        connections = client._connections
        pool = connections._open() if variant.name == "sync" else connections._pool()
        assert pool.has_idle
        with patch.object(cls, close, fail), pytest.raises(RuntimeError, match="tool"):
            await either(getattr(client, close)())
        assert not pool.has_idle

    with ScriptedServer(always()) as server:
        run_client(variant, call, api_key=KEY, base_url=server.url)


@pytest.mark.parametrize(("module", "name", "method"), hooking._HOOKABLE + hooking._HOOKABLE_BELOW)
def test_a_hook_is_detected_in_any_order_of_creation(
    module: str, name: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = getattr(sys.modules[module], name)
    assert not hooking.is_hooked()
    with patch.object(cls, method):
        assert hooking.is_hooked()
        monkeypatch.setattr(hooking, "_originals", {})
        assert hooking.is_hooked()
    assert not hooking.is_hooked()


def test_without_the_library_no_hook_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "httpx")
    assert not hooking.is_hooked()


def test_respx_in_its_other_mode_mocks_an_injected_client(variant: Variant) -> None:
    with respx.mock(base_url="http://127.0.0.1:1", using="httpx") as router:
        route = router.post("/v2/conversations").respond(201, json=CONVERSATION)
        run(variant, made(httpx), create, base_url="http://127.0.0.1:1")
    assert route.call_count == 1


def test_pytest_httpx_mocks_a_client(variant: Variant, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(
        method="POST", url="https://my.orq.ai/v2/conversations", status_code=201, json=CONVERSATION
    )
    assert variant.run(create, api_key=KEY).id == CONVERSATION["_id"]
    (request,) = httpx_mock.get_requests()
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_connection_that_fails_under_a_hook_sends_nothing(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hooked(self: Any, request: Any, **options: Any) -> Any:
        return send(self, request, **options)

    cls = httpx.Client if variant.name == "sync" else httpx.AsyncClient
    send: Any = cls.send
    monkeypatch.setattr(cls, "send", hooked)
    with pytest.raises(ConnectError) as raised:
        variant.run(create, api_key=KEY, base_url="http://127.0.0.1:1", retry=Retry(attempts=1))
    assert raised.value.delivery is Delivery.UNSENT


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs of requests, recorded by a tool that then sends them as usual."""
    urls: list[str] = []

    def record(pool: Any, method: str) -> None:
        send = getattr(pool, method)

        def recording(self: Any, request: Any) -> Any:
            urls.append(request.url.target.decode())
            return send(self, request)

        monkeypatch.setattr(pool, method, recording)

    record(httpcore.ConnectionPool, "handle_request")
    record(httpcore.AsyncConnectionPool, "handle_async_request")
    return urls


def test_a_recorder_opens_connections_with_the_settings_of_the_client(
    variant: Variant, recorded: list[str], authority: trustme.CA
) -> None:
    with ScriptedServer(always(), tls=server_context(authority, "127.0.0.1")) as server:
        tls = client_context(authority)
        created = variant.run(create, api_key=KEY, base_url=server.url, ssl_context=tls)
    assert created.id == CONVERSATION["_id"]
    assert recorded == ["/v2/conversations"]


@pytest.mark.parametrize("user", ["", "me:secret@"])
def test_a_recorder_uses_the_proxy(
    variant: Variant, recorded: list[str], monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    with ScriptedServer(always()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", f"//{user}"))
        url = "http://api.invalid"
        variant.run(create, api_key=KEY, base_url=url, allow_plain_http=True)
    assert recorded == ["/v2/conversations"]
    (seen,) = proxy.seen
    assert seen.target == "http://api.invalid/v2/conversations"
    assert seen.headers.get("proxy-authorization") == ("Basic bWU6c2VjcmV0" if user else None)


def test_a_recorder_and_a_socks_proxy(
    variant: Variant, recorded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("socksio")
    once: dict[str, Any] = {"base_url": "https://api.invalid", "retry": Retry(attempts=1)}
    with refused_url() as proxy:
        monkeypatch.setenv("all_proxy", proxy.replace("http", "socks5"))
        with pytest.raises(ConnectError) as raised:
            variant.run(create, api_key=KEY, **once)
        assert raised.value.delivery is Delivery.UNSENT
        assert recorded == ["/v2/conversations"]
        monkeypatch.setitem(sys.modules, "socksio", None)
        for _ in range(2):
            with pytest.raises(ConfigurationError, match=r"install httpx\[socks\]"):
                variant.run(create, api_key=KEY, **once)


OTHER_PARENT = f"00-{'1' * 32}-{'2' * 16}-01"


@pytest.mark.parametrize("of_the_client", [{}, {"Traceparent": OTHER_PARENT}])
@pytest.mark.parametrize("of_the_call", [{}, {"TraceParent": OTHER_PARENT}])
def test_opentelemetry_sees_a_client_and_sets_the_parent(
    variant: Variant, of_the_client: dict[str, str], of_the_call: dict[str, str]
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with ScriptedServer(always()) as server:
            variant.run(
                lambda client: client.conversations.create(extra_headers=of_the_call),
                api_key=KEY,
                base_url=server.url,
                extra_headers=of_the_client,
            )
    finally:
        instrumentor.uninstrument()
        provider.shutdown()
    (span,) = spans.get_finished_spans()
    assert span.name == "POST"
    assert span.context is not None
    assert format(span.context.trace_id, "032x") in server.seen[0].headers["traceparent"]

"""Tools that mock or instrument httpx work with the client's own connections."""

from typing import Any
from unittest.mock import patch

import httpcore
import httpx
import pytest
import respx
from injected import made, run
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pools import either, run_client
from pytest_httpx import HTTPXMock
from scripted import CONVERSATION, HANG_UP, ScriptedServer, always, answer
from streaming import WHOLE, streamed
from variants import KEY, Variant, World

from conversations_client import (
    ConnectError,
    Delivery,
    DisconnectError,
    NotFoundError,
    StatusError,
)
from conversations_client._http.library import unpatched


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


def test_respx_mocks_a_client_that_is_connected_and_connects_again_after_it(
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


def test_what_is_mocked_when_it_is_imported_is_mocked() -> None:
    method = httpcore.HTTPConnection.handle_request
    assert unpatched(httpcore.HTTPConnection, "handle_request") is method
    with respx.mock:
        assert unpatched(httpcore.HTTPConnection, "handle_request") is None
    with patch.object(httpcore.HTTPConnection, "handle_request"):
        assert unpatched(httpcore.HTTPConnection, "handle_request") is None


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


async def listen(client: Any) -> None:
    options = {"message": "x", "model": "a/b"}
    assert (await either(client.conversations.responses.create("c", **options))).text == "One two "


def watching(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Patches the `send` of httpx's clients as Sentry's SDK does; the statuses that it sees."""
    statuses: list[int] = []
    send, send_async = httpx.Client.send, httpx.AsyncClient.send

    def watched(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        request.headers["sentry-trace"] = "1"
        response = send(client, request, **options)
        statuses.append(response.status_code)
        return response

    async def watched_async(
        client: httpx.AsyncClient, request: httpx.Request, **options: Any
    ) -> httpx.Response:
        request.headers["sentry-trace"] = "1"
        response = await send_async(client, request, **options)
        statuses.append(response.status_code)
        return response

    monkeypatch.setattr(httpx.Client, "send", watched)
    monkeypatch.setattr(httpx.AsyncClient, "send", watched_async)
    return statuses


def test_what_patches_the_send_of_httpx_sees_a_client(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = watching(monkeypatch)

    async def scenario(client: Any) -> None:
        await either(create(client))
        await listen(client)
        with pytest.raises(NotFoundError):
            await either(client.conversations.delete("conv_1"))
        await either(create(client))

    script = [answer(), streamed(WHOLE), answer(404, {}), answer()]
    with ScriptedServer(script) as server:
        run_client(variant, scenario, api_key=KEY, base_url=server.url, max_connections=1)
    assert statuses == [201, 200, 404, 201]
    assert [seen.headers["sentry-trace"] for seen in server.seen] == ["1"] * 4
    assert server.connections == 1


def test_errors_are_the_same_below_what_patches_the_send_of_httpx(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching(monkeypatch)
    with ScriptedServer([]) as server:
        gone = server.url
    with pytest.raises(ConnectError) as unsent:
        variant.run(create, world=World(), api_key=KEY, base_url=gone)
    assert (unsent.value.delivery, unsent.value.attempts) == (Delivery.UNSENT, 3)
    for script, cls in (
        ([HANG_UP], DisconnectError),
        ([answer(303, {}, Location="conversation:1")], StatusError),
    ):
        with ScriptedServer(script) as server, pytest.raises(cls) as raised:
            variant.run(create, world=World(), api_key=KEY, base_url=server.url)
        assert (raised.value.delivery, len(server.seen)) == (Delivery.UNKNOWN, 1)


def test_opentelemetry_sees_a_client(variant: Variant) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        with ScriptedServer(always()) as server:
            variant.run(create, api_key=KEY, base_url=server.url)
    finally:
        instrumentor.uninstrument()
        provider.shutdown()
    (span,) = spans.get_finished_spans()
    assert span.name == "POST"
    assert span.context is not None
    assert format(span.context.trace_id, "032x") in server.seen[0].headers["traceparent"]

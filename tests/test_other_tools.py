"""What other tools put in httpx's place, or around it, works on a client of its own as it is."""

from typing import Any
from unittest.mock import patch

import httpcore
import httpx
import respx
from injected import made, run
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pools import either, run_client
from pytest_httpx import HTTPXMock
from scripted import CONVERSATION, ScriptedServer, always
from variants import KEY, Variant

from conversations_client._http.library import _own


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
    assert _own(httpcore.HTTPConnection, "handle_request") is method
    with respx.mock:
        assert _own(httpcore.HTTPConnection, "handle_request") is None
    with patch.object(httpcore.HTTPConnection, "handle_request"):
        assert _own(httpcore.HTTPConnection, "handle_request") is None


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

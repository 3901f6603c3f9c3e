"""A span for each call and each attempt; none without OpenTelemetry."""

import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv.attributes import (
    error_attributes,
    http_attributes,
    server_attributes,
)
from opentelemetry.trace import SpanKind, StatusCode
from scripted import HANG_UP, ScriptedServer, always, answer
from streaming import HALF, STARTED, WHOLE, chunk, event, head, played, streamed
from variants import KEY, Variant, World

from conversations_client import AsyncHooks, ConversationsError, Hooks, __version__
from conversations_client._engine import tracing

METHOD = http_attributes.HTTP_REQUEST_METHOD
TEMPLATE = "url.template"  # in development, so it is not among the stable names
ERROR = error_attributes.ERROR_TYPE
RESENT = http_attributes.HTTP_REQUEST_RESEND_COUNT
STATUS = http_attributes.HTTP_RESPONSE_STATUS_CODE
REQUEST_ID = f"{http_attributes.HTTP_RESPONSE_HEADER_TEMPLATE}.x-request-id"
ADDRESS = server_attributes.SERVER_ADDRESS
PORT = server_attributes.SERVER_PORT


class Spans:
    """The spans in the order in which they ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def all(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def calls(self) -> list[ReadableSpan]:
        return [span for span in self.all() if _scope(span) == "conversations_client"]


def _scope(span: ReadableSpan) -> str:
    assert span.instrumentation_scope is not None
    return span.instrumentation_scope.name


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    """The attributes, except for those of the server."""
    found = dict(span.attributes or {})
    assert (found.pop(ADDRESS), type(found.pop(PORT))) == ("127.0.0.1", int)
    return found


def span_id(span: ReadableSpan | None) -> int | None:
    context = None if span is None else span.get_span_context()
    return None if context is None else context.span_id


def parent_id(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    spans = Spans()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
    yield spans
    spans.provider.shutdown()


@pytest.fixture
def attempts_too(spans: Spans) -> Iterator[None]:
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=spans.provider)
    yield
    instrumentor.uninstrument()


async def create(client: Any) -> Any:
    return await client.conversations.create(display_name="A secret plan")


async def retrieve(client: Any) -> Any:
    return await client.conversations.with_raw_response.retrieve("conv_1")


async def respond(client: Any) -> Any:
    return await client.conversations.responses.create("conv_1", message="Hello", model="a/b")


def run(variant: Variant, call: Any, script: Any, **options: Any) -> Any:
    async def scenario(client: Any) -> Any:
        try:
            await call(client)
        except (ConversationsError, ZeroDivisionError) as error:
            return error

    with ScriptedServer(script) as server:
        return variant.run(
            lambda client: played(client, scenario),
            world=World(),
            api_key=KEY,
            base_url=server.url,
            **options,
        )


def test_the_attempts_are_children_of_the_call(
    variant: Variant, spans: Spans, attempts_too: None
) -> None:
    run(variant, create, [answer(429, {}, retry_after="2"), answer()])
    first, second, call = spans.all()
    assert [span.name for span in (first, second)] == ["POST", "POST"]
    assert [parent_id(span) for span in (first, second)] == [span_id(call)] * 2
    assert (call.name, call.kind, parent_id(call)) == (
        "POST /v2/conversations",
        SpanKind.INTERNAL,
        None,
    )
    assert attributes_of(call) == {
        METHOD: "POST",
        TEMPLATE: "/v2/conversations",
        RESENT: 1,
        STATUS: 201,
    }
    assert call.status.status_code is StatusCode.UNSET
    assert call.instrumentation_scope is not None
    assert call.instrumentation_scope.version == __version__


RETRIEVING = {METHOD: "GET", TEMPLATE: "/v2/conversations/{conversation_id}"}
RESPONDING = {METHOD: "POST", TEMPLATE: "/v2/conversations/{conversation_id}/responses"}
RESPONDED = {**RESPONDING, STATUS: 200}
FAILED = event("response.failed", error="no model", code=500)

ROWS: list[tuple[Any, list[Any], dict[str, Any], str | None]] = [
    (retrieve, [answer(200)], {**RETRIEVING, STATUS: 200}, None),
    (
        retrieve,
        [answer(200, X_Request_Id="req_1")],
        {**RETRIEVING, STATUS: 200, REQUEST_ID: ("req_1",)},
        None,
    ),
    (retrieve, [HANG_UP, HANG_UP, answer(200)], {**RETRIEVING, STATUS: 200, RESENT: 2}, None),
    (
        retrieve,
        [answer(404, {}, X_Request_Id=f"req_{KEY}")],
        {**RETRIEVING, STATUS: 404, REQUEST_ID: ("req_[redacted]",)},
        "errors.NotFoundError",
    ),
    (
        retrieve,
        [answer(500, {}), HANG_UP, HANG_UP],
        {**RETRIEVING, RESENT: 2},
        "errors.DisconnectError",
    ),
    (retrieve, [answer(200, {})], {**RETRIEVING, STATUS: 200}, "errors.DecodeError"),
    (
        respond,
        [streamed(WHOLE, X_Request_Id="req_2")],
        {**RESPONDED, REQUEST_ID: ("req_2",)},
        None,
    ),
    (respond, [answer(503, {}, retry_after="1"), streamed(WHOLE)], {**RESPONDED, RESENT: 1}, None),
    (respond, [answer(400, {})], {**RESPONDING, STATUS: 400}, "errors.BadRequestError"),
    (respond, [answer(200, {})], RESPONDED, "responses.StreamTruncatedError"),
    (respond, [streamed(HALF)], RESPONDED, "responses.StreamTruncatedError"),
    (respond, [head() + chunk(HALF) + b"?\r\n"], RESPONDED, "responses.StreamTruncatedError"),
    (respond, [streamed(STARTED + FAILED)], RESPONDED, "responses.ResponseFailedError"),
]


@pytest.mark.parametrize("row", ROWS)
def test_a_call_has_one_span_with_its_outcome(
    variant: Variant, spans: Spans, row: tuple[Any, list[Any], dict[str, Any], str | None]
) -> None:
    call, script, attributes, error = row
    raised = run(variant, call, script)
    (span,) = spans.all()
    assert span.name == f"{attributes[METHOD]} {attributes[TEMPLATE]}"
    if error is None:
        assert (attributes_of(span), raised) == (attributes, None)
        assert (span.status.status_code, span.status.description) == (StatusCode.UNSET, None)
    else:
        assert attributes_of(span) == {**attributes, ERROR: f"conversations_client.{error}"}
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == str(raised)
    assert span.events == ()
    assert KEY not in span.to_json()
    assert "secret" not in span.to_json()


def test_an_exception_in_a_hook_is_the_error_of_the_span(variant: Variant, spans: Spans) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError("by hook")

    async def fail_async(_: Any) -> None:
        fail(_)

    sync = variant.name == "sync"
    hooks = Hooks(on_request=fail) if sync else AsyncHooks(on_request=fail_async)
    run(variant, create, [], hooks=hooks)
    (span,) = spans.all()
    assert attributes_of(span) == {
        METHOD: "POST",
        TEMPLATE: "/v2/conversations",
        ERROR: "ZeroDivisionError",
    }
    assert span.status.description == "by hook"


@pytest.mark.parametrize(
    ("base_url", "server"),
    [
        ("https://orq.invalid", ("orq.invalid", 443)),
        ("https://orq.invalid:8443/api", ("orq.invalid", 8443)),
        ("http://localhost", ("localhost", 80)),
        ("http://[::1]:9", ("::1", 9)),
    ],
)
def test_a_span_names_the_server(
    variant: Variant, spans: Spans, base_url: str, server: tuple[str, int]
) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError

    async def fail_async(_: Any) -> None:
        fail(_)

    sync = variant.name == "sync"
    hooks = Hooks(on_request=fail) if sync else AsyncHooks(on_request=fail_async)
    with pytest.raises(ZeroDivisionError):
        variant.run(
            lambda client: client.conversations.create(),
            api_key=KEY,
            base_url=base_url,
            hooks=hooks,
        )
    (span,) = spans.all()
    assert span.attributes is not None
    assert (span.attributes[ADDRESS], span.attributes[PORT]) == server


def test_invalid_arguments_create_no_span(variant: Variant, spans: Spans) -> None:
    async def wrong(client: Any) -> None:
        await client.conversations.create(display_name="x" * 101)

    assert isinstance(run(variant, wrong, []), ConversationsError)
    assert spans.all() == ()


def test_a_call_is_a_child_of_the_current_span(variant: Variant, spans: Spans) -> None:
    own = spans.provider.get_tracer("own")
    seen: list[int | None] = []

    async def call(client: Any) -> None:
        with own.start_as_current_span("around"):
            await create(client)
            seen.append(trace.get_current_span().get_span_context().span_id)

    run(variant, call, [answer()])
    inner, around = spans.all()
    assert (parent_id(inner), seen) == (span_id(around), [span_id(around)])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_concurrent_calls_have_their_own_attempts(
    spans: Spans, attempts_too: None, backend: str
) -> None:
    async def call(client: Any) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(create, client)

    run(Variant(backend), call, always(), max_connections=2)
    calls = {span_id(span) for span in spans.calls()}
    attempts = [parent_id(span) for span in spans.all() if span.name == "POST"]
    assert (len(calls), sorted(map(str, attempts))) == (8, sorted(map(str, calls)))


async def by_end(events: Any) -> None:
    async with events:
        async for _ in events:
            pass


async def by_break(events: Any) -> None:
    async with events:
        async for _ in events:
            break


async def by_exception_of_the_caller(events: Any) -> None:
    async with events:
        raise ZeroDivisionError


async def by_close(events: Any) -> None:
    async with events:
        await events.aclose()
        await events.aclose()


@pytest.mark.parametrize("leave", [by_end, by_break, by_exception_of_the_caller, by_close])
def test_a_streams_span_ends_with_the_stream(variant: Variant, spans: Spans, leave: Any) -> None:
    own = spans.provider.get_tracer("own")

    async def call(client: Any) -> None:
        events = client.conversations.responses.stream("conv_1", message="Hello", model="a/b")
        assert spans.all() == ()
        with own.start_as_current_span("around"):
            await leave(Watched(events, spans))
            own.start_span("after").end()

    run(variant, call, [streamed(WHOLE)])
    stream, *others = spans.all()
    around = others[-1]
    assert stream.name == "POST /v2/conversations/{conversation_id}/responses"
    assert (attributes_of(stream), stream.status.status_code) == (RESPONDED, StatusCode.UNSET)
    assert [parent_id(span) for span in (stream, *others[:-1])] == [span_id(around)] * len(others)


class Watched:
    """A stream whose span is open when its block starts."""

    def __init__(self, events: Any, spans: Spans) -> None:
        self._events = events
        self._spans = spans

    async def __aenter__(self) -> Any:
        await self._events.__aenter__()
        assert self._spans.all() == ()
        return self._events

    async def __aexit__(self, *error: object) -> None:
        await self._events.__aexit__(*error)

    def __aiter__(self) -> Any:
        return aiter(self._events)

    async def aclose(self) -> None:
        await self._events.aclose()


def test_the_span_of_an_abandoned_stream_ends(variant: Variant, spans: Spans) -> None:
    async def call(client: Any) -> None:
        events = client.conversations.responses.stream("conv_1", message="Hello", model="a/b")
        await events.__aenter__()
        assert spans.all() == ()
        del events
        assert len(spans.all()) == 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        run(variant, call, [[head() + chunk(STARTED)]], max_connections=1)
    (span,) = spans.all()
    assert (attributes_of(span), span.status.status_code) == (RESPONDED, StatusCode.UNSET)


def test_no_spans_without_opentelemetry(
    variant: Variant, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    assert run(variant, create, [answer()]) is None
    assert run(variant, respond, [streamed(WHOLE)]) is None
    assert spans.all() == ()


PROGRAM = """
import sys
from conversations_client import Client

with Client(sys.argv[1], base_url=sys.argv[2]) as client:
    client.conversations.create()
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


def test_the_client_does_not_import_opentelemetry() -> None:
    with ScriptedServer([answer()]) as server:
        command = [sys.executable, "-c", PROGRAM, KEY, server.url]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603
    assert done.stdout == "[]\n"


def test_a_concurrent_import_is_waited_for(
    spans: Spans, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun, asked = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert asked.wait(10)

    def ask(name: str) -> Any:
        asked.set()
        return import_module(name)

    source = "import slow_trace_gate\nslow_trace_gate.wait()\nfrom opentelemetry.trace import *\n"
    (tmp_path / "slow_trace.py").write_text(source)
    gate = type(sys)("slow_trace_gate")
    gate.__dict__["wait"] = wait
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setitem(sys.modules, "slow_trace_gate", gate)
    monkeypatch.setattr(tracing, "_TRACE", "slow_trace")
    monkeypatch.setattr(tracing, "import_module", ask)
    importer = threading.Thread(target=import_module, args=("slow_trace",))
    importer.start()
    try:
        assert begun.wait(10)
        assert run(Variant("sync"), create, [answer()]) is None
    finally:
        asked.set()
        importer.join()
        monkeypatch.delitem(sys.modules, "slow_trace")
    assert len(spans.all()) == 1

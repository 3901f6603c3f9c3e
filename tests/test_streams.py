"""Streamed responses over real HTTP: requests, events and failures, in every variant."""

import json
import pickle
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from attrs import evolve
from scripted import HANG_UP, ScriptedServer, answer
from streaming import (
    DONE,
    END,
    HALF,
    STARTED,
    WHEN,
    WHOLE,
    chunk,
    event,
    head,
    played,
    streamed,
    word,
)
from variants import KEY, Variant, World

from conversations_client import (
    Client,
    ConversationsError,
    DeadlineError,
    DecodeError,
    Delivery,
    DisconnectError,
    ErrorPart,
    Event,
    EventTooLargeError,
    FileContent,
    FilePart,
    FinishReason,
    IdleTimeoutError,
    InvalidArgumentError,
    NotFoundError,
    PartDelta,
    PartialResponse,
    RateLimitError,
    Response,
    ResponseDone,
    ResponseFailed,
    ResponseFailedError,
    ResponseStarted,
    Retry,
    ServerError,
    StreamClosedError,
    StreamError,
    StreamTruncatedError,
    TextPart,
    Timeout,
    ToolResultPart,
    UserMessage,
)
from conversations_client._engine import response_body

ARGUMENTS: dict[str, Any] = {"conversation_id": "conv_1", "message": "Hi", "model": "a/b"}
EVENTS: list[Event] = [
    ResponseStarted(timestamp=WHEN, response_id="resp_1", task_id="task_1", model="a/b", workflow_run_id="run_1"),
    PartDelta(timestamp=WHEN, part_id="text_1", delta=TextPart(text="One ")),
    PartDelta(timestamp=WHEN, part_id="text_1", delta=TextPart(text="two ")),
    ResponseDone(timestamp=WHEN, finish_reason=FinishReason.STOP),
]  # fmt: skip
PARTIAL = PartialResponse(
    id="resp_1",
    task_id="task_1",
    model="a/b",
    workflow_run_id="run_1",
    parts=(TextPart(text="One two "),),
)
RESPONSE = Response(
    id="resp_1",
    task_id="task_1",
    model="a/b",
    workflow_run_id="run_1",
    parts=(TextPart(text="One two "),),
    finish_reason=FinishReason.STOP,
)


def play(variant: Variant, scenario: Any, server: ScriptedServer, **options: Any) -> Any:
    settings: dict[str, Any] = {"api_key": KEY, "base_url": server.url, "world": World(), **options}
    return variant.run(lambda client: played(client, scenario), **settings)


def stream(client: Any, **arguments: Any) -> Any:
    return client.conversations.responses.stream(**{**ARGUMENTS, **arguments})


async def listed(items: Any) -> list[Any]:
    return [item async for item in items]


def test_events_are_typed_and_in_order(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            return await listed(events)

    with ScriptedServer([streamed(WHOLE)]) as server:
        assert play(variant, scenario, server) == EVENTS


def test_events_are_yielded_as_they_arrive(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            return [await anext(events) for _ in range(3)]

    with ScriptedServer([[head(), chunk(HALF[:-30]), chunk(HALF[-30:])]]) as server:
        assert play(variant, scenario, server) == EVENTS[:3]


def test_text_deltas_yields_only_text(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            return await listed(events.text_deltas())

    whole = event("part.done", partId="text_1", part={"kind": "text", "text": "One two "})
    said = event("part.done", partId="text_2", part={"kind": "text", "text": "three"})
    with ScriptedServer([streamed(HALF, whole, said, END)]) as server:
        assert play(variant, scenario, server) == ["One ", "two ", "three"]


@pytest.mark.parametrize("before", [0, 1, 3, 4])
def test_collect_includes_events_read_before(variant: Variant, before: int) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            read = [await anext(events) for _ in range(before)]
            return read, await events.collect(), await events.collect()

    with ScriptedServer([streamed(WHOLE)]) as server:
        read, *collected = play(variant, scenario, server)
    assert read == EVENTS[:before]
    assert collected == [RESPONSE, RESPONSE]


def test_a_new_iteration_continues_an_earlier_one(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            found: list[Any] = []
            for part in (events, events.text_deltas()):
                async for each in part:
                    found.append(each)
                    break
            return found + await listed(events)

    with ScriptedServer([streamed(WHOLE)]) as server:
        assert play(variant, scenario, server) == [EVENTS[0], "One ", *EVENTS[2:]]


def test_data_after_the_end_is_ignored(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            return await listed(events)

    with ScriptedServer([streamed(WHOLE, DONE, b"data: nonsense\n\n")]) as server:
        assert play(variant, scenario, server) == EVENTS


async def create(client: Any) -> Any:
    return await client.conversations.responses.create(**ARGUMENTS)


def test_create_returns_the_complete_response(variant: Variant) -> None:
    with ScriptedServer([streamed(WHOLE)]) as server:
        assert play(variant, create, server) == RESPONSE


def test_create_with_a_raw_response(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        return await client.conversations.with_raw_response.responses.create(**ARGUMENTS)

    async def other(client: Any) -> Any:
        return await client.conversations.responses.with_raw_response.create(**ARGUMENTS)

    for each in (scenario, other):
        with ScriptedServer([answer(429, {}), streamed(WHOLE, X_Request_Id="req_1")]) as server:
            raw = play(variant, each, server)
        assert raw.parsed == RESPONSE
        assert (raw.status, raw.request_id, raw.attempts, raw.elapsed) == (200, "req_1", 2, 0.375)
        assert raw.headers["content-type"] == "text/event-stream; charset=utf-8"


def test_what_a_stream_reports_about_its_response(variant: Variant) -> None:
    async def scenario(client: Any) -> Any:
        opened = stream(client)
        for name in ("status", "headers", "request_id", "attempts"):
            with pytest.raises(StreamClosedError, match="inside its with block"):
                getattr(opened, name)
        async with opened as events:
            assert events.request_id == "req_1"
        return opened.status, opened.headers["x-request-id"], opened.request_id, opened.attempts

    with ScriptedServer([streamed(WHOLE, X_Request_Id="req_1")]) as server:
        assert play(variant, scenario, server) == (200, "req_1", "req_1", 1)


MESSAGE_ID = "msg_01jj1hdhn79xas7a01wb3hysdb"
INVALID_MESSAGE_IDS: list[Any] = [
    "",
    "msg_1",
    "01jj1hdhn79xas7a01wb3hysdb",
    "conv_01jj1hdhn79xas7a01wb3hysdb",
    MESSAGE_ID.upper(),
    MESSAGE_ID.replace("01jj", "81jj"),  # more than 128 bits
    MESSAGE_ID.replace("01jj", "01il"),
    f"{MESSAGE_ID}0",
    f"{MESSAGE_ID}\n",
    "00000000-0000-0000-0000-000000000000",
    1,
]
FILE = FilePart.from_bytes(b"\x00", mime_type="image/png", name="n")


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (
            {"message": "Hi\u2028é"},
            '{"message":{"role":"user","parts":[{"kind":"text","text":"Hi\u2028é"}]},"model":"a/b","stream":true}',
        ),
        (
            {"message": ["Hi", TextPart(text="", id="text_1", metadata={"a": 1}, extra={"b": 2})], "task_id": "task_1"},
            '{"message":{"role":"user","parts":[{"kind":"text","text":"Hi"},{"b":2,"kind":"text","text":"","_id":"text_1","metadata":{"a":1}}]},"model":"a/b","task_id":"task_1","stream":true}',
        ),
        (
            {"message": UserMessage(parts=[TextPart(text="Hi")])},
            '{"message":{"role":"user","parts":[{"kind":"text","text":"Hi"}]},"model":"a/b","stream":true}',
        ),
        (
            {"message": (FILE, FilePart.from_uri("https://example.com/a"))},
            '{"message":{"role":"user","parts":[{"kind":"file","file":{"bytes":"AA==","mimeType":"image/png","name":"n"}},{"kind":"file","file":{"uri":"https://example.com/a"}}]},"model":"a/b","stream":true}',
        ),
        (
            {
                "message": UserMessage(
                    parts=[ToolResultPart(tool_call_id="c", result=None), ToolResultPart(tool_call_id="d"), ErrorPart(error="e", code=1)],
                    message_id=MESSAGE_ID,
                )
            },
            '{"message":{"role":"user","parts":[{"kind":"tool_result","tool_call_id":"c","result":null},{"kind":"tool_result","tool_call_id":"d"},{"kind":"error","error":"e","code":1}],"messageId":"msg_01jj1hdhn79xas7a01wb3hysdb"},"model":"a/b","stream":true}',
        ),
    ],
)  # fmt: skip
def test_the_request_that_is_sent(variant: Variant, arguments: dict[str, Any], body: str) -> None:
    async def scenario(client: Any) -> None:
        async with stream(client, conversation_id="conv 1/é", **arguments) as events:
            await events.collect()

    with ScriptedServer([streamed(WHOLE)]) as server:
        play(variant, scenario, server)
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("POST", "/v2/conversations/conv%201%2F%C3%A9/responses")
    assert seen.body.decode() == body
    expected = {
        "accept": "text/event-stream",
        "accept-encoding": "identity",
        "cache-control": "no-store",
        "content-type": "application/json",
        "idempotency-key": "made-up-1",
        "authorization": f"Bearer {KEY}",
    }
    assert expected.items() <= seen.headers.items()


def test_an_idempotency_key_of_the_caller(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        async with stream(client, idempotency_key="mine"):
            pass
        await client.conversations.responses.create(**ARGUMENTS, idempotency_key="mine too")

    with ScriptedServer([streamed(WHOLE)] * 2) as server, pytest.raises(InvalidArgumentError):
        play(variant, scenario, server)
    assert [seen.headers["idempotency-key"] for seen in server.seen] == ["mine"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"conversation_id": ""}, "conversation_id is empty"),
        ({"conversation_id": ".."}, "conversation_id"),
        ({"model": "gpt-4o"}, "provider/model_id"),
        ({"model": "/gpt-4o"}, "provider/model_id"),
        ({"model": "openai/"}, "provider/model_id"),
        ({"model": None}, "model must be a string, not None"),
        ({"task_id": " "}, "task_id is empty"),
        ({"task_id": ""}, "task_id is empty"),
        ({"message": None}, "message must be a string, a part, a list of strings and parts, or a UserMessage, not None."),
        ({"message": b"Hi"}, "not bytes"),
        ({"message": {"role": "user"}}, "not dict"),
        ({"message": {"text": "Hi"}}, "not dict: write text as TextPart(text=…)."),
        ({"message": []}, "message is empty"),
        ({"message": [None]}, "message[0] must be a string, a TextPart"),
        ({"message": ["Hi", 1]}, "message[1] must be a string"),
        ({"message": "half \ud800"}, "message[0].text contains half of a surrogate pair"),
        ({"message": [TextPart(text=1)]}, "message[0].text must be a string, not int"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ({"message": [TextPart(text="a", metadata={"a": float("nan")})]}, "can't be serialized as JSON"),
        ({"message": [TextPart(text="a", metadata={"a": "\udfff"})]}, "can't be serialized as JSON"),
        ({"message": [ToolResultPart(tool_call_id="c", result=object())]}, "can't be serialized as JSON"),
        ({"message": [ToolResultPart(tool_call_id="")]}, "message[0].tool_call_id is empty"),
        ({"message": [ErrorPart(error=None)]}, "message[0].error must be a string"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ({"message": [FilePart(file={"uri": "u"})]}, "message[0].file must be a FileContent, not dict"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ({"message": [FilePart(file=FileContent())]}, "message[0].file must have either bytes or uri"),
        ({"message": [FilePart(file=FileContent(bytes="AA==", uri="u"))]}, "either bytes or uri"),
        ({"message": [FilePart(file=FileContent(uri=1))]}, "message[0].file.uri must be an absolute URI"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ({"message": [FilePart.from_bytes(b"")]}, "base64 of at least 1 byte"),
        ({"message": [FilePart(file=FileContent(bytes="A"))]}, "message[0].file.bytes must be base64"),
        ({"message": [FilePart(file=FileContent(bytes="é==="))]}, "message[0].file.bytes must be base64"),
        ({"message": UserMessage(parts="Hi")}, "message: parts must be a list of strings and parts, not str."),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ({"message": UserMessage(parts=[])}, "message is empty"),
        ({"message": ""}, "message is empty"),
        ({"message": " \n\t\u2003"}, "message is empty"),
        ({"message": ["", TextPart(text=" ")]}, "message is empty"),
        ({"message": TextPart(text="")}, "message is empty"),
        ({"message": UserMessage(parts=[TextPart(text="")])}, "message is empty"),
        ({"message": [FilePart(file=FileContent(uri=""))]}, "message[0].file.uri must be an absolute URI"),
        ({"message": [FilePart(file=FileContent(uri="a.pdf"))]}, "message[0].file.uri must be an absolute URI"),
        ({"message": [FilePart(file=FileContent(uri="https://a", mime_type="csv"))]}, "message[0].file.mime_type must be a type and a subtype"),
        ({"message": [FilePart(file=FileContent(uri="https://a", name=1))]}, "message[0].file.name must be a string"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        *(
            ({"message": UserMessage(parts=[TextPart(text="a")], message_id=message_id)}, "message: message_id must be 'msg_' followed by a lowercase ULID")
            for message_id in INVALID_MESSAGE_IDS
        ),
        ({"idempotency_key": ""}, "idempotency_key must be"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_rejected_before_anything_is_sent(
    variant: Variant, arguments: dict[str, Any], words: str
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(InvalidArgumentError) as raised:
            stream(client, **arguments)
        assert words in str(raised.value)
        for responses in (
            client.conversations.responses,
            client.conversations.responses.with_raw_response,
        ):
            with pytest.raises(InvalidArgumentError):
                await responses.create(**{**ARGUMENTS, **arguments})

    with ScriptedServer([]) as server:
        play(variant, scenario, server)
    assert server.connections == 0


def failed(error: str, code: object) -> bytes:
    return event("response.failed", error=error, code=code)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        ("The model\nfailed.", 500, "with code 500: The model failed."),
        ("", 1.5, "with code 1.5."),
        (f"What is {KEY}?", 10**400, "What is [redacted]?"),
    ],
    ids=["in words", "without words", "by a large number"],
)
def test_a_failed_response(variant: Variant, error: str, code: float, words: str) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            read = [await anext(events) for _ in range(4)]
            with pytest.raises(ResponseFailedError) as raised:
                await anext(events)
            with pytest.raises(StreamClosedError):
                await anext(events)
        for call in (create, collected):
            with pytest.raises(ResponseFailedError):
                await call(client)
        return read, raised.value

    async def collected(client: Any) -> None:
        async with stream(client) as events:
            await listed_until_failed(events)
            await events.collect()

    async def listed_until_failed(events: Any) -> None:
        async for each in events:
            if isinstance(each, ResponseFailed):
                break

    said = streamed(HALF, failed(error, code), DONE, X_Request_Id="req_1")
    with ScriptedServer([said] * 3) as server:
        read, raised = play(variant, scenario, server)
    assert server.connections == 1
    assert read == [*EVENTS[:3], ResponseFailed(timestamp=WHEN, error=error, code=code)]
    assert raised.partial == PARTIAL
    assert raised.service_message == error.replace(KEY, "[redacted]")
    assert (raised.code, raised.request_id, raised.attempts) == (code, "req_1", 1)
    assert words in str(raised)
    assert KEY not in str(raised)
    again = pickle.loads(pickle.dumps(raised))
    assert (again.args, again.__dict__) == (raised.args, raised.__dict__)


class Breaking(ScriptedServer):
    """Sends the script, and breaks the connection in the next of the given ways."""

    def __init__(self, *script: Any, ways: str) -> None:
        super().__init__(script)
        self._ways = iter(ways.split())

    def _reply(self, connection: socket.socket) -> bool:
        goes_on = super()._reply(connection)
        match next(self._ways, None):
            case "end":
                return False
            case "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                socket.close(connection.detach())
                return False
            case _:
                return goes_on


Truncation = tuple[Any, str, str, type[ConversationsError] | None]
TRUNCATIONS: dict[str, Truncation] = {
    "ends": (streamed(HALF), "", "the stream ended before the response was complete", None),
    "ends with the connection": (head(Transfer_Encoding=None) + HALF, "end", "ended before", None),
    "ends within an event": (streamed(HALF, END[:20]), "", "$: not JSON", DecodeError),
    "ends within a line's name": (streamed(HALF, b"dat"), "", "ended before", None),
    "breaks off": (head() + chunk(HALF), "end", "broke: the connection broke", DisconnectError),
    "breaks off within a chunk": (head() + chunk(HALF)[:-1], "end", "the stream broke", DisconnectError),
    "is reset": (head() + chunk(HALF), "reset", "the stream broke", DisconnectError),
    "is no HTTP any more": (head() + chunk(HALF) + b"nonsense\r\n", "", "the stream broke", DisconnectError),
    "is silent": ([head(), chunk(HALF)], "", "nothing was received in time", IdleTimeoutError),
    "is no JSON": (streamed(HALF, b"data: {\n\n", END), "", "$: not JSON", DecodeError),
    "is no UTF-8": (streamed(HALF, b'data: "\xff"\n\n', END), "", "$: not UTF-8", DecodeError),
    "is no event": (streamed(HALF, b"data: []\n\n", END), "", "$: expected an object", DecodeError),
    "is no documented event": (
        streamed(HALF, event("part.delta", partId="p", delta={"kind": "text"}), END),
        "",
        "$.data.delta.text: missing",
        DecodeError,
    ),
    "says that it is done": (streamed(HALF, DONE, END), "", "but without response.done", DecodeError),
}  # fmt: skip


@pytest.mark.parametrize(("step", "way", "words", "reason"), TRUNCATIONS.values(), ids=TRUNCATIONS)
def test_a_stream_that_ends_too_early(
    variant: Variant, step: Any, way: str, words: str, reason: type[ConversationsError] | None
) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            assert [await anext(events) for _ in range(3)] == EVENTS[:3]
            with pytest.raises(StreamTruncatedError) as raised:
                await anext(events)
            with pytest.raises(StreamClosedError):
                await anext(events)
            with pytest.raises(StreamClosedError):
                await events.collect()
        assert (await create(client)) == RESPONSE
        return raised.value

    with Breaking(step, streamed(WHOLE), ways=way) as server:
        error = play(
            variant, scenario, server, timeout=Timeout(total=None, idle=0.5), max_connections=1
        )
    assert len(server.seen) == 2
    check_broken(error, words)
    assert error.partial == PARTIAL
    assert type(error.reason) is (reason or type(None))


def check_broken(error: StreamError, words: str) -> None:
    assert words in str(error)
    assert str(error).startswith(f"POST /v2/conversations/{ARGUMENTS['conversation_id']}/responses")
    assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 1)
    assert (error.__cause__, error.__suppress_context__ or error.__context__ is None) == (
        None,
        True,
    )
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.args, repr(again.__dict__)) == (error.args, repr(error.__dict__))
    assert again.partial == error.partial


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Content_Type": "application/json"}, "has the content type application/json, but should have text/event-stream."),
        ({"Content_Type": "text/event-streams"}, "but should have text/event-stream"),
        ({"Content_Type": None}, "has no content type"),
        ({"Content_Encoding": "gzip"}, "has a content encoding that the client did not request"),
    ],
)  # fmt: skip
def test_a_response_that_is_not_a_stream(
    variant: Variant, headers: dict[str, str | None], words: str
) -> None:
    async def scenario(client: Any) -> Any:
        opened = stream(client)
        with pytest.raises(StreamTruncatedError) as raised:
            await opened.__aenter__()
        with pytest.raises(StreamClosedError, match="closed"):
            await listed(opened)
        assert (await create(client)) == RESPONSE
        return raised.value

    with ScriptedServer([[streamed(WHOLE, **headers)], streamed(WHOLE)]) as server:
        error = play(variant, scenario, server, max_connections=1)
    check_broken(error, words)
    assert (error.partial, type(error.reason)) == (PartialResponse(), DecodeError)
    assert not error.is_temporary


@pytest.mark.parametrize("content_type", ["text/event-stream", "Text/Event-Stream ; charset=UTF-8"])
def test_other_spellings_of_the_content_type(variant: Variant, content_type: str) -> None:
    said = streamed(WHOLE, Content_Type=content_type, Content_Encoding="identity")
    with ScriptedServer([said]) as server:
        assert play(variant, create, server) == RESPONSE


@pytest.mark.parametrize("pieces", [(b"data: " + b"x" * 1000,), (b"x" * 200, b"x" * 200)])
def test_an_event_over_the_limit(variant: Variant, pieces: tuple[bytes, ...]) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            assert [await anext(events) for _ in range(3)] == EVENTS[:3]
            with pytest.raises(EventTooLargeError) as raised:
                await anext(events)
        assert (await create(client)) == RESPONSE
        return raised.value

    step = [head(), chunk(HALF), *map(chunk, pieces)]
    with ScriptedServer([step, streamed(WHOLE)]) as server:
        error = play(variant, scenario, server, max_event_bytes=300, max_connections=1)
    check_broken(error, "max_event_bytes=300")
    assert error.partial == PARTIAL


def test_the_limit_of_an_event_can_be_changed(variant: Variant) -> None:
    def run(client: Any) -> Any:
        return played(client.with_options(max_event_bytes=1000), create)

    with ScriptedServer([streamed(WHOLE)] * 2) as server:
        with pytest.raises(EventTooLargeError):
            play(variant, create, server, max_event_bytes=50)
        found = variant.run(run, api_key=KEY, base_url=server.url, max_event_bytes=50)
    assert found == RESPONSE


RETRIED = [
    ([answer(429, {})], Retry(), [0.375]),
    ([answer(503, {}, Retry_After="7"), answer(429, {}, Retry_After="1")], Retry(), [7.0, 1.0]),
    ([HANG_UP], Retry(trust_idempotency_key=True), [0.375]),
    ([answer(500, {})], Retry(trust_idempotency_key=True), [0.375]),
]


@pytest.mark.parametrize(("script", "retry", "pauses"), RETRIED)
def test_retries_before_the_first_byte(
    variant: Variant, script: list[bytes], retry: Retry, pauses: list[float]
) -> None:
    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            return events.attempts, await events.collect()

    world = World()
    with ScriptedServer([*script, streamed(WHOLE)]) as server:
        attempts, found = play(variant, scenario, server, retry=retry, world=world)
    assert (attempts, found, world.pauses) == (len(script) + 1, RESPONSE, pauses)
    assert len({(seen.headers["idempotency-key"], seen.body) for seen in server.seen}) == 1


@pytest.mark.parametrize(
    ("script", "error", "attempts", "delivery", "words"),
    [
        ([HANG_UP], DisconnectError, 1, Delivery.UNKNOWN, "responses: the connection broke"),
        ([answer(500, {"message": "no"})], ServerError, 1, Delivery.UNKNOWN, "500 Internal Server Error: no."),
        ([answer(404, {"message": f"no {KEY}"})], NotFoundError, 1, Delivery.REFUSED, "404 Not Found: no [redacted]."),
        ([answer(429, {})] * 3, RateLimitError, 3, Delivery.REFUSED, "Gave up after 3 attempts."),
    ],
)  # fmt: skip
def test_failures_before_the_first_event(  # noqa: PLR0917 - the columns of the table
    variant: Variant,
    script: list[bytes],
    error: type[ConversationsError],
    attempts: int,
    delivery: Delivery,
    words: str,
) -> None:
    async def scenario(client: Any) -> Any:
        opened = stream(client)
        with pytest.raises(ConversationsError) as raised:
            async with opened:
                raise AssertionError
        with pytest.raises(StreamClosedError, match="not open"):
            await listed(opened)
        return raised.value

    with ScriptedServer(script) as server:
        raised = play(variant, scenario, server)
    assert type(raised) is error
    assert (raised.attempts, raised.delivery, len(server.seen)) == (attempts, delivery, attempts)
    assert words in str(raised)


def test_no_retries_after_the_first_byte(variant: Variant) -> None:
    trusting = Retry(trust_idempotency_key=True)
    with (
        Breaking(head(), streamed(WHOLE), ways="end") as server,
        pytest.raises(StreamTruncatedError),
    ):
        play(variant, create, server, retry=trusting)
    assert len(server.seen) == 1


def test_the_total_timeout_applies_to_the_head_and_not_to_the_body(variant: Variant) -> None:
    world, is_late = World(), threading.Event()

    def parts() -> Iterator[bytes]:
        yield head() + chunk(STARTED)
        is_late.wait(20)
        yield chunk(word("One two ") + END)

    async def scenario(client: Any) -> Any:
        async with stream(client) as events:
            await anext(events)
            world.now += 1000
            is_late.set()
            return await events.collect()

    script: list[Any] = [parts()]
    with ScriptedServer(script) as server:
        found = play(variant, scenario, server, world=world, timeout=Timeout(total=5, idle=3))
    assert found == RESPONSE


def test_a_silent_head_ends_at_the_deadline(variant: Variant) -> None:
    with (
        ScriptedServer([[b"HTTP/1.1 200 OK\r\n"]]) as server,
        pytest.raises(DeadlineError) as raised,
    ):
        play(variant, create, server, timeout=1, world=None)
    assert raised.value.delivery is Delivery.UNKNOWN


@pytest.mark.parametrize("timeout", [None, Timeout(total=None, connect=None, idle=None)])
def test_without_any_timeout(variant: Variant, timeout: Timeout | None) -> None:
    with ScriptedServer([streamed(WHOLE)]) as server:
        assert play(variant, create, server, timeout=timeout) == RESPONSE


async def listed_words(events: Any) -> list[str]:
    return await listed(events.text_deltas())


async def collected(events: Any) -> Response:
    response: Response = await events.collect()
    return response


USES: dict[str, Any] = {
    "iterating": listed,
    "text_deltas": listed_words,
    "collect": collected,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_stream_is_used_inside_its_with_block(variant: Variant, use: Any) -> None:
    async def scenario(client: Any) -> None:
        opened = stream(client)
        with pytest.raises(StreamClosedError, match="not open: use it inside its with block"):
            await use(opened)
        async with opened as events:
            await anext(events)
        with pytest.raises(StreamClosedError, match="closed: read it inside its with block"):
            await use(opened)
        with pytest.raises(StreamClosedError, match=r"opened only once: call stream\(\)"):
            await opened.__aenter__()
        async with stream(client) as events:
            await events.aclose()
            await events.aclose()
            with pytest.raises(StreamClosedError, match="closed"):
                await use(events)

    with ScriptedServer([streamed(WHOLE)] * 2) as server:
        play(variant, scenario, server)
    assert len(server.seen) == 2


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_stream_yields_its_events_once(variant: Variant, use: Any) -> None:
    async def scenario(client: Any) -> None:
        async with stream(client) as events:
            await use(events)
            for again in ("iterating", "text_deltas"):
                with pytest.raises(
                    StreamClosedError, match=r"collect\(\) returns the complete response"
                ):
                    await USES[again](events)
            assert (await events.collect()) == RESPONSE

    with ScriptedServer([streamed(WHOLE)]) as server:
        play(variant, scenario, server)


def test_a_complete_response_is_available_after_the_block(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        async with stream(client) as events:
            await listed(events)
        assert await events.collect() == RESPONSE
        assert await events.collect() == RESPONSE
        assert events.partial == PARTIAL
        async with stream(client) as events:
            await events.aclose()
            await events.aclose()
        with pytest.raises(StreamClosedError, match="closed: read it inside its with block"):
            await events.collect()

    with ScriptedServer([streamed(WHOLE)] * 2) as server:
        play(variant, scenario, server)


def test_the_response_so_far(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        opened = stream(client)
        with pytest.raises(StreamClosedError, match="not open: use it inside its with block"):
            opened.partial  # noqa: B018
        async with opened as events:
            assert events.partial == PartialResponse()
            async for word in events.text_deltas():
                assert events.partial == evolve(PARTIAL, parts=(TextPart(text=word),))
                break
        assert events.partial.text == "One "

    with ScriptedServer([streamed(WHOLE)]) as server:
        play(variant, scenario, server)


def test_the_response_so_far_does_not_contain_the_key(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        async with stream(client) as events:
            await anext(events)
            await anext(events)
            assert events.partial.text == "[redacted]"

    with ScriptedServer([streamed(STARTED + word(KEY) + DONE)]) as server:
        play(variant, scenario, server)


def test_an_exhausted_iterator_stays_exhausted(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        async with stream(client) as events:
            words = events.text_deltas()
            assert (await listed(words)) == ["One ", "two "]
            for ended in (words, events):
                with pytest.raises(StopAsyncIteration):
                    await anext(ended)

    with ScriptedServer([streamed(WHOLE)]) as server:
        play(variant, scenario, server)


def test_text_of_an_interrupted_stream_does_not_end_normally(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        async with stream(client) as events:
            words = events.text_deltas()
            with pytest.raises(StreamTruncatedError) as raised:
                await listed(words)
            assert raised.value.partial == PARTIAL
            with pytest.raises(StreamClosedError):
                await anext(words)

    with ScriptedServer([streamed(HALF)]) as server:
        play(variant, scenario, server)


def test_a_complete_stream_releases_its_connection(variant: Variant) -> None:
    async def scenario(client: Any) -> None:
        for use in USES.values():
            async with stream(client) as events:
                await use(events)
        async with stream(client) as events:
            async for each in events:
                if isinstance(each, ResponseDone):
                    break
        await client.conversations.create()

    with ScriptedServer([*[streamed(WHOLE)] * 4, answer()]) as server:
        play(variant, scenario, server)
        assert (len(server.seen), server.connections) == (5, 1)
    with ScriptedServer([*[streamed(WHOLE)] * 4, answer()]) as server:
        play(variant, scenario, server, timeout=None)
        assert (len(server.seen), server.connections) == (5, 1)


def test_closing_does_not_wait_for_an_endless_body(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_body, "_DRAINING_SECONDS", 0.01)

    second, has_come = threading.Event(), list[bool]()

    def endless() -> Iterator[bytes]:
        yield head() + chunk(WHOLE)
        has_come.append(second.wait(10))

    def next_one() -> Iterator[bytes]:
        second.set()
        yield streamed(WHOLE)

    async def scenario(client: Any) -> Any:
        return [await create(client), await create(client)]

    script: list[Any] = [endless(), next_one()]
    timeout = Timeout(idle=15)
    with ScriptedServer(script) as server:
        found = play(variant, scenario, server, world=None, max_connections=1, timeout=timeout)
    assert found == [RESPONSE, RESPONSE]
    assert has_come == [True]
    assert server.connections == 2


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"choices": []})])
def test_events_of_another_api_are_rejected(variant: Variant, text: str) -> None:
    with (
        ScriptedServer([streamed(f"data: {text}\n\n".encode(), DONE)]) as server,
        pytest.raises(StreamTruncatedError) as raised,
    ):
        play(variant, create, server)
    assert isinstance(raised.value.reason, DecodeError)


def test_unserializable_values_are_rejected_with_their_path() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with (
        Client(KEY) as client,
        pytest.raises(InvalidArgumentError, match=r"message\[1\] is nested too deeply"),
    ):
        client.conversations.responses.stream(
            "a", message=["Hi", ToolResultPart(tool_call_id="b", result=circle)], model="a/b"
        )
    with pytest.raises(InvalidArgumentError, match="content must be bytes, not str"):
        FilePart.from_bytes(cast("Any", "text"))

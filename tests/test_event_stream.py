"""The state of a streamed response, from bytes to events and errors, by literal equality."""

import json
from types import NoneType
from typing import Any

import attrs
import pytest
from streaming import DONE, END, HALF, STARTED, WHEN, event, word

from conversations_client import (
    DecodeError,
    Delivery,
    DisconnectError,
    EventTooLargeError,
    FinishReason,
    PartDelta,
    PartialResponse,
    Response,
    ResponseDone,
    ResponseFailedError,
    ResponseStarted,
    ResponseTooLargeError,
    StreamError,
    StreamTruncatedError,
    TextPart,
)
from conversations_client._base.secret import Secret
from conversations_client._sse.event_stream import EventStreamState
from conversations_client._sse.stream_context import StreamContext

KEY = "key-0123456789"
CONTEXT = StreamContext(
    request="POST /a",
    method="POST",
    template="/{x}",
    status=200,
    content_type="text/event-stream",
    content_encoding="",
    attempts=3,
    request_id="req_1",
    max_bytes=10_000,
    key=Secret(KEY),
)
ID = "Request ID: req_1."
TAIL = f"`partial` contains what arrived; the service may have continued the response. {ID}"
FIELDS: dict[str, Any] = {
    "id": "resp_1",
    "task_id": "task_1",
    "model": "a/b",
    "workflow_run_id": "run_1",
}
PARTS = (TextPart(text="One two "),)


def state(*chunks: bytes, limit: int = 1000, **context: Any) -> EventStreamState:
    found = EventStreamState(attrs.evolve(CONTEXT, **context), limit=limit)
    for chunk in chunks:
        found.feed(chunk)
    return found


def taken(stream: EventStreamState) -> list[Any]:
    events: list[Any] = []
    while (found := stream.take()) is not None:
        events.append(found)
    return events


def failure(stream: EventStreamState) -> Any:
    with pytest.raises(StreamError) as raised:
        taken(stream)
    return raised.value


def test_a_stream_is_read_event_by_event() -> None:
    stream = state(HALF)
    assert (stream.text, stream.take()) == (
        "",
        ResponseStarted(
            timestamp=WHEN, response_id="resp_1", **{n: v for n, v in FIELDS.items() if n != "id"}
        ),
    )
    assert stream.text == ""
    assert stream.take() == PartDelta(timestamp=WHEN, part_id="text_1", delta=TextPart(text="One "))
    assert stream.text == "One "
    stream.take()
    assert stream.text == "two "
    assert stream.take() is None
    assert (stream.is_complete, stream.is_over, stream.response()) == (False, False, None)
    stream.feed(END)
    assert stream.take() == ResponseDone(timestamp=WHEN, finish_reason=FinishReason.STOP)
    assert (stream.is_complete, stream.is_over, stream.text) == (True, True, "")
    assert stream.response() == Response(**FIELDS, parts=PARTS, finish_reason=FinishReason.STOP)


def test_the_last_event_needs_no_blank_line_after_it() -> None:
    stream = state(HALF, END.rstrip(b"\n"))
    assert len(taken(stream)) == 3
    stream.feed(b"")
    assert [type(each) for each in taken(stream)] == [ResponseDone]


def test_nothing_after_the_last_event_is_read() -> None:
    for rest in (b"data: garbage\n\n", DONE, STARTED, b"data: " + b"x" * 2000, b""):
        stream = state(HALF, END, rest)
        assert len(taken(stream)) == 4
        stream.feed(rest)
        assert stream.take() is None
        assert stream.is_complete


@pytest.mark.parametrize(
    "content_type",
    [
        "text/event-stream",
        "TEXT/Event-Stream",
        " text/event-stream ; charset=utf-8",
        "text/event-stream;charset=latin-1; a=b",
    ],
)
@pytest.mark.parametrize("content_encoding", ["", " ", "identity", " Identity "])
def test_an_event_stream_is_accepted(content_type: str, content_encoding: str) -> None:
    state(content_type=content_type, content_encoding=content_encoding).check()


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ({"status": 202}, "has status 202, but should have 200"),
        ({"status": 201, "content_type": "a/b"}, "has status 201, but should have 200"),
        (
            {"content_type": "a/b; c=text/event-stream"},
            "has the content type a/b; c=text/event-stream, but should have text/event-stream",
        ),
        ({"content_type": ""}, "has no content type, but should have text/event-stream"),
        (
            {"content_encoding": "gzip"},
            "has a content encoding that the client did not request",
        ),
    ],
)
def test_any_other_response_is_rejected(context: dict[str, Any], problem: str) -> None:
    with pytest.raises(StreamTruncatedError) as raised:
        state(**context).check()
    error = raised.value
    assert str(error) == f"POST /a: the stream {problem}. {TAIL}"
    assert (error.delivery, error.attempts, error.request_id) == (Delivery.UNKNOWN, 3, "req_1")
    assert (error.method, error.template) == ("POST", "/{x}")
    assert error.partial == PartialResponse()
    assert isinstance(error.reason, DecodeError)
    assert [str(fault) for fault in error.reason.faults] == [f"$: the stream {problem}"]


INVALID = "has an event that doesn't match the API's documentation: "
# Each row: the chunks, then the problem of the stream, and the class of the reason.
TRUNCATED: list[tuple[tuple[bytes, ...], str, type | None]] = [
    ((HALF, b""), "ended before the response was complete.", None),
    ((HALF, DONE), "ended with [DONE], but without response.done.", DecodeError),
    ((HALF, b"data: {\n\n"), INVALID, DecodeError),
    ((HALF, b"data: []\n\n"), f"{INVALID}$: expected an object, got a list.", DecodeError),
    ((HALF, event("response.done")), f"{INVALID}$.data.finishReason: missing.", DecodeError),
]  # fmt: skip


@pytest.mark.parametrize(("chunks", "problem", "reason"), TRUNCATED)
def test_an_incomplete_stream(chunks: tuple[bytes, ...], problem: str, reason: type | None) -> None:
    stream = state(*chunks)
    error = failure(stream)
    assert type(error) is StreamTruncatedError
    assert str(error).startswith(f"POST /a: the stream {problem}")
    assert str(error).endswith(TAIL)
    assert type(error.reason) is (NoneType if reason is None else reason)
    assert (error.delivery, error.attempts, error.request_id) == (Delivery.UNKNOWN, 3, "req_1")
    assert (error.method, error.template) == ("POST", "/{x}")
    assert error.partial == PartialResponse(**FIELDS, parts=PARTS)
    assert stream.response() is None
    # A traceback could show data from the service.
    assert [code.co_name for code in raised_by(error)] == ["take"]


def raised_by(error: BaseException) -> list[Any]:
    found: list[Any] = []
    traceback = error.__traceback__
    while traceback is not None:
        found.append(traceback.tb_frame.f_code)
        traceback = traceback.tb_next
    return [code for code in found if "conversations_client" in code.co_filename]


def test_a_broken_connection() -> None:
    stream = state(HALF)
    taken(stream)
    reason = DisconnectError("it broke.", delivery=Delivery.UNKNOWN)
    error = stream.broken_by(reason)
    assert str(error) == f"POST /a: the stream broke: it broke. {TAIL}"
    assert error.reason is reason
    assert error.partial == PartialResponse(**FIELDS, parts=PARTS)


@pytest.mark.parametrize(
    ("message", "detail", "service_message"),
    [
        ("too many\ntools", ": too many tools.", "too many\ntools"),
        ("Stop!", ": Stop!", "Stop!"),
        ("", ".", ""),
        (f"bad {KEY}", ": bad [redacted].", "bad [redacted]"),
    ],
)
def test_a_failed_response(message: str, detail: str, service_message: str) -> None:
    stream = state(HALF, event("response.failed", error=message, code=503), b"")
    assert len([stream.take() for _ in range(4)]) == 4
    assert (stream.is_over, stream.is_complete, stream.response()) == (True, False, None)
    error = failure(stream)
    assert type(error) is ResponseFailedError
    assert str(error) == f"POST /a: the response failed with code 503{detail} {ID}"
    assert (error.service_message, error.code) == (service_message, 503)
    assert (error.delivery, error.attempts, error.request_id) == (Delivery.UNKNOWN, 3, "req_1")
    assert (error.method, error.template) == ("POST", "/{x}")
    assert error.partial == PartialResponse(**FIELDS, parts=PARTS)


def test_an_event_over_the_limit() -> None:
    large = b'data: {"type":"new","timestamp":"","data":{"a":"%b"}}\n\n'
    size = len(large % b"") - len("\n\n")
    assert len(taken(state(large % (b"x" * (200 - size)), limit=200))) == 1
    error = failure(state(large % (b"x" * (201 - size)), limit=200))
    assert type(error) is EventTooLargeError
    assert str(error) == (
        "POST /a: an event is larger than max_event_bytes=200: increase the limit if the event is "
        f"valid. {ID}"
    )
    assert (error.attempts, error.request_id, error.partial) == (3, "req_1", PartialResponse())


def test_all_parts_together_have_a_limit_and_other_events_do_not() -> None:
    size = len(word("a")) - len(b"data: \n\n")
    done = event("part.done", partId="text_1", part={"kind": "text", "text": "a"})
    done_size = len(done) - len(b"data: \n\n")
    others = STARTED + event("new") * 9
    within = state(word("a"), others, done, word("b"), max_bytes=2 * size + done_size)
    assert len(taken(within)) == 13
    stream = state(word("a"), others, done, word("b"), max_bytes=2 * size + done_size - 1)
    error = failure(stream)
    problem = (
        f"has more than max_response_bytes={2 * size + done_size - 1}: increase the limit if the "
        "response is valid."
    )
    assert str(error) == f"POST /a: the stream {problem} {TAIL}"
    assert type(error.reason) is ResponseTooLargeError
    assert (str(error.reason), error.reason.delivery) == (f"The stream {problem}", Delivery.UNKNOWN)
    assert error.partial == PartialResponse(**FIELDS, parts=(TextPart(text="a"),))


def test_the_key_is_in_no_error_of_a_stream() -> None:
    corrupted = json.dumps({"type": "part.delta", "timestamp": "", "data": {KEY: KEY, "partId": 1}})
    for last in (f"data: {corrupted}\n\n".encode(), b"", DONE):
        error = failure(state(STARTED, word(f"It is {KEY}."), last))
        assert error.partial.text == "It is [redacted]."
        assert KEY not in f"{error} {error.reason!r} {error.partial!r}"

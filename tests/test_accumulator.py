"""Accumulates the events of a response."""

import pytest

from conversations_client import (
    DataPart,
    Event,
    FileContent,
    FilePart,
    FinishReason,
    Part,
    PartDelta,
    PartDone,
    PartialResponse,
    ReasoningPart,
    Response,
    ResponseDone,
    ResponseFailed,
    ResponseStarted,
    TextPart,
    ToolCall,
    ToolFunction,
    ToolResultPart,
    ToolStarted,
    UnknownEvent,
    UnknownPart,
    Usage,
)
from conversations_client._sse.accumulator import ResponseAccumulator, _Deltas, joined

WHEN = "2024-12-21T14:00:00Z"
STARTED = ResponseStarted(
    timestamp=WHEN,
    response_id="resp_1",
    task_id="task_1",
    model="a/b",
    workflow_run_id="run_1",
    user_message_id="msg_1",
    assistant_message_id="msg_2",
)
CALLS = (ToolCall(id="call_1", type="function", function=ToolFunction(name="f")),)


def text(words: str) -> TextPart:
    return TextPart(text=words)


def thought(words: str, signature: str | None = None) -> ReasoningPart:
    return ReasoningPart(reasoning=words, signature=signature)


def delta(part_id: str, part: Part) -> PartDelta:
    return PartDelta(timestamp=WHEN, part_id=part_id, delta=part)


def done(part_id: str, part: Part) -> PartDone:
    return PartDone(timestamp=WHEN, part_id=part_id, part=part)


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        ([text("a")], text("a")),
        ([text("a"), text(""), text("b")], text("ab")),
        (
            [
                TextPart(text="a", id="text_1", metadata={"n": 1}, extra={"x": 1}),
                TextPart(text="b", metadata={"n": 2}, extra={"x": 2}),
                TextPart(text="c"),
            ],
            TextPart(text="abc", id="text_1", metadata={"n": 2}),
        ),
        ([thought("a", "s"), thought("b")], thought("ab", "s")),
        ([thought("a", "s"), thought("b", "t")], thought("ab", "t")),
        ([thought("a"), text("b"), text("c")], text("bc")),
        ([text("a"), thought("b"), text("c")], text("c")),
        ([DataPart(data={"a": 1}), DataPart(data={"b": 2})], DataPart(data={"b": 2})),
        ([text("a"), UnknownPart(kind="k", extra={"n": 1})], UnknownPart(kind="k", extra={"n": 1})),
        ([FilePart(file=FileContent(uri="a")), FilePart(file=FileContent(uri="b"))], FilePart(file=FileContent(uri="b"))),
    ],
)  # fmt: skip
def test_deltas_are_joined(deltas: list[Part], expected: Part) -> None:
    assert joined(deltas) == expected


@pytest.mark.parametrize(
    ("events", "words", "parts"),
    [
        ([], [], ()),
        ([STARTED], [""], ()),
        ([delta("1", text("a")), delta("1", text("b"))], ["a", "b"], (text("ab"),)),
        ([delta("1", text("a")), done("1", text("A"))], ["a", ""], (text("A"),)),
        ([done("1", text("a"))], ["a"], (text("a"),)),
        ([done("1", text("a")), done("1", text("b"))], ["a", ""], (text("b"),)),
        ([done("1", text("a")), delta("1", text("b"))], ["a", ""], (text("a"),)),
        ([delta("2", text("a")), delta("1", text("b")), delta("2", text("c"))], ["a", "b", "c"], (text("ac"), text("b"))),
        ([delta("2", text("a")), done("1", text("b")), done("2", text("c"))], ["a", "b", ""], (text("c"), text("b"))),
        ([delta("1", thought("a")), delta("2", text("b"))], ["", "b"], (thought("a"), text("b"))),
        ([done("1", ToolResultPart(tool_call_id="c"))], [""], (ToolResultPart(tool_call_id="c"),)),
        (
            [
                ToolStarted(timestamp=WHEN, tool_id="t", tool_call_id="c", arguments={}),
                UnknownEvent(type="newer"),
                ResponseFailed(timestamp=WHEN, error="e", code=1),
            ],
            ["", "", ""],
            (),
        ),
    ],
)  # fmt: skip
def test_each_event_adds_its_text_and_its_part(
    events: list[Event], words: list[str], parts: tuple[Part, ...]
) -> None:
    collected = ResponseAccumulator()
    assert [collected.add(event) for event in events] == words
    assert collected.partial().parts == parts


def test_a_complete_response() -> None:
    collected = ResponseAccumulator()
    for event in (
        STARTED,
        delta("r", thought("Hm, ")),
        delta("r", thought("yes.", "s")),
        delta("t", text("One ")),
        delta("t", text("two")),
        done("u", text(" three")),
    ):
        collected.add(event)
    partial = collected.partial()
    usage = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
    end = ResponseDone(
        timestamp=WHEN,
        finish_reason=FinishReason.TOOL_CALLS,
        usage=usage,
        pending_tool_calls=CALLS,
    )
    ids = {
        "id": "resp_1",
        "task_id": "task_1",
        "model": "a/b",
        "workflow_run_id": "run_1",
        "user_message_id": "msg_1",
        "assistant_message_id": "msg_2",
    }
    parts = (thought("Hm, yes.", "s"), text("One two"), text(" three"))
    assert partial == PartialResponse(**ids, parts=parts)
    assert (partial.text, partial.reasoning) == ("One two three", "Hm, yes.")
    whole = collected.complete(end)
    assert whole == Response(
        **ids,
        parts=parts,
        finish_reason=FinishReason.TOOL_CALLS,
        usage=usage,
        pending_tool_calls=CALLS,
    )
    assert hash(whole) == hash(collected.complete(end))


def test_many_deltas_are_stored_as_few_parts() -> None:
    deltas = _Deltas()
    for number in range(3 * 1024 + 5):
        deltas.add(text(f"{number} "))
    assert (len(deltas._runs), len(deltas._latest)) == (3, 5)
    assert deltas.joined() == text("".join(f"{number} " for number in range(3 * 1024 + 5)))


def test_a_delta_of_another_kind_replaces_stored_parts() -> None:
    deltas = _Deltas()
    for _ in range(1024):
        deltas.add(thought("a"))
    assert deltas.joined() == thought("a" * 1024)
    deltas.add(text("b"))
    assert (deltas._runs, deltas.joined()) == ([], text("b"))


def test_a_response_without_a_start_event() -> None:
    end = ResponseDone(timestamp=WHEN, finish_reason=FinishReason.STOP)
    assert ResponseAccumulator().complete(end) == Response(finish_reason=FinishReason.STOP)
    assert ResponseAccumulator().partial() == PartialResponse()

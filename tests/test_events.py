"""Stream events from JSON to objects and back."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client import (
    UNSET,
    CompletionTokensDetails,
    DataPart,
    DecodeError,
    Event,
    FileContent,
    FilePart,
    FinishReason,
    PartDelta,
    PartDone,
    PromptTokensDetails,
    ReasoningPart,
    ResponseDone,
    ResponseFailed,
    ResponseStarted,
    TextPart,
    ToolCall,
    ToolDone,
    ToolFailed,
    ToolFunction,
    ToolReview,
    ToolReviewDone,
    ToolReviewRequested,
    ToolStarted,
    UnknownEvent,
    UnknownPart,
    Usage,
    converter,
    structure,
    unstructure,
)

EVENT = cast("type[Event]", Event)
WHEN = "2024-12-21T14:00:00.500Z"


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": WHEN, "data": data}


ALL: list[tuple[dict[str, Any], Event]] = [
    (
        event("response.started", responseId="resp_1", taskId="task_1", model="a/b", workflowRunId="run_1"),
        ResponseStarted(timestamp=WHEN, response_id="resp_1", task_id="task_1", model="a/b", workflow_run_id="run_1"),
    ),
    (
        event("response.started", responseId="r", taskId="t", model="m", workflowRunId="w", userMessageId="u", assistantMessageId="a"),
        ResponseStarted(timestamp=WHEN, response_id="r", task_id="t", model="m", workflow_run_id="w", user_message_id="u", assistant_message_id="a"),
    ),
    (event("response.done", finishReason="stop"), ResponseDone(timestamp=WHEN, finish_reason=FinishReason.STOP)),
    (event("response.done", finishReason="bored"), ResponseDone(timestamp=WHEN, finish_reason="bored")),
    (
        event(
            "response.done",
            finishReason="tool_calls",
            usage={
                "completion_tokens": 1,
                "prompt_tokens": 2.5,
                "total_tokens": 3.5,
                "prompt_tokens_details": {"cached_tokens": None, "audio_tokens": 1, "newer": 1},
                "completion_tokens_details": {"reasoning_tokens": 0.5, "audio_tokens": None},
                "newer": [1],
            },
            pendingToolCalls=[
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "call_2", "type": "other", "function": {"newer": 1}, "newer": 2},
            ],
        ),
        ResponseDone(
            timestamp=WHEN,
            finish_reason=FinishReason.TOOL_CALLS,
            usage=Usage(
                completion_tokens=1,
                prompt_tokens=2.5,
                total_tokens=3.5,
                prompt_tokens_details=PromptTokensDetails(
                    cached_tokens=None, audio_tokens=1, extra={"cached_tokens": None, "newer": 1}
                ),
                completion_tokens_details=CompletionTokensDetails(reasoning_tokens=0.5, extra={"audio_tokens": None}),
                extra={"newer": [1]},
            ),
            pending_tool_calls=(
                ToolCall(id="call_1", type="function", function=ToolFunction(name="f", arguments="{}")),
                ToolCall(id="call_2", type="other", function=ToolFunction(extra={"newer": 1}), extra={"newer": 2}),
            ),
        ),
    ),
    (
        event("response.done", finishReason="stop", usage={"prompt_tokens_details": None, "completion_tokens_details": None}, pendingToolCalls=[]),
        ResponseDone(
            timestamp=WHEN,
            finish_reason=FinishReason.STOP,
            usage=Usage(extra={"prompt_tokens_details": None, "completion_tokens_details": None}),
            pending_tool_calls=(),
        ),
    ),
    (event("response.failed", error="e", code=500), ResponseFailed(timestamp=WHEN, error="e", code=500)),
    (
        event("part.delta", partId="text_1", delta={"kind": "text", "_id": "text_1", "text": "a"}),
        PartDelta(timestamp=WHEN, part_id="text_1", delta=TextPart(id="text_1", text="a")),
    ),
    (
        event("part.delta", partId="x", delta={"kind": "hologram", "light": 1}),
        PartDelta(timestamp=WHEN, part_id="x", delta=UnknownPart(kind="hologram", extra={"light": 1})),
    ),
    (
        event("part.done", partId="r", part={"kind": "reasoning", "reasoning": "hm", "signature": "s"}),
        PartDone(timestamp=WHEN, part_id="r", part=ReasoningPart(reasoning="hm", signature="s")),
    ),
    (
        event("part.done", partId="d", part={"kind": "data", "data": {"a": [1]}, "metadata": {"b": 2}}),
        PartDone(timestamp=WHEN, part_id="d", part=DataPart(data={"a": [1]}, metadata={"b": 2})),
    ),
    (
        event("part.done", partId="f", part={"kind": "file", "file": {"type": "uri", "uri": "u"}}),
        PartDone(timestamp=WHEN, part_id="f", part=FilePart(file=FileContent(type="uri", uri="u"))),
    ),
    (
        event("tool.started", toolId="t", toolCallId="c", toolName="n", arguments={"a": 1}),
        ToolStarted(timestamp=WHEN, tool_id="t", tool_call_id="c", tool_name="n", arguments={"a": 1}),
    ),
    (event("tool.done", toolId="t", toolCallId="c"), ToolDone(timestamp=WHEN, tool_id="t", tool_call_id="c", result=UNSET)),
    (event("tool.done", toolId="t", toolCallId="c", result=None), ToolDone(timestamp=WHEN, tool_id="t", tool_call_id="c", result=None)),
    (event("tool.failed", toolId="t", toolCallId="c", error="e"), ToolFailed(timestamp=WHEN, tool_id="t", tool_call_id="c", error="e")),
    (
        event("tool.review.requested", toolId="t", toolCallId="c", arguments={}, requiresApproval=True),
        ToolReviewRequested(timestamp=WHEN, tool_id="t", tool_call_id="c", arguments={}, requires_approval=True),
    ),
    (
        event("tool.review.done", toolId="t", toolCallId="c", review="approved"),
        ToolReviewDone(timestamp=WHEN, tool_id="t", tool_call_id="c", review=ToolReview.APPROVED),
    ),
    (
        event("tool.review.done", toolId="t", toolCallId="c", review="postponed"),
        ToolReviewDone(timestamp=WHEN, tool_id="t", tool_call_id="c", review="postponed"),
    ),
    (
        {"type": "response.paused", "timestamp": 1, "data": {"why": None}, "id": [1]},
        UnknownEvent(type="response.paused", extra={"timestamp": 1, "data": {"why": None}, "id": [1]}),
    ),
    ({"type": ""}, UnknownEvent(type="")),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "expected"), ALL, ids=[wire["type"] for wire, _ in ALL])
def test_every_event_to_an_object_and_back(wire: dict[str, Any], expected: Event) -> None:
    found = structure(copy.deepcopy(wire), EVENT)
    assert found == expected
    assert type(found) is type(expected)
    assert unstructure(found) == wire


def test_the_table_has_every_class() -> None:
    assert {type(expected) for _, expected in ALL} == set(Event.__args__)


def test_an_unknown_event_keeps_its_json() -> None:
    wire: dict[str, Any] = {"type": "newer", "timestamp": WHEN, "data": {"a": [{}]}}
    found = structure(wire, EVENT)
    assert isinstance(found, UnknownEvent)
    assert found.json == wire


@pytest.mark.parametrize(
    "wire", [wire for wire, _ in ALL if "data" in wire], ids=lambda w: w["type"]
)
def test_unknown_fields_are_preserved(wire: dict[str, Any]) -> None:
    wider: dict[str, Any] = {
        **wire,
        "type2": [1],
        "data": {**wire["data"], "timestamp": "inside", "newer": {}},
    }
    found = structure(wider, EVENT)
    assert unstructure(found) == wider
    assert converter.copy(detailed_validation=True).structure(wider, EVENT) == found
    if not isinstance(found, UnknownEvent):
        assert found.envelope == {"type2": [1]}
        assert found.extra == {"timestamp": "inside", "newer": {}}
        assert found.timestamp == WHEN


def faults(wire: object) -> list[str]:
    with pytest.raises(DecodeError) as raised:
        structure(wire, EVENT)
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ([], ["$: expected an object, got a list"]),
        ("response.done", ["$: expected an object, got a string: parse it with json.loads first"]),
        ({}, ["$.type: missing"]),
        ({"type": None}, ["$.type: expected a string, got null"]),
        ({"type": ["part.done"]}, ["$.type: expected a string, got a list"]),
        ({"type": "part.delta", "timestamp": WHEN}, ["$.data: missing"]),
        ({"type": "part.delta", "timestamp": WHEN, "data": None}, ["$.data: expected an object, got null"]),
        ({"type": "part.delta", "timestamp": WHEN, "data": []}, ["$.data: expected an object, got a list"]),
        ({"type": "part.done", "data": {}}, ["$.timestamp: missing", "$.data.partId: missing", "$.data.part: missing"]),
        (
            {"type": "tool.failed", "timestamp": 1, "data": {"toolId": None, "timestamp": "x", "error": 1}},
            [
                "$.timestamp: expected a string, got a number",
                "$.data.toolId: expected a string, got null",
                "$.data.toolCallId: missing",
                "$.data.error: expected a string, got a number",
            ],
        ),
        (event("part.delta", partId="p", delta={"kind": "text"}), ["$.data.delta.text: missing"]),
        (event("part.delta", partId="p", delta={"kind": "text", "text": 1}), ["$.data.delta.text: expected a string, got a number"]),
        (event("part.delta", partId="p", delta={}), ["$.data.delta.kind: missing"]),
        (event("part.delta", partId="p", delta=None), ["$.data.delta: expected an object, got null"]),
        (
            event("part.done", partId=1, part={"kind": "file", "file": {"uri": 1}, "metadata": []}),
            [
                "$.data.partId: expected a string, got a number",
                "$.data.part.file.uri: expected a string, got a number",
                "$.data.part.metadata: expected an object, got a list",
            ],
        ),
        (
            event(
                "response.done",
                finishReason=None,
                usage={"prompt_tokens": "1", "prompt_tokens_details": {"cached_tokens": 1.5}},
                pendingToolCalls=[{"id": "c", "type": "function", "function": {}}, {"id": "c", "function": []}],
            ),
            [
                "$.data.finishReason: expected a string, got null",
                "$.data.usage.prompt_tokens: expected a number, got a string",
                "$.data.usage.prompt_tokens_details.cached_tokens: expected a whole number, got a fraction",
                "$.data.pendingToolCalls[1].type: missing",
                "$.data.pendingToolCalls[1].function: expected an object, got a list",
            ],
        ),
        (event("response.failed", error="e", code=True), ["$.data.code: expected a number, got a boolean"]),
        (event("response.failed", error="e", code=float("inf")), ["$.data.code: expected a number, got a number that is not finite"]),
        (
            event("tool.review.requested", toolId="t", toolCallId="c", toolName=None, arguments="{}", requiresApproval=1),
            [
                "$.data.toolName: expected a string, got null",
                "$.data.arguments: expected an object, got a string",
                "$.data.requiresApproval: expected a boolean, got a number",
            ],
        ),
    ],
)  # fmt: skip
def test_all_errors_are_reported_with_their_paths(wire: object, expected: list[str]) -> None:
    assert sorted(faults(wire)) == sorted(expected)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=3,
)  # fmt: skip
known = st.sampled_from([wire for wire, _ in ALL]).map(copy.deepcopy)
more = st.dictionaries(st.text(min_size=1), json_values, max_size=2)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every position in a JSON value: an object or list, and a key or index."""
    keys: list[Any] = []
    match value:
        case {**members}:
            keys = list(members)
        case [*items]:
            keys = list(range(len(items)))
        case _:
            pass
    return [*((value, key) for key in keys), *(p for key in keys for p in places(value[key]))]


@st.composite
def corrupted(draw: st.DrawFn) -> Any:
    """An event with some values replaced or removed."""
    wire = draw(known)
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(places(wire)))
        if draw(st.booleans()):
            holder[key] = draw(json_values)
        elif holder:
            del holder[key]
        if not places(wire):
            break
    return wire


@given(known, more, more)
def test_wire_to_object_to_wire_is_the_identity(
    wire: dict[str, Any], beside: dict[str, Any], within: dict[str, Any]
) -> None:
    wider = {**beside, **wire}
    if "data" in wire:
        wider["data"] = {**within, **wire["data"]}
    try:
        found = structure(copy.deepcopy(wider), EVENT)
    except DecodeError:
        return
    assert unstructure(found) == wider
    assert structure(unstructure(found), EVENT) == found


@given(corrupted())
def test_both_paths_through_the_converter_agree(wire: Any) -> None:
    detailed = converter.copy(detailed_validation=True)
    try:
        slowly = detailed.structure(copy.deepcopy(wire), EVENT)
    except Exception:  # noqa: BLE001 - includes the exception groups of cattrs
        (first, *_) = faults(wire)
        assert first.startswith("$")
        assert not first.startswith("$: is no")
        return
    assert structure(wire, EVENT) == slowly
    assert unstructure(slowly) == wire


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (WHEN, datetime(2024, 12, 21, 14, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-12-21T14:00:00", datetime(2024, 12, 21, 14, tzinfo=UTC)),
        ("2024-12-21T14:00:00+02:00", datetime(2024, 12, 21, 14, tzinfo=timezone(timedelta(hours=2)))),
        ("2024-12-21 14:00:00.123456789Z", datetime(2024, 12, 21, 14, 0, 0, 123_456, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_times_are_aware(timestamp: str, expected: datetime) -> None:
    found = ResponseFailed(timestamp=timestamp, error="", code=0).time
    assert found == expected
    assert found.utcoffset() == expected.utcoffset()


@pytest.mark.parametrize(
    "timestamp",
    ["", "yesterday", "1734789600000", "2024-13-01T00:00:00Z", "\ud800"],
)
def test_invalid_times(timestamp: str) -> None:
    with pytest.raises(DecodeError) as raised:
        _ = ResponseFailed(timestamp=timestamp, error="", code=0).time
    assert [str(fault) for fault in raised.value.faults] == ["$.timestamp: not an ISO 8601 time"]


@pytest.mark.parametrize("event", [each for _, each in ALL], ids=lambda e: e.type)
def test_events_can_be_hashed_pickled_and_copied(event: Event) -> None:
    wide = attrs.evolve(event, extra={"newer": [1]})
    for again in (pickle.loads(pickle.dumps(wide)), copy.deepcopy(wide), copy.copy(wide)):
        assert again == wide
        assert hash(again) == hash(wide) == hash(event)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.type = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_an_envelope_belongs_to_its_event() -> None:
    @attrs.frozen
    class Letter:
        envelope: str
        data: int

    wire = {"envelope": "white", "data": 1}
    assert structure(wire, Letter) == Letter(envelope="white", data=1)
    assert unstructure(Letter(envelope="white", data=1)) == wire

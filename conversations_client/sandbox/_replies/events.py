"""Converts the steps of a reply to server-sent events."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, assert_never, cast

from attrs import frozen

from conversations_client.sandbox._storage.clock import iso_8601
from conversations_client.sandbox._storage.json_encoding import encode

from .models import Done, Failure, Reasoning, Review, Step, Text, ToolCall

LAST_EVENTS: Final = frozenset({"response.done", "response.failed"})


@frozen
class Event:
    """An event without its timestamp; `data` has wire names."""

    type: str
    data: Mapping[str, object]


def events(steps: Iterable[Step], new_id: Callable[[str], str]) -> Iterator[Event]:
    """Convert the steps of a reply to events.

    Args:
        steps: The steps.
        new_id: Generates an ID with a prefix.

    Yields:
        The events, in order.
    """
    for step in steps:
        match step:
            case Text():
                yield from _text(step, new_id("text"))
            case Reasoning():
                yield from _reasoning(step, new_id("reasoning"))
            case ToolCall():
                yield from _tool_call(step, _tool_ids(new_id))
            case Review():
                yield from _review(step, _tool_ids(new_id))
            case Done():
                yield Event("response.done", {"finishReason": "stop", "usage": step.usage})
            case Failure():
                yield failed(step.error, step.code)
            case _:
                assert_never(step)


def failed(error: str, code: int) -> Event:
    """Build the last event of a failed reply.

    Args:
        error: The error message.
        code: The HTTP status that is closest in meaning.

    Returns:
        The event.
    """
    return Event("response.failed", {"error": error, "code": code})


def pending_call_ids(event: Event) -> list[str]:
    """List the tool calls that an event announces and that need a result.

    Args:
        event: An event of a reply; the last event lists all calls again.

    Returns:
        The IDs of the calls; empty if there are none.
    """
    data = cast("Mapping[str, Any]", event.data)
    if event.type == "tool.review.requested":
        return [data["toolCallId"]]
    return [call["id"] for call in data.get("pendingToolCalls", ())]


def server_sent(event: Event, *, at: int) -> bytes:
    """Encode an event for a `text/event-stream`.

    Args:
        event: The event.
        at: Its time, in Unix milliseconds.

    Returns:
        The event in UTF-8, with an empty line at the end.
    """
    envelope = {"type": event.type, "timestamp": iso_8601(at), "data": event.data}
    # JSON escapes line breaks in strings, so the data is one line.
    return b"data: " + encode(envelope) + b"\n\n"


def _text(step: Text, part_id: str) -> Iterator[Event]:
    for piece in step.pieces:
        yield _delta(part_id, {"kind": "text", "text": piece})
    if step.complete:
        yield _part_done(part_id, {"kind": "text", "text": "".join(step.pieces)})


def _reasoning(step: Reasoning, part_id: str) -> Iterator[Event]:
    for piece in step.pieces:
        yield _delta(part_id, {"kind": "reasoning", "reasoning": piece})
    whole = {"reasoning": "".join(step.pieces), "signature": step.signature}
    yield _part_done(part_id, {"kind": "reasoning", **whole})


def _delta(part_id: str, part: Mapping[str, object]) -> Event:
    return Event("part.delta", {"partId": part_id, "delta": {"_id": part_id, **part}})


def _part_done(part_id: str, part: Mapping[str, object]) -> Event:
    return Event("part.done", {"partId": part_id, "part": {"_id": part_id, **part}})


def _tool_ids(new_id: Callable[[str], str]) -> dict[str, str]:
    return {"toolId": new_id("tool"), "toolCallId": new_id("call")}


def _tool_call(step: ToolCall, ids: Mapping[str, str]) -> Iterator[Event]:
    yield Event("tool.started", {**ids, "toolName": step.name, "arguments": step.arguments})
    yield Event("tool.done", {**ids, "result": step.result})


def _review(step: Review, ids: Mapping[str, str]) -> Iterator[Event]:
    call = {"toolName": step.name, "arguments": step.arguments, "requiresApproval": True}
    yield Event("tool.review.requested", {**ids, **call})
    function = {"name": step.name, "arguments": encode(step.arguments).decode()}
    pending = [{"id": ids["toolCallId"], "type": "function", "function": function}]
    yield Event(
        "response.done",
        {"finishReason": "tool_calls", "usage": step.usage, "pendingToolCalls": pending},
    )

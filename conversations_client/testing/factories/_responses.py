"""Creates complete and partial responses, and their events."""

import re
from collections.abc import Iterator, Sequence

from attrs import evolve

from conversations_client import (
    Event,
    FinishReason,
    Part,
    PartialResponse,
    ReasoningPart,
    Response,
    TextPart,
    ToolCall,
    Usage,
)
from conversations_client.testing.factories import _events as events
from conversations_client.testing.factories._defaults import (
    MODEL,
    QUESTION_ID,
    REPLY,
    REPLY_ID,
    RESPONSE_ID,
    RUN_ID,
    TASK_ID,
    numbered,
)


def response(
    *,
    text: str = REPLY,
    parts: Sequence[Part] | None = None,
    model: str | None = MODEL,
    finish_reason: FinishReason | str = FinishReason.STOP,
    usage: Usage | None = None,
    pending_tool_calls: Sequence[ToolCall] = (),
    id: str = RESPONSE_ID,  # noqa: A002 - the attribute's name
    task_id: str = TASK_ID,
    workflow_run_id: str = RUN_ID,
    user_message_id: str | None = QUESTION_ID,
    assistant_message_id: str | None = REPLY_ID,
) -> Response:
    """Create a complete `Response`, by default with a single text part that contains `text`.

    Example:
        fake = FakeService()
        fake.answer(factories.response(text="In Settings."))
    """
    return Response(
        id=id,
        task_id=task_id,
        model=model,
        workflow_run_id=workflow_run_id,
        user_message_id=user_message_id,
        assistant_message_id=assistant_message_id,
        parts=_text(text) if parts is None else tuple(parts),
        finish_reason=finish_reason,
        usage=usage,
        pending_tool_calls=tuple(pending_tool_calls),
    )


def partial_response(
    *,
    text: str = REPLY,
    parts: Sequence[Part] | None = None,
    model: str | None = MODEL,
    id: str = RESPONSE_ID,  # noqa: A002 - the attribute's name
    task_id: str = TASK_ID,
    workflow_run_id: str = RUN_ID,
    user_message_id: str | None = QUESTION_ID,
    assistant_message_id: str | None = REPLY_ID,
) -> PartialResponse:
    """Create a `PartialResponse`, by default with a single text part that contains `text`.

    Example:
        partial = factories.partial_response(text="In Set")
        assert partial.text == "In Set"
    """
    return PartialResponse(
        id=id,
        task_id=task_id,
        model=model,
        workflow_run_id=workflow_run_id,
        user_message_id=user_message_id,
        assistant_message_id=assistant_message_id,
        parts=_text(text) if parts is None else tuple(parts),
    )


def events_of(response: Response) -> tuple[Event, ...]:
    """List the events that stream this response, with one `PartDelta` for each word of text.

    Example:
        events = factories.events_of(factories.response(text="In Settings."))
        assert [event.type for event in events].count("part.delta") == 2
    """
    return tuple(_events_of(response))


def _events_of(response: Response) -> Iterator[Event]:
    started = events.response_started(
        user_message_id=response.user_message_id,
        assistant_message_id=response.assistant_message_id,
    )
    yield evolve(
        started,
        response_id=response.id or started.response_id,
        task_id=response.task_id or started.task_id,
        model=response.model or started.model,
        workflow_run_id=response.workflow_run_id or started.workflow_run_id,
    )
    for number, part in enumerate(response.parts, 1):
        part_id = getattr(part, "id", None) or numbered(part.kind, number)
        for delta in _deltas(part):
            yield events.part_delta(part_id=part_id, delta=delta)
        yield events.part_done(part_id=part_id, part=part)
    yield events.response_done(
        finish_reason=response.finish_reason,
        usage=response.usage,
        pending_tool_calls=response.pending_tool_calls or None,
    )


def _deltas(part: Part) -> Iterator[Part]:
    match part:
        case TextPart():
            yield from (evolve(part, text=words) for words in _words(part.text))
        case ReasoningPart():
            yield from (evolve(part, reasoning=words) for words in _words(part.reasoning))
        case _:
            pass


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+\s*", text)


def _text(text: str) -> tuple[Part, ...]:
    return (TextPart(text=text, id=events.PART_ID),)

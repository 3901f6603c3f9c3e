"""The loop of a chat, independent of the source of the replies."""

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Final

from attrs import define, field

from conversations_client import (
    UNSET,
    Event,
    PartDelta,
    PartDone,
    ResponseDone,
    TextPart,
    ToolDone,
    ToolFailed,
    ToolReviewDone,
    ToolReviewRequested,
    ToolStarted,
    unstructure,
)
from conversations_client._standard_streams import output_is_lost
from conversations_client.cli._display.output import Output
from conversations_client.cli._display.printable import one_line, printable

_LONGEST_VALUE: Final = 200

Ask = Callable[[str], AbstractContextManager[Iterable[Event]]]


def chat_through(messages: Iterable[str], ask: Ask, output: Output) -> None:
    """Send each message and print its reply, as text while it arrives or as JSON.

    Args:
        messages: The messages; blank ones are skipped.
        ask: Sends a message and returns the events of its reply.
        output: The output.
    """
    for message in messages:
        if not message.strip():
            continue
        with ask(message) as events:
            if output.is_for_people:
                _print_reply(events)
            else:
                output.json(_exchange(message, events))
        if output_is_lost():
            return


def _exchange(message: str, events: Iterable[Event]) -> dict[str, Any]:
    reply = _Reply()
    texts: list[str] = []
    tool_events: list[Any] = []
    for event in events:
        texts.append(reply.text(event))
        if reply.tool_line(event):
            tool_events.append(unstructure(event))
    exchange: dict[str, Any] = {"message": message, "answer": "".join(texts)}
    return {**exchange, "toolEvents": tool_events} if tool_events else exchange


def _print_reply(events: Iterable[Event]) -> None:
    reply = _Reply()
    current_line = ""
    ending = "\n"
    try:
        for event in events:
            text, tool_line = printable(reply.text(event)), reply.tool_line(event)
            if tool_line:
                text = ("\n" if current_line else "") + f"{tool_line}\n"
            if text:
                sys.stdout.write(text)
                sys.stdout.flush()
                current_line = text.rpartition("\n")[2]
                ending = "" if tool_line else "\n"
    finally:
        # The next output, even an error message, starts on a new line.
        sys.stdout.write(ending)


@define
class _Reply:
    """Converts the events of one reply to text."""

    _streamed_parts: set[str] = field(factory=set[str])
    _tool_names: dict[str, str] = field(factory=dict[str, str])

    def text(self, event: Event) -> str:
        """The text that the event adds to the reply."""
        match event:
            case PartDelta(part_id=part_id, delta=delta):
                self._streamed_parts.add(part_id)
                return delta.text if isinstance(delta, TextPart) else ""
            case PartDone(part_id=part_id, part=TextPart(text=text)):
                return "" if part_id in self._streamed_parts else text
            case _:
                return ""

    def tool_line(self, event: Event) -> str:
        """A line about a tool call; empty for other events."""
        description = self._describe_tool(event)
        return one_line(f"[{description}]") if description else ""

    def _describe_tool(self, event: Event) -> str:
        match event:
            case ToolStarted() | ToolReviewRequested():
                name = event.tool_name or event.tool_id
                self._tool_names[event.tool_call_id] = name
                verb = "calls" if isinstance(event, ToolStarted) else "asks for approval to call"
                return f"{verb} {name} with {_shortened_json(event.arguments)}"
            case ToolDone():
                result = "nothing" if event.result is UNSET else _shortened_json(event.result)
                return f"{self._name(event)} returned {result}"
            case ToolFailed():
                return f"{self._name(event)} failed: {event.error}"
            case ToolReviewDone():
                return f"the call to {self._name(event)} was {event.review}"
            case ResponseDone(pending_tool_calls=calls) if calls:
                names = ", ".join(call.function.name or call.id for call in calls)
                return f"waiting for the results of {names}"
            case _:
                return ""

    def _name(self, event: ToolDone | ToolFailed | ToolReviewDone) -> str:
        return self._tool_names.get(event.tool_call_id, event.tool_id)


def _shortened_json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"

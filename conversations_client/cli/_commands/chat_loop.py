"""The loop of a chat, independent of where the replies come from."""

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
    """Send each message and print its reply: as it arrives for people, otherwise as JSON.

    Args:
        messages: The messages; blank ones are skipped.
        ask: Sends a message and returns the events of its reply.
        output: Where to print.
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
    of_tools: list[Any] = []
    for event in events:
        texts.append(reply.text(event))
        if reply.tool_note(event):
            of_tools.append(unstructure(event))
    exchange: dict[str, Any] = {"message": message, "answer": "".join(texts)}
    return {**exchange, "toolEvents": of_tools} if of_tools else exchange


def _print_reply(events: Iterable[Event]) -> None:
    reply = _Reply()
    column = ""  # what the current line holds; a note about a tool has lines of its own
    ending = "\n"
    try:
        for event in events:
            text, note = printable(reply.text(event)), reply.tool_note(event)
            if note:
                text = ("\n" if column else "") + f"{note}\n"
            if text:
                sys.stdout.write(text)
                sys.stdout.flush()
                column = text.rpartition("\n")[2]
                ending = "" if note else "\n"
    finally:
        # Whatever follows, even an error, begins on a line of its own.
        sys.stdout.write(ending)


@define
class _Reply:
    """The events of one reply, as text."""

    _begun_parts: set[str] = field(factory=set[str])
    _tool_names: dict[str, str] = field(factory=dict[str, str])

    def text(self, event: Event) -> str:
        """The text that the event adds to the reply."""
        match event:
            case PartDelta(part_id=part_id, delta=delta):
                self._begun_parts.add(part_id)
                return delta.text if isinstance(delta, TextPart) else ""
            case PartDone(part_id=part_id, part=TextPart(text=text)):
                return "" if part_id in self._begun_parts else text
            case _:
                return ""

    def tool_note(self, event: Event) -> str:
        """A line about a tool; empty for other events."""
        note = self._note(event)
        return one_line(f"[{note}]") if note else ""

    def _note(self, event: Event) -> str:
        match event:
            case ToolStarted() | ToolReviewRequested():
                name = event.tool_name or event.tool_id
                self._tool_names[event.tool_call_id] = name
                verb = "calls" if isinstance(event, ToolStarted) else "asks for approval to call"
                return f"{verb} {name} with {_shown(event.arguments)}"
            case ToolDone():
                result = "nothing" if event.result is UNSET else _shown(event.result)
                return f"{self._name(event)} returned {result}"
            case ToolFailed():
                return f"{self._name(event)} failed: {event.error}"
            case ToolReviewDone():
                return f"the call of {self._name(event)} was {event.review}"
            case ResponseDone(pending_tool_calls=calls) if calls:
                names = ", ".join(call.function.name or call.id for call in calls)
                return f"waits for the results of {names}"
            case _:
                return ""

    def _name(self, event: ToolDone | ToolFailed | ToolReviewDone) -> str:
        return self._tool_names.get(event.tool_call_id, event.tool_id)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"

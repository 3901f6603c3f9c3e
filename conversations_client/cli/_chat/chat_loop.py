"""The chat loop, independent of where the replies come from."""

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Final

from attrs import define, field

from conversations_client import (
    UNSET,
    ConversationsError,
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
from conversations_client.cli._option_names import describe

_MAX_VALUE_LENGTH: Final = 200

Ask = Callable[[str], AbstractContextManager[Iterable[Event]]]
OnFailure = Callable[[ConversationsError], bool]


def run_chat(
    messages: Iterable[str],
    ask: Ask,
    output: Output,
    on_failure: OnFailure,
    *,
    conversation_id: Callable[[], str | None],
) -> None:
    """Send each message and print its reply, as text while it arrives or as JSON.

    Args:
        messages: The messages; blank ones are skipped.
        ask: Sends a message and returns the events of its reply.
        output: The output.
        on_failure: Takes the error for a message or its reply, and returns whether the chat
            continues.
        conversation_id: Returns the ID of the conversation; None if it doesn't exist.
    """
    for message in messages:
        if not message.strip():
            continue
        exchange, continues = _Exchange(message), True
        try:
            with ask(message) as events:
                if output.is_for_people:
                    _print_reply(events)
                else:
                    exchange.read(events)
        except ConversationsError as error:
            exchange.error = describe(error)
            continues = on_failure(error)
        except KeyboardInterrupt:
            exchange.error = "The chat was stopped."
            _print_exchange(exchange, output, conversation_id())
            raise
        _print_exchange(exchange, output, conversation_id())
        if not continues or output_is_lost():
            return


def _print_exchange(exchange: "_Exchange", output: Output, conversation_id: str | None) -> None:
    if not output.is_for_people:
        output.json(exchange.to_json(conversation_id))


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
                return self._describe_call(event)
            case ToolDone():
                result = "nothing" if event.result is UNSET else _shortened_json(event.result)
                return f"{self._name(event)} returned {result}"
            case ToolFailed():
                return f"{self._name(event)} failed: {event.error}"
            case ToolReviewDone():
                return f"the call to {self._name(event)} was {event.review}"
            case ResponseDone(pending_tool_calls=calls) if calls:
                names = ", ".join(call.function.name or call.id for call in calls)
                return f"waiting for the results of {names} (`chat` can't send them)"
            case _:
                return ""

    def _describe_call(self, event: ToolStarted | ToolReviewRequested) -> str:
        name = event.tool_name or event.tool_id
        self._tool_names[event.tool_call_id] = name
        call = f"{name} with {_shortened_json(event.arguments)}"
        if isinstance(event, ToolStarted):
            return f"calls {call}"
        return f"asks for approval to call {call} (`chat` can't give it)"

    def _name(self, event: ToolDone | ToolFailed | ToolReviewDone) -> str:
        return self._tool_names.get(event.tool_call_id, event.tool_id)


@define
class _Exchange:
    """A message and the part of its reply that has arrived, as JSON."""

    message: str
    error: str | None = None
    _reply: _Reply = field(factory=_Reply)
    _texts: list[str] = field(factory=list[str])
    _tool_events: list[Any] = field(factory=list[Any])

    def read(self, events: Iterable[Event]) -> None:
        """Read the events of the reply."""
        for event in events:
            self._texts.append(self._reply.text(event))
            if self._reply.tool_line(event):
                self._tool_events.append(unstructure(event))

    def to_json(self, conversation_id: str | None) -> dict[str, Any]:
        """The exchange, without the fields that have no value."""
        exchange = {
            "conversationId": conversation_id,
            "message": self.message,
            "answer": "".join(self._texts),
            "toolEvents": self._tool_events or None,
            "error": self.error,
        }
        return {name: value for name, value in exchange.items() if value is not None}


def _shortened_json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[: _MAX_VALUE_LENGTH - 1]}…"

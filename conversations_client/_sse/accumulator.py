"""Joins the events of a stream into a response. No I/O."""

from itertools import takewhile
from typing import Any, Final

from attrs import evolve

from conversations_client.events import Event, PartDelta, PartDone, ResponseDone, ResponseStarted
from conversations_client.messages import Part, ReasoningPart, TextPart
from conversations_client.responses import PartialResponse, Response

_RUN_LENGTH: Final = 1024


class _Deltas:
    """The deltas of a part, joined in runs to save memory."""

    __slots__ = ("_latest", "_runs")

    def __init__(self) -> None:
        self._runs: list[Part] = []
        self._latest: list[Part] = []

    def add(self, delta: Part) -> None:
        """Add the next delta."""
        if self._runs and type(self._runs[-1]) is not type(delta):
            # A delta of a different kind replaces the earlier ones.
            self._runs.clear()
        self._latest.append(delta)
        if len(self._latest) == _RUN_LENGTH:
            self._runs.append(joined(self._latest))
            self._latest.clear()

    def joined(self) -> Part:
        """The part that results from the deltas; there must be at least one."""
        return joined([*self._runs, *self._latest])


class ResponseAccumulator:
    """Builds a response from its events."""

    def __init__(self) -> None:
        self._started: ResponseStarted | None = None
        self._parts: dict[str, _Deltas | Part] = {}

    def add(self, event: Event) -> str:
        """Add the next event; returns the text that it adds to the response."""
        match event:
            case PartDelta():
                deltas = self._parts.get(event.part_id)
                if deltas is None:
                    deltas = self._parts[event.part_id] = _Deltas()
                if not isinstance(deltas, _Deltas):
                    return ""
                deltas.add(event.delta)
                return _text(event.delta)
            case PartDone():
                is_new = event.part_id not in self._parts
                self._parts[event.part_id] = event.part
                return _text(event.part) if is_new else ""
            case ResponseStarted():
                self._started = event
                return ""
            case _:
                return ""

    def partial(self) -> PartialResponse:
        """The response so far."""
        return PartialResponse(**self._fields())

    def complete(self, done: ResponseDone) -> Response:
        """The complete response; `done` is its last event."""
        return Response(
            **self._fields(),
            finish_reason=done.finish_reason,
            usage=done.usage,
            pending_tool_calls=done.pending_tool_calls or (),
        )

    def _fields(self) -> dict[str, Any]:
        parts = self._parts.values()
        fields: dict[str, Any] = {
            "parts": tuple(part.joined() if isinstance(part, _Deltas) else part for part in parts)
        }
        if self._started is not None:
            fields |= {
                "id": self._started.response_id,
                "task_id": self._started.task_id,
                "model": self._started.model,
                "workflow_run_id": self._started.workflow_run_id,
                "user_message_id": self._started.user_message_id,
                "assistant_message_id": self._started.assistant_message_id,
            }
        return fields


def _text(part: Part) -> str:
    return part.text if isinstance(part, TextPart) else ""


def joined(deltas: list[Part]) -> Part:
    """The part that results from one or more deltas."""
    last = deltas[-1]
    # A delta of a different kind replaces the earlier ones.
    same = list(takewhile(lambda delta: type(delta) is type(last), reversed(deltas)))[::-1]
    match last:
        case TextPart():
            text = "".join(delta.text for delta in same if isinstance(delta, TextPart))
            return evolve(last, text=text, **_latest(same, "id", "metadata"))
        case ReasoningPart():
            text = "".join(delta.reasoning for delta in same if isinstance(delta, ReasoningPart))
            latest = _latest(same, "id", "metadata", "signature")
            return evolve(last, reasoning=text, **latest)
        case _:
            return last


def _latest(deltas: list[Part], *names: str) -> dict[str, Any]:
    """The last non-None value of each attribute."""
    latest: dict[str, Any] = {}
    for delta in deltas:
        values = {name: getattr(delta, name) for name in names}
        latest |= {name: value for name, value in values.items() if value is not None}
    return latest

"""Collects the parts of a reply's message."""

from typing import Any, cast

from .events import Event


class Transcript:
    """Collects a message's parts from the events of a reply."""

    def __init__(self) -> None:
        self._parts: list[dict[str, object]] = []
        self._pieces: list[str] = []

    def add(self, event: Event) -> None:
        """Add the next event.

        Args:
            event: The event; events without text, tool results or errors add nothing.
        """
        data = cast("dict[str, Any]", event.data)
        match event.type:
            case "part.delta" if data["delta"]["kind"] == "text":
                self._pieces.append(data["delta"]["text"])
            case "part.done" if data["part"]["kind"] == "text":
                self._pieces.clear()
                self._parts.append({"kind": "text", "text": data["part"]["text"]})
            case "tool.done":
                result = {"tool_call_id": data["toolCallId"], "result": data["result"]}
                self._parts.append({"kind": "tool_result", **result})
            case "response.failed":
                self._add_incomplete_text()
                self._parts.append({"kind": "error", **data})
            case _:
                pass

    def parts(self) -> list[dict[str, object]]:
        """List the parts so far.

        Returns:
            The parts with wire names, including an incomplete text.
        """
        self._add_incomplete_text()
        return self._parts

    def _add_incomplete_text(self) -> None:
        if self._pieces:
            self._parts.append({"kind": "text", "text": "".join(self._pieces)})
            self._pieces.clear()

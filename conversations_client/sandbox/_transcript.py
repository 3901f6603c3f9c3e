"""What of a response is worth remembering."""

from typing import Any, cast

from conversations_client.sandbox._events import Event


class Transcript:
    """Hears a response's events, and keeps of them what a message can hold."""

    def __init__(self) -> None:
        self._parts: list[dict[str, object]] = []
        self._pieces: list[str] = []

    def hear(self, event: Event) -> None:
        """Take the next event in.

        Args:
            event: The event; reasoning, and what is only about to happen, leaves no trace.
        """
        data = cast("dict[str, Any]", event.data)
        match event.type:
            case "part.delta" if data["delta"]["kind"] == "text":
                self._pieces.append(data["delta"]["text"])
            case "part.done" if data["part"]["kind"] == "text":
                self._pieces.clear()
                self._parts.append({"kind": "text", "text": data["part"]["text"]})
            case "tool.done":
                told = {"tool_call_id": data["toolCallId"], "result": data["result"]}
                self._parts.append({"kind": "tool_result", **told})
            case "response.failed":
                self._break_off()
                self._parts.append({"kind": "error", **data})
            case _:
                pass

    def parts(self) -> list[dict[str, object]]:
        """Tell what there is.

        Returns:
            A message's parts by wire names; of a text that was broken off, what was said.
        """
        self._break_off()
        return self._parts

    def _break_off(self) -> None:
        """Keep what was said of a text that won't come to its end."""
        if self._pieces:
            self._parts.append({"kind": "text", "text": "".join(self._pieces)})
            self._pieces.clear()

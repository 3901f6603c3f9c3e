"""The sandbox's models, whose replies are deterministic."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from conversations_client.sandbox._storage.json_encoding import encode

TOOL_MODEL: Final = "sandbox/tool"
"""The model that calls a tool and reads tool results."""

_TOOL_NAME: Final = "count_words"
_REVIEW: Final = "review"


@frozen(kw_only=True)
class Text:
    """A text part, sent in pieces; an incomplete part has no final event."""

    pieces: Sequence[str]
    complete: bool = True


@frozen(kw_only=True)
class Reasoning:
    """A reasoning part, sent in pieces and signed."""

    pieces: Sequence[str]
    signature: str


@frozen(kw_only=True)
class ToolCall:
    """A tool call with its result."""

    name: str
    arguments: Mapping[str, object]
    result: object


@frozen(kw_only=True)
class Done:
    """The end of a successful reply."""

    usage: Mapping[str, object]


@frozen(kw_only=True)
class Review:
    """The end of a reply that waits for the approval of a tool call."""

    name: str
    arguments: Mapping[str, object]
    usage: Mapping[str, object]


@frozen(kw_only=True)
class Failure:
    """The end of a failed reply."""

    error: str
    code: int


Step = Text | Reasoning | ToolCall | Done | Review | Failure


def prompt(parts: Sequence[Mapping[str, object]]) -> str:
    """Extract the text that a model replies to.

    Args:
        parts: A message's parts, with wire names.

    Returns:
        The text parts, joined by line breaks; empty if there are none.
    """
    return "\n".join(str(part["text"]) for part in parts if part["kind"] == "text")


def tool_results(parts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Select the tool results.

    Args:
        parts: A message's parts, with wire names.

    Returns:
        The tool results, in order.
    """
    return [part for part in parts if part["kind"] == "tool_result"]


def respond(model: str, parts: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Reply to a message.

    Args:
        model: One of `MODELS`; any other model replies as `sandbox/echo` does.
        parts: The message's parts, with wire names.

    Returns:
        The steps of the reply, including its end.
    """
    text, results = prompt(parts), tool_results(parts)
    if model == TOOL_MODEL and results:
        return _report(text, results)
    return _MODELS.get(model, _echo)(text)


def _echo(text: str) -> tuple[Step, ...]:
    pieces = _pieces(text)
    return Text(pieces=pieces), Done(usage=_usage(text, pieces))


def _reasoning(text: str) -> tuple[Step, ...]:
    thought = f"The user says {_count(text)}. I say the same."
    thoughts, pieces = _pieces(thought), _pieces(text)
    return (
        Reasoning(pieces=thoughts, signature=hashlib.sha256(thought.encode()).hexdigest()),
        Text(pieces=pieces),
        Done(
            usage={
                **_usage(text, [*thoughts, *pieces]),
                "completion_tokens_details": {"reasoning_tokens": len(thoughts)},
            }
        ),
    )


def _tool(text: str) -> tuple[Step, ...]:
    if _REVIEW in text.lower():
        pieces = _pieces("May I count the words?")
        review = Review(name=_TOOL_NAME, arguments={"text": text}, usage=_usage(text, pieces))
        return Text(pieces=pieces), review
    pieces = _pieces(f"You said {_count(text)}.")
    call = ToolCall(name=_TOOL_NAME, arguments={"text": text}, result={"words": len(text.split())})
    return call, Text(pieces=pieces), Done(usage=_usage(text, pieces))


def _report(text: str, results: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    returned = [
        encode(result["result"]).decode() if "result" in result else "nothing" for result in results
    ]
    pieces = _pieces(" ".join(f"{_TOOL_NAME} returned {each}." for each in returned))
    return Text(pieces=pieces), Done(usage=_usage(text, pieces))


def _fails(text: str) -> tuple[Step, ...]:
    pieces = _pieces(text)
    half = pieces[: (len(pieces) + 1) // 2]
    return Text(pieces=half, complete=False), Failure(error="The model failed halfway.", code=500)


_MODELS: Final[Mapping[str, Callable[[str], tuple[Step, ...]]]] = {
    "sandbox/echo": _echo,
    "sandbox/reasoning": _reasoning,
    TOOL_MODEL: _tool,
    "sandbox/fails": _fails,
}
MODELS: Final = tuple(_MODELS)


def _pieces(text: str) -> list[str]:
    """Split a text into words with their trailing whitespace."""
    return re.findall(r"\S+\s*|\s+", text)


def _count(text: str) -> str:
    words = len(text.split())
    return f"{words} word" if words == 1 else f"{words} words"


def _usage(text: str, reply: Sequence[str]) -> dict[str, object]:
    """Count the tokens; each piece is a token."""
    prompt_tokens = len(_pieces(text))
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": len(reply),
        "total_tokens": prompt_tokens + len(reply),
    }

"""The sandbox's models and their events, by literal equality."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client.sandbox._replies.events import Event, events, server_sent
from conversations_client.sandbox._replies.models import (
    MODELS,
    Done,
    Failure,
    Reasoning,
    Review,
    Text,
    ToolCall,
    prompt,
    respond,
)
from conversations_client.sandbox._replies.transcript import Transcript
from conversations_client.sandbox._storage.clock import iso_8601

THOUGHT = "The user says 3 words. I say the same."
SIGNATURE = "39474f9a78bd7fddcef39894d998c21010cbe7d56174f07c6c554521b852c448"


def usage(read: int, reply: int, **details: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": read,
        "completion_tokens": reply,
        "total_tokens": read + reply,
        **details,
    }


def text_part(text: str) -> dict[str, Any]:
    return {"kind": "text", "text": text}


def numbered_events(model: str, text: str) -> list[Event]:
    """All events of a response, with numbered IDs."""
    numbers = itertools.count(1)
    steps = respond(model, [text_part(text)])
    return list(events(steps, lambda prefix: f"{prefix}_{next(numbers)}"))


@pytest.mark.parametrize(
    ("model", "text", "steps"),
    [
        ("sandbox/echo", "One  two\n", (Text(pieces=["One  ", "two\n"]), Done(usage=usage(2, 2)))),
        ("sandbox/echo", " x", (Text(pieces=[" ", "x"]), Done(usage=usage(2, 2)))),
        ("sandbox/echo", "", (Text(pieces=[]), Done(usage=usage(0, 0)))),
        (
            "sandbox/reasoning",
            "One two three",
            (
                Reasoning(pieces=["The ", "user ", "says ", "3 ", "words. ", "I ", "say ", "the ", "same."], signature=SIGNATURE),
                Text(pieces=["One ", "two ", "three"]),
                Done(usage=usage(3, 12, completion_tokens_details={"reasoning_tokens": 9})),
            ),
        ),
        (
            "sandbox/tool",
            "One",
            (
                ToolCall(name="count_words", arguments={"text": "One"}, result={"words": 1}),
                Text(pieces=["You ", "said ", "1 ", "word."]),
                Done(usage=usage(1, 4)),
            ),
        ),
        (
            "sandbox/tool",
            "Please REVIEW",
            (
                Text(pieces=["May ", "I ", "count ", "the ", "words?"]),
                Review(name="count_words", arguments={"text": "Please REVIEW"}, usage=usage(2, 5)),
            ),
        ),
        (
            "sandbox/fails",
            "One two three",
            (Text(pieces=["One ", "two "], complete=False), Failure(error="The model failed halfway.", code=500)),
        ),
    ],
)  # fmt: skip
def test_the_steps_of_each_model(model: str, text: str, steps: tuple[Any, ...]) -> None:
    assert respond(model, [text_part(text)]) == steps


@pytest.mark.parametrize(
    ("result", "pieces"),
    [
        ({"result": {"words": 2}}, ["count_words ", "returned ", '{"words":2}.']),
        ({"result": {"error": "No é"}}, ["count_words ", "returned ", '{"error":"No ', 'é"}.']),
        ({"result": None}, ["count_words ", "returned ", "null."]),
        ({}, ["count_words ", "returned ", "nothing."]),
    ],
)
def test_the_tool_model_replies_to_results(result: dict[str, Any], pieces: list[str]) -> None:
    part = {"kind": "tool_result", "tool_call_id": "c", **result}
    done = Done(usage=usage(2, len(pieces)))
    assert respond("sandbox/tool", [text_part("Please review"), part]) == (
        Text(pieces=pieces),
        done,
    )
    assert respond("sandbox/echo", [part, text_part("One")]) == (
        Text(pieces=["One"]),
        Done(usage=usage(1, 1)),
    )


def test_several_results_are_all_in_the_reply() -> None:
    parts = [{"kind": "tool_result", "tool_call_id": each, "result": each} for each in "ab"]
    text, _ = respond("sandbox/tool", parts)
    assert isinstance(text, Text)
    assert "".join(text.pieces) == 'count_words returned "a". count_words returned "b".'


@given(st.text("xé \n\u2028"))
def test_echo_returns_the_text(text: str) -> None:
    reply, done = respond("sandbox/echo", [text_part(text)])
    assert isinstance(reply, Text)
    assert "".join(reply.pieces) == text
    assert done == Done(usage=usage(len(reply.pieces), len(reply.pieces)))


def test_a_prompt_is_the_text_of_a_message() -> None:
    parts = [
        {"kind": "text", "text": "One"},
        {"kind": "error", "error": "x"},
        {"kind": "text", "text": "two"},
    ]
    assert prompt(parts) == "One\ntwo"
    assert prompt([]) == ""


def delta(part_id: str, **part: Any) -> Event:
    return Event("part.delta", {"partId": part_id, "delta": {"_id": part_id, **part}})


def done(part_id: str, **part: Any) -> Event:
    return Event("part.done", {"partId": part_id, "part": {"_id": part_id, **part}})


EVENTS = {
    ("sandbox/echo", "One two"): [
        delta("text_1", kind="text", text="One "),
        delta("text_1", kind="text", text="two"),
        done("text_1", kind="text", text="One two"),
        Event("response.done", {"finishReason": "stop", "usage": usage(2, 2)}),
    ],
    ("sandbox/reasoning", "One two three"): [
        *[
            delta("reasoning_1", kind="reasoning", reasoning=piece)
            for piece in ("The ", "user ", "says ", "3 ", "words. ", "I ", "say ", "the ", "same.")
        ],
        done("reasoning_1", kind="reasoning", reasoning=THOUGHT, signature=SIGNATURE),
        delta("text_2", kind="text", text="One "),
        delta("text_2", kind="text", text="two "),
        delta("text_2", kind="text", text="three"),
        done("text_2", kind="text", text="One two three"),
        Event(
            "response.done",
            {
                "finishReason": "stop",
                "usage": usage(3, 12, completion_tokens_details={"reasoning_tokens": 9}),
            },
        ),
    ],
    ("sandbox/tool", ""): [
        Event(
            "tool.started",
            {
                "toolId": "tool_1",
                "toolCallId": "call_2",
                "toolName": "count_words",
                "arguments": {"text": ""},
            },
        ),
        Event("tool.done", {"toolId": "tool_1", "toolCallId": "call_2", "result": {"words": 0}}),
        delta("text_3", kind="text", text="You "),
        delta("text_3", kind="text", text="said "),
        delta("text_3", kind="text", text="0 "),
        delta("text_3", kind="text", text="words."),
        done("text_3", kind="text", text="You said 0 words."),
        Event("response.done", {"finishReason": "stop", "usage": usage(0, 4)}),
    ],
    ("sandbox/tool", 'a "review"'): [
        delta("text_1", kind="text", text="May "),
        delta("text_1", kind="text", text="I "),
        delta("text_1", kind="text", text="count "),
        delta("text_1", kind="text", text="the "),
        delta("text_1", kind="text", text="words?"),
        done("text_1", kind="text", text="May I count the words?"),
        Event(
            "tool.review.requested",
            {
                "toolId": "tool_2",
                "toolCallId": "call_3",
                "toolName": "count_words",
                "arguments": {"text": 'a "review"'},
                "requiresApproval": True,
            },
        ),
        Event(
            "response.done",
            {
                "finishReason": "tool_calls",
                "usage": usage(2, 5),
                "pendingToolCalls": [
                    {
                        "id": "call_3",
                        "type": "function",
                        "function": {
                            "name": "count_words",
                            "arguments": '{"text":"a \\"review\\""}',
                        },
                    }
                ],
            },
        ),
    ],
    ("sandbox/fails", "One two three"): [
        delta("text_1", kind="text", text="One "),
        delta("text_1", kind="text", text="two "),
        Event("response.failed", {"error": "The model failed halfway.", "code": 500}),
    ],
}


@pytest.mark.parametrize(("model", "text"), EVENTS)
def test_events(model: str, text: str) -> None:
    assert numbered_events(model, text) == EVENTS[model, text]


def test_every_model_is_tested() -> None:
    assert {model for model, _ in EVENTS} == set(MODELS)


@pytest.mark.parametrize(
    ("model", "text", "heard", "parts"),
    [
        ("sandbox/echo", "One two", None, [{"kind": "text", "text": "One two"}]),
        ("sandbox/echo", "One two", 2, [{"kind": "text", "text": "One two"}]),
        ("sandbox/echo", "One two", 1, [{"kind": "text", "text": "One "}]),
        ("sandbox/echo", "One two", 0, []),
        ("sandbox/reasoning", "One two three", None, [{"kind": "text", "text": "One two three"}]),
        ("sandbox/reasoning", "One two three", 10, []),
        (
            "sandbox/tool",
            "",
            3,
            [
                {"kind": "tool_result", "tool_call_id": "call_2", "result": {"words": 0}},
                {"kind": "text", "text": "You "},
            ],
        ),
        (
            "sandbox/tool",
            'a "review"',
            None,
            [{"kind": "text", "text": "May I count the words?"}],
        ),
        (
            "sandbox/fails",
            "One two three",
            None,
            [
                {"kind": "text", "text": "One two "},
                {"kind": "error", "error": "The model failed halfway.", "code": 500},
            ],
        ),
    ],
)
def test_the_transcript(
    model: str, text: str, heard: int | None, parts: list[dict[str, Any]]
) -> None:
    transcript = Transcript()
    for event in EVENTS[model, text][:heard]:
        transcript.add(event)
    assert transcript.parts() == parts


def test_server_sent_bytes() -> None:
    event = Event("part.delta", {"text": "é\r\n\u2028"})
    assert (
        server_sent(event, at=1734789600007)
        == (
            'data: {"type":"part.delta","timestamp":"2024-12-21T14:00:00.007Z",'
            '"data":{"text":"é\\r\\n\u2028"}}\n\n'
        ).encode()
    )


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (1734793200999, "2024-12-21T15:00:00.999Z")],
)
def test_times(milliseconds: int, text: str) -> None:
    assert iso_8601(milliseconds) == text

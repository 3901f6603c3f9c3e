"""The loop of tool calls and results with the model `sandbox/tool`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streaming import played
from variants import Variant

from conversations_client import (
    Client,
    ConflictError,
    FinishReason,
    Response,
    Retry,
    StreamTruncatedError,
    ToolResultPart,
    ToolReviewRequested,
    UserMessage,
)
from conversations_client.sandbox import Sandbox

MODEL = "sandbox/tool"
UNKNOWN = "call_" + "0" * 26


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with sandbox.client(retry=Retry(attempts=1)) as client:
        yield client


@pytest.fixture
def conversation(client: Client) -> str:
    return str(client.conversations.create().id)


def ask(client: Client, conversation: str, text: str = "Please review: one") -> Response:
    """Start a tool call, which needs a result."""
    return client.conversations.responses.create(conversation, message=text, model=MODEL)


def call_id(response: Response) -> str:
    (call,) = response.pending_tool_calls
    return call.id


def give(
    client: Client,
    conversation: str,
    *call_ids: str,
    result: Any = 1,
    model: str = MODEL,
    **options: Any,
) -> Response:
    """Send a tool result for each call."""
    parts = [ToolResultPart(tool_call_id=each, result=result) for each in call_ids]
    return client.conversations.responses.create(
        conversation, message=parts, model=model, **options
    )


def stored(client: Client, conversation: str) -> int:
    """The number of messages."""
    messages = client.conversations.retrieve(conversation).messages
    assert messages is not None
    return len(messages)


@pytest.mark.parametrize("has_task", [True, False])
@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"words": 99}, 'count_words returned {"words":99}.'),
        ({"error": "The user declined."}, 'count_words returned {"error":"The user declined."}.'),
    ],
)
def test_the_reply_uses_the_result(
    variant: Variant, sandbox: Sandbox, has_task: bool, result: Any, said: str
) -> None:
    async def scenario(client: Any) -> None:
        one = await client.conversations.create()
        responses = client.conversations.responses
        asked = await responses.create(one, message="Please review: one two", model=MODEL)
        assert asked.finish_reason is FinishReason.TOOL_CALLS
        part = ToolResultPart(tool_call_id=call_id(asked), result=result)
        options = {"task_id": asked.task_id} if has_task else {}
        async with responses.stream(one, message=[part], model=MODEL, **options) as stream:
            response = await stream.collect()
        assert (response.text, response.finish_reason) == (said, FinishReason.STOP)
        assert response.pending_tool_calls == ()
        found = await client.conversations.retrieve(one)
        assert [each.text for each in found.messages] == [
            "Please review: one two", "May I count the words?", "", said,
        ]  # fmt: skip
        assert found.messages[2].parts == (part,)

    variant.run(
        lambda client: played(client, scenario), api_key=sandbox.api_key, base_url=sandbox.url
    )


def test_a_result_for_no_pending_call_is_rejected(client: Client, conversation: str) -> None:
    with pytest.raises(ConflictError) as none:
        give(client, conversation, UNKNOWN)
    assert none.value.service_message == (
        "The tool results don't match the conversation: $.message.parts[0] must not be a tool_result, "
        "because no tool call is pending."
    )
    assert stored(client, conversation) == 0
    asked = ask(client, conversation)
    with pytest.raises(ConflictError) as unknown:
        give(client, conversation, call_id(asked), UNKNOWN, call_id(asked))
    assert unknown.value.service_message == (
        "The tool results don't match the conversation: $.message.parts[1] must not be a tool_result, "
        "because no tool call is pending; $.message.parts[2] must not be a tool_result, because no tool call is pending."
    )
    with pytest.raises(ConflictError) as wrong:
        give(client, conversation, UNKNOWN)
    assert wrong.value.service_message == (
        "The tool results don't match the conversation: $.message.parts[0].tool_call_id must be the ID "
        f"of a pending tool call: {call_id(asked)}."
    )
    assert stored(client, conversation) == 2
    assert give(client, conversation, call_id(asked)).text == "count_words returned 1."


def test_a_call_gets_only_one_result(client: Client, conversation: str) -> None:
    asked = ask(client, conversation)
    first = give(client, conversation, call_id(asked), idempotency_key="again")
    with pytest.raises(ConflictError, match="no tool call is pending"):
        give(client, conversation, call_id(asked))
    assert stored(client, conversation) == 4
    assert give(client, conversation, call_id(asked), idempotency_key="again") == first


def test_a_call_belongs_to_its_conversation(client: Client, conversation: str) -> None:
    other = str(client.conversations.create().id)
    asked = ask(client, conversation)
    with pytest.raises(ConflictError, match="no tool call is pending"):
        give(client, other, call_id(asked))
    give(client, other, call_id(asked), model="sandbox/echo")
    give(client, conversation, call_id(asked))


def test_a_result_belongs_to_the_task_of_its_call(client: Client, conversation: str) -> None:
    asked = ask(client, conversation)
    with pytest.raises(
        ConflictError,
        match=rf"\$\.task_id must be {asked.task_id}, the task of the tool",
    ):
        give(client, conversation, call_id(asked), task_id="task_other")
    assert stored(client, conversation) == 2
    done = give(client, conversation, call_id(asked), task_id=asked.task_id)
    assert done.task_id == asked.task_id
    # A message without tool results can begin a task with any ID.
    begun = client.conversations.responses.create(
        conversation, message="review", model=MODEL, task_id="task_mine"
    )
    give(client, conversation, call_id(begun), task_id="task_mine")


def test_several_calls_can_be_pending(client: Client, conversation: str) -> None:
    first, second, third = (call_id(ask(client, conversation)) for _ in range(3))
    plain = ask(client, conversation, "One two")
    assert plain.text == "You said 2 words."
    assert give(client, conversation, second).text == "count_words returned 1."
    with pytest.raises(ConflictError, match=f"tool call: {first}, {third}\\."):
        give(client, conversation, second)
    assert (
        give(client, conversation, third, first).text
        == "count_words returned 1. count_words returned 1."
    )


def test_other_models_accept_any_result(client: Client, conversation: str) -> None:
    assert give(client, conversation, UNKNOWN, model="sandbox/echo").text == ""
    asked = call_id(ask(client, conversation))
    assert give(client, conversation, asked, UNKNOWN, model="openai/gpt-4o").text == ""
    with pytest.raises(ConflictError, match="no tool call is pending"):
        give(client, conversation, asked)


@pytest.mark.parametrize("is_stored", [False, True])
def test_pending_calls_outlive_a_restart(is_stored: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.db" if is_stored else None
    with Sandbox(db=path) as sandbox, sandbox.client() as client:
        conversation = str(client.conversations.create().id)
        first, second = (call_id(ask(client, conversation)) for _ in range(2))
        give(client, conversation, first)
        sandbox.stop()
        if path is not None:
            sandbox = Sandbox(db=path, port=int(sandbox.url.rpartition(":")[2]))  # noqa: PLW2901
        with sandbox:
            with pytest.raises(ConflictError, match=second):
                give(client, conversation, first)
            assert give(client, conversation, second).text == "count_words returned 1."


def test_a_message_that_is_not_stored_answers_no_call(client: Client, conversation: str) -> None:
    asked = ask(client, conversation)
    messages = client.conversations.retrieve(conversation).messages
    assert messages is not None
    part = ToolResultPart(tool_call_id=call_id(asked), result=1)
    repeated = UserMessage(parts=[part], message_id=messages[0].id)
    with pytest.raises(ConflictError):
        client.conversations.responses.create(conversation, message=repeated, model=MODEL)
    assert give(client, conversation, call_id(asked)).text == "count_words returned 1."


def test_a_call_of_an_interrupted_response_is_pending(
    sandbox: Sandbox, client: Client, conversation: str
) -> None:
    sandbox.break_stream(after_events=8)  # all but the last
    with client.conversations.responses.stream(
        conversation, message="Please review", model=MODEL
    ) as stream:
        review = [next(stream) for _ in range(8)][-1]
        with pytest.raises(StreamTruncatedError):
            next(stream)
    assert isinstance(review, ToolReviewRequested)
    assert give(client, conversation, review.tool_call_id).finish_reason is FinishReason.STOP


def test_a_conversation_takes_its_pending_calls_with_it(
    sandbox: Sandbox, client: Client, conversation: str
) -> None:
    ask(client, conversation)
    assert len(sandbox._store.tool_calls.of(conversation)) == 1

    async def delete(_seconds: float) -> None:
        sandbox._store.conversations.delete(conversation)

    sandbox._pacing.sleep = delete
    assert ask(client, conversation).finish_reason is FinishReason.TOOL_CALLS
    assert sandbox._store.tool_calls.of(conversation) == {}

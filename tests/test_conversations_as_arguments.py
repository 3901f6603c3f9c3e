"""Passes a conversation instead of its ID, in every call and every variant."""

from typing import Any

import pytest
from many import run_many
from scripted import CONVERSATION, ScriptedServer, answer
from streaming import WHOLE, read_stream, streamed
from variants import KEY, Variant, everything

from conversations_client import (
    Conversation,
    ConversationWithMessages,
    Failed,
    InvalidArgumentError,
)

PAGE = answer(200, {"object": "list", "data": [], "has_more": False})
MESSAGE = {"message": "hello", "model": "a/b"}


def conversation(cls: type[Conversation], conversation_id: str | None) -> Conversation:
    return cls(
        id=conversation_id, kind="conversation", display_name="a", created_at=1, updated_at=1
    )


def retrieve(client: Any, one: Any) -> Any:
    return client.conversations.retrieve(one)


def update(client: Any, one: Any) -> Any:
    return client.conversations.update(one, display_name="b")


def delete(client: Any, one: Any) -> Any:
    return client.conversations.delete(one)


def generate_name(client: Any, one: Any) -> Any:
    return client.conversations.generate_name(one, context="b")


def respond(client: Any, one: Any) -> Any:
    return client.conversations.responses.create(one, **MESSAGE)


def stream(client: Any, one: Any) -> Any:
    return read_stream(client.conversations.responses.stream(one, **MESSAGE))


def raw_retrieve(client: Any, one: Any) -> Any:
    return client.conversations.with_raw_response.retrieve(one)


def raw_respond(client: Any, one: Any) -> Any:
    return client.conversations.responses.with_raw_response.create(one, **MESSAGE)


def older(client: Any, one: Any) -> Any:
    return everything(client.conversations.list(starting_after=one))


def newer(client: Any, one: Any) -> Any:
    return everything(client.conversations.list(ending_before=one))


def resume(client: Any, one: Any) -> Any:
    return everything(client.conversations.list().pages(after=one))


def raw_older(client: Any, one: Any) -> Any:
    return client.conversations.with_raw_response.list(starting_after=one)


ONE = "/v2/conversations/conv%2F1"
CALLS = [
    (retrieve, answer(200), f"GET {ONE}", "conversation_id"),
    (update, answer(200), f"PATCH {ONE}", "conversation_id"),
    (delete, answer(204, b""), f"DELETE {ONE}", "conversation_id"),
    (generate_name, answer(200), f"POST {ONE}/generate-name", "conversation_id"),
    (respond, streamed(WHOLE), f"POST {ONE}/responses", "conversation_id"),
    (stream, streamed(WHOLE), f"POST {ONE}/responses", "conversation_id"),
    (raw_retrieve, answer(200), f"GET {ONE}", "conversation_id"),
    (raw_respond, streamed(WHOLE), f"POST {ONE}/responses", "conversation_id"),
    (older, PAGE, "GET /v2/conversations/?startingAfter=conv%2F1", "starting_after"),
    (newer, PAGE, "GET /v2/conversations/?endingBefore=conv%2F1", "ending_before"),
    (resume, PAGE, "GET /v2/conversations/?startingAfter=conv%2F1", "after"),
    (raw_older, PAGE, "GET /v2/conversations/?startingAfter=conv%2F1", "starting_after"),
]


@pytest.mark.parametrize("cls", [Conversation, ConversationWithMessages])
@pytest.mark.parametrize(("call", "response", "line", "_"), CALLS)
def test_a_conversation_can_be_passed_as_its_id(
    variant: Variant, cls: type[Conversation], call: Any, response: bytes, line: str, _: str
) -> None:
    one = conversation(cls, "conv/1")
    with ScriptedServer([response, response]) as server:
        for given in (one, "conv/1"):
            variant.run(
                lambda client, given=given: call(client, given),  # type: ignore[misc]
                api_key=KEY,
                base_url=server.url,
            )
    assert [f"{seen.method} {seen.target}" for seen in server.seen] == [line, line]


@pytest.mark.parametrize("cls", [Conversation, ConversationWithMessages])
@pytest.mark.parametrize(("call", "_", "__", "name"), CALLS)
def test_a_conversation_without_an_id_is_rejected_before_anything_is_sent(
    variant: Variant, cls: type[Conversation], call: Any, _: bytes, __: str, name: str
) -> None:
    one = conversation(cls, None)
    with (
        ScriptedServer([]) as server,
        pytest.raises(InvalidArgumentError, match=f"^{name} is a conversation without an ID"),
    ):
        variant.run(lambda client: call(client, one), api_key=KEY, base_url=server.url)
    assert server.seen == []


@pytest.mark.parametrize(
    ("method", "response"),
    [("retrieve_many", answer(200, CONVERSATION)), ("delete_many", answer(204, b""))],
)
def test_many_calls_accept_conversations_and_report_their_ids(
    variant: Variant, method: str, response: bytes
) -> None:
    items = [
        conversation(Conversation, "conv_1"),
        "conv_2",
        conversation(ConversationWithMessages, "conv_3"),
        conversation(Conversation, None),
        conversation(Conversation, " "),
        7,
    ]
    with ScriptedServer([response] * 3) as server:
        outcomes = run_many(
            variant,
            method,
            items,
            ordered=True,
            max_in_flight=1,
            client={"api_key": KEY, "base_url": server.url},
        )
    found = [one.conversation_id for one in outcomes]
    assert found == ["conv_1", "conv_2", "conv_3", None, " ", None]
    failed = [one for one in outcomes if isinstance(one, Failed)]
    assert [one.index for one in failed] == [3, 4, 5]
    assert all(isinstance(one.error, InvalidArgumentError) for one in failed)
    assert [seen.target.rpartition("/")[2] for seen in server.seen] == [
        "conv_1",
        "conv_2",
        "conv_3",
    ]

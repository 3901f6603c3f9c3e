"""The differences between the two revisions of the API, in every variant."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from revisions import required
from variants import Variant, everything

from conversations_client import (
    Client,
    Conversation,
    ConversationWithMessages,
    NotFoundError,
    UnprocessableEntityError,
    structure,
    unstructure,
)
from conversations_client.bulk import export_file
from conversations_client.models import CreateConversationResponseBody
from conversations_client.sandbox import Sandbox


@pytest.fixture
def first() -> Any:
    with Sandbox(revision=1) as sandbox:
        yield sandbox


def options(sandbox: Sandbox) -> dict[str, Any]:
    return {"api_key": sandbox.api_key, "base_url": sandbox.url}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, r"\$ must have metadata"),
        ({"metadata": {}}, r"\$\.metadata must have entityId"),
        ({"metadata": {"entity_id": None}}, r"\$\.metadata\.entityId must be of type string"),
    ],
)
def test_the_first_revision_has_no_conversation_without_an_entity(
    variant: Variant, first: Sandbox, arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UnprocessableEntityError, match=problem):
        variant.run(lambda client: client.conversations.create(**arguments), **options(first))


def test_the_first_revision_keeps_the_entity(variant: Variant, first: Sandbox) -> None:
    def scenario(client: Any) -> Any:
        return client.conversations.create(**required(1))

    one = variant.run(scenario, **options(first))
    with pytest.raises(UnprocessableEntityError, match=r"entityId must be of type string"):
        variant.run(
            lambda client: client.conversations.update(one.id, metadata={"entity_id": None}),
            **options(first),
        )


def test_the_first_revision_has_no_model_and_no_responses(variant: Variant, first: Sandbox) -> None:
    metadata = {"entity_id": "a", "model": "openai/gpt-4o", "generating_title": True}
    one = variant.run(
        lambda client: client.conversations.create(metadata=metadata), **options(first)
    )
    assert unstructure(one.metadata) == {"entityId": "a", "generatingTitle": True}
    with pytest.raises(NotFoundError):
        variant.run(
            lambda client: client.conversations.responses.create(
                one.id, message="Hello", model="sandbox/echo"
            ),
            **options(first),
        )


def test_every_call_returns_the_top_level_entity(variant: Variant, first: Sandbox) -> None:
    one = variant.run(
        lambda client: client.conversations.create(**required(1, "e")), **options(first)
    )
    for name, arguments in [("retrieve", {}), ("update", {"display_name": ""})]:
        found = variant.run(partial(call, name, one.id, **arguments), **options(first))
        check_entity(found)
    listed = variant.run(lambda client: everything(client.conversations.list()), **options(first))
    check_entity(*listed)


def call(name: str, conversation_id: str, client: Any, **arguments: Any) -> Any:
    return getattr(client.conversations, name)(conversation_id, **arguments)


def check_entity(conversation: Conversation) -> None:
    assert conversation.extra == {"entityId": "e"}
    cls = Conversation if type(conversation) is Conversation else ConversationWithMessages
    assert structure(unstructure(conversation), cls) == conversation


def test_a_raw_response_is_the_published_model(variant: Variant, revision: int) -> None:
    with Sandbox(revision=revision) as sandbox:
        raw = variant.run(
            lambda client: client.conversations.with_raw_response.create(**required(revision)),
            **options(sandbox),
        )
    assert (raw.status, type(raw.parsed)) == (201, CreateConversationResponseBody)


def test_a_listing_uses_the_path_of_the_revision(variant: Variant, revision: int) -> None:
    with Sandbox(revision=revision) as sandbox:
        variant.run(lambda client: everything(client.conversations.list()), **options(sandbox))
        paths = [request.path for request in sandbox.requests]
    both = ["/v2/conversations/", "/v2/conversations"]
    assert paths == (both if revision == 1 else both[:1])


def test_an_export_has_what_the_service_sent(revision: int, tmp_path: Path) -> None:
    path = tmp_path / "conversations.jsonl"
    with (
        Sandbox(revision=revision) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        one = client.conversations.create(**required(revision))
        assert export_file(client.conversations.list(), path) == 1
    assert [json.loads(line) for line in path.read_text().splitlines()] == [unstructure(one)]

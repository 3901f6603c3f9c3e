"""Lives the whole life of a conversation with the service's own SDK, and says what came back.

The server is at ORQ_BASE_URL, the key in ORQ_API_KEY; the SDK is in requirements/official-sdk.txt.
"""

import asyncio
import importlib
import os
from collections.abc import Callable
from typing import Any

# By name, as it is not installed where this file is type-checked.
SDK: Any = importlib.import_module("orq_ai_sdk")
PROJECT = "prj_01jj1hdhn79xas7a01wb3hysdb"


def expect(call: str, *, got: object, wanted: object) -> None:
    """Print what came back of a call, and stop unless it is what it must be."""
    print(f"{call:<16} -> {got!r}")
    if got != wanted:
        raise SystemExit(f"{call} should have given {wanted!r}.")


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:  # noqa: ANN401
    """Status and message of a call that the server must refuse."""
    try:
        call(**arguments)
    except SDK.models.OrqError as error:
        return error.status_code, error.message
    raise SystemExit(f"{call.__name__} should have been refused.")


def create(orq: Any) -> tuple[str, str]:  # noqa: ANN401
    """Create a conversation that has a name and one that has none; their ids."""
    named = orq.conversations.create(
        project_id=PROJECT,
        display_name="Product Feature Discussion",
        metadata={"entity_id": None, "model": "openai/gpt-4o"},
    )
    metadata = named.metadata
    expect(
        "create",
        got=(named.kind, named.display_name, metadata.entity_id, metadata.model),
        wanted=("conversation", "Product Feature Discussion", None, "openai/gpt-4o"),
    )
    unnamed = orq.conversations.create(project_id=PROJECT)
    expect("create, unnamed", got=unnamed.display_name, wanted="Untitled")
    return named.id, unnamed.id


def read(orq: Any, named: str, unnamed: str) -> None:  # noqa: ANN401
    """List and retrieve the two."""
    page = orq.conversations.list(limit=1)
    expect("list", got=([c.id for c in page.data], page.has_more), wanted=([unnamed], True))
    page = orq.conversations.list(limit=1, starting_after=unnamed)
    expect(
        "list, next page", got=([c.id for c in page.data], page.has_more), wanted=([named], False)
    )
    page = orq.conversations.list(limit=1, ending_before=named)
    expect(
        "list, backwards", got=([c.id for c in page.data], page.has_more), wanted=([unnamed], False)
    )
    found = orq.conversations.retrieve(conversation_id=named)
    expect("retrieve", got=(found.id, len(found.messages)), wanted=(named, 0))


def change(orq: Any, named: str, unnamed: str) -> None:  # noqa: ANN401
    """Update the one, and have a name made up for the other."""
    updated = orq.conversations.update(
        conversation_id=named, display_name="Roadmap", metadata={"entity_id": "agent_support"}
    )
    metadata = updated.metadata
    expect(
        "update",
        got=(updated.display_name, metadata.entity_id, metadata.model),
        wanted=("Roadmap", "agent_support", "openai/gpt-4o"),
    )
    page = orq.conversations.list(entity_id="agent_support")
    expect("list, by entity", got=[c.id for c in page.data], wanted=[named])
    renamed = orq.conversations.generate_name(
        conversation_id=unnamed, context="How do I pay an invoice?"
    )
    expect(
        "generate_name",
        got=(renamed.display_name, renamed.metadata.generating_title),
        wanted=("How do I pay an invoice?", False),
    )
    expect(
        "generate_name",
        got=refusal(orq.conversations.generate_name, conversation_id=unnamed, context="again"),
        wanted=(400, "The conversation already has a name."),
    )


def respond(orq: Any, conversation_id: str) -> None:  # noqa: ANN401
    """Say something, take the answer as it comes, and find both in the conversation."""
    message = {"role": "user", "parts": [{"kind": "text", "text": "How do I pay?"}]}
    with orq.conversations.create_conversation_response(
        conversation_id=conversation_id, message=message, model="sandbox/echo"
    ) as stream:
        events = [event.data for event in stream]
    words = [event.data.delta.text for event in events if event.type == "part.delta"]
    expect(
        "respond",
        got=(words, events[-1].type),
        wanted=(["How ", "do ", "I ", "pay?"], "response.done"),
    )
    found = orq.conversations.retrieve(conversation_id=conversation_id)
    said = [(each.role, each.parts[0].text) for each in found.messages]
    expect("retrieve", got=said, wanted=[("user", "How do I pay?"), ("assistant", "How do I pay?")])


async def delete(orq: Any, *ids: str) -> None:  # noqa: ANN401
    """Delete all of them with the async half, after which they are gone."""
    for conversation_id in ids:
        gone = await orq.conversations.delete_async(conversation_id=conversation_id)
        expect("delete", got=gone, wanted=None)
        expect(
            "retrieve",
            got=refusal(orq.conversations.retrieve, conversation_id=conversation_id),
            wanted=(404, "There is no such conversation."),
        )
    page = await orq.conversations.list_async()
    expect("list", got=(len(page.data), page.has_more), wanted=(0, False))


with SDK.Orq(api_key=os.environ["ORQ_API_KEY"], server_url=os.environ["ORQ_BASE_URL"]) as client:
    conversations = create(client)
    read(client, *conversations)
    change(client, *conversations)
    respond(client, conversations[0])
    asyncio.run(delete(client, *conversations))

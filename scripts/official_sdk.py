"""Uses every call of the service's own SDK against a sandbox, and compares the results.

    python scripts/official_sdk.py

The sandbox is at ORQ_BASE_URL, its key in ORQ_API_KEY. The SDK decides on the revision of the API:
4.1.15 (requirements/official-sdk.txt) needs a sandbox of revision 2, and 4.1.3
(requirements/official-sdk-first.txt) one of revision 1.
"""

import asyncio
import importlib
import inspect
import os
from collections.abc import Callable
from typing import Any

# By name, as it is not installed where this file is type-checked.
SDK: Any = importlib.import_module("orq_ai_sdk")
PROJECT = "prj_01jj1hdhn79xas7a01wb3hysdb"


def expect(call: str, *, got: object, wanted: object) -> None:
    """Print the result of a call, and stop if it is wrong."""
    print(f"{call:<16} -> {got!r}")
    if got != wanted:
        raise SystemExit(f"{call} should have returned {wanted!r}.")


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:  # noqa: ANN401
    """Return the status and the message of a call that the server must refuse."""
    try:
        call(**arguments)
    except SDK.models.OrqError as error:
        return error.status_code, error.message
    raise SystemExit(f"{call.__name__} should have been refused.")


def create_first(orq: Any) -> tuple[str, str]:  # noqa: ANN401
    """Create one conversation with a name and one without, by revision 1; return their ids."""
    named = orq.conversations.create(
        display_name="Product Feature Discussion",
        metadata={"entity_id": "agent_sales", "generating_title": True},
    )
    metadata = named.metadata
    expect(
        "create",
        got=(named.kind, named.display_name, named.entity_id, metadata.generating_title),
        wanted=("conversation", "Product Feature Discussion", "agent_sales", True),
    )
    unnamed = orq.conversations.create(metadata={"entity_id": "agent_sales"})
    expect("create, unnamed", got=unnamed.display_name, wanted="Untitled")
    return named.id, unnamed.id


def create(orq: Any) -> tuple[str, str]:  # noqa: ANN401
    """Create one conversation with a name and one without, by revision 2; return their ids."""
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
    """List and retrieve both conversations."""
    pages: list[tuple[str, dict[str, str], list[str], bool]] = [
        ("list", {}, [unnamed], True),
        ("list, next page", {"starting_after": unnamed}, [named], False),
        ("list, backwards", {"ending_before": named}, [unnamed], False),
    ]
    for call, cursor, ids, more in pages:
        page = orq.conversations.list(limit=1, **cursor)
        expect(call, got=([each.id for each in page.data], page.has_more), wanted=(ids, more))
    found = orq.conversations.retrieve(conversation_id=named)
    expect("retrieve", got=found.id, wanted=named)


def update(orq: Any, named: str) -> Any:  # noqa: ANN401
    """Update a conversation, and return it."""
    updated = orq.conversations.update(
        conversation_id=named, display_name="Roadmap", metadata={"entity_id": "agent_support"}
    )
    expect(
        "update",
        got=(updated.display_name, updated.metadata.entity_id),
        wanted=("Roadmap", "agent_support"),
    )
    return updated


def generate_name(orq: Any, unnamed: str) -> None:  # noqa: ANN401
    """Name a conversation, which works once."""
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
    """Send a message, read the streamed response, and retrieve both."""
    message = {"role": "user", "parts": [{"kind": "text", "text": "How do I pay?"}]}
    with orq.conversations.create_conversation_response(
        conversation_id=conversation_id, message=message, model="openai/gpt-4o"
    ) as stream:
        events = [event.data for event in stream]
    words = [event.data.delta.text for event in events if event.type == "part.delta"]
    expect(
        "respond",
        got=(words, events[-1].type),
        wanted=(["How ", "do ", "I ", "pay?"], "response.done"),
    )
    found = orq.conversations.retrieve(conversation_id=conversation_id)
    texts = [(each.role, each.parts[0].text) for each in found.messages]
    wanted = [("user", "How do I pay?"), ("assistant", "How do I pay?")]
    expect("retrieve", got=texts, wanted=wanted)


async def delete(orq: Any, *ids: str) -> None:  # noqa: ANN401
    """Delete all conversations with the async half; afterwards none is left."""
    for conversation_id in ids:
        deleted = await orq.conversations.delete_async(conversation_id=conversation_id)
        expect("delete", got=deleted, wanted=None)
        expect(
            "retrieve",
            got=refusal(orq.conversations.retrieve, conversation_id=conversation_id),
            wanted=(404, "There is no such conversation."),
        )
    page = await orq.conversations.list_async()
    expect("list", got=(len(page.data), page.has_more), wanted=(0, False))


def first_revision(orq: Any) -> None:  # noqa: ANN401
    """Use the calls of revision 1."""
    named, unnamed = create_first(orq)
    read(orq, named, unnamed)
    updated = update(orq, named)
    expect("update", got=updated.entity_id, wanted="agent_support")
    page = orq.conversations.list()
    entities = [(each.id, each.entity_id) for each in page.data]
    wanted = [(unnamed, "agent_sales"), (named, "agent_support")]
    expect("list", got=entities, wanted=wanted)
    generate_name(orq, unnamed)
    asyncio.run(delete(orq, named, unnamed))


def second_revision(orq: Any) -> None:  # noqa: ANN401
    """Use the calls of revision 2."""
    named, unnamed = create(orq)
    read(orq, named, unnamed)
    updated = update(orq, named)
    expect("update", got=updated.metadata.model, wanted="openai/gpt-4o")
    page = orq.conversations.list(entity_id="agent_support")
    expect("list, by entity", got=[each.id for each in page.data], wanted=[named])
    generate_name(orq, unnamed)
    respond(orq, named)
    asyncio.run(delete(orq, named, unnamed))


with SDK.Orq(api_key=os.environ["ORQ_API_KEY"], server_url=os.environ["ORQ_BASE_URL"]) as client:
    is_second = "project_id" in inspect.signature(client.conversations.create).parameters
    (second_revision if is_second else first_revision)(client)

"""Makes every call of the service's own SDK against a sandbox and checks the results.

    python scripts/official_sdk.py

ORQ_BASE_URL is the URL of the sandbox, and ORQ_API_KEY is its key. The SDK's version determines the
revision of the API: 4.1.15 (requirements/official-sdk.txt) needs a sandbox with revision 2, and
4.1.3 (requirements/official-sdk-first.txt) a sandbox with revision 1.
"""

import asyncio
import importlib
import inspect
import os
from collections.abc import Callable
from typing import Any

# Imported by name, because it is not installed where this file is type-checked.
SDK: Any = importlib.import_module("orq_ai_sdk")
PROJECT = "prj_01jj1hdhn79xas7a01wb3hysdb"


def expect(call: str, *, actual: object, expected: object) -> None:
    """Print the result of a call, and exit if it is wrong."""
    print(f"{call:<16} -> {actual!r}")
    if actual != expected:
        raise SystemExit(f"{call} should have returned {expected!r}.")


def rejection(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:  # noqa: ANN401
    """Return the status and message of a call that the server must reject."""
    try:
        call(**arguments)
    except SDK.models.OrqError as error:
        return error.status_code, error.message
    raise SystemExit(f"{call.__name__} should have been rejected.")


def create_first(orq: Any) -> tuple[str, str]:  # noqa: ANN401
    """Create one conversation with a name and one without, as in revision 1; return their IDs."""
    named = orq.conversations.create(
        display_name="Product Feature Discussion",
        metadata={"entity_id": "agent_sales", "generating_title": True},
    )
    metadata = named.metadata
    expect(
        "create",
        actual=(named.kind, named.display_name, named.entity_id, metadata.generating_title),
        expected=("conversation", "Product Feature Discussion", "agent_sales", True),
    )
    unnamed = orq.conversations.create(metadata={"entity_id": "agent_sales"})
    expect("create, unnamed", actual=unnamed.display_name, expected="Untitled")
    return named.id, unnamed.id


def create(orq: Any) -> tuple[str, str]:  # noqa: ANN401
    """Create one conversation with a name and one without, as in revision 2; return their IDs."""
    named = orq.conversations.create(
        project_id=PROJECT,
        display_name="Product Feature Discussion",
        metadata={"entity_id": None, "model": "openai/gpt-4o"},
    )
    metadata = named.metadata
    expect(
        "create",
        actual=(named.kind, named.display_name, metadata.entity_id, metadata.model),
        expected=("conversation", "Product Feature Discussion", None, "openai/gpt-4o"),
    )
    unnamed = orq.conversations.create(project_id=PROJECT)
    expect("create, unnamed", actual=unnamed.display_name, expected="Untitled")
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
        expect(call, actual=([each.id for each in page.data], page.has_more), expected=(ids, more))
    found = orq.conversations.retrieve(conversation_id=named)
    expect("retrieve", actual=found.id, expected=named)


def update(orq: Any, named: str) -> Any:  # noqa: ANN401
    """Update a conversation and return it."""
    updated = orq.conversations.update(
        conversation_id=named, display_name="Roadmap", metadata={"entity_id": "agent_support"}
    )
    expect(
        "update",
        actual=(updated.display_name, updated.metadata.entity_id),
        expected=("Roadmap", "agent_support"),
    )
    return updated


def generate_name(orq: Any, unnamed: str) -> None:  # noqa: ANN401
    """Generate a name for a conversation; this works only once."""
    renamed = orq.conversations.generate_name(
        conversation_id=unnamed, context="How do I pay an invoice?"
    )
    expect(
        "generate_name",
        actual=(renamed.display_name, renamed.metadata.generating_title),
        expected=("How do I pay an invoice?", False),
    )
    expect(
        "generate_name",
        actual=rejection(orq.conversations.generate_name, conversation_id=unnamed, context="again"),
        expected=(400, "The conversation already has a name."),
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
        actual=(words, events[-1].type),
        expected=(["How ", "do ", "I ", "pay?"], "response.done"),
    )
    found = orq.conversations.retrieve(conversation_id=conversation_id)
    texts = [(each.role, each.parts[0].text) for each in found.messages]
    expected = [("user", "How do I pay?"), ("assistant", "How do I pay?")]
    expect("retrieve", actual=texts, expected=expected)


async def delete(orq: Any, *ids: str) -> None:  # noqa: ANN401
    """Delete all conversations with the async methods."""
    for conversation_id in ids:
        deleted = await orq.conversations.delete_async(conversation_id=conversation_id)
        expect("delete", actual=deleted, expected=None)
        expect(
            "retrieve",
            actual=rejection(orq.conversations.retrieve, conversation_id=conversation_id),
            expected=(404, "The conversation doesn't exist."),
        )
    page = await orq.conversations.list_async()
    expect("list", actual=(len(page.data), page.has_more), expected=(0, False))


def first_revision(orq: Any) -> None:  # noqa: ANN401
    """Use the calls of revision 1."""
    named, unnamed = create_first(orq)
    read(orq, named, unnamed)
    updated = update(orq, named)
    expect("update", actual=updated.entity_id, expected="agent_support")
    page = orq.conversations.list()
    entities = [(each.id, each.entity_id) for each in page.data]
    expected = [(unnamed, "agent_sales"), (named, "agent_support")]
    expect("list", actual=entities, expected=expected)
    generate_name(orq, unnamed)
    asyncio.run(delete(orq, named, unnamed))


def second_revision(orq: Any) -> None:  # noqa: ANN401
    """Use the calls of revision 2."""
    named, unnamed = create(orq)
    read(orq, named, unnamed)
    updated = update(orq, named)
    expect("update", actual=updated.metadata.model, expected="openai/gpt-4o")
    page = orq.conversations.list(entity_id="agent_support")
    expect("list, by entity", actual=[each.id for each in page.data], expected=[named])
    generate_name(orq, unnamed)
    respond(orq, named)
    asyncio.run(delete(orq, named, unnamed))


with SDK.Orq(api_key=os.environ["ORQ_API_KEY"], server_url=os.environ["ORQ_BASE_URL"]) as client:
    is_second = "project_id" in inspect.signature(client.conversations.create).parameters
    (second_revision if is_second else first_revision)(client)

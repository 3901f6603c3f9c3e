"""The data classes in pydantic and FastAPI."""

from typing import Any

import anyio
import httpx
import pytest

from conversations_client import (
    Conversation,
    ConversationPage,
    ConversationWithMessages,
    Event,
    Part,
    Response,
    UserMessage,
    unstructure,
)
from conversations_client.testing import factories

pydantic = pytest.importorskip("pydantic")

OBJECTS: list[tuple[Any, Any]] = [
    (Conversation, factories.conversation(metadata=factories.metadata(entity_id="agent_support"))),
    (ConversationPage, factories.page(*factories.conversations(2), has_more=True)),
    (ConversationWithMessages, factories.conversation_with_messages()),
    (Response, factories.response()),
    (UserMessage, factories.user_message()),
    (Part, factories.text_part()),
    (Part, factories.unknown_part()),
    (Event, factories.part_delta()),
    (Event, factories.response_done()),
    (Event, factories.unknown_event()),
]


@pytest.mark.parametrize(("cls", "value"), OBJECTS, ids=str)
def test_pydantic_reads_what_it_writes(cls: Any, value: Any) -> None:
    adapter = pydantic.TypeAdapter(cls)
    assert adapter.dump_python(value) == unstructure(value)
    found = adapter.validate_json(adapter.dump_json(value))
    assert (found, type(found)) == (value, type(value))
    assert adapter.validate_python(value) is value
    assert "object" in str(adapter.json_schema())


def test_pydantic_reports_the_path_of_an_invalid_value_and_not_the_value() -> None:
    adapter = pydantic.TypeAdapter(Conversation)
    with pytest.raises(pydantic.ValidationError) as caught:
        adapter.validate_python({**unstructure(factories.conversation()), "createdAt": "secret"})
    (error,) = caught.value.errors(include_input=False, include_context=False)
    assert error["msg"].startswith("Value error, $.createdAt: ")
    assert "secret" not in error["msg"]


def test_fastapi_returns_the_data_classes() -> None:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()
    conversation = factories.conversation()

    def one() -> Conversation:
        return conversation

    def several() -> list[Conversation]:
        return [conversation]

    app.get("/one")(one)
    app.get("/several")(several)

    async def scenario() -> list[Any]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as caller:
            return [(await caller.get(path)).json() for path in ("/one", "/several")]

    expected = unstructure(conversation)
    assert anyio.run(scenario) == [expected, [expected]]
    assert "/several" in app.openapi()["paths"]

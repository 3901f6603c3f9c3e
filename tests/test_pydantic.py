"""The data classes in pydantic and FastAPI."""

import json
from typing import Annotated, Any

import anyio
import httpx
import pytest
from attrs import evolve, field, frozen, make_class, validators
from attrs import fields as attrs_fields
from jsonschema import Draft202012Validator

from conversations_client import (
    Conversation,
    ConversationPage,
    ConversationWithMessages,
    Event,
    Part,
    PartialResponse,
    Response,
    UserMessage,
    unstructure,
)
from conversations_client._fields.attributes import attributes, wire_name
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


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize(("cls", "value"), OBJECTS, ids=str)
def test_the_json_schema_describes_the_json(cls: Any, value: Any, mode: str) -> None:
    schema = pydantic.TypeAdapter(cls).json_schema(mode=mode)
    Draft202012Validator.check_schema(schema)
    validator: Any = Draft202012Validator(schema)
    as_json = unstructure(value)
    assert [error.message for error in validator.iter_errors(as_json)] == []
    assert not validator.is_valid({})
    assert not validator.is_valid([as_json])


def test_the_json_schema_has_the_names_and_types_of_the_api() -> None:
    schema = pydantic.TypeAdapter(Conversation).json_schema(mode="serialization")
    assert schema["title"] == "Conversation"
    assert schema["required"] == ["kind", "displayName", "createdAt", "updatedAt"]
    assert schema["properties"]["createdAt"] == {"title": "Createdat", "type": "number"}
    assert schema["properties"]["_id"] == {"title": "Id", "type": "string"}
    nullable = schema["$defs"]["ConversationMetadata"]["properties"]["entityId"]
    assert nullable["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert schema["$defs"].keys() == {"ConversationKind", "ConversationMetadata"}
    started = pydantic.TypeAdapter(Event).json_schema()["$defs"]["PartDelta"]
    assert started["required"] == ["timestamp", "type", "data"]
    assert started["properties"]["data"]["required"] == ["partId", "delta"]


@frozen(kw_only=True)
class Thread(Conversation):
    """A class of a user that contains itself."""

    replies: "tuple[Thread, ...]" = ()


class Tag:
    """A class without a hook in pydantic."""


@frozen(kw_only=True)
class Tagged(Conversation):
    tag: Tag | None = None


def test_subclasses_of_users_are_described() -> None:
    model = pydantic.create_model("Model", thread=(Thread, ...), tagged=(Tagged, ...))
    defined = model.model_json_schema()["$defs"]
    assert defined["Thread"]["properties"]["replies"]["items"] == {"$ref": "#/$defs/Thread"}
    assert defined["Tagged"]["properties"]["tag"] == {"title": "Tag"}

    name: Any = "Later | None"
    undefined: dict[str, Any] = {"later": field(default=None, type=name)}
    late: Any = make_class("Late", undefined, (Conversation,), frozen=True, kw_only=True)
    assert pydantic.TypeAdapter(late).json_schema()["title"] == "Late"


@pytest.mark.parametrize("name", ["_id", "createdById", "metadata"])
def test_a_field_that_may_be_absent_may_not_be_null(name: str) -> None:
    adapter = pydantic.TypeAdapter(Conversation)
    as_json = {**unstructure(factories.conversation()), name: None}
    validator: Any = Draft202012Validator(adapter.json_schema())
    assert not validator.is_valid(as_json)
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python(as_json)


def test_pydantic_reports_the_path_of_an_invalid_value_and_not_the_value() -> None:
    adapter = pydantic.TypeAdapter(Conversation)
    with pytest.raises(pydantic.ValidationError) as caught:
        adapter.validate_python({**unstructure(factories.conversation()), "createdAt": "secret"})
    (error,) = caught.value.errors(include_input=False, include_context=False)
    assert error["msg"].startswith("Value error, $.createdAt: ")
    assert "secret" not in error["msg"]


WITH_MESSAGES = factories.conversation_with_messages()
DECLARED: list[tuple[Any, Any, type]] = [
    (Conversation, WITH_MESSAGES, Conversation),
    (Conversation | None, WITH_MESSAGES, Conversation),
    (Conversation | str, WITH_MESSAGES, Conversation),
    (ConversationPage | Conversation, WITH_MESSAGES, Conversation),
    (Conversation | ConversationWithMessages, WITH_MESSAGES, ConversationWithMessages),
    (ConversationWithMessages | Conversation, WITH_MESSAGES, ConversationWithMessages),
    (ConversationWithMessages | Conversation, factories.conversation(), Conversation),
    (PartialResponse, factories.response(), PartialResponse),
    (PartialResponse | Response, factories.response(), Response),
]


@pytest.mark.parametrize(("declared", "value", "cls"), DECLARED, ids=str)
def test_pydantic_serializes_by_the_declared_class(declared: Any, value: Any, cls: type) -> None:
    expected = {
        name: field
        for name, field in unstructure(value).items()
        if name in {wire_name(each) for each in attributes(cls)}
    }
    model = pydantic.create_model("Model", one=(declared, ...), several=(list[declared], ...))
    for mode in ("python", "json"):
        dumped = pydantic.TypeAdapter(declared).dump_python(value, mode=mode)
        assert dumped == expected
        assert model(one=value, several=[value]).model_dump(mode=mode) == {
            "one": expected,
            "several": [expected],
        }
    assert json.loads(pydantic.TypeAdapter(declared).dump_json(value)) == expected


def test_pydantic_keeps_the_unknown_fields_of_a_subclass() -> None:
    value = evolve(WITH_MESSAGES, extra={"archived": True})
    dumped = pydantic.TypeAdapter(Conversation).dump_python(value)
    assert dumped["archived"] is True
    assert "messages" not in dumped


@frozen(kw_only=True, slots=False)
class Labelled(Conversation):
    label: str = field(default="none", validator=validators.max_len(4))


def test_pydantic_serializes_a_subclass_of_users_as_the_declared_class() -> None:
    head = factories.conversation()
    fields = {a.name: getattr(head, a.name) for a in attrs_fields(Conversation)}
    labelled: Any = Labelled(**fields, label="old")
    assert pydantic.TypeAdapter(Conversation).dump_python(labelled) == unstructure(head)
    assert pydantic.TypeAdapter(Labelled).dump_python(labelled)["label"] == "old"


def test_pydantic_warns_about_an_object_of_another_class() -> None:
    adapter = pydantic.TypeAdapter(Conversation)
    with pytest.warns(UserWarning, match="Expected `Conversation`"):
        assert adapter.dump_python({"label": "old"}) == {"label": "old"}


async def _requested(app: Any, method: str, path: str, body: Any = None) -> Any:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as caller:
        response = await caller.request(method, path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


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
    expected = unstructure(conversation)
    assert anyio.run(_requested, app, "GET", "/one") == expected
    assert anyio.run(_requested, app, "GET", "/several") == [expected]
    described = app.openapi()
    (answer,) = described["paths"]["/one"]["get"]["responses"]["200"]["content"].values()
    assert answer["schema"] == {"$ref": "#/components/schemas/Conversation"}
    assert "displayName" in described["components"]["schemas"]["Conversation"]["properties"]


def test_fastapi_returns_the_fields_of_the_declared_class() -> None:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    def head() -> Conversation:
        return WITH_MESSAGES

    def either() -> Conversation | ConversationWithMessages:
        return WITH_MESSAGES

    app.get("/head")(head)
    app.get("/either")(either)
    expected = unstructure(WITH_MESSAGES)
    assert anyio.run(_requested, app, "GET", "/either") == expected
    assert expected.pop("messages")
    assert anyio.run(_requested, app, "GET", "/head") == expected


def test_fastapi_reads_a_body_that_is_marked_as_a_body() -> None:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    def echo(body: Annotated[Conversation, fastapi.Body()]) -> Conversation:
        return body

    app.post("/echo")(echo)
    as_json = unstructure(factories.conversation())
    assert anyio.run(_requested, app, "POST", "/echo", as_json) == as_json

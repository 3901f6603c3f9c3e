"""Type hints, signatures, mocks and pydantic schemas, as tools read them."""

import inspect
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any
from unittest.mock import AsyncMock, create_autospec

import anyio
import httpx
import pytest
from public_api import members, public_modules

import conversations_client
from conversations_client import (
    AsyncClient,
    AsyncConversations,
    AsyncResponses,
    Client,
    Conversation,
    ConversationMetadata,
    ConversationMetadataParam,
    ConversationMetadataUpdateParam,
    Conversations,
    ConversationWithMessages,
    CreateRequest,
    RawResponse,
    Responses,
    Retry,
    Timeout,
)
from conversations_client._base.cached_attribute import cached_attribute
from conversations_client._base.lazy_annotations import LazyAnnotations, import_for_annotations
from conversations_client._base.lazy_imports import started_imports
from conversations_client._client.async_conversations import AsyncRawConversations
from conversations_client._client.conversations import RawConversations
from conversations_client._client.responses_resource import AsyncRawResponses, RawResponses


def function_of(member: Any) -> Any:
    if isinstance(member, cached_attribute):
        return member.make
    if isinstance(member, property):
        return member.fget
    return getattr(member, "__func__", member)


def annotated() -> Iterator[Any]:
    """Every public class and function, with methods and getters."""
    raw = [RawConversations, AsyncRawConversations, RawResponses, AsyncRawResponses]
    public = [
        getattr(module, name)
        for module in (conversations_client, *public_modules())
        for name in getattr(module, "__all__", ())
    ]
    for value in (*public, *raw):
        if isinstance(value, FunctionType):
            yield value
        elif isinstance(value, type):
            yield value
            yield from filter(inspect.isfunction, map(function_of, members(value).values()))
            yield from filter(inspect.isfunction, [vars(value).get("__init__")])


def test_the_type_hints_of_everything_public_can_be_read() -> None:
    found = list(annotated())
    assert len(found) > 300
    for one in found:
        hints = typing.get_type_hints(one, include_extras=True)
        assert not [name for name, hint in hints.items() if isinstance(hint, str)]


ASKED = """
import sys, typing
from conversations_client import {cls}
assert "ssl" not in sys.modules and "conversations_client.messages" not in sys.modules
hints = typing.get_type_hints({cls}.__init__)
import ssl
assert hints["ssl_context"] == ssl.SSLContext | None
resource = typing.get_type_hints(vars({cls})["conversations"].make)["return"]
print(typing.get_type_hints(resource.retrieve)["return"].__name__)
"""


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_reading_type_hints_imports_their_modules(cls: type) -> None:
    line = [sys.executable, "-c", ASKED.format(cls=cls.__name__)]
    done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=60)  # noqa: S603
    assert (done.stdout, done.stderr) == ("ConversationWithMessages\n", "")


READINGS: list[Callable[[dict[str, Any]], object]] = [
    dict,
    list,
    lambda found: found["a"],
    lambda found: [*found.items()],
]


@pytest.mark.parametrize("read", READINGS)
def test_every_way_to_read_annotations_imports_their_names_first(
    read: Callable[[dict[str, Any]], object],
) -> None:
    calls: list[int] = []
    found = LazyAnnotations({"a": "int"}, lambda: calls.append(1))
    read(found)
    assert calls
    assert dict(found) == {"a": "int"}


def test_annotations_are_read_while_another_thread_imports_their_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.joinpath("late_module.py").write_text("class Late: pass")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "late_module", raising=False)
    # As if the other thread had not got further.
    monkeypatch.setitem(started_imports, "late_module", None)
    namespace: dict[str, Any] = {"__name__": "documented"}
    exec("class Documented:\n    def method(self) -> 'Late': ...", namespace)  # noqa: S102
    import_for_annotations(namespace, {"late_module": ("Late",)})
    hints = typing.get_type_hints(namespace["Documented"].method)
    assert hints["return"].__name__ == "Late"


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        (RawConversations, Conversations),
        (AsyncRawConversations, AsyncConversations),
        (RawResponses, Responses),
        (AsyncRawResponses, AsyncResponses),
    ],
)
def test_raw_methods_differ_only_in_their_return_type(raw: Any, plain: Any) -> None:
    names: list[str] = [name for name in raw.__dict__ if name[0] != "_" and name != "list"]
    for name in names:
        method: Any = raw.__dict__[name]
        original: Any = plain.__dict__[name]
        if isinstance(method, cached_attribute):
            continue
        ours, theirs = typing.get_type_hints(method), typing.get_type_hints(original)
        generic: Any = RawResponse
        assert ours.pop("return") == generic[theirs.pop("return")]
        assert ours == theirs
        signature = inspect.signature(method)
        assert "RawResponse[" in str(signature.return_annotation)
        assert signature.parameters == inspect.signature(original).parameters
        assert inspect.iscoroutinefunction(method) == inspect.iscoroutinefunction(original)


def test_signatures_of_clients_show_the_real_defaults() -> None:
    for cls in (Client, AsyncClient):
        found = {name: one.default for name, one in inspect.signature(cls).parameters.items()}
        assert found["timeout"] == Timeout()
        assert found["retry"] == Retry()
        assert (found["max_response_bytes"], found["max_event_bytes"]) == (64 * 2**20, 16 * 2**20)


def test_an_autospec_of_a_client_has_the_methods_of_its_resources() -> None:
    client: Any = create_autospec(Client)("key")
    client.conversations.create.return_value = "created"
    assert client.conversations.create(display_name="a") == "created"
    client.conversations.responses.create("conv_1", message="a", model="b/c")
    client.conversations.with_raw_response.delete("conv_1")
    client.conversations.responses.with_raw_response.create("conv_1", message="a", model="b/c")
    conversations: Any = client.conversations
    with pytest.raises(TypeError, match="bogus"):
        client.conversations.create(bogus=1)
    with pytest.raises(AttributeError, match="bogus"):
        _ = conversations.bogus
    assert isinstance(conversations, Conversations)


def test_an_autospec_of_an_async_client_is_awaited() -> None:
    client: Any = create_autospec(AsyncClient, instance=True)

    async def scenario() -> None:
        await client.conversations.create(display_name="a")
        await client.conversations.with_raw_response.retrieve("conv_1")
        await client.conversations.responses.create("conv_1", message="a", model="b/c")
        client.conversations.list(limit=3)

    anyio.run(scenario)
    assert isinstance(client.conversations.create, AsyncMock)
    assert not isinstance(client.conversations.list, AsyncMock)
    client.conversations.create.assert_awaited_once_with(display_name="a")


@pytest.mark.parametrize(
    "cls", [CreateRequest, ConversationMetadataParam, ConversationMetadataUpdateParam]
)
def test_pydantic_accepts_the_typed_dicts(cls: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(cls)
    assert adapter.validate_python({}) == {}
    assert adapter.json_schema()["type"] == "object"


def test_pydantic_reads_a_create_request() -> None:
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(CreateRequest)
    given = '{"display_name": "a", "metadata": {"entity_id": null, "model": "b/c"}}'
    metadata: ConversationMetadataParam = {"entity_id": None, "model": "b/c"}
    assert adapter.validate_json(given) == CreateRequest(display_name="a", metadata=metadata)
    one = CreateRequest(metadata=ConversationMetadata(entity_id="e"))
    assert adapter.validate_python(one) == one
    assert adapter.dump_python(one) == {"metadata": {"entity_id": "e"}}
    with pytest.raises(pydantic.ValidationError, match="display_name"):
        adapter.validate_python({"display_name": 1})
    schema = adapter.json_schema()
    assert set(schema["properties"]) == {
        "display_name",
        "metadata",
        "project_id",
        "idempotency_key",
    }
    assert list(schema["$defs"]) == ["ConversationMetadataParam"]


def test_fastapi_accepts_a_create_request() -> None:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    def create(request: CreateRequest) -> dict[str, Any]:
        return dict(request)

    app.post("/")(create)

    async def scenario() -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as caller:
            good = await caller.post("/", json={"metadata": {"model": "a/b"}})
            bad = await caller.post("/", json={"metadata": {"model": 1}})
            return good.status_code, good.json(), bad.status_code

    assert anyio.run(scenario) == (200, {"metadata": {"model": "a/b"}}, 422)
    assert "CreateRequest" in app.openapi()["components"]["schemas"]


REJECTED = [
    {"displayName": "Hello"},
    {"display_name": 1},
    {"display_name": None},
    {"project_id": 1},
    {"idempotency_key": None},
    {"metadata": None},
    {"metadata": {"entityId": "agent_support"}},
    {"metadata": {"generating_title": "yes"}},
    {"metadata": {"generating_title": 1}},
    {"metadata": {"generating_title": None}},
    {"metadata": {"entity_id": 1}},
    ["display_name"],
]


@pytest.mark.parametrize("body", REJECTED, ids=str)
def test_fastapi_rejects_what_create_would_reject(body: Any) -> None:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()
    created: list[CreateRequest] = []

    def create(request: CreateRequest) -> None:
        created.append(request)

    app.post("/")(create)

    async def scenario() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as caller:
            return (await caller.post("/", json=body)).status_code

    assert (anyio.run(scenario), created) == (422, [])


@pytest.mark.parametrize(
    "cls", [CreateRequest, ConversationMetadataParam, ConversationMetadataUpdateParam]
)
def test_pydantic_rejects_unknown_keys_of_typed_dicts(cls: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    adapter = pydantic.TypeAdapter(cls)
    with pytest.raises(pydantic.ValidationError, match="entityId"):
        adapter.validate_python({"entityId": "agent_support"})
    assert adapter.json_schema()["additionalProperties"] is False


def test_hints_of_results_are_classes() -> None:
    assert typing.get_type_hints(Conversations.retrieve)["return"] is ConversationWithMessages
    assert typing.get_type_hints(AsyncConversations.create)["return"] is Conversation
    assert Client.conversations is Conversations

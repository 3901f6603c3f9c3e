"""The calls that a fake service records, one class per operation."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

import httpx
from attrs import field, frozen

from conversations_client import (
    UNSET,
    ConversationMetadata,
    ConversationMetadataParam,
    ConversationMetadataUpdateParam,
    Part,
    TextPart,
    Unset,
    structure,
)
from conversations_client._calls.arguments import checked_metadata, checked_metadata_update


def _metadata(
    value: ConversationMetadata | ConversationMetadataParam | Unset,
) -> ConversationMetadata | Unset:
    return _converted(value, checked_metadata)


def _changed_metadata(
    value: ConversationMetadata | ConversationMetadataUpdateParam | Unset,
) -> ConversationMetadata | Unset:
    return _converted(value, checked_metadata_update)


def _converted(
    value: ConversationMetadata | Mapping[str, object] | Unset, check: Callable[[object], object]
) -> ConversationMetadata | Unset:
    """Convert a dict as the client does; anything else, such as `mock.ANY`, is unchanged."""
    return structure(check(value), ConversationMetadata) if isinstance(value, Mapping) else value


@frozen(kw_only=True)
class CreateCall:
    """A call to `conversations.create`.

    Attributes:
        display_name: The name; UNSET if it was omitted.
        metadata: The metadata, as a `ConversationMetadata`; UNSET if it was omitted. A dict is
            converted, so the call equals the one that the client makes with this dict.
        project_id: The project ID of the call or the client; None if neither has a project.
        idempotency_key: The key that was passed or generated; ignored in comparisons.

    Example:
        fake = FakeService()
        fake.answer(factories.conversation())
        fake.client().conversations.create(metadata={"entity_id": "agent_support"})
        assert fake.calls == (CreateCall(metadata={"entity_id": "agent_support"}),)
    """

    display_name: str | Unset = UNSET
    metadata: ConversationMetadata | Unset = field(default=UNSET, converter=_metadata)
    project_id: str | None = None
    idempotency_key: str | None = field(default=None, eq=False)


@frozen(kw_only=True)
class ListCall:
    """A request for one page, sent by `conversations.list`.

    Attributes:
        limit: The page size; UNSET if it was omitted.
        starting_after: The cursor for a page of older conversations; None for the first page.
        ending_before: The cursor for a page of newer conversations; None otherwise.
        entity_id: The parent agent or deployment; None for conversations without a parent.

    Example:
        fake = FakeService()
        fake.answer(factories.page())
        assert list(fake.client().conversations.list(entity_id="agent_support")) == []
        assert fake.calls == (ListCall(entity_id="agent_support"),)
    """

    limit: int | Unset = UNSET
    starting_after: str | None = None
    ending_before: str | None = None
    entity_id: str | None = None


@frozen(kw_only=True)
class RetrieveCall:
    """A call to `conversations.retrieve`.

    Attributes:
        conversation_id: The conversation's ID.

    Example:
        fake = FakeService()
        fake.answer(factories.conversation_with_messages())
        fake.client().conversations.retrieve("conv_1")
        assert fake.calls == (RetrieveCall(conversation_id="conv_1"),)
    """

    conversation_id: str


@frozen(kw_only=True)
class UpdateCall:
    """A call to `conversations.update`.

    Attributes:
        conversation_id: The conversation's ID.
        display_name: The new name; UNSET if it was omitted.
        metadata: The metadata to change, as a `ConversationMetadata`; UNSET if it was omitted. A
            dict is converted, so the call equals the one that the client makes with this dict.

    Example:
        fake = FakeService()
        fake.answer(factories.conversation())
        fake.client().conversations.update("conv_1", display_name="Refunds")
        assert fake.calls == (UpdateCall(conversation_id="conv_1", display_name="Refunds"),)
    """

    conversation_id: str
    display_name: str | Unset = UNSET
    metadata: ConversationMetadata | Unset = field(default=UNSET, converter=_changed_metadata)


@frozen(kw_only=True)
class DeleteCall:
    """A call to `conversations.delete`.

    Attributes:
        conversation_id: The conversation's ID.

    Example:
        fake = FakeService()
        fake.answer(None)
        fake.client().conversations.delete("conv_1")
        assert fake.calls == (DeleteCall(conversation_id="conv_1"),)
    """

    conversation_id: str


@frozen(kw_only=True)
class GenerateNameCall:
    """A call to `conversations.generate_name`.

    Attributes:
        conversation_id: The conversation's ID.
        context: The text that describes the conversation.
        idempotency_key: The key that was passed or generated; ignored in comparisons.

    Example:
        fake = FakeService()
        fake.answer(factories.conversation())
        fake.client().conversations.generate_name("conv_1", context="How do I pay?")
        assert fake.calls == (GenerateNameCall(conversation_id="conv_1", context="How do I pay?"),)
    """

    conversation_id: str
    context: str
    idempotency_key: str | None = field(default=None, eq=False)


@frozen(kw_only=True)
class CreateResponseCall:
    """A call to `conversations.responses.create` or `.stream`.

    Attributes:
        conversation_id: The conversation's ID.
        parts: The parts of the message; a string is recorded as a `TextPart`.
        model: The model, as `provider/model_id`.
        message_id: The message ID; None if it was omitted.
        task_id: The task ID; None if it was omitted.
        idempotency_key: The key that was passed or generated; ignored in comparisons.

    Example:
        fake = FakeService()
        fake.answer(factories.response())
        responses = fake.client().conversations.responses
        responses.create("conv_1", message="How do I pay?", model="openai/gpt-4o")
        assert fake.calls == (
            CreateResponseCall(
                conversation_id="conv_1",
                parts=(TextPart(text="How do I pay?"),),
                model="openai/gpt-4o",
            ),
        )
    """

    conversation_id: str
    parts: tuple[Part, ...]
    model: str
    message_id: str | None = None
    task_id: str | None = field(default=None, metadata={"wire": "task_id"})
    idempotency_key: str | None = field(default=None, eq=False)

    @property
    def text(self) -> str:
        """The joined text of all text parts.

        Example:
            fake = FakeService()
            fake.answer(factories.response())
            responses = fake.client().conversations.responses
            responses.create("conv_1", message="How do I pay?", model="openai/gpt-4o")
            (call,) = fake.calls
            assert isinstance(call, CreateResponseCall)
            assert call.text == "How do I pay?"
        """
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


@frozen(kw_only=True)
class RequestCall:
    """A call to `client.request`.

    Attributes:
        method: The HTTP method.
        path: The encoded path, as it was passed.
        query: The query parameters.
        body: The JSON body; UNSET if there was no body.

    Example:
        from typing import Any

        fake = FakeService()
        fake.answer({"features": ["search"]})
        client = fake.client()
        client.request("GET", "/v2/features", returns=dict[str, Any], query={"q": "s"})
        assert fake.calls == (RequestCall(method="GET", path="/v2/features", query={"q": "s"}),)
    """

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    body: Any = field(default=UNSET, hash=False)


Call = (
    CreateCall
    | ListCall
    | RetrieveCall
    | UpdateCall
    | DeleteCall
    | GenerateNameCall
    | CreateResponseCall
    | RequestCall
)
"""Any recorded call."""


def call_of(request: httpx.Request) -> Call:
    """Convert a request to a call."""
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    query = dict(request.url.params)
    body: Any = json.loads(request.content) if request.content else UNSET
    key = request.headers.get("idempotency-key")
    operation = _operation(request.method, _path_in_api(path))
    if operation is None:
        _, separator, rest = path.partition("/v2/")
        path = f"{separator}{rest}" if separator else path
        return RequestCall(method=request.method, path=path, query=query, body=body)
    cls, path_parameters = operation
    fields: dict[str, Any] = {} if body is UNSET else body
    return structure(_flatten({"idempotencyKey": key, **query, **fields, **path_parameters}), cls)


def _path_in_api(path: str) -> list[str]:
    """Return the parts of a path, without those that belong to the base URL."""
    _, _, rest = path.rpartition("/v2/")
    return [unquote(each) for each in ("v2", *rest.split("/"))]


def _operation(method: str, path: list[str]) -> tuple[type[Call], dict[str, str]] | None:
    match method, *path:
        case "POST", "v2", "conversations":
            return CreateCall, {}
        case "GET", "v2", "conversations", "":
            return ListCall, {}
        case _, "v2", "conversations", conversation_id, *rest:
            cls = _CONVERSATION_CALLS.get((method, *rest))
            return None if cls is None else (cls, {"conversationId": conversation_id})
        case _:
            return None


_CONVERSATION_CALLS: Final[Mapping[tuple[str, ...], type[Call]]] = {
    ("GET",): RetrieveCall,
    ("PATCH",): UpdateCall,
    ("DELETE",): DeleteCall,
    ("POST", "generate-name"): GenerateNameCall,
    ("POST", "responses"): CreateResponseCall,
}


def _flatten(fields: dict[str, Any]) -> dict[str, Any]:
    """Convert the fields of a request to those of a call; `limit` is text in the query."""
    flat = {**fields, **fields.get("message", {})}
    if "limit" in flat:
        flat["limit"] = int(flat["limit"])
    return {name: value for name, value in flat.items() if name != "idempotencyKey" or value}

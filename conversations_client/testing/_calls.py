"""The calls that a fake service records, one class for each operation, read from the request."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import httpx
from attrs import field, frozen

from conversations_client import (
    UNSET,
    ConversationMetadata,
    Part,
    TextPart,
    Unset,
    structure,
)


@frozen(kw_only=True)
class CreateCall:
    """A call of `conversations.create`.

    Attributes:
        display_name: As given; UNSET if it was left out.
        metadata: As given, as the class; UNSET if it was left out.
        project_id: That of the call or else of the client; None if neither named one.
        idempotency_key: As given or made up; not compared.
    """

    display_name: str | Unset = UNSET
    metadata: ConversationMetadata | Unset = UNSET
    project_id: str | None = None
    idempotency_key: str | None = field(default=None, eq=False)


@frozen(kw_only=True)
class ListCall:
    """One page of `conversations.list`.

    Attributes:
        limit: As given; UNSET if it was left out.
        starting_after: Where the page starts; None at the newest.
        ending_before: Where the page ends; None if it goes to older ones.
        entity_id: As given.
    """

    limit: int | Unset = UNSET
    starting_after: str | None = None
    ending_before: str | None = None
    entity_id: str | None = None


@frozen(kw_only=True)
class RetrieveCall:
    """A call of `conversations.retrieve`."""

    conversation_id: str


@frozen(kw_only=True)
class UpdateCall:
    """A call of `conversations.update`.

    Attributes:
        conversation_id: The conversation.
        display_name: As given; UNSET if it was left out.
        metadata: As given, as the class; UNSET if it was left out.
    """

    conversation_id: str
    display_name: str | Unset = UNSET
    metadata: ConversationMetadata | Unset = UNSET


@frozen(kw_only=True)
class DeleteCall:
    """A call of `conversations.delete`."""

    conversation_id: str


@frozen(kw_only=True)
class GenerateNameCall:
    """A call of `conversations.generate_name`.

    Attributes:
        conversation_id: The conversation.
        context: As given.
        idempotency_key: As given or made up; not compared.
    """

    conversation_id: str
    context: str
    idempotency_key: str | None = field(default=None, eq=False)


@frozen(kw_only=True)
class CreateResponseCall:
    """A call of `conversations.responses.create` or `.stream`.

    Attributes:
        conversation_id: The conversation.
        parts: What was said; a string is a `TextPart`.
        model: As given.
        message_id: The id that the message is to have; None if it was left out.
        task_id: As given; None if it was left out.
        idempotency_key: As given or made up; not compared.
    """

    conversation_id: str
    parts: tuple[Part, ...]
    model: str
    message_id: str | None = None
    task_id: str | None = field(default=None, metadata={"wire": "task_id"})
    idempotency_key: str | None = field(default=None, eq=False)

    @property
    def text(self) -> str:
        """The words of all text parts."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


@frozen(kw_only=True)
class RequestCall:
    """A call of `client.request`.

    Attributes:
        method: The HTTP method.
        path: The path, quoted as it was given.
        query: Names and values.
        body: The JSON; UNSET if there was none.
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
"""A call that was made."""


def call_of(request: httpx.Request) -> Call:
    """The call that a request was made for."""
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    query = dict(request.url.params)
    body: Any = json.loads(request.content) if request.content else UNSET
    key = request.headers.get("idempotency-key")
    found = _operation(request.method, [unquote(each) for each in path.split("/")[1:]])
    if found is None:
        return RequestCall(method=request.method, path=path, query=query, body=body)
    cls, named = found
    sent: dict[str, Any] = {} if body is UNSET else body
    return structure(_flat({"idempotencyKey": key, **query, **sent, **named}), cls)


def _operation(method: str, path: list[str]) -> tuple[type[Call], dict[str, str]] | None:
    match method, *path:
        case "POST", "v2", "conversations":
            return CreateCall, {}
        case "GET", "v2", "conversations", "":
            return ListCall, {}
        case _, "v2", "conversations", conversation_id, *rest:
            cls = _ON_ONE.get((method, *rest))
            return None if cls is None else (cls, {"conversationId": conversation_id})
        case _:
            return None


_ON_ONE: Final[Mapping[tuple[str, ...], type[Call]]] = {
    ("GET",): RetrieveCall,
    ("PATCH",): UpdateCall,
    ("DELETE",): DeleteCall,
    ("POST", "generate-name"): GenerateNameCall,
    ("POST", "responses"): CreateResponseCall,
}


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a call from those of its request, one of which is in the query as text."""
    flat = {**fields, **fields.get("message", {})}
    if "limit" in flat:
        flat["limit"] = int(flat["limit"])
    return {name: value for name, value in flat.items() if name != "idempotencyKey" or value}

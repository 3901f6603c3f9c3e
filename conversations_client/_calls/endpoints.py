"""The endpoints of the API; each function checks the arguments and returns an Operation."""

from collections.abc import Callable, Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import evolve, frozen

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.unset import UNSET, Unset
from conversations_client._json.serialization import json_body, json_value, request_argument
from conversations_client.errors import InvalidArgumentError
from conversations_client.models import (
    Conversation,
    ConversationMetadata,
    ConversationPage,
)

from .arguments import (
    ConversationMetadataParam,
    ConversationMetadataUpdateParam,
    checked_context,
    checked_conversation_id,
    checked_create_request,
    checked_display_name,
    checked_idempotency_key,
    checked_limit,
    checked_metadata,
    checked_metadata_update,
    checked_model,
    checked_optional_id,
    path_segment,
)
from .call_options import NO_OPTIONS, CallOptions
from .operation import (
    NO_CONTENT,
    STREAM_SUCCESS,
    Operation,
    Request,
    any_success,
)
from .request_arguments import checked_class, checked_method, checked_path, checked_query

if TYPE_CHECKING:
    from conversations_client.messages import ConversationWithMessages, MessageInput

T = TypeVar("T")

_ALL: Final = "/v2/conversations"
_ONE: Final = "/v2/conversations/{conversation_id}"


def any_endpoint(
    method: str,
    path: str,
    *,
    returns: type[T],
    query: Mapping[str, str | int],
    body: object,
    idempotency_key: str | None,
) -> Operation[T]:
    """A request to any endpoint."""
    checked = checked_path(path)
    request = Request(
        method=checked_method(method),
        template=checked,
        path=checked,
        query=checked_query(query),
        body=None if body is UNSET else json_value(request_argument("body", body)),
        idempotency_key=checked_idempotency_key(idempotency_key),
    )
    return Operation(request, checked_class("returns", returns), any_success(returns))


def create(
    *,
    display_name: str | Unset,
    metadata: ConversationMetadata | ConversationMetadataParam | Unset,
    project_id: str | Unset | None,
    idempotency_key: str | None,
) -> Operation[Conversation]:
    """`POST /v2/conversations`."""
    fields: dict[str, Any] = {
        "displayName": UNSET if display_name is UNSET else checked_display_name(display_name),
        "projectId": UNSET
        if project_id is None or project_id is UNSET
        else checked_optional_id("project_id", project_id),
        "metadata": UNSET if metadata is UNSET else checked_metadata(metadata),
    }
    return Operation(
        Request(
            method="POST",
            template=_ALL,
            path=_ALL,
            body=json_body(fields),
            idempotency_key=checked_idempotency_key(idempotency_key),
        ),
        Conversation,
    )


def create_one_of_many(
    request: object, *, project_id: str | None, new_key: Callable[[], str]
) -> Operation[Conversation]:
    """`POST /v2/conversations` with the fields of a `CreateRequest`."""
    fields = checked_create_request(request)
    operation = create(
        display_name=fields.get("display_name", UNSET),
        metadata=fields.get("metadata", UNSET),
        project_id=fields.get("project_id", project_id),
        idempotency_key=fields.get("idempotency_key"),
    )
    # The key must stay the same if the request is sent again outside the engine.
    key = operation.request.idempotency_key or new_key()
    return evolve(
        operation,
        request=evolve(operation.request, idempotency_key=key, caller_handles_throttling=True),
    )


def _shown(value: object) -> str:
    return repr(value.id if isinstance(value, Conversation) else value)


@frozen(kw_only=True)
class Listing:
    """`GET /v2/conversations/`, page by page."""

    limit: int | Unset | None = UNSET
    starting_after: str | Conversation | None = None
    ending_before: str | Conversation | None = None
    entity_id: str | None = None
    options: CallOptions = NO_OPTIONS

    @property
    def is_backwards(self) -> bool:
        """Whether each page is newer than the previous one."""
        return self.ending_before is not None

    def __str__(self) -> str:
        arguments = {
            "limit": self.limit,
            "starting_after": self.starting_after,
            "ending_before": self.ending_before,
            "entity_id": self.entity_id,
        }
        return ", ".join(
            f"{name}={_shown(value)}"
            for name, value in arguments.items()
            if value is not None and value is not UNSET
        )

    def page(self, cursor: str | None) -> Operation[ConversationPage]:
        """The page after a conversation, or the first one."""
        if self.starting_after is not None and self.ending_before is not None:
            raise InvalidArgumentError(
                "starting_after and ending_before can't be combined: pass one of them."
            )
        after, before = (
            (self.starting_after, cursor or self.ending_before)
            if self.is_backwards
            else (cursor or self.starting_after, None)
        )
        query: list[tuple[str, str]] = []
        if self.limit is not UNSET and self.limit is not None:
            query.append(("limit", checked_limit(self.limit)))
        if after is not None:
            query.append(("startingAfter", checked_conversation_id("starting_after", after)))
        if before is not None:
            query.append(("endingBefore", checked_conversation_id("ending_before", before)))
        if self.entity_id is not None:
            query.append(("entityId", checked_optional_id("entity_id", self.entity_id)))
        # The API's second revision added the slash.
        request = Request(method="GET", template=f"{_ALL}/", path=f"{_ALL}/", query=tuple(query))
        alternate = evolve(request, template=_ALL, path=_ALL)
        return self.options.apply(Operation(request, ConversationPage, alternate=alternate))


def retrieve(conversation_id: str | Conversation) -> "Operation[ConversationWithMessages]":
    """`GET /v2/conversations/{conversation_id}`."""
    lazy_import("conversations_client.messages")
    from conversations_client.messages import ConversationWithMessages

    return Operation(_one("GET", conversation_id), ConversationWithMessages)


def update(
    conversation_id: str | Conversation,
    *,
    display_name: str | Unset,
    metadata: ConversationMetadata | ConversationMetadataUpdateParam | Unset,
) -> Operation[Conversation]:
    """`PATCH /v2/conversations/{conversation_id}`."""
    fields: dict[str, Any] = {}
    if display_name is not UNSET:
        fields["displayName"] = checked_display_name(display_name)
    if metadata is not UNSET:
        fields["metadata"] = checked_metadata_update(metadata)
    if not fields or fields == {"metadata": {}}:
        raise InvalidArgumentError("Nothing to change: pass display_name or metadata.")
    return Operation(_one("PATCH", conversation_id, body=json_body(fields)), Conversation)


def delete(conversation_id: str | Conversation) -> Operation[None]:
    """`DELETE /v2/conversations/{conversation_id}`."""
    return Operation(_one("DELETE", conversation_id), NoneType, NO_CONTENT)


def generate_name(
    conversation_id: str | Conversation, *, context: str, idempotency_key: str | None
) -> Operation[Conversation]:
    """`POST /v2/conversations/{conversation_id}/generate-name`."""
    request = _one(
        "POST",
        conversation_id,
        "/generate-name",
        body=json_body({"context": checked_context(context)}),
        idempotency_key=checked_idempotency_key(idempotency_key),
    )
    return Operation(request, Conversation)


def create_response(
    conversation_id: str | Conversation,
    *,
    message: "MessageInput",
    model: str,
    task_id: str | Unset | None,
    idempotency_key: str | None,
) -> Operation[None]:
    """`POST /v2/conversations/{conversation_id}/responses`."""
    lazy_import("conversations_client._calls.user_message")
    from .user_message import checked_message

    fields: dict[str, Any] = {
        "message": checked_message(message),
        "model": checked_model(model),
        "task_id": UNSET
        if task_id is None or task_id is UNSET
        else checked_optional_id("task_id", task_id),
        "stream": True,
    }
    request = _one(
        "POST",
        conversation_id,
        "/responses",
        body=json_body(fields),
        idempotency_key=checked_idempotency_key(idempotency_key),
    )
    return Operation(evolve(request, streams=True), NoneType, STREAM_SUCCESS)


def _one(
    method: str,
    conversation_id: str | Conversation,
    subpath: str = "",
    *,
    body: bytes | None = None,
    idempotency_key: str | None = None,
) -> Request:
    return Request(
        method=method,
        template=_ONE + subpath,
        path=f"{_ALL}/{path_segment('conversation_id', conversation_id)}{subpath}",
        body=body,
        idempotency_key=idempotency_key,
    )

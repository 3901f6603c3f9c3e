"""The operations of the API, one function each: arguments in, an Operation out."""

from typing import Any

from ._arguments import (
    ConversationMetadataParam,
    checked_display_name,
    checked_id,
    checked_idempotency_key,
    checked_metadata,
    json_body,
)
from ._operation import Operation, Request
from ._unset import UNSET, Unset
from .models import Conversation, ConversationMetadata


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
        else checked_id("project_id", project_id),
        "metadata": UNSET if metadata is UNSET else checked_metadata(metadata),
    }
    return Operation(
        Request(
            method="POST",
            template="/v2/conversations",
            path="/v2/conversations",
            body=json_body(fields),
            idempotency_key=checked_idempotency_key(idempotency_key),
        ),
        Conversation,
    )

"""`client.conversations`: what people call, in both colours; each body is one line."""

from . import _endpoints as endpoints
from ._arguments import ConversationMetadataParam
from ._engine import AsyncEngine, Engine
from ._unset import UNSET, Unset
from .models import Conversation, ConversationMetadata


class Conversations:
    """The operations on conversations, as `client.conversations`."""

    def __init__(self, engine: Engine, *, project_id: str | None) -> None:
        self._engine = engine
        self._project_id = project_id

    def create(
        self,
        *,
        display_name: str | Unset = UNSET,
        metadata: ConversationMetadata | ConversationMetadataParam | Unset = UNSET,
        project_id: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Conversation:
        """Create a conversation (`POST /v2/conversations`).

        Args:
            display_name: The name that people see, at most 100 characters; the service calls it
                "Untitled" if it is left out.
            metadata: Parent agent or deployment (`entity_id`), `model`, and whether the service is
                to make up a name (`generating_title`). In a dict a missing key is left out, and
                None is sent as null.
            project_id: The project to create it in, `prj_…`; the client's own if left out, and
                None names no project at all.
            idempotency_key: What the service may know a repeat of this very request by, 1 to 255
                visible ASCII characters; a random one is made up if left out.

        Returns:
            The new conversation.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
            ClientClosedError: The client is closed.
        """
        return self._engine.send(
            endpoints.create(
                display_name=display_name,
                metadata=metadata,
                project_id=self._project_id if project_id is UNSET else project_id,
                idempotency_key=idempotency_key,
            )
        ).parsed


class AsyncConversations:
    """The operations on conversations, as `client.conversations`."""

    def __init__(self, engine: AsyncEngine, *, project_id: str | None) -> None:
        self._engine = engine
        self._project_id = project_id

    async def create(
        self,
        *,
        display_name: str | Unset = UNSET,
        metadata: ConversationMetadata | ConversationMetadataParam | Unset = UNSET,
        project_id: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Conversation:
        """Create a conversation (`POST /v2/conversations`).

        Args:
            display_name: The name that people see, at most 100 characters; the service calls it
                "Untitled" if it is left out.
            metadata: Parent agent or deployment (`entity_id`), `model`, and whether the service is
                to make up a name (`generating_title`). In a dict a missing key is left out, and
                None is sent as null.
            project_id: The project to create it in, `prj_…`; the client's own if left out, and
                None names no project at all.
            idempotency_key: What the service may know a repeat of this very request by, 1 to 255
                visible ASCII characters; a random one is made up if left out.

        Returns:
            The new conversation.

        Raises:
            InvalidArgumentError: An argument can't be right; nothing was sent.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
            ClientClosedError: The client is closed.
        """
        response = await self._engine.send(
            endpoints.create(
                display_name=display_name,
                metadata=metadata,
                project_id=self._project_id if project_id is UNSET else project_id,
                idempotency_key=idempotency_key,
            )
        )
        return response.parsed

"""The operations on conversations, from a request to an answer."""

from typing import TYPE_CHECKING, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from conversations_client.sandbox import _schemas
from conversations_client.sandbox._body import read_body
from conversations_client.sandbox._idempotency import once
from conversations_client.sandbox._naming import name_from
from conversations_client.sandbox._page import read_page
from conversations_client.sandbox._rendering import conversation_json, message_json, render
from conversations_client.sandbox._routing import (
    CONVERSATION,
    CONVERSATIONS,
    conversation_id,
    not_found,
    route,
)
from conversations_client.sandbox._schemas import Schema
from conversations_client.sandbox._store import Store

if TYPE_CHECKING:
    from conversations_client.sandbox._records import Conversation

_CREATE: Final = _schemas.validator(_schemas.CREATE)
_UPDATE: Final = _schemas.validator(_schemas.UPDATE)
_GENERATE_NAME: Final = _schemas.validator(_schemas.GENERATE_NAME)


class Conversations:
    """The operations on conversations."""

    # The handlers call the store without leaving the event loop: a statement takes less time
    # than handing it to a thread would, and requests are answered in the order they came.

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            route(CONVERSATIONS, GET=self.list, POST=self.create),
            route(f"{CONVERSATIONS}/", GET=self.list),
            route(CONVERSATION, GET=self.retrieve, PATCH=self.update, DELETE=self.delete),
            route(f"{CONVERSATION}/generate-name", POST=self.generate_name),
        ]

    async def create(self, request: Request) -> Response:
        """Store a new conversation."""
        body = await read_body(request, _CREATE)

        def act() -> object:
            conversation = self._store.create(
                display_name=cast("str | None", body.get("displayName")),
                metadata=_known(body, _schemas.METADATA),
            )
            return conversation_json(conversation)

        return once(self._store, request, body, act, status=201)

    async def list(self, request: Request) -> Response:
        """Show a page of conversations."""
        page = read_page(request.query_params)
        if page.before is None:
            found, has_more = self._store.newest(
                entity_id=page.entity_id, limit=page.limit, after=page.after
            )
        else:
            found, has_more = self._store.next_newer(
                entity_id=page.entity_id, limit=page.limit, before=page.before
            )
        data = [conversation_json(conversation) for conversation in found]
        return render({"object": "list", "data": data, "has_more": has_more})

    async def retrieve(self, request: Request) -> Response:
        """Show one conversation with its messages."""
        conversation = self._store.find(conversation_id(request)) or not_found()
        messages = [message_json(message) for message in self._store.messages.of(conversation.id)]
        return render({**conversation_json(conversation), "messages": messages})

    async def update(self, request: Request) -> Response:
        """Change what the body names."""
        body = await read_body(request, _UPDATE)
        conversation = self._store.update(
            conversation_id(request),
            display_name=cast("str | None", body.get("displayName")),
            metadata=_known(body, _schemas.UPDATE_METADATA) or {},
        )
        return render(conversation_json(conversation or not_found()))

    async def delete(self, request: Request) -> Response:
        """Forget a conversation."""
        if not self._store.delete(conversation_id(request)):
            not_found()
        return Response(status_code=204)

    async def generate_name(self, request: Request) -> Response:
        """Name a conversation that has no name yet."""
        body = await read_body(request, _GENERATE_NAME)

        def act() -> object:
            conversation = self._store.find(conversation_id(request)) or not_found()
            if conversation.named:
                raise HTTPException(400, "The conversation already has a name.")
            named = self._store.update(
                conversation.id,
                display_name=name_from(cast("str", body["context"])),
                metadata={"generatingTitle": False},
            )
            return conversation_json(cast("Conversation", named))

        with self._store.transaction():
            return once(self._store, request, body, act, status=200)


def _known(body: dict[str, object], schema: Schema) -> dict[str, object] | None:
    """Take what is known of a body's metadata: null stays null, absent stays absent."""
    metadata = cast("dict[str, object] | None", body.get("metadata"))
    properties = cast("dict[str, object]", schema["properties"])
    if metadata is None:
        return None
    return {name: value for name, value in metadata.items() if name in properties}

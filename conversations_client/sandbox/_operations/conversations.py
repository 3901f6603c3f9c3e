"""The operations on conversations."""

from typing import TYPE_CHECKING, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from conversations_client.sandbox._schemas import requests
from conversations_client.sandbox._schemas.requests import Schema
from conversations_client.sandbox._schemas.revisions import Revision
from conversations_client.sandbox._storage.conversations import EntityFilter
from conversations_client.sandbox._storage.store import Store

from .idempotency import act_once
from .json_responses import conversation_json, json_response, message_json
from .listing_query import read_listing_query
from .names import name_from
from .request_body import read_body, read_conversation_body
from .routes import CONVERSATION, CONVERSATIONS, conversation_id, not_found, route

if TYPE_CHECKING:
    from conversations_client.sandbox._storage.records import Conversation

_GENERATE_NAME: Final = requests.validator(requests.GENERATE_NAME)


class Conversations:
    """The operations on conversations."""

    # The handlers call the store on the event loop, because a statement is faster than a switch to
    # another thread. This also preserves the order of the requests.

    def __init__(self, store: Store, revision: Revision) -> None:
        self._store = store
        self._revision = revision
        self._create = requests.validator(revision.create)
        self._update = requests.validator(revision.update)

    def routes(self) -> list[Route]:
        """List the routes."""
        with_slash = [path for path in self._revision.list_paths if path != CONVERSATIONS]
        return [
            route(CONVERSATIONS, GET=self.list, POST=self.create),
            *(route(path, GET=self.list) for path in with_slash),
            route(CONVERSATION, GET=self.retrieve, PATCH=self.update, DELETE=self.delete),
            route(f"{CONVERSATION}/generate-name", POST=self.generate_name),
        ]

    async def create(self, request: Request) -> Response:
        """Store a new conversation."""
        body = await read_body(request, self._create)

        def act() -> object:
            conversation = self._store.conversations.create(
                display_name=cast("str | None", body.get("displayName")),
                metadata=_known_metadata(body, self._revision.create),
            )
            return conversation_json(conversation, self._revision)

        return act_once(self._store, request, body, act, status=201)

    async def list(self, request: Request) -> Response:
        """Return a page of conversations."""
        query = read_listing_query(request.query_params)
        entity = EntityFilter(query.entity_id) if self._revision.lists_by_entity else None
        conversations = self._store.conversations
        if query.before is None:
            page, more = conversations.older_than(query.after, entity=entity, limit=query.limit)
        else:
            page, more = conversations.newer_than(query.before, entity=entity, limit=query.limit)
        data = [conversation_json(conversation, self._revision) for conversation in page]
        return json_response({"object": "list", "data": data, "has_more": more})

    async def retrieve(self, request: Request) -> Response:
        """Return one conversation, with its messages if the revision has them."""
        conversation = self._store.conversations.find(conversation_id(request)) or not_found()
        body = conversation_json(conversation, self._revision)
        if self._revision.has_responses:
            messages = self._store.messages.of(conversation.id)
            body["messages"] = [message_json(message) for message in messages]
        return json_response(body)

    async def update(self, request: Request) -> Response:
        """Change the fields in the body."""
        body = await read_conversation_body(request, self._update, self._store)
        conversation = self._store.conversations.update(
            conversation_id(request),
            display_name=cast("str | None", body.get("displayName")),
            metadata=_known_metadata(body, self._revision.update) or {},
        )
        return json_response(conversation_json(conversation or not_found(), self._revision))

    async def delete(self, request: Request) -> Response:
        """Delete a conversation."""
        if not self._store.conversations.delete(conversation_id(request)):
            not_found()
        return Response(status_code=204)

    async def generate_name(self, request: Request) -> Response:
        """Name a conversation that was created without a name and never renamed."""
        body = await read_conversation_body(request, _GENERATE_NAME, self._store)

        def act() -> object:
            conversations = self._store.conversations
            conversation = conversations.find(conversation_id(request)) or not_found()
            if conversation.named:
                raise HTTPException(400, "The conversation already has a name.")
            named = conversations.update(
                conversation.id,
                display_name=name_from(cast("str", body["context"])),
                metadata={"generatingTitle": False},
            )
            return conversation_json(cast("Conversation", named), self._revision)

        with self._store.transaction():
            return act_once(self._store, request, body, act, status=200)


def _known_metadata(body: dict[str, object], schema: Schema) -> dict[str, object] | None:
    """Return the known fields of a body's metadata; None if the body has no metadata."""
    metadata = cast("dict[str, object] | None", body.get("metadata"))
    if metadata is None:
        return None
    properties = cast("dict[str, dict[str, dict[str, object]]]", schema["properties"])
    known = properties["metadata"]["properties"]
    return {name: value for name, value in metadata.items() if name in known}

"""The routes: each operation of the API, from a request to an answer."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Never, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from conversations_client.sandbox import _errors, _schemas
from conversations_client.sandbox._body import read_body
from conversations_client.sandbox._idempotency import once
from conversations_client.sandbox._middleware import BearerAuth, RequestId
from conversations_client.sandbox._naming import name_from
from conversations_client.sandbox._openapi import document
from conversations_client.sandbox._page import read_page
from conversations_client.sandbox._rendering import conversation_json, message_json, render
from conversations_client.sandbox._schemas import Schema
from conversations_client.sandbox._store import Store

if TYPE_CHECKING:
    from conversations_client.sandbox._records import Conversation

Handler = Callable[[Request], Awaitable[Response]]

_CREATE: Final = _schemas.validator(_schemas.CREATE)
_UPDATE: Final = _schemas.validator(_schemas.UPDATE)
_GENERATE_NAME: Final = _schemas.validator(_schemas.GENERATE_NAME)


def create_app(store: Store, *, api_key: str) -> ASGIApp:
    """Put the API together.

    Args:
        store: What it remembers.
        api_key: What callers must send as bearer token.

    Returns:
        The ASGI application; it never closes the store.
    """
    conversations = _Conversations(store)
    app = Starlette(
        routes=[
            *conversations.routes(),
            _route("/health", GET=_health),
            _route("/openapi.json", GET=_openapi),
        ],
        middleware=[Middleware(BearerAuth, api_key=api_key)],
        exception_handlers={
            HTTPException: _errors.on_http_exception,
            ClientDisconnect: _errors.on_disconnect,
            Exception: _errors.on_crash,
        },
    )
    # The API has a listing with and one without the slash; elsewhere a slash is another path.
    app.router.redirect_slashes = False
    # Outside of everything, so that an answer made for a crash has an id too.
    return RequestId(app)


class _Conversations:
    """The operations on conversations."""

    # The handlers call the store without leaving the event loop: a statement takes less time
    # than handing it to a thread would, and requests are answered in the order they came.

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """List the routes."""
        one = "/v2/conversations/{conversation_id}"
        return [
            _route("/v2/conversations", GET=self.list, POST=self.create),
            _route("/v2/conversations/", GET=self.list),
            _route(one, GET=self.retrieve, PATCH=self.update, DELETE=self.delete),
            _route(f"{one}/generate-name", POST=self.generate_name),
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
        conversation = self._store.find(_id(request)) or _not_found()
        messages = [message_json(message) for message in self._store.messages(conversation.id)]
        return render({**conversation_json(conversation), "messages": messages})

    async def update(self, request: Request) -> Response:
        """Change what the body names."""
        body = await read_body(request, _UPDATE)
        conversation = self._store.update(
            _id(request),
            display_name=cast("str | None", body.get("displayName")),
            metadata=_known(body, _schemas.UPDATE_METADATA) or {},
        )
        return render(conversation_json(conversation or _not_found()))

    async def delete(self, request: Request) -> Response:
        """Forget a conversation."""
        if not self._store.delete(_id(request)):
            _not_found()
        return Response(status_code=204)

    async def generate_name(self, request: Request) -> Response:
        """Name a conversation that has no name yet."""
        body = await read_body(request, _GENERATE_NAME)

        def act() -> object:
            conversation = self._store.find(_id(request)) or _not_found()
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


async def _health(_request: Request) -> Response:
    """Tell that the sandbox answers."""
    return render({"status": "ok"})


async def _openapi(_request: Request) -> Response:
    """Show the sandbox's own description."""
    return render(document())


def _route(path: str, **handlers: Handler) -> Route:
    """Serve all of a path's methods by one route, which so knows what to say in `Allow`."""

    async def endpoint(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, endpoint, methods=list(handlers))


def _id(request: Request) -> str:
    """Take the conversation's id out of the path."""
    return cast("str", request.path_params["conversation_id"])


def _not_found() -> Never:
    """Give up on a conversation that doesn't exist."""
    raise HTTPException(404, "There is no such conversation.")


def _known(body: dict[str, object], schema: Schema) -> dict[str, object] | None:
    """Take what is known of a body's metadata: null stays null, absent stays absent."""
    metadata = cast("dict[str, object] | None", body.get("metadata"))
    properties = cast("dict[str, object]", schema["properties"])
    if metadata is None:
        return None
    return {name: value for name, value in metadata.items() if name in properties}

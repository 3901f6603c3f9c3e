"""The application: the operations, the sandbox's own paths, and the middleware."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from conversations_client.sandbox._fault_injection.faults import FaultQueue
from conversations_client.sandbox._fault_injection.middleware import FaultInjection, HangUp
from conversations_client.sandbox._operations import error_responses
from conversations_client.sandbox._operations.conversations import Conversations
from conversations_client.sandbox._operations.json_responses import json_response
from conversations_client.sandbox._operations.responses import Responses
from conversations_client.sandbox._operations.routes import route
from conversations_client.sandbox._replies.models import MODELS
from conversations_client.sandbox._replies.pacing import Pacing
from conversations_client.sandbox._schemas.messages import create_response
from conversations_client.sandbox._schemas.openapi import document
from conversations_client.sandbox._schemas.requests import Schema
from conversations_client.sandbox._storage.store import Store

from .allowed_hosts import AllowedHosts
from .authentication import BearerAuth
from .request_ids import RequestIds
from .request_log import RequestLog, RequestLogging
from .settings import Settings


def create_app(
    store: Store,
    settings: Settings,
    *,
    pacing: Pacing,
    log: RequestLog,
    faults: FaultQueue,
    hang_up: HangUp,
    controls: list[Route],
) -> ASGIApp:
    """Build the application.

    Args:
        store: The store; the application never closes it.
        settings: The settings.
        pacing: The pauses between the events of a stream.
        log: The log of requests.
        faults: The faults to inject.
        hang_up: Closes the connection of a request.
        controls: The routes of the sandbox's own paths for tests.

    Returns:
        The ASGI application.
    """
    app = Starlette(
        routes=[*_routes(store, settings, pacing), *controls],
        middleware=[Middleware(BearerAuth, api_key=settings.api_key)],
        exception_handlers={
            HTTPException: error_responses.on_http_exception,
            ClientDisconnect: error_responses.on_disconnect,
            Exception: error_responses.on_crash,
        },
    )
    # In the API, a path with a trailing slash is a different path.
    app.router.redirect_slashes = False
    with_faults = FaultInjection(app, faults=faults, pacing=pacing, hang_up=hang_up)
    with_log = RequestLogging(with_faults, log=log)
    # The outermost middleware, so that the response to a crash also has an ID.
    return RequestIds(AllowedHosts(with_log, names=settings.allowed_hosts))


def _routes(store: Store, settings: Settings, pacing: Pacing) -> list[Route]:
    schema = create_response(own_models=MODELS, other_models=settings.models)
    responses = Responses(store, pacing, schema).routes()
    return [
        *Conversations(store, settings.revision).routes(),
        *(responses if settings.revision.has_responses else []),
        route("/health", GET=_health),
        route("/openapi.json", GET=_Document(document(settings.revision, create_response=schema))),
    ]


async def _health(_request: Request) -> Response:
    return json_response({"status": "ok"})


class _Document:
    """Serves the OpenAPI document."""

    def __init__(self, document: Schema) -> None:
        self._document = document

    async def __call__(self, _request: Request) -> Response:
        return json_response(self._document)

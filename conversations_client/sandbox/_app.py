"""The application: the operations, the sandbox's own paths, and what surrounds them."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from conversations_client.sandbox import _errors
from conversations_client.sandbox._conversations import Conversations
from conversations_client.sandbox._disrupting import Disrupting, HangUp
from conversations_client.sandbox._disruptions import Disruptions
from conversations_client.sandbox._middleware import BearerAuth, RequestId
from conversations_client.sandbox._openapi import document
from conversations_client.sandbox._pacing import Pacing
from conversations_client.sandbox._received import Received
from conversations_client.sandbox._receiving import Receiving
from conversations_client.sandbox._rendering import render
from conversations_client.sandbox._responses import Responses
from conversations_client.sandbox._routing import route
from conversations_client.sandbox._store import Store


def create_app(
    store: Store,
    *,
    api_key: str,
    pacing: Pacing,
    received: Received,
    disruptions: Disruptions,
    hang_up: HangUp,
) -> ASGIApp:
    """Put the API together.

    Args:
        store: What it remembers.
        api_key: What callers must send as bearer token.
        pacing: How fast streams go.
        received: Where its calls are kept.
        disruptions: What is to happen to them.
        hang_up: Closes the connection that a request came over.

    Returns:
        The ASGI application; it never closes the store.
    """
    app = Starlette(
        routes=[
            *Conversations(store).routes(),
            *Responses(store, pacing).routes(),
            route("/health", GET=_health),
            route("/openapi.json", GET=_openapi),
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
    disrupted = Disrupting(app, disruptions=disruptions, pacing=pacing, hang_up=hang_up)
    # Outside of everything, so that an answer made for a crash has an id too.
    return RequestId(Receiving(disrupted, received=received))


async def _health(_request: Request) -> Response:
    """Tell that the sandbox answers."""
    return render({"status": "ok"})


async def _openapi(_request: Request) -> Response:
    """Show the sandbox's own description."""
    return render(document())

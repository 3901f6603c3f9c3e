"""ASGI middleware that requires the API key."""

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from conversations_client.sandbox._operations.error_responses import error_response
from conversations_client.sandbox._operations.routes import OPEN_PATHS


class BearerAuth:
    """Rejects requests without the API key, except for the open paths."""

    def __init__(self, app: ASGIApp, *, api_key: str) -> None:
        self._app = app
        self._api_key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in OPEN_PATHS or self._is_authorized(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        rejection = error_response(
            401,
            "The API key is missing or wrong.",
            {"WWW-Authenticate": "Bearer"},
        )
        await rejection(scope, receive, send)

    def _is_authorized(self, headers: Headers) -> bool:
        values = headers.getlist("authorization")
        if len(values) != 1:
            return False
        scheme, _, key = values[0].partition(" ")
        # A comparison in constant time, so that its duration reveals nothing about the key. Headers
        # are decoded as Latin-1, so encoding them as Latin-1 restores the bytes.
        return scheme.lower() == "bearer" and hmac.compare_digest(
            key.strip(" \t").encode("latin-1"), self._api_key
        )

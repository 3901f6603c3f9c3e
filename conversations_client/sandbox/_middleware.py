"""Around every request: who may ask, and what to call the answer."""

import hmac
import uuid
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conversations_client.sandbox._errors import error_response

OPEN_PATHS: Final = frozenset({"/health", "/openapi.json"})


class BearerAuth:
    """Lets nobody through without the API key, but to the open paths."""

    def __init__(self, app: ASGIApp, *, api_key: str) -> None:
        self._app = app
        self._api_key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in OPEN_PATHS or self._admits(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = error_response(
            401,
            "The API key is missing or wrong; send it as Authorization: Bearer <api key>.",
            {"WWW-Authenticate": "Bearer"},
        )
        await refusal(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        """Compare the key in a time that doesn't tell how much of it was right."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            # Headers are decoded as Latin-1: encoding them so gives back the bytes as sent.
            key.strip().encode("latin-1"),
            self._api_key,
        )


class RequestId:
    """Gives each answer an `X-Request-Id` of its own, whatever the client sent as one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = f"req_{uuid.uuid4().hex}"

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)

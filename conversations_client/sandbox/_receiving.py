"""Around every call of the API: it is kept for tests to look at."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conversations_client.sandbox._middleware import OPEN_PATHS
from conversations_client.sandbox._received import Received, ReceivedRequest


class Receiving:
    """Keeps each call as soon as its body is whole or its answer begins."""

    def __init__(self, app: ASGIApp, *, received: Received) -> None:
        self._app = app
        self._received = received

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        body = bytearray()
        is_kept = False

        def keep() -> None:
            nonlocal is_kept
            if not is_kept:
                is_kept = True
                self._received.add(_received(scope, bytes(body)))

        async def receive_body() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                keep()
            return message

        async def send_kept(message: Message) -> None:
            keep()
            await send(message)

        await self._app(scope, receive_body, send_kept)


def _received(scope: Scope, body: bytes) -> ReceivedRequest:
    headers = dict(Headers(scope=scope).items())
    headers.pop("authorization", None)
    return ReceivedRequest(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
    )

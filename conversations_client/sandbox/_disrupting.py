"""Around every call of the API: it may meet with something that a test asked for."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, assert_never

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conversations_client.sandbox._body import LIMIT
from conversations_client.sandbox._disruptions import (
    Answer,
    BreakStream,
    Delay,
    Disruptions,
    Drop,
)
from conversations_client.sandbox._middleware import OPEN_PATHS
from conversations_client.sandbox._pacing import Pacing

_BODY: Final = "http.response.body"

HangUp = Callable[[Scope], None]
"""Closes the connection that a request came over."""


class Disrupting:
    """Has each call meet with what waits for it."""

    def __init__(
        self, app: ASGIApp, *, disruptions: Disruptions, pacing: Pacing, hang_up: HangUp
    ) -> None:
        self._app = app
        self._disruptions = disruptions
        self._pacing = pacing
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        found = self._disruptions.take(scope["method"], scope["path"])
        match found:
            case None:
                await self._app(scope, receive, send)
            case Answer():
                await _read(receive)
                answer = Response(found.body, found.status, dict(found.headers))
                await answer(scope, receive, send)
            case Delay():
                await self._app(scope, receive, _late(send, self._pacing, found.seconds))
            case Drop():
                await (
                    self._app(scope, receive, _nowhere) if found.after_acting else _read(receive)
                )
                await self._cut(scope, receive)
            case BreakStream():
                cut = partial(self._cut, scope, receive)
                await self._app(scope, receive, _Breaking(send, found, cut))
            case _:
                assert_never(found)

    async def _cut(self, scope: Scope, receive: Receive) -> None:
        self._hang_up(scope)
        # The server takes it for a crash if nothing was answered and nobody has left yet.
        while (await receive())["type"] != "http.disconnect":
            pass


class _Breaking:
    """Sends so many events, and then something else."""

    def __init__(self, send: Send, how: BreakStream, cut: Callable[[], Awaitable[None]]) -> None:
        self._send = send
        self._how = how
        self._cut = cut
        self._left = how.after_events
        self._is_broken = False

    async def __call__(self, message: Message) -> None:
        if self._is_broken:
            return
        await self._send(message)
        is_body = message["type"] == _BODY
        self._left -= is_body
        # An answer that is no stream, or is at its end already, can't be broken.
        if self._left == 0 and message.get("more_body", not is_body):
            self._is_broken = True
            await self._send({"type": _BODY, "body": self._how.garbage, "more_body": True})
            await self._cut()


def _late(send: Send, pacing: Pacing, seconds: float) -> Send:
    async def late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await pacing.pause(seconds)
        await send(message)

    return late


async def _nowhere(_message: Message) -> None:
    pass


async def _read(receive: Receive) -> None:
    """Read a body as far as the sandbox would."""
    size = 0
    while size <= LIMIT:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            return

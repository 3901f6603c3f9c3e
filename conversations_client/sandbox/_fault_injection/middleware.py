"""ASGI middleware that injects the queued faults."""

from collections.abc import Awaitable, Callable
from typing import Final, assert_never

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conversations_client.sandbox._operations.request_body import LIMIT
from conversations_client.sandbox._operations.routes import is_own_path
from conversations_client.sandbox._replies.pacing import Pacing

from .faults import BreakStream, CannedResponse, Delay, Drop, FaultQueue

_BODY: Final = "http.response.body"

HangUp = Callable[[Scope], None]
"""Closes the connection of a request."""


class FaultInjection:
    """Injects the first queued fault that applies to a request."""

    def __init__(
        self, app: ASGIApp, *, faults: FaultQueue, pacing: Pacing, hang_up: HangUp
    ) -> None:
        self._app = app
        self._faults = faults
        self._pacing = pacing
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_own_path(scope["path"]):
            await self._app(scope, receive, send)
            return
        fault = self._faults.take(scope["method"], scope["path"])
        match fault:
            case None:
                await self._app(scope, receive, send)
            case CannedResponse():
                await _read_body(receive)
                response = Response(fault.body, fault.status, dict(fault.headers))
                await response(scope, receive, send)
            case Delay():
                await self._app(scope, receive, _delayed(send, self._pacing, fault))
            case Drop():
                if fault.after_acting:
                    await self._app(scope, receive, _discard)
                else:
                    await _read_body(receive)
                await self._disconnect(scope, receive)
            case BreakStream():
                try:
                    await self._app(scope, receive, _after_events(send, fault.after_events, _break))
                except _BrokenStreamError:
                    # By now the app has stored what was sent, so the client's next request sees it.
                    await send({"type": _BODY, "body": fault.garbage, "more_body": True})
                    await self._disconnect(scope, receive)
            case _:
                assert_never(fault)

    async def _disconnect(self, scope: Scope, receive: Receive) -> None:
        self._hang_up(scope)
        # Without a response, the server logs a crash unless the client has disconnected.
        while (await receive())["type"] != "http.disconnect":
            pass


class _BrokenStreamError(Exception):
    """Ends an interrupted response."""


async def _break() -> None:
    raise _BrokenStreamError


def _delayed(send: Send, pacing: Pacing, delay: Delay) -> Send:
    async def pause() -> None:
        await pacing.pause(delay.seconds)

    async def send_late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await pause()
        await send(message)

    return _after_events(send, delay.after_events, pause) if delay.after_events else send_late


def _after_events(send: Send, events: int, interrupt: Callable[[], Awaitable[None]]) -> Send:
    """Call a function after a number of events, unless the response has already ended."""
    remaining = events

    async def send_and_count(message: Message) -> None:
        nonlocal remaining
        await send(message)
        is_body = message["type"] == _BODY
        remaining -= is_body
        if remaining == 0 and message.get("more_body", not is_body):
            await interrupt()

    return send_and_count


async def _discard(_message: Message) -> None:
    pass


async def _read_body(receive: Receive) -> None:
    """Read a request body up to the sandbox's limit."""
    size = 0
    while size <= LIMIT:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            return

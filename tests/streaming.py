"""Streams for tests: as bytes, and read by the same scenario in every variant."""

import json
from collections.abc import Coroutine
from functools import partial
from typing import Any, Self

WHEN = "2024-12-21T14:00:00Z"
DONE = b"data: [DONE]\n\n"


def event(kind: str, **data: Any) -> bytes:
    """An event as bytes."""
    found = {"type": kind, "timestamp": WHEN, "data": data}
    return f"data: {json.dumps(found, ensure_ascii=False)}\n\n".encode()


def word(text: str) -> bytes:
    """A delta of the one text part."""
    return event("part.delta", partId="text_1", delta={"kind": "text", "text": text})


STARTED = event(
    "response.started", responseId="resp_1", taskId="task_1", model="a/b", workflowRunId="run_1"
)
END = event("response.done", finishReason="stop")
HALF = STARTED + word("One ") + word("two ")
WHOLE = HALF + END


def head(**headers: str | None) -> bytes:
    """The head of a streamed response; headers that are None are omitted."""
    fields: dict[str, str | None] = {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Transfer-Encoding": "chunked",
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()


def chunk(piece: bytes) -> bytes:
    """A chunk of a body; an empty chunk ends it."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def streamed(*pieces: bytes, **headers: str | None) -> bytes:
    """A complete response."""
    return head(**headers) + b"".join(map(chunk, (*pieces, b"")))


class Awaited:
    """A sync client or its results, with async methods."""

    def __init__(self, sync: Any) -> None:
        self._sync = sync

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._sync, name.replace("aclose", "close"))
        if name in {"conversations", "responses", "with_raw_response"}:
            return Awaited(found)
        if name in {"create_many", "list", "pages", "stream", "text_deltas", "with_options"}:
            return partial(self._wrapped, found)
        if not callable(found):
            return found

        async def call(*given: Any, **named: Any) -> Any:
            return found(*given, **named)

        return call

    @staticmethod
    def _wrapped(found: Any, *given: Any, **named: Any) -> "Awaited":
        return Awaited(found(*given, **named))

    async def __aenter__(self) -> Self:
        self._sync.__enter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._sync.__exit__(*error)

    def __aiter__(self) -> "Awaited":
        return Awaited(iter(self._sync))

    async def __anext__(self) -> Any:
        try:
            return next(self._sync)
        except StopIteration:
            raise StopAsyncIteration from None


def played(client: Any, scenario: Any) -> Any:
    """The result of an async `scenario(client)` with a sync or async client."""
    if hasattr(client, "aclose"):
        return scenario(client)
    return _finished(scenario(Awaited(client)))


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("waited in the sync variant")


def read_stream(stream: Any) -> Any:
    """The complete response of a sync stream, or an awaitable of it."""
    if hasattr(stream, "__aenter__"):
        return _read_async(stream)
    with stream:
        return stream.collect()


async def _read_async(stream: Any) -> Any:
    async with stream:
        return await stream.collect()

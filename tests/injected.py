"""Injected HTTP clients: sync and async, httpx and httpx2."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import httpx
import httpx2
from streaming import played
from variants import KEY, Variant

from conversations_client import AsyncClient, Client

STACKS: list[Any] = [httpx, httpx2]


def run(
    variant: Variant, make: Callable[[str], Any], scenario: Callable[[Any], Any], **options: Any
) -> Any:
    """The result of an async scenario with a client over the HTTP client that `make` creates."""
    if variant.name == "sync":
        with make("Client") as own, Client(KEY, http_client=own, **options) as client:
            return played(client, scenario)

    async def main() -> Any:
        async with (
            make("AsyncClient") as own,
            AsyncClient(KEY, http_client=own, **options) as client,
        ):
            return await scenario(client)

    return anyio.run(main, backend=variant.name)


def made(stack: Any, **options: Any) -> Callable[[str], Any]:
    """Creates HTTP clients of a library."""
    return lambda name: getattr(stack, name)(**options)


def pieces(stack: Any, *parts: bytes) -> Any:
    """A custom transport whose response body has these parts and no end."""

    class Pieces(stack.SyncByteStream, stack.AsyncByteStream):  # type: ignore[misc]
        closed = 0

        def __iter__(self) -> Iterator[bytes]:
            yield from parts
            raise AssertionError("read on")

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in parts:
                yield part
            await anyio.sleep_forever()

        def close(self) -> None:
            self.closed += 1

        async def aclose(self) -> None:
            self.closed += 1

    return Pieces()

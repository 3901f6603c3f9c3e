"""Handwritten aiohttp code."""

from typing import TYPE_CHECKING

from harness import payloads
from harness.measuring import Load, Measurement, run, timed_async

if TYPE_CHECKING:
    import aiohttp


async def _session(load: Load) -> "aiohttp.ClientSession":
    import aiohttp

    return aiohttp.ClientSession(
        load.url,
        headers=payloads.HEADERS,
        timeout=aiohttp.ClientTimeout(payloads.TIMEOUT),
        connector=aiohttp.TCPConnector(
            limit=payloads.CONNECTIONS, keepalive_timeout=payloads.KEEP_ALIVE
        ),
    )


def construct(load: Load) -> object:
    import asyncio

    async def open_and_close() -> None:
        async with await _session(load):
            pass

    return asyncio.run(open_and_close())


def first(load: Load) -> object:
    import asyncio

    async def create() -> object:
        async with (
            await _session(load) as session,
            session.post(payloads.PATH, json=payloads.BODY) as response,
        ):
            response.raise_for_status()
            return (await response.json())["_id"]

    return asyncio.run(create())


async def create_async(load: Load) -> Measurement:
    async with await _session(load) as session:

        async def call() -> object:
            async with session.post(payloads.PATH, json=payloads.BODY) as response:
                response.raise_for_status()
                return (await response.json())["_id"]

        return await timed_async(load, call, expected=payloads.conversation_id(0))


if __name__ == "__main__":
    run(construct=construct, first=first, create_async=create_async)

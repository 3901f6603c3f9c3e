"""Handwritten httpx code, the baseline."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness import payloads
from harness.measuring import Load, Measurement, counted, counted_async, run, timed, timed_async

if TYPE_CHECKING:
    import httpx


def construct(load: Load) -> "httpx.Client":
    import httpx

    return httpx.Client(base_url=load.url, headers=payloads.HEADERS, timeout=payloads.TIMEOUT)


def first(load: Load) -> object:
    with construct(load) as client:
        response = client.post(payloads.PATH, json=payloads.BODY)
        response.raise_for_status()
        return response.json()["_id"]


def create(load: Load) -> Measurement:
    with construct(load) as client:

        def call() -> object:
            response = client.post(payloads.PATH, json=payloads.BODY)
            response.raise_for_status()
            return response.json()["_id"]

        return timed(load, call, expected=payloads.conversation_id(0))


async def create_async(load: Load) -> Measurement:
    import httpx

    limits = httpx.Limits(**payloads.LIMITS)
    async with httpx.AsyncClient(
        base_url=load.url, headers=payloads.HEADERS, timeout=payloads.TIMEOUT, limits=limits
    ) as client:

        async def call() -> object:
            response = await client.post(payloads.PATH, json=payloads.BODY)
            response.raise_for_status()
            return response.json()["_id"]

        return await timed_async(load, call, expected=payloads.conversation_id(0))


def many(load: Load) -> Measurement:
    from concurrent.futures import ThreadPoolExecutor

    with construct(load) as client:

        def call(_: int) -> object:
            response = client.post(payloads.PATH, json=payloads.BODY)
            response.raise_for_status()
            return response.json()["_id"]

        def items(count: int) -> Iterator[object]:
            with ThreadPoolExecutor(load.tasks) as threads:
                yield from threads.map(call, range(count))

        return counted(load, items)


async def many_async(load: Load) -> Measurement:
    import asyncio

    import httpx

    limits = httpx.Limits(**payloads.LIMITS)
    async with httpx.AsyncClient(
        base_url=load.url, headers=payloads.HEADERS, timeout=payloads.TIMEOUT, limits=limits
    ) as client:

        async def work(rows: Iterator[int]) -> int:
            done = 0
            for _ in rows:
                response = await client.post(payloads.PATH, json=payloads.BODY)
                response.raise_for_status()
                done += response.json()["_id"] is not None
            return done

        async def found(count: int) -> int:
            rows = iter(range(count))
            return sum(await asyncio.gather(*(work(rows) for _ in range(load.tasks))))

        return await counted_async(load, found)


def listing(load: Load) -> Measurement:
    with construct(load) as client:

        def items(count: int) -> Iterator[object]:
            query: dict[str, Any] = {
                "limit": payloads.PAGE_SIZE,
                "entityId": payloads.listed(count),
            }
            while True:
                response = client.get(payloads.PATH, params=query)
                response.raise_for_status()
                page = response.json()
                yield from page["data"]
                if not page["has_more"]:
                    return
                query["startingAfter"] = page["data"][-1]["_id"]

        return counted(load, items)


def events(load: Load) -> Measurement:
    from httpx_sse import connect_sse

    with construct(load) as client:

        def items(count: int) -> Iterator[object]:
            body = payloads.response_body(count, load.per_chunk)
            with connect_sse(client, "POST", payloads.RESPONSES_PATH, json=body) as source:
                source.response.raise_for_status()
                for event in source.iter_sse():
                    yield event.json()

        return counted(load, items)


if __name__ == "__main__":
    run(
        construct=construct,
        first=first,
        create=create,
        create_async=create_async,
        many=many,
        many_async=many_async,
        listing=listing,
        events=events,
    )

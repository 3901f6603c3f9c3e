"""Handwritten httpx2 code."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness import payloads
from harness.measuring import Load, Measurement, counted, run, timed, timed_async

if TYPE_CHECKING:
    import httpx2


def construct(load: Load) -> "httpx2.Client":
    import httpx2

    return httpx2.Client(base_url=load.url, headers=payloads.HEADERS, timeout=payloads.TIMEOUT)


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
    import httpx2

    limits = httpx2.Limits(**payloads.LIMITS)
    async with httpx2.AsyncClient(
        base_url=load.url, headers=payloads.HEADERS, timeout=payloads.TIMEOUT, limits=limits
    ) as client:

        async def call() -> object:
            response = await client.post(payloads.PATH, json=payloads.BODY)
            response.raise_for_status()
            return response.json()["_id"]

        return await timed_async(load, call, expected=payloads.conversation_id(0))


def events(load: Load) -> Measurement:
    with construct(load) as client:

        def items(count: int) -> Iterator[object]:
            body = payloads.response_body(count, load.per_chunk)
            with client.sse(payloads.RESPONSES_PATH, method="POST", json=body) as source:
                for event in source:
                    yield event.json()

        return counted(load, items)


if __name__ == "__main__":
    run(construct=construct, first=first, create=create, create_async=create_async, events=events)

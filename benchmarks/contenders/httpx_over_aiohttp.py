"""Handwritten httpx code over aiohttp connections."""

from harness import payloads
from harness.measuring import Load, Measurement, run, timed_async


async def create_async(load: Load) -> Measurement:
    import httpx
    from httpx_aiohttp import AiohttpTransport

    limits = httpx.Limits(**payloads.LIMITS)
    async with httpx.AsyncClient(
        base_url=load.url,
        headers=payloads.HEADERS,
        timeout=payloads.TIMEOUT,
        transport=AiohttpTransport(limits=limits),
    ) as client:

        async def call() -> object:
            response = await client.post(payloads.PATH, json=payloads.BODY)
            response.raise_for_status()
            return response.json()["_id"]

        return await timed_async(load, call, expected=payloads.conversation_id(0))


if __name__ == "__main__":
    run(create_async=create_async)

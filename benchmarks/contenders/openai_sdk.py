"""The openai SDK, whose client accepts any path and pydantic model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness import payloads
from harness.measuring import Load, Measurement, counted, run, timed, timed_async

if TYPE_CHECKING:
    import openai


def construct(load: Load) -> "openai.OpenAI":
    from openai import OpenAI

    return OpenAI(api_key="key", base_url=load.url, timeout=payloads.TIMEOUT)


def _models() -> tuple[type, type]:
    # Imported here, because `construct` measures the import of pydantic.
    from openai import BaseModel
    from pydantic import Field

    class Metadata(BaseModel):
        generating_title: bool | None = Field(None, alias="generatingTitle")
        entity_id: str | None = Field(None, alias="entityId")
        model: str | None = None

    class Conversation(BaseModel):
        id: str = Field(alias="_id")
        kind: str
        display_name: str = Field(alias="displayName")
        created_at: float = Field(alias="createdAt")
        updated_at: float = Field(alias="updatedAt")
        created_by_id: str | None = Field(None, alias="createdById")
        updated_by_id: str | None = Field(None, alias="updatedById")
        metadata: Metadata | None = None

    class Event(BaseModel):
        type: str
        timestamp: str
        data: dict[str, object]

    return Conversation, Event


def create(load: Load) -> Measurement:
    conversation, _ = _models()
    with construct(load) as client:

        def call() -> object:
            return client.post(payloads.PATH, cast_to=conversation, body=payloads.BODY).id

        return timed(load, call, expected=payloads.conversation_id(0))


async def create_async(load: Load) -> Measurement:
    from httpx2 import Limits
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    conversation, _ = _models()
    limits = Limits(**payloads.LIMITS)
    async with AsyncOpenAI(
        api_key="key",
        base_url=load.url,
        timeout=payloads.TIMEOUT,
        http_client=DefaultAsyncHttpxClient(limits=limits),
    ) as client:

        async def call() -> object:
            created = await client.post(payloads.PATH, cast_to=conversation, body=payloads.BODY)
            return created.id

        return await timed_async(load, call, expected=payloads.conversation_id(0))


def events(load: Load) -> Measurement:
    from openai import Stream

    _, event = _models()
    with construct(load) as client:

        def items(count: int) -> Iterator[object]:
            body = payloads.response_body(count, load.per_chunk)
            with client.post(
                payloads.RESPONSES_PATH,
                cast_to=event,
                body=body,
                stream=True,
                stream_cls=Stream[event],
            ) as stream:
                yield from stream

        return counted(load, items)


if __name__ == "__main__":
    run(construct=construct, create=create, create_async=create_async, events=events)

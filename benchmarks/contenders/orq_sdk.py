"""The service's own SDK, in its last version with conversations."""

from collections.abc import Iterator, Sized
from typing import TYPE_CHECKING, Any, cast

from harness import payloads
from harness.measuring import Load, Measurement, counted, parsed, run, timed, timed_async, weighed

if TYPE_CHECKING:
    import orq_ai_sdk


def construct(load: Load) -> "orq_ai_sdk.Orq":
    from orq_ai_sdk import Orq

    return Orq(api_key="key", server_url=load.url)


def create(load: Load) -> Measurement:
    with construct(load) as client:

        def call() -> object:
            return client.conversations.create(
                project_id=payloads.PROJECT_ID, display_name=payloads.DISPLAY_NAME
            ).id

        return timed(load, call, expected=payloads.conversation_id(0))


async def create_async(load: Load) -> Measurement:
    import httpx
    from orq_ai_sdk import Orq

    limits = httpx.Limits(**payloads.LIMITS)
    async with (
        httpx.AsyncClient(limits=limits, follow_redirects=True) as own,
        Orq(api_key="key", server_url=load.url, async_client=own) as client,
    ):

        async def call() -> object:
            created = await client.conversations.create_async(
                project_id=payloads.PROJECT_ID, display_name=payloads.DISPLAY_NAME
            )
            return created.id

        return await timed_async(load, call, expected=payloads.conversation_id(0))


def page(load: Load) -> Measurement:
    from orq_ai_sdk.models import ListConversationsResponseBody
    from orq_ai_sdk.utils.serializers import unmarshal_json

    def read(body: bytes) -> Sized:
        page: ListConversationsResponseBody = unmarshal_json(body, ListConversationsResponseBody)
        return cast("Sized", page.data)

    return parsed(load, read)


def memory(load: Load) -> Measurement:
    from orq_ai_sdk.models import CreateConversationResponseBody

    return weighed(load, CreateConversationResponseBody.model_validate)


def events(load: Load) -> Measurement:
    with construct(load) as client:

        def items(count: int) -> Iterator[object]:
            with client.conversations.create_conversation_response(
                conversation_id=payloads.conversation_id(0),
                message=cast("Any", payloads.MESSAGE),
                model=payloads.streamed(count, load.per_chunk),
            ) as stream:
                yield from stream

        return counted(load, items)


if __name__ == "__main__":
    run(
        construct=construct,
        create=create,
        create_async=create_async,
        page=page,
        memory=memory,
        events=events,
    )

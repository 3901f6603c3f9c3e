"""This package."""

import itertools
from collections.abc import Iterator, Sized
from typing import TYPE_CHECKING

from harness import payloads
from harness.measuring import (
    Load,
    Measurement,
    counted,
    counted_async,
    parsed,
    run,
    timed,
    timed_async,
    weighed,
)

if TYPE_CHECKING:
    from conversations_client import AsyncClient, Client, CreateRequest


def construct(load: Load) -> "Client":
    from conversations_client import Client

    return Client("key", base_url=load.url, timeout=payloads.TIMEOUT)


def construct_async(load: Load) -> "AsyncClient":
    from conversations_client import AsyncClient

    return AsyncClient(
        "key",
        base_url=load.url,
        timeout=payloads.TIMEOUT,
        max_connections=payloads.CONNECTIONS,
    )


def first(load: Load) -> object:
    with construct(load) as client:
        return client.conversations.create(
            display_name=payloads.DISPLAY_NAME, project_id=payloads.PROJECT_ID
        ).id


def create(load: Load) -> Measurement:
    with construct(load) as client:

        def call() -> str | None:
            return client.conversations.create(
                display_name=payloads.DISPLAY_NAME, project_id=payloads.PROJECT_ID
            ).id

        return timed(load, call, expected=payloads.conversation_id(0))


async def create_async(load: Load) -> Measurement:
    async with construct_async(load) as client:

        async def call() -> str | None:
            conversation = await client.conversations.create(
                display_name=payloads.DISPLAY_NAME, project_id=payloads.PROJECT_ID
            )
            return conversation.id

        return await timed_async(load, call, expected=payloads.conversation_id(0))


def request() -> "CreateRequest":
    from conversations_client import CreateRequest

    return CreateRequest(display_name=payloads.DISPLAY_NAME, project_id=payloads.PROJECT_ID)


def many(load: Load) -> Measurement:
    with construct(load) as client:

        def items(count: int) -> Iterator[object]:
            wanted = itertools.repeat(request(), count)
            with client.conversations.create_many(wanted, max_in_flight=load.tasks) as outcomes:
                yield from outcomes

        return counted(load, items)


async def many_async(load: Load) -> Measurement:
    async with construct_async(load) as client:

        async def found(count: int) -> int:
            wanted, done = itertools.repeat(request(), count), 0
            async with client.conversations.create_many(
                wanted, max_in_flight=load.tasks
            ) as outcomes:
                async for _ in outcomes:  # a list would add to the measured memory
                    done += 1
            return done

        return await counted_async(load, found)


def imported(load: Load) -> Measurement:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from conversations_client.bulk import Journal, import_file

    with TemporaryDirectory() as folder, construct(load) as client:

        def items(count: int) -> Iterator[object]:
            file = Path(folder, f"{count}.jsonl")
            line = f'{{"displayName": "{payloads.DISPLAY_NAME}"}}\n'
            with file.open("w") as lines:
                lines.writelines(itertools.repeat(line, count))
            with Journal(f"{file}.journal") as journal:
                report = import_file(client, file, journal, max_in_flight=load.tasks)
            yield from range(report.created)

        return counted(load, items)


def exported(load: Load) -> Measurement:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from conversations_client.bulk import export_with_messages

    with TemporaryDirectory() as folder, construct(load) as client:

        def items(count: int) -> Iterator[object]:
            file = Path(folder, f"{count}.jsonl")
            report = export_with_messages(
                client, file, entity_ids=[payloads.listed(count)], max_in_flight=load.tasks
            )
            yield from range(report.exported)

        return counted(load, items)


def page(load: Load) -> Measurement:
    from conversations_client import ConversationPage
    from conversations_client._json.conversion import read

    def data(body: bytes) -> Sized:
        return read(body, ConversationPage).data

    return parsed(load, data)


def memory(load: Load) -> Measurement:
    from conversations_client import Conversation, structure

    return weighed(load, lambda value: structure(value, Conversation))


def listing(load: Load) -> Measurement:
    with construct(load) as client:

        def items(count: int) -> Iterator[object]:
            return iter(
                client.conversations.list(
                    limit=payloads.PAGE_SIZE, entity_id=payloads.listed(count)
                )
            )

        return counted(load, items)


def events(load: Load) -> Measurement:
    with construct(load) as client:

        def items(count: int) -> Iterator[object]:
            model = payloads.streamed(count, load.per_chunk)
            with client.conversations.responses.stream(
                payloads.conversation_id(0), message="Hello", model=model
            ) as stream:
                yield from stream

        return counted(load, items)


if __name__ == "__main__":
    run(
        construct=construct,
        first=first,
        create=create,
        create_async=create_async,
        many=many,
        many_async=many_async,
        imported=imported,
        exported=exported,
        page=page,
        memory=memory,
        listing=listing,
        events=events,
    )

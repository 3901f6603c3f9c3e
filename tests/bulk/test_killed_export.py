"""Kills an export repeatedly, at random times from a fixed seed."""

import json
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from export_process import run_export

from conversations_client import Client, ConversationWithMessages, structure, unstructure
from conversations_client.sandbox import Sandbox

COUNT = 200  # the sandbox logs at most 1,000 requests
TIMES = 15
RATE = 200  # conversations per second, so that some are left at the last kill
ENTITIES = (None, "agent_1")


def fill(client: Client) -> None:
    for number in range(COUNT):
        entity_id = ENTITIES[number % 2]
        created = client.conversations.create(
            display_name=f"number {number}", metadata={"entity_id": entity_id}
        )
        if number % 10 < 2:
            assert created.id is not None
            client.conversations.responses.create(
                created.id, message=f"hello {number}", model="sandbox/reasoning"
            )


def expected(client: Client) -> list[ConversationWithMessages]:
    return [
        client.conversations.retrieve(str(one.id))
        for entity_id in ENTITIES
        for one in client.conversations.list(limit=100, entity_id=entity_id)
    ]


@pytest.mark.parametrize("name", ["backup.jsonl", "backup.parquet"])
def test_an_export_is_complete_however_often_it_is_killed(tmp_path: Path, name: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet") if name == "backup.parquet" else None
    path = tmp_path / name
    moments = random.Random(20)  # noqa: S311 - no secret
    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        fill(client)
        there = expected(client)
        seen = len(sandbox.requests)
        codes = [
            run_export(
                path,
                api_key=sandbox.api_key,
                url=sandbox.url,
                killed_after=moments.uniform(0, 0.06),
                entity_ids=ENTITIES,
                rate=RATE,
            )
            for _ in range(TIMES)
        ]
        assert codes == [-signal.SIGKILL] * TIMES
        assert not path.exists()
        code = run_export(
            path,
            api_key=sandbox.api_key,
            url=sandbox.url,
            killed_after=None,
            entity_ids=ENTITIES,
        )
        assert code == 0
        sent = len(sandbox.requests) - seen
    assert [one for one in tmp_path.iterdir() if one.suffix != ".tmp"] == [path]
    # Each run repeats the requests in flight and checks three conversations. All others are sent once.
    assert sent < COUNT + TIMES * (4 + 3 + 4)
    if parquet is None:
        lines = path.read_text().splitlines()
        assert [structure(json.loads(line), ConversationWithMessages) for line in lines] == there
    else:
        rows = parquet.read_table(path).to_pylist()
        assert [row["_id"] for row in rows] == [one.id for one in there]
        assert [messages_of(row) for row in rows] == [unstructure(one)["messages"] for one in there]


def messages_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = row["messages"]
    return [
        {
            **{name: value for name, value in message.items() if name not in {"parts", "extra"}},
            "parts": [json.loads(part["json"]) for part in message["parts"]],
        }
        for message in messages
    ]

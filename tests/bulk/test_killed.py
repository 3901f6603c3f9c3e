"""Kills an import repeatedly, at random times from a fixed seed."""

import json
import random
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from import_process import run_import
from scripted import ScriptedServer, always

from conversations_client import Client
from conversations_client.bulk import Journal, State
from conversations_client.sandbox import Sandbox

NAMES = [f"number {number}" for number in range(1_000)]
TIMES = 20
RATE = 500  # rows per second, so that some are left at the last kill


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"displayName": "{name}"}}\n' for name in NAMES))
    return path


def import_with_kills(path: Path, *, keys_are_trusted: bool, api_key: str, url: str) -> None:
    """Import a file: kill the process repeatedly, then let it finish."""
    moments = random.Random(20)  # noqa: S311 - no secret
    how: dict[str, Any] = {"keys_are_trusted": keys_are_trusted, "api_key": api_key, "url": url}
    codes = [
        run_import(path, killed_after=moments.uniform(0, 0.06), rate=RATE, **how)
        for _ in range(TIMES)
    ]
    assert codes == [-signal.SIGKILL] * TIMES
    assert run_import(path, killed_after=None, **how) == 0


def test_every_row_is_created_exactly_once_if_keys_are_honoured(path: Path) -> None:
    with Sandbox() as sandbox:
        import_with_kills(path, keys_are_trusted=True, api_key=sandbox.api_key, url=sandbox.url)
        with Client(sandbox.api_key, base_url=sandbox.url) as client:
            there = {one.id: one.display_name for one in client.conversations.list(limit=100)}
    assert Counter(there.values()) == Counter(NAMES)
    with Journal(f"{path}.journal") as journal:
        assert {entry.detail: NAMES[entry.number - 1] for entry in journal.entries()} == there


def test_every_row_is_created_at_most_once_if_keys_are_ignored(path: Path) -> None:
    with ScriptedServer(always()) as server:
        import_with_kills(path, keys_are_trusted=False, api_key="k", url=server.url)
        whole = [
            seen.body for seen in server.seen if seen.body
        ]  # a kill may cut off a request after its headers
        created = Counter(json.loads(body)["displayName"] for body in whole)
    with Journal(f"{path}.journal") as journal:
        states = {NAMES[entry.number - 1]: entry.state for entry in journal.entries()}
    assert set(created.values()) == {1}
    assert set(states) == set(NAMES)
    for name, state in states.items():
        assert state is State.DOUBTFUL or (state is State.CREATED and name in created)

"""`list` and `export` with several listings, at their limits, and without a filter."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Command
from scripted import ScriptedServer, answer

from conversations_client import Client
from conversations_client.bulk import ExportReport, export_with_messages
from conversations_client.bulk._exports.journal import ExportJournal
from conversations_client.sandbox import Sandbox

pytest_plugins = ["command_line_fixtures"]

CONVERSATION = {"_id": "conv_1", "kind": "conversation", "displayName": "a"}
MORE = "There are more conversations. List them with --limit or --all.\n"
UNFILTERED = (
    "This service doesn't filter by agent or deployment, so the conversations of all of them are "
    "included.\n"
)


def page(*times: int, prefix: str = "conv", more: bool = False, **fields: Any) -> bytes:
    data = [
        {**CONVERSATION, "_id": f"{prefix}_{time}", "createdAt": time, "updatedAt": 1} | fields
        for time in times
    ]
    return answer(200, {"object": "list", "data": data, "has_more": more})


def test_listings_are_merged_lazily(piped: Command) -> None:
    entity = {"metadata": {"entityId": "a"}}
    script = [
        page(9, 7, 7, more=True),
        page(8, 7, 3, prefix="agent", more=True, **entity),
        page(6, 5),
    ]
    with ScriptedServer(script) as server:
        line = ("list", "--standalone", "--entity-id", "a", "--limit", "6")
        ended = piped(*line, "--jsonl", "--base-url", server.url)
        targets = [seen.target for seen in server.seen]
    ids = [json.loads(each)["_id"] for each in ended.out.splitlines()]
    assert ids == ["conv_9", "agent_8", "conv_7", "agent_7", "conv_6", "conv_5"]
    assert (ended.code, ended.err) == (0, MORE)
    assert targets == [
        "/v2/conversations/?limit=7",
        "/v2/conversations/?limit=7&entityId=a",
        "/v2/conversations/?limit=7&startingAfter=conv_7",
    ]


def test_a_full_page_is_not_followed_by_another_request(piped: Command) -> None:
    with ScriptedServer([page(*range(200, 100, -1), more=True)]) as server:
        ended = piped("list", "--limit", "100", "--base-url", server.url)
    assert (ended.code, len(json.loads(ended.out)), ended.err) == (0, 100, "")
    assert len(server.seen) == 1


@pytest.mark.parametrize("format_", ["--json", "--jsonl"])
def test_a_limit_is_mentioned_only_if_it_cuts(
    piped: Command, shown: Command, client: Client, format_: str
) -> None:
    entity = f"agent{format_}"
    for _ in range(2):
        client.conversations.create(metadata={"entity_id": entity})
    line = ("list", "--entity-id", entity)
    assert piped(*line, format_, "--limit", "1").err == MORE
    assert shown(*line, "--limit", "1").err == MORE
    assert piped(*line, format_, "--limit", "2").err == ""
    assert piped(*line, format_).err == ""


def test_what_is_left_out_is_mentioned_in_a_terminal(
    piped: Command, shown: Command, client: Client
) -> None:
    for _ in range(2):
        client.conversations.create()
    others = (
        "Not included: conversations of agents and deployments (add --entity-id for each of them)."
    )
    note = f"{others}\n"
    assert shown("list", "--limit", "100").err == note
    assert shown("list", "--limit", "1").err == MORE + note
    for command, options in (
        (shown, ("--entity-id", "a")),
        (shown, ("--json",)),
        (shown, ("--quiet",)),
        (piped, ()),
    ):
        assert "Not included" not in command("list", *options).err


@pytest.mark.parametrize("command", ["list", "export"])
def test_a_comma_in_an_id_is_questioned(piped: Command, tmp_path: Path, command: str) -> None:
    file = [str(tmp_path / "a.jsonl")] if command == "export" else []
    ended = piped(command, *file, "--entity-id=agent_a,agent_b")
    assert ended.code == 0
    assert ended.err.startswith(
        "An ID that you passed with --entity-id contains a comma. To pass several IDs, repeat the "
        "option: --entity-id ID --entity-id ID.\n"
    )


@pytest.fixture
def revision_1() -> Iterator[Client]:
    with Sandbox(revision=1, api_key="key") as sandbox, sandbox.client() as client:
        for entity_id in ("agent_a", "agent_b"):
            client.conversations.create(metadata={"entity_id": entity_id})
        yield client


@pytest.fixture
def unfiltered(piped: Command, revision_1: Client, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command line with a service that doesn't filter by entity."""
    monkeypatch.setenv("ORQ_BASE_URL", revision_1.base_url)
    monkeypatch.setenv("ORQ_API_KEY", "key")
    return piped


@pytest.mark.parametrize("options", [(), ("--all",), ("--entity-id", "agent_a")])
def test_lists_say_that_the_service_does_not_filter(
    unfiltered: Command, options: tuple[str, ...]
) -> None:
    ended = unfiltered("list", *options)
    assert (len(json.loads(ended.out)), ended.err) == (2, UNFILTERED)


@pytest.mark.parametrize("options", [(), ("--messages",), ("--entity-id", "agent_a")])
def test_exports_say_that_the_service_does_not_filter(
    unfiltered: Command, tmp_path: Path, options: tuple[str, ...]
) -> None:
    ended = unfiltered("export", str(tmp_path / "a.jsonl"), *options)
    report = json.loads(ended.out)
    assert ended.err.endswith(UNFILTERED)
    assert "Not included" not in ended.err
    assert (report["exported"], report["entity_ids"], report["left_out"]) == (2, None, None)
    assert "includes_others" not in report


def test_an_export_to_stdout_says_that_the_service_does_not_filter(unfiltered: Command) -> None:
    ended = unfiltered("export", "-")
    assert (len(ended.out.splitlines()), ended.err) == (2, UNFILTERED)


def test_an_export_cannot_be_resumed_without_a_service(
    piped: Command, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    with ExportJournal(f"{path}.export") as journal:
        journal.begin("http://127.0.0.1:1", [None])
        (listing,) = journal.listings()
        journal.record_page(listing, ["conv_1"])
        journal.complete(listing)
    ended = piped("export", str(path), "--messages", "--base-url", "http://127.0.0.1:1")
    assert (ended.code, "to resume the export" in ended.err) == (4, True)


def test_a_report_states_that_the_service_does_not_filter(
    revision_1: Client, tmp_path: Path
) -> None:
    def export(*entity_ids: str) -> ExportReport:
        path = tmp_path / "a.jsonl"
        return export_with_messages(revision_1, path, entity_ids=entity_ids)

    assert export("agent_a").includes_others
    with Sandbox() as sandbox, sandbox.client() as client:
        client.conversations.create()
        report = export_with_messages(client, tmp_path / "b.jsonl")
        assert (report.exported, report.includes_others) == (1, False)

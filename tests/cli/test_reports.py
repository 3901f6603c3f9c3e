"""The reports in JSON have the keys that their page lists."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Command

from conversations_client import Client

pytest_plugins = ["command_line_fixtures"]

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def documented(report: str) -> list[str]:
    """The keys of a report, in order."""
    section = PAGE.read_text().split(f"\n### {report}\n")[1].split("\n## ")[0].split("\n### ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        f'{{"displayName": "a", "metadata": {{"entityId": "{tmp_path.name}"}}}}\n{{"displayName": 1}}\n'
    )
    return path


def test_an_import(piped: Command, rows: Path) -> None:
    ended = piped("import", str(rows), "--key", "displayName")
    report = json.loads(ended.out)
    assert list(report) == documented("`import`")
    lines = Path(report["results"]).read_text().splitlines()
    results = [json.loads(line) for line in lines]
    *common, created, failed = documented("Results of `import`")
    assert [list(result) for result in results] == [[*common, created], [*common, failed]]


@pytest.mark.parametrize("options", [[], ["--messages"]])
def test_an_export(piped: Command, tmp_path: Path, rows: Path, options: list[str]) -> None:
    piped("import", str(rows))
    ended = piped("export", str(tmp_path / "a.jsonl"), "--entity-id", tmp_path.name, *options)
    report = json.loads(ended.out)
    assert list(report) == documented(f"`{' '.join(['export', *options])}`")


def test_a_deletion(piped: Command, client: Client) -> None:
    conversation_id = client.conversations.create().id
    ended = piped("delete", "-y", str(conversation_id), "conv_missing")
    assert json.loads(ended.out) == [conversation_id]
    assert documented("`delete`") == []


def test_a_diagnosis(piped: Command) -> None:
    findings = json.loads(piped("doctor", "--api-key", "wrong").out)
    keys = documented("`doctor`")
    assert {tuple(finding) for finding in findings} == {tuple(keys), tuple(keys[:-1])}
    section = PAGE.read_text().split("\n### `doctor`\n")[1]
    assert all(f"`{finding['check']}`" in section for finding in findings)


def test_a_chat(piped: Command, typed: Callable[[str], None]) -> None:
    keys = documented("`chat`")
    for model, left_out in {
        "sandbox/echo": {"toolEvents", "error"},
        "sandbox/tool": {"error"},
        "sandbox/fails": {"toolEvents"},
    }.items():
        typed("Hello")
        exchange = json.loads(piped("chat", "--model", model).out)
        assert list(exchange) == [key for key in keys if key not in left_out]

"""Reads and writes files of each format."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client import Conversation, ConversationMetadata, structure, unstructure
from conversations_client.bulk import BulkError, count_rows, export_file
from conversations_client.bulk._files.json_lines import NotAnObject, NotJson
from conversations_client.bulk._files.readers import read_rows
from conversations_client.bulk._files.rows import Unreadable
from conversations_client.bulk._text import json_line

Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


def conversation(number: int) -> Conversation:
    return Conversation(
        id=f"conv_{number}",
        kind="conversation",
        display_name=f'number "{number}",\n{"é" * number}',
        created_at=1734789600000,
        updated_at=1734793200000,
        metadata=ConversationMetadata(entity_id="agent_1", generating_title=bool(number % 2)),
    )


def test_json_lines(write: Write) -> None:
    path = write("a.jsonl", b'{"displayName": "a"}\r\n\n[1]\n \nnot json\n\xff\n{}')
    assert [(row.number, row.content) for row in read_rows(path)] == [
        (1, {"displayName": "a"}),
        (2, NotAnObject("The row is not a JSON object.")),
        (3, NotJson("The row is not JSON: Expecting value at character 1.")),
        (4, NotJson("The row is not UTF-8.")),
        (5, {}),
    ]
    assert count_rows(path) == 5
    assert [row.number for row in read_rows(path, start=1, stop=3)] == [2, 3]


def test_csv(write: Write) -> None:
    path = write(
        "a.csv", '\ufeffdisplayName,metadata.model\n"a, ""b""\nc",m\n,\nd,,too much\n'.encode()
    )
    assert [row.content for row in read_rows(path)] == [
        {"displayName": 'a, "b"\nc', "metadata": {"model": "m"}},
        Unreadable("The row has no values to import. Leave it, or fill in a field."),
        Unreadable("The row has 3 cells, but the header has 2."),
    ]
    assert count_rows(path) == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b'displayName\na\n"b',
            r"a\.csv is not CSV: a quotation mark in the row that starts on line 3 is never closed",
        ),
        (
            b"displayName\na\n\xff\n",
            r"a\.csv is not UTF-8 \(line 3\)\. In a spreadsheet, save it as .CSV UTF-8.\. Convert it from",
        ),
    ],
)
def test_a_file_that_is_not_csv(write: Write, content: bytes, problem: str) -> None:
    with pytest.raises(BulkError, match=problem):
        list(read_rows(write("a.csv", content)))


def test_a_file_that_is_not_parquet(write: Write) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(
        BulkError, match=r"a\.parquet can't be read as Parquet: it is not a Parquet file"
    ):
        count_rows(write("a.parquet", b"PAR1"))


def test_an_unknown_file_format(write: Write) -> None:
    path = write("a.txt", b"")
    with pytest.raises(BulkError) as raised:
        count_rows(path)
    assert str(raised.value) == (
        f"{path} has an unknown format. Its name must end in .jsonl or .ndjson (JSON Lines), .csv "
        "(CSV), .tsv (tab-separated), or .parquet (Parquet)."
    )


def test_parquet_without_its_extra(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BulkError) as raised:
        count_rows(write("a.parquet", b""))
    assert str(raised.value) == (
        'Parquet needs pyarrow, which is not installed: pip install "conversations-client[bulk]"'
    )


@pytest.mark.parametrize("name", ["a.jsonl", "a.NDJSON", "a.csv", "a.parquet"])
def test_an_exported_file_can_be_read(tmp_path: Path, name: str) -> None:
    if name == "a.parquet":
        pytest.importorskip("pyarrow")
    path, reported = tmp_path / name, list[Conversation]()
    exported = [conversation(number) for number in range(4)]
    assert export_file(exported, path, on_row=reported.append) == 4
    assert reported == exported
    assert list(tmp_path.iterdir()) == [path]
    assert count_rows(path) == 4
    keys = [row.request("import") for row in read_rows(path)]
    assert [(key.get("display_name"), key.get("metadata")) for key in keys] == [
        (one.display_name, {"entity_id": "agent_1", "generating_title": bool(number % 2)})
        for number, one in enumerate(exported)
    ]


def test_json_lines_have_every_field_that_the_service_sends(tmp_path: Path) -> None:
    sent: dict[str, Any] = {
        **unstructure(conversation(1)),
        "later": {"a": [1]},
        "displayName": "\ud800",
    }
    path = tmp_path / "a.jsonl"
    assert export_file([structure(sent, Conversation)], path) == 1
    assert json.loads(path.read_bytes()) == sent


def test_json_lines_are_text_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    export_file([conversation(3)], path)
    assert "ééé" in path.read_text(encoding="utf-8")


ODD = "\x00\x1c\x7f\x85\x9b\xa0é🙂\u2028\u2029\u202e\u2066\ud800\udc00"


@given(st.text(st.sampled_from(ODD) | st.characters(codec=None)))
def test_a_line_of_json_is_one_line_of_utf_8(text: str) -> None:
    value = {text: [text]}
    line = json_line(value)
    assert line.encode().decode().splitlines() == [line[:-1]]
    assert json.loads(line) == json.loads(json.dumps(value))
    assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069]", line)


def test_a_lone_surrogate_in_csv(tmp_path: Path) -> None:
    sent = {**unstructure(conversation(1)), "displayName": "\ud800"}
    export_file([structure(sent, Conversation)], tmp_path / "a.csv")
    (row,) = read_rows(tmp_path / "a.csv")
    assert row.request("import").get("display_name") == "\\ud800"


def test_a_failed_export_does_not_change_the_file(write: Write) -> None:
    def failing() -> Any:
        yield conversation(1)
        raise KeyError

    path = write("a.jsonl", b"as it was")
    with pytest.raises(KeyError):
        export_file(failing(), path)
    assert path.read_bytes() == b"as it was"
    assert list(path.parent.iterdir()) == [path]

"""Exported files can be imported: export, import and export again."""

import csv
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations_client import Client, Conversation, Deleted, structure
from conversations_client.bulk import (
    BulkError,
    Journal,
    check_file,
    export_file,
    export_with_messages,
    import_file,
)
from conversations_client.bulk._files.readers import read_rows
from conversations_client.sandbox import Sandbox

FORMATS = ["jsonl", "csv", "parquet", "escaped.csv"]
# Set by the service for each new conversation.
OF_THE_SERVICE = {"_id", "createdAt", "updatedAt", "createdById", "updatedById"}

# The sandbox rejects lone surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
nasty = st.sampled_from(
    [
        *("", " ", "Untitled", "null", "true", "=1+1", "'=1", "''", '"', "a,b", "\r\n", "\n", "\r"),
        *(
            "\0",
            "\ufeffa",
            " a ",
            "\u2028",
            "\\ud800",
            "1e5",
            "None",
            "NaN",
            "x" * 100,
            "\U0001f600",
        ),
    ]
)
names = texts | nasty
# The client can't list an entity whose ID is blank.
entities = (texts | nasty).filter(str.strip)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "generatingTitle": st.booleans(),
        "entityId": entities | st.none(),
        "model": names | st.none(),
    },
)
bodies = st.fixed_dictionaries({}, optional={"displayName": names, "metadata": metadata})


def name_of(kind: str) -> str:
    return kind if "." in kind else f"a.{kind}"


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[tuple[Sandbox, Sandbox]]:
    with Sandbox() as one, Sandbox() as other:
        yield one, other


def fill(sandbox: Sandbox, contents: list[dict[str, Any]]) -> None:
    """Create conversations with raw requests."""
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(base_url=sandbox.url, headers=headers) as http:
        for content in contents:
            assert http.post("/v2/conversations", json=content).status_code == 201


def export(sandbox: Sandbox, path: Path, wanted: list[str | None]) -> int:
    with Client(sandbox.api_key, base_url=sandbox.url) as client:
        listings = [client.conversations.list(limit=100, entity_id=one) for one in wanted]
        escape = path.name.startswith("escaped")
        return export_file(chain.from_iterable(listings), path, escape_formulas=escape)


def empty(sandbox: Sandbox, wanted: list[str | None]) -> None:
    with Client(sandbox.api_key, base_url=sandbox.url) as client:
        for entity_id in wanted:
            ids = [str(one.id) for one in client.conversations.list(entity_id=entity_id)]
            with client.conversations.delete_many(ids) as outcomes:
                assert all(isinstance(outcome, Deleted) for outcome in outcomes)


def rows(path: Path) -> list[str]:
    """The rows of a file as text, without the fields that the service sets, in any order."""
    read: list[dict[str, Any]]
    match path.suffix:
        case ".jsonl":
            read = [json.loads(line) for line in path.read_text().splitlines()]
        case ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                read = [dict(row) for row in csv.DictReader(file)]
        case _:
            read = pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()
    kept = [
        {name: value for name, value in row.items() if name not in OF_THE_SERVICE} for row in read
    ]
    return sorted(json.dumps(row, sort_keys=True) for row in kept)


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=10, deadline=None)
@given(contents=st.lists(bodies, max_size=10))
def test_a_second_export_is_the_same(
    sandboxes: tuple[Sandbox, Sandbox], kind: str, contents: list[dict[str, Any]]
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    one, other = sandboxes
    found = (content.get("metadata", {}).get("entityId") for content in contents)
    wanted = list(dict.fromkeys([None, *found]))
    fill(one, contents)
    with TemporaryDirectory() as folder:
        first, second = Path(folder) / name_of(kind), Path(folder) / "again" / name_of(kind)
        second.parent.mkdir()
        try:
            assert export(one, first, wanted) == len(contents)
            with (
                Client(other.api_key, base_url=other.url) as client,
                Journal(f"{first}.journal") as journal,
            ):
                report = import_file(client, first, journal)
            assert (report.created, report.failed, report.doubtful) == (len(contents), 0, 0)
            assert export(other, second, wanted) == len(contents)
        finally:
            empty(one, wanted)
            empty(other, wanted)
        assert rows(second) == rows(first)


# Other revisions of the service


def conversation(**fields: Any) -> Conversation:
    content = {
        "_id": "conv_1",
        "kind": "conversation",
        "displayName": "a",
        "createdAt": 1734789600000,
        "updatedAt": 1734793200000,
        **fields,
    }
    return structure(content, Conversation)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("fields", "metadata"),
    [
        ({"entityId": "agent_1"}, {"entity_id": "agent_1"}),
        ({"entityId": "agent_1", "metadata": {}}, {"entity_id": "agent_1"}),
        ({"entityId": "agent_1", "metadata": {"entityId": "agent_2"}}, {"entity_id": "agent_2"}),
        (
            {"entityId": "agent_1", "metadata": {"model": "m"}},
            {"entity_id": "agent_1", "model": "m"},
        ),
    ],
)
def test_the_entity_of_the_first_revision_is_imported(
    *, tmp_path: Path, kind: str, fields: dict[str, Any], metadata: dict[str, Any]
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / name_of(kind)
    export_file([conversation(**fields)], path)
    (row,) = read_rows(path)
    request = dict(row.request("import"))
    del request["idempotency_key"]
    assert request == {"display_name": "a", "metadata": metadata}


@pytest.mark.parametrize("kind", FORMATS)
def test_unknown_fields_of_exports_are_ignored(tmp_path: Path, kind: str) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / name_of(kind)
    later = conversation(later={"a": [1]}, metadata={"model": "m", "later": True})
    export_file([later], path)
    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        with Journal(f"{path}.journal") as journal:
            assert import_file(client, path, journal).created == 1
        (made,) = client.conversations.list()
    assert made.display_name == "a"
    assert made.metadata is not None
    assert made.metadata.model == "m"


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_an_export_with_messages_is_imported_without_them(tmp_path: Path, name: str) -> None:
    if name == "a.parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        first = client.conversations.create(display_name="a")
        client.conversations.responses.create(str(first.id), message="b", model="sandbox/echo")
        export_with_messages(client, path)
        with Journal(f"{path}.journal") as journal:
            assert import_file(client, path, journal).created == 1
        made = [one for one in client.conversations.list() if one.id != first.id]
    assert [one.display_name for one in made] == ["a"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "_id,kind,displayName,createdAt,updatedAt,projctId\na,b,c,1,2,d\n"),
        ("a.csv", "displayName,messages\na,b\n"),
        ("a.jsonl", '{"displayName": "a", "messages": []}\n'),
    ],
)
def test_unknown_columns_of_other_files_are_not_ignored(
    tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(BulkError, match="Unknown field"):
        check_file(path)

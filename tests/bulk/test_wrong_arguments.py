"""Arguments of the wrong type are reported with what to pass."""

from pathlib import Path
from typing import Any

import pytest

from conversations_client import AsyncClient, Client, InvalidArgumentError
from conversations_client.bulk import (
    BulkError,
    Entry,
    Journal,
    Partition,
    State,
    check_file,
    entries_of,
    export_file,
    export_with_messages,
    import_file,
    partitions,
    write_results,
)
from conversations_client.testing import FakeService, factories

FAKE = FakeService()


@pytest.fixture
def client() -> Client:
    return FAKE.client()


@pytest.mark.parametrize(
    ("entity_ids", "problem"),
    [(None, "not NoneType. To export"), (5, "not int. To export"), ("agent_1", "not a string.")],
)
def test_entity_ids(client: Client, tmp_path: Path, entity_ids: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        export_with_messages(client, tmp_path / "a.jsonl", entity_ids=entity_ids)
    assert str(caught.value).startswith(f"entity_ids must be a list of entity IDs, {problem}")


@pytest.mark.parametrize("journal", ["a.journal", Path("a.journal"), None])
def test_a_journal_is_opened_first(client: Client, tmp_path: Path, journal: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"displayName": "a"}\n')
    with pytest.raises(InvalidArgumentError, match=r"^journal must be an open Journal"):
        import_file(client, path, journal)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"columns": ["displayName"]}, "columns must be a dict such as {'displayName': 'title'}, not list."),
        ({"columns": {"displayName": None}}, "The name of a column must be a string, not NoneType."),
        ({"columns": {5: "a"}}, "The name of a column must be a string, not int."),
        ({"key": ["a"]}, "The name of a column must be a string, not list."),
        ({"ignore": None}, "ignore must be a list of columns, not NoneType."),
        ({"ignore": b"a"}, "ignore must be a list of columns, not bytes."),
        ({"ignore": "a"}, "ignore must be a list of columns, not a string."),
        ({"ignore": [5]}, "The name of a column must be a string, not int."),
        ({"start": "0"}, "start and stop must be whole numbers."),
        ({"stop": 1.5}, "start and stop must be whole numbers."),
    ],
)  # fmt: skip
def test_options_of_an_import(
    client: Client, tmp_path: Path, options: dict[str, Any], problem: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"displayName": "a"}\n')
    with (
        Journal(tmp_path / "journal") as journal,
        pytest.raises(InvalidArgumentError) as caught,
    ):
        import_file(client, path, journal, **options)
    assert str(caught.value) == problem


@pytest.mark.parametrize("path", ["a\0.jsonl", Path("a\0.csv")])
def test_a_path_with_a_null_character(client: Client, tmp_path: Path, path: Any) -> None:
    with pytest.raises(BulkError, match="The path of the file contains a null"):
        check_file(path)
    with pytest.raises(BulkError, match="The path of the file contains a null"):
        export_file([], path)
    with pytest.raises(BulkError, match="The path of the journal contains a null"):
        Journal(path)
    with pytest.raises(BulkError, match="The path of the journal contains a null"):
        export_with_messages(client, tmp_path / "a.jsonl", journal=path)


def test_a_closed_journal(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"displayName": "a"}\n')
    journal = Journal(tmp_path / "journal")
    journal.close()
    with pytest.raises(BulkError, match=r"The journal .* is closed\. Open it again\."):
        import_file(client, path, journal)


def imported(client: Any, path: Path) -> None:
    with Journal(path.with_suffix(".journal")) as journal:
        import_file(client, path, journal)


def run_in_parts(client: Any, path: Path) -> None:
    for part in partitions(path, path.parent / "parts"):
        part.run(client)


@pytest.mark.parametrize("call", [imported, export_with_messages, run_in_parts])
@pytest.mark.parametrize("wrong", [AsyncClient("key"), None, "key"])
def test_a_sync_client_is_needed(tmp_path: Path, call: Any, wrong: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"displayName": "a"}\n')
    name = type(wrong).__name__
    with pytest.raises(InvalidArgumentError, match=f"^client must be a Client, not {name}:"):
        call(wrong, path)


def test_a_function_that_creates_an_async_client(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"displayName": "a"}\n')
    with pytest.raises(InvalidArgumentError, match="not AsyncClient"):
        run_in_parts(lambda: AsyncClient("key"), path)


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
@pytest.mark.parametrize("item", [1, {"displayName": "a"}, None])
def test_only_conversations_are_exported(tmp_path: Path, name: str, item: Any) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"^conversations must be an iterable .* item is"
    ):
        export_file([factories.conversation(), item], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("conversations", [None, 5, factories.conversation(), "", "ids.txt"])
def test_an_iterable_is_exported(tmp_path: Path, conversations: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^conversations must be an iterable"):
        export_file(conversations, tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_results_are_written_of_entries(tmp_path: Path) -> None:
    target = tmp_path / "results.jsonl"
    with Journal(tmp_path / "a.journal") as journal:
        part = Partition("a.jsonl", "a.journal", 0, 1)
        wrong: list[Any] = ["a.journal", Path("a.journal"), journal, part, [part], None]
        for entries in wrong:
            with pytest.raises(InvalidArgumentError, match=r"such as journal\.entries\(\)"):
                write_results(entries, target)
    assert not target.exists()


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ("folder", "not str"),
        (Path("folder"), "not (Posix|Windows)Path"),
        (None, "not NoneType"),
        (["folder"], "but an item is of type str"),
    ],
)
def test_entries_are_those_of_parts(parts: Any, problem: str) -> None:
    with pytest.raises(
        InvalidArgumentError, match=rf"^parts must be .*\(file, folder\), {problem}\.$"
    ):
        list(entries_of(parts))
    part: Any = Partition("a.jsonl", "a.journal", 0, 1)
    with pytest.raises(InvalidArgumentError, match=r"not Partition\.$"):
        entries_of(part)


def test_an_entry_tells_the_id_from_the_error() -> None:
    def entry(state: State, detail: str) -> tuple[str | None, str | None]:
        found = Entry(number=1, digest="", state=state, detail=detail)
        return found.conversation_id, found.error

    assert entry(State.CREATED, "conv_1") == ("conv_1", None)
    assert entry(State.CREATED, "") == (None, None)
    assert entry(State.FAILED, "invalid") == (None, "invalid")
    assert entry(State.DOUBTFUL, "lost") == (None, "lost")
    assert entry(State.SENT, "") == (None, None)


def test_retrieved_conversations_are_exported_with_their_messages(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    found = factories.conversation_with_messages()
    assert export_file([found], path) == 1
    assert path.read_text().count('"messages": [') == 1

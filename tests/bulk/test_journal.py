"""The journal of an import."""

import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from conversations_client.bulk import BulkError, Entry, Journal, State, write_results
from conversations_client.bulk._imports.destination import Destination

ENTRIES = [
    Entry(2, "d2", State.CREATED, "conv_2"),
    Entry(1, "d1", State.SENT, ""),
    Entry(3, "d3", State.FAILED, "é no"),
    Entry(4, "d4", State.DOUBTFUL, "broken"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.journal"


def test_a_journal_stores_entries(path: Path) -> None:
    with Journal(path) as journal:
        for entry in ENTRIES:
            journal.record(entry)
        made_up = journal.import_id
    with Journal(path, import_id=made_up) as journal:
        assert journal.import_id == made_up
        assert list(journal.entries()) == sorted(ENTRIES, key=lambda entry: entry.number)
        assert (journal.find(3), journal.find(5)) == (ENTRIES[2], None)
        assert set(journal.counts().values()) == {1}
        journal.doubt()
        assert journal.find(1) == Entry(
            1, "d1", State.DOUBTFUL, "The import ended before the response arrived."
        )
        journal.record(Entry(1, "d1", State.CREATED, ""))
        assert journal.counts() == {
            State.SENT: 0,
            State.CREATED: 2,
            State.FAILED: 1,
            State.DOUBTFUL: 1,
        }
        write_results(journal.entries(), path.with_name("results"))
    assert path.with_name("results").read_text(encoding="utf-8") == (
        '{"row": 1, "status": "created", "id": null}\n'
        '{"row": 2, "status": "created", "id": "conv_2"}\n'
        '{"row": 3, "status": "failed", "error": "é no"}\n'
        '{"row": 4, "status": "doubtful", "error": "broken"}\n'
    )


@pytest.mark.parametrize(
    ("state", "otherwise", "trusted"),
    [
        (State.SENT, False, True),
        (State.CREATED, False, False),
        (State.FAILED, True, True),
        (State.DOUBTFUL, False, True),
    ],
)
def test_which_rows_are_sent_again(state: State, otherwise: bool, trusted: bool) -> None:
    entry = Entry(1, "d", state, "")
    assert entry.is_to_be_sent(keys_are_trusted=False) is otherwise
    assert entry.is_to_be_sent(keys_are_trusted=True) is trusted


def test_a_journal_is_for_one_import_at_a_time(path: Path) -> None:
    with (
        Journal(path, import_id="one"),
        pytest.raises(BulkError, match="is in use by another import"),
    ):
        Journal(path)
    for other in ("two", "on", "one1"):
        with pytest.raises(BulkError, match="is the journal of a different import, one"):
            Journal(path, import_id=other)
    Journal(path, import_id="one").close()


@pytest.mark.parametrize(
    "content", [b"something else, and long enough to be seen to be no database" * 20, None]
)
def test_a_file_of_another_kind_is_not_changed(path: Path, content: bytes | None) -> None:
    if content is None:
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE mine (a)")
        database.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(BulkError, match=r"is not an import journal|file is not a database"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_missing_folder(path: Path) -> None:
    with pytest.raises(BulkError, match=r"can't be created: the folder .* doesn't exist"):
        Journal(path / "b")


@pytest.mark.parametrize(
    ("name", "refused", "problem"),
    [
        (
            "used",
            "{folder}/used",
            (
                "you don't have permission to read and write it. Use another journal (every row is "
                "then imported again)."
            ),
        ),
        (
            "used",
            "{folder}",
            (
                "you don't have permission to create files in {folder}. Use another journal (every "
                "row is then imported again)."
            ),
        ),
        (
            "new",
            "{folder}",
            "you don't have permission to create files in {folder}. Use another journal.",
        ),
        ("x" * 300, "", "File name too long. Use another journal."),
        (
            "new",
            "",
            (
                "unable to open database file. Check its folder and the free disk space, or use "
                "another journal."
            ),
        ),
    ],
)
def test_why_a_journal_cannot_be_opened(
    *, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, refused: str, problem: str
) -> None:
    with Journal(tmp_path / "used"):
        pass

    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    denied = refused.format(folder=tmp_path)

    def access(path: Path, _mode: int) -> bool:
        return str(path) != denied

    monkeypatch.setattr(os, "access", access)
    with pytest.raises(BulkError) as raised:
        Journal(tmp_path / name)
    assert str(raised.value) == (
        f"The journal {tmp_path / name} can't be used: {problem.format(folder=tmp_path)}"
    )


@pytest.mark.parametrize(
    "import_id", ["", "nightly import", "a_b", "a.b", "é", "a\n", "a" * 101, "a-1\n", 5]
)
def test_an_import_id_is_part_of_keys(import_id: Any, path: Path) -> None:
    with pytest.raises(BulkError, match="import_id must be 1 to 100 letters"):
        Journal(path, import_id=import_id)
    assert not path.exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET state = 'unknown'",
        "UPDATE entry SET key = 'no JSON'",
        "UPDATE import SET destination = 'no JSON'",
        "UPDATE import SET destination = '[]'",
        "UPDATE import SET destination = '{}'",
        "INSERT INTO import (id) VALUES ('another')",
        "DROP TABLE entry",
        "ALTER TABLE entry DROP COLUMN key",
        "UPDATE entry SET detail = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_damaged_journal(change: str, path: Path) -> None:
    with Journal(path) as journal:
        journal.record(ENTRIES[0])
    database = sqlite3.connect(path)
    with database:
        database.execute(change)
    database.close()
    with pytest.raises(BulkError, match=r"The journal .* is damaged[.:].* are imported again"):
        read_all(path)


def test_a_journal_that_hides_a_row(path: Path) -> None:
    """Without the row's number, the row would be imported again."""
    with Journal(path) as journal:
        for number in (1, 2, 3):
            journal.record(Entry(number, f"{number}" * 32, State.CREATED, "conv_1"))
    content = bytearray(path.read_bytes())
    # The number is stored before the types of the row's six columns and their length.
    position = content.index(b"2" * 32) - 8
    assert content[position] == 2
    content[position] = 99
    path.write_bytes(content)
    with pytest.raises(BulkError, match=r"The journal .* is damaged\. .* are imported again"):
        Journal(path)


def read_all(path: Path) -> None:
    with Journal(path) as journal:
        _ = journal.destination, journal.counts(), list(journal.entries())


def test_a_journal_with_damaged_bytes(path: Path) -> None:
    with Journal(path) as journal:
        for entry in ENTRIES:
            journal.record(entry)
    content = path.read_bytes()
    damage = random.Random(1)  # noqa: S311 - the same damage each time
    damaged = 0
    for _ in range(150):
        changed = bytearray(content)
        for place in damage.sample(range(len(content)), 9):
            changed[place] = damage.randrange(256)
        path.write_bytes(changed)
        try:
            read_all(path)
        except BulkError:
            damaged += 1
    assert 0 < damaged < 150


def test_a_closed_journal_cannot_be_used(path: Path) -> None:
    with Journal(path) as journal:
        pass
    for use in (journal.counts, journal.doubt, lambda: list(journal.entries())):
        with pytest.raises(BulkError, match=r"is closed\. Open it again"):
            use()


def test_a_journal_without_an_id_gets_one(path: Path) -> None:
    with Journal(path):
        pass
    database = sqlite3.connect(path)
    with database:
        database.execute("DELETE FROM import")
    database.close()
    with Journal(path) as journal:
        assert len(journal.import_id) == 32


@pytest.mark.parametrize("key", [None, True, 5, 1.5, "", "é\ud800", "x" * 100_000])
def test_a_key_is_stored_unchanged(key: Any, path: Path) -> None:
    entry = Entry(1, "d", State.CREATED, "conv_1", key)
    with Journal(path) as journal:
        journal.record(entry)
        assert list(journal.entries()) == [entry]


@pytest.mark.parametrize(
    "change",
    [
        {"service": "https://a.example"},
        {"service": "https://a.example/b/c"},
        {"project_id": "prj_"},
        {"project_id": "prj_12"},
        {"project_id": None},
        {"key": "1"},
        {"key": "123"},
        {"key": ""},
    ],
)
def test_a_destination_differs_in_any_part_of_any_value(change: dict[str, Any]) -> None:
    one = Destination(service="https://a.example/b", project_id="prj_1", key="12")
    other = evolve(one, **change)
    assert one.other(one) is None
    assert one.other(other) is not None
    assert other.other(one) is not None


@pytest.mark.parametrize("content", [None, b""])
def test_a_log_without_its_journal_is_left_alone(path: Path, content: bytes | None) -> None:
    log = Path(f"{path}-wal")
    log.write_bytes(b"rows")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BulkError, match="has rows of an earlier import, but its journal"):
        Journal(path)
    assert log.read_bytes() == b"rows"
    log.write_bytes(b"")
    with Journal(path) as journal:
        assert not journal.has_created()


def test_a_journal_is_found_missing_after_a_crash(path: Path) -> None:
    crashed = path.with_name("crashed")
    with Journal(path) as journal:
        journal.record(ENTRIES[0])
        for suffix in ("", "-wal"):
            Path(f"{crashed}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    database = crashed.read_bytes()
    crashed.unlink()
    with pytest.raises(BulkError, match="is missing or empty"):
        Journal(crashed)
    crashed.write_bytes(database)
    with Journal(crashed) as journal:
        assert list(journal.entries()) == ENTRIES[:1]


def test_a_name_that_is_too_long_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(BulkError, match="can't be used"):
        Journal(tmp_path / ("x" * 300))

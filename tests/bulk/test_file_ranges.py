"""A part is read from its first byte; the rest of the file is not read."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations_client.bulk import BulkError, Partition, partitions
from conversations_client.bulk._files.readers import read_rows
from conversations_client.bulk._files.rows import Row

BUFFER = 2**13  # bytes; Python's own default differs between its versions
BESIDE = 2**17  # additional bytes that may be read: headers, footers and buffers


class Counted(io.FileIO):
    """A file that counts the bytes that are read."""

    read_bytes = 0

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        Counted.read_bytes += count or 0
        return count


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    opened = Path.open

    def opened_and_counted(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if mode == "rb":
            return io.BufferedReader(Counted(path), BUFFER)
        return opened(path, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", opened_and_counted)
    return Counted


def lines(path: Path, count: int) -> None:
    rows = (json.dumps({"displayName": f"number {number:0200}"}) for number in range(count))
    path.write_text("".join(f"{row}\n\n" for row in rows))


def cells(path: Path, count: int) -> None:
    # With a byte order mark, line breaks in quotes, multibyte letters, and rows without cells.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, lineterminator="\r\n")
        rows.writerow(["displayName", "metadata.model"])
        for number in range(count):
            file.write("\r\n" * (number % 3))
            rows.writerow([f'"é",\r\n{number:0200}\n', "m"])


def table(path: Path, count: int) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    names = arrow.table({"displayName": [f"number {number:0200}" for number in range(count)]})
    parquet.write_table(names, path, row_group_size=1_000, compression="none", use_dictionary=False)


MAKERS = {"a.jsonl": lines, "a.csv": cells, "a.parquet": table}


def rows_of(part: Partition) -> list[Row]:
    return list(read_rows(part.path, start=part.start, stop=part.stop, offset=part.offset))


@pytest.mark.parametrize("name", MAKERS)
def test_a_part_is_read_from_its_first_byte(
    name: str, tmp_path: Path, counted: type[Counted]
) -> None:
    path = tmp_path / name
    MAKERS[name](path, 10_000)
    size, whole = path.stat().st_size, list(read_rows(path))
    assert size > 10 * BESIDE
    parts = partitions(path, tmp_path / "journals", rows=1_000)
    found: list[Row] = []
    for part in parts:
        counted.read_bytes = 0
        found += rows_of(part)
        assert 0 < counted.read_bytes < size / len(parts) + BESIDE
    assert found == whole
    assert len(found) == 10_000


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("rows", [1, 7, 1_500])
def test_parts_have_every_row_once_in_order(name: str, rows: int, tmp_path: Path) -> None:
    path = tmp_path / name
    MAKERS[name](path, 20 if rows < 10 else 4_000)
    parts = partitions(path, tmp_path / "journals", rows=rows)
    assert [row for part in parts for row in rows_of(part)] == list(read_rows(path))


def test_a_table_without_rows_has_no_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table(path, 0)
    assert partitions(path, tmp_path / "journals") == []
    assert list(read_rows(path)) == list(read_rows(path, start=3)) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    names=st.lists(st.text(st.sampled_from('a"é,\n\r🙂 \u2028'), max_size=4), max_size=12),
    rows=st.integers(1, 5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.booleans(),
)
def test_any_table_is_split_between_rows(
    tmp_path: Path, names: list[str], rows: int, end: str, mark: bool
) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8-sig" if mark else "utf-8", newline="") as file:
        written = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL)
        written.writerows([["displayName", "metadata.model"], *([name, "m"] for name in names)])
    parts = partitions(path, tmp_path / f"{hash((tuple(names), rows, end, mark))}", rows=rows)
    found = [row.content for part in parts for row in rows_of(part)]
    assert found == [{"displayName": name, "metadata": {"model": "m"}} for name in names]


def test_an_error_in_a_part_names_its_position(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("displayName\na\nb\n")
    _, part = partitions(path, tmp_path / "journals", rows=1)
    path.write_text('displayName\na\n"b\n')
    with pytest.raises(
        BulkError, match=r"the row that starts on line 1 from byte 14 is never closed"
    ):
        rows_of(part)


def test_later_runs_have_the_same_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines(path, 9)
    first = partitions(path, tmp_path / "journals", rows=4)
    assert partitions(path, tmp_path / "journals", rows=2) == first
    assert [part.offset for part in first] == _starts(path, 4)


def _starts(path: Path, every: int) -> list[int]:
    def starts() -> Iterator[int]:
        place = 0
        for line in path.read_bytes().splitlines(keepends=True):
            if line.strip():
                yield place
            place += len(line)

    return list(starts())[::every]

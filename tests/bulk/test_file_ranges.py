"""A part is read from its first byte; the rest of the file is not read."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import ScriptedServer, always

from conversations_client import Client
from conversations_client.bulk import BulkError, Partition, check_file, count_rows, partitions
from conversations_client.bulk._files.columns import Columns
from conversations_client.bulk._files.readers import index_rows, read_rows
from conversations_client.bulk._files.rows import Row, Unreadable

TAB = "\t"
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


def cells_with_semicolons(path: Path, count: int) -> None:
    # An Excel instruction, and cells that other separators would divide into more rows.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write("sep=;\r\n\r\n")
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["metadata.model", "displayName"])
        rows.writerows(["m,", f'é;\r\n{number:0200}\n",\t'] for number in range(count))


def cells_with_tabs(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow(["metadata.model", "displayName"])
        rows.writerows(["m;", f"é\t\r\n{number:0200}\n"] for number in range(count))


MAKERS = {
    "a.jsonl": lines,
    "a.csv": cells,
    "b.csv": cells_with_semicolons,
    "a.tsv": cells_with_tabs,
    "a.parquet": table,
}


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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    rows=st.lists(
        st.tuples(*[st.text(st.sampled_from('a"é,;|\t\n\r='), max_size=5)] * 2), max_size=8
    ),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    prefix=st.sampled_from(["", "\r\n", "sep="]),
    suffix=st.sampled_from([".csv", ".tsv"]),
    every=st.integers(1, 3),
)
def test_any_table_is_read_with_its_separator(
    *,
    tmp_path: Path,
    rows: list[tuple[str, str]],
    separator: str,
    quoting: Literal[0, 1],
    encoding: str,
    prefix: str,
    suffix: str,
    every: int,
) -> None:
    is_stated = prefix == "sep="
    # Without an instruction, the extension of a file with tabs can be .csv as well.
    path = tmp_path / f"a{suffix if is_stated or separator == TAB else '.csv'}"
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(f"sep={separator}\r\n" if is_stated else prefix)
        written = csv.writer(file, delimiter=separator, quoting=quoting)
        written.writerows([["Kunde, ;\t|", "displayName"], *rows])
    while rows and not any(rows[-1]):  # ignored
        del rows[-1]
    columns = Columns.of(key="Kunde, ;\t|")
    whole = list(read_rows(path, columns))
    assert [(row.key, _name(row)) for row in whole] == rows
    assert count_rows(path) == len(rows)
    index = index_rows(path, columns, every=every)
    parts = [
        read_rows(path, columns, start=start, stop=start + every, offset=offset)
        for start, offset in zip(range(0, len(rows), every), index.offsets, strict=True)
    ]
    assert [row for part in parts for row in part] == whole


def _name(row: Row) -> str:
    # A row with an empty name and nothing else to send can't be sent.
    return "" if isinstance(row.content, Unreadable) else row.content["displayName"]


def test_the_options_decide_about_the_separator_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Name, kurz;Kunde\n1;"a\nb"\n2;"c;\nd"\n')
    options: dict[str, Any] = {"columns": {"displayName": "Kunde"}, "ignore": ["Name, kurz"]}
    assert check_file(path, **options) == 2
    with ScriptedServer(always()) as server:
        for part in partitions(path, tmp_path / "journals", rows=1, **options):
            report = part.run(lambda: Client("k", base_url=server.url))
            assert (report.created, report.failed) == (1, 0)
        sent = [json.loads(each.body) for each in server.seen]
    assert sent == [{"displayName": "a\nb"}, {"displayName": "c;\nd"}]


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

"""CSV files that people open as spreadsheets."""

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client import Conversation, ConversationMetadata
from conversations_client.bulk import BulkError, export_file
from conversations_client.bulk._files.formulas import escape_formulas, unescape_formulas

SPECIAL = "=+-@\t\r"


@pytest.mark.parametrize(
    ("cell", "escaped"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\ta", "'\ta"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
        ("a=1", "a=1"),
        ("'a'", "'a'"),
        (" =1", " =1"),
        ("", ""),
        (None, None),
        (-1.5, -1.5),
    ],
)
def test_text_that_starts_like_a_formula_is_escaped(cell: object, escaped: object) -> None:
    cells = {"displayName": cell}
    assert escape_formulas(cells) == {"displayName": escaped, "formulasEscaped": "true"}
    assert unescape_formulas(escape_formulas(cells)) == cells


@given(
    st.dictionaries(st.sampled_from("abcd"), st.text(st.sampled_from("'=+-@\t\rab ")) | st.none())
)
def test_escaped_cells_can_be_unescaped(cells: dict[str, Any]) -> None:
    escaped = escape_formulas(cells)
    assert not any(str(cell)[:1] in SPECIAL for cell in escaped.values() if cell)
    assert unescape_formulas(escaped) == cells


def test_cells_without_escapes_are_unchanged() -> None:
    assert unescape_formulas({"displayName": "'=1"}) == {"displayName": "'=1"}


@pytest.mark.parametrize("flag", ["true", "TRUE", "True"])
def test_a_spreadsheet_may_change_the_flag(flag: str) -> None:
    cells = {"displayName": "'=1", "formulasEscaped": flag}
    assert unescape_formulas(cells) == {"displayName": "=1"}


def conversation(name: str) -> Conversation:
    return Conversation(
        id="conv_1",
        kind="conversation",
        display_name=name,
        created_at=1,
        updated_at=2,
        metadata=ConversationMetadata(entity_id="@agent"),
    )


def test_formulas_are_escaped_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for escape, name, entity in ((False, "=1", "@agent"), (True, "'=1", "'@agent")):
        export_file([conversation("=1")], path, escape_formulas=escape)
        with path.open(newline="") as file:
            (row,) = csv.DictReader(file)
        assert (row["displayName"], row["metadata.entityId"]) == (name, entity)
        assert row.get("formulasEscaped") == ("true" if escape else None)


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_other_formats_have_no_formulas(tmp_path: Path, name: str) -> None:
    with pytest.raises(BulkError, match=r"Choose a file that ends in \.csv\."):
        export_file([], tmp_path / name, escape_formulas=True)
    assert list(tmp_path.iterdir()) == []

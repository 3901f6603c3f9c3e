"""Converts rows to requests with digests and keys. No I/O."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client import InvalidArgumentError
from conversations_client.bulk._files.columns import Columns
from conversations_client.bulk._files.rows import (
    COLUMNS,
    Row,
    Unreadable,
    from_csv,
    from_object,
    from_table,
    key_of,
    to_columns,
)

NESTED = {"entityId": "agent_1", "generatingTitle": False, "model": None}
FIELDS = "displayName, projectId, metadata.entityId, metadata.generatingTitle, metadata.model."


def advice(name: str) -> str:
    return (
        f"{FIELDS} Rename the column, map it with columns={{'displayName': '{name}'}}, or ignore "
        f"it with ignore=['{name}']."
    )


@pytest.mark.parametrize(
    ("columns", "names", "similar", "advice"),
    [
        ({}, ("title",), True, "map it with columns={'displayName': 'title'}, or ignore it"),
        ({}, ("notes",), False, "map it with columns={'displayName': 'notes'}, or ignore it"),
        (
            {},
            ("title", "displayName"),
            False,
            "Rename the column, or ignore it with ignore=['title']",
        ),
        ({"displayName": "a"}, ("title", "a"), False, "Rename the column, or ignore it"),
        ({"displayName": "a"}, ("agent", "a"), True, "columns={'metadata.entityId': 'agent'}"),
    ],
)
def test_only_fields_without_a_column_are_suggested(
    columns: dict[str, str], names: tuple[str, ...], similar: bool, advice: str
) -> None:
    message = Columns.of(columns).unknown_column_message(names[0], names)
    assert advice in message
    assert ("Did you mean" in message) is similar


EMPTY = Unreadable("The row has no values to import. Leave it, or fill in a field.")


def request(content: Any) -> dict[str, Any]:
    made: dict[str, Any] = dict(Row(7, content).request("import"))
    assert made.pop("idempotency_key") == f"import-7-{Row(7, content).digest()}"
    return made


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, {}),
        ({"displayName": "a", "projectId": "prj_1"}, {"display_name": "a", "project_id": "prj_1"}),
        (
            {"metadata": NESTED},
            {"metadata": {"entity_id": "agent_1", "generating_title": False, "model": None}},
        ),
        ({"metadata.model": "m"}, {"metadata": {"model": "m"}}),
        ({"metadata": {}}, {"metadata": {}}),
        ({"_id": "conv_1", "kind": "conversation", "displayName": "a"}, {"display_name": "a"}),
        ({"displayName": 5}, {"display_name": 5}),
        ({"displayName": ""}, {"display_name": ""}),
    ],
)
def test_an_object_becomes_a_request(cells: dict[str, Any], expected: dict[str, Any]) -> None:
    assert request(from_object(cells, Columns())) == expected


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (
            {"name": "a"},
            f"Unknown field 'name'. Did you mean 'displayName'? The fields are {advice('name')}",
        ),
        (
            {"metadata": {"id": "a"}},
            f"Unknown field 'metadata.id'. The fields are {advice('metadata.id')}",
        ),
        ({"_id": "conv_1", "createdAt": 1}, EMPTY.problem),
        ({"metadata": None}, "metadata must be an object, not null."),
        ({"displayName": [["a"]]}, "displayName must be a single value, not an array."),
        (
            {"metadata": {"model": {"a": 1}}},
            "metadata.model must be a single value, not an object.",
        ),
        (
            {"metadata": {"model": "a"}, "metadata.model": "b"},
            "Two columns of the row map to 'metadata.model'. Ignore one of them.",
        ),
    ],
)
def test_an_object_that_cannot_be_sent(cells: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        Row(1, from_object(cells, Columns())).request("import")
    assert str(raised.value) == words


def test_columns_are_mapped_and_ignored() -> None:
    columns = Columns.of(
        {"displayName": "title", "metadata.entityId": "agent"},
        key="id",
        ignore=["notes", "projectId", "metadata"],
    )
    cells = {
        "title": "a",
        "agent": "agent_1",
        "id": 5,
        "notes": [["a"]],
        "projectId": "prj_1",
        "metadata": {"other": 1},
    }
    fields = {"displayName": "a", "metadata": {"entityId": "agent_1"}}
    assert from_object(cells, columns) == fields
    assert from_table(cells, columns) == fields


@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none() | st.floats(), max_size=4),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none(), max_size=4),
)
def test_a_digest_depends_on_the_content_and_not_on_its_order(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert Row(1, one).digest() == Row(2, dict(reversed(one.items()))).digest()
    assert (Row(1, one).digest() == Row(1, other).digest()) is (
        repr(sorted(one.items())) == repr(sorted(other.items()))
    )


def test_a_digest_is_the_same_in_every_version() -> None:
    assert Row(1, {"displayName": "é\ud800"}).digest() == "9e39b88f68923f965c47dd14f6cf4fab"
    assert Row(1, Unreadable("no")).digest() == "04a06452677210a3cdaec376fd5ebbca"


@pytest.mark.parametrize(
    ("cells", "fields"),
    [
        ({"displayName": "a", "projectId": "", "createdAt": ""}, {"displayName": "a"}),
        ({"displayName": "", "projectId": "p"}, {"displayName": "", "projectId": "p"}),
        ({"displayName": "", "_id": "conv_1"}, {"displayName": ""}),
        ({"displayName": "", "metadata.model": ""}, EMPTY),
        ({"metadata.entityId": "a", "metadata.model": ""}, {"metadata": {"entityId": "a"}}),
        ({"metadata.generatingTitle": "TRUE"}, {"metadata": {"generatingTitle": True}}),
        (
            {"metadata.generatingTitle": "maybe"},
            Unreadable("metadata.generatingTitle must be true or false, not 'maybe'."),
        ),
        (
            {"displayName": "a", "entityId": "b"},
            {"displayName": "a", "metadata": {"entityId": "b"}},
        ),
        ({"entityId": "b", "metadata.entityId": "c"}, {"metadata": {"entityId": "c"}}),
        ({"entityId": "b", "metadata.entityId": ""}, {"metadata": {"entityId": "b"}}),
    ],
)
def test_a_csv_record(cells: dict[str, str], fields: object) -> None:
    assert from_csv(cells, Columns()) == fields


def test_a_record_with_an_unknown_column_is_unreadable() -> None:
    found = from_csv({"displayName": "a", "name": "b"}, Columns())
    assert isinstance(found, Unreadable)
    assert "Unknown field 'name'. The fields are" in found.problem


@pytest.mark.parametrize(
    ("cells", "fields"),
    [
        ({"displayName": "", "projectId": None}, {"displayName": ""}),
        ({"displayName": None, "projectId": None, "_id": "conv_1"}, EMPTY),
        ({"metadata.generatingTitle": False}, {"metadata": {"generatingTitle": False}}),
        ({"metadata.entityId": "a", "metadata.model": None}, {"metadata": {"entityId": "a"}}),
        ({"displayName": "a", "metadata.model": None}, {"displayName": "a"}),
        ({"metadata.model": None}, EMPTY),
    ],
)
def test_a_row_of_a_typed_table(cells: dict[str, Any], fields: object) -> None:
    assert from_table(cells, Columns()) == fields


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        (None, None),
        (True, True),
        (5, 5),
        ("", ""),
        (float("nan"), "nan"),
        (Decimal("1.50"), "1.50"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        ([1], Unreadable("The key must be a single value, not an array.")),
        (b"a", Unreadable("The key must be a single value, not bytes.")),
    ],
)
def test_a_key_is_a_json_value(cell: object, key: object) -> None:
    assert key_of(cell) == key
    json.dumps(key if isinstance(key, str | int | None) else None, allow_nan=False)


def test_a_conversation_fits_the_columns() -> None:
    conversation = {
        "_id": "conv_1",
        "displayName": "a",
        "later": 1,
        "metadata": {"entityId": "b", "later": 2},
    }
    row = to_columns(conversation)
    assert tuple(row) == COLUMNS
    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "_id": "conv_1",
        "displayName": "a",
        "metadata.entityId": "b",
    }
    assert set(to_columns({}).values()) == {None}

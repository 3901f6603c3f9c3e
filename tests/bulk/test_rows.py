"""Rows as requests, and their keys: values in, values out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client import InvalidArgumentError
from conversations_client.bulk._rows import COLUMNS, Row, Unreadable, from_columns, to_columns

NESTED = {"entityId": "agent_1", "generatingTitle": False, "model": None}


def request(content: Any) -> dict[str, Any]:
    made: dict[str, Any] = dict(Row(7, content).request("import"))
    assert made.pop("idempotency_key") == f"import-7-{Row(7, content).digest()}"
    return made


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"displayName": "a", "projectId": "prj_1"}, {"display_name": "a", "project_id": "prj_1"}),
        (
            {"metadata": NESTED},
            {"metadata": {"entity_id": "agent_1", "generating_title": False, "model": None}},
        ),
        ({"_id": "conv_1", "kind": "conversation", "createdAt": 1, "entityId": "a"}, {}),
        ({"displayName": 5}, {"display_name": 5}),
    ],
)
def test_a_row_is_a_request(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert request(fields) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Unreadable("not a JSON object"), "The row is not a JSON object."),
        (
            {"name": "a"},
            "Unknown field 'name'; a row has displayName, projectId, metadata.entityId, metadata.generatingTitle, metadata.model.",
        ),
        (
            {"metadata": {"id": "a"}},
            "Unknown field 'metadata.id'; a row has displayName, projectId, metadata.entityId, metadata.generatingTitle, metadata.model.",
        ),
        ({"metadata": None}, "metadata must be an object, not NoneType."),
    ],
)
def test_a_row_that_cant_be_sent(content: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        Row(1, content).request("import")
    assert str(raised.value) == words


@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none() | st.floats(), max_size=4),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none(), max_size=4),
)
def test_a_digest_tells_contents_apart_and_no_orders(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert Row(1, one).digest() == Row(2, dict(reversed(one.items()))).digest()
    assert (Row(1, one).digest() == Row(1, other).digest()) is (
        repr(sorted(one.items())) == repr(sorted(other.items()))
    )


def test_a_digest_is_the_same_for_ever() -> None:
    assert Row(1, {"displayName": "é\ud800"}).digest() == "9e39b88f68923f965c47dd14f6cf4fab"
    assert Row(1, Unreadable("no")).digest() == "04a06452677210a3cdaec376fd5ebbca"


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        ({"displayName": "a", "projectId": "", "createdAt": None}, {"displayName": "a"}),
        ({"metadata.entityId": "a", "metadata.model": ""}, {"metadata": {"entityId": "a"}}),
        ({"metadata.generatingTitle": "TRUE"}, {"metadata": {"generatingTitle": True}}),
        ({"metadata.generatingTitle": False}, {"metadata": {"generatingTitle": False}}),
        ({"metadata.generatingTitle": "maybe"}, {"metadata": {"generatingTitle": "maybe"}}),
        ({"metadata": {"entityId": "a", "model": None}}, {"metadata": {"entityId": "a"}}),
        (
            {"metadata": {"model": "a"}, "metadata.entityId": "b"},
            {"metadata": {"model": "a", "entityId": "b"}},
        ),
        ({"metadata": "a", "metadata.entityId": "b"}, {"metadata": "a"}),
        ({"metadata": {"model": None}}, {}),
        ({"a.b": "c"}, {"a.b": "c"}),
    ],
)
def test_a_row_of_a_table(columns: dict[str, Any], fields: dict[str, Any]) -> None:
    assert from_columns(columns) == fields


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

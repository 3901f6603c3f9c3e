"""JSON to objects and back: nothing is lost, invented or coerced."""

import copy
import json
import math
import pickle
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client import (
    UNSET,
    Conversation,
    ConversationKind,
    ConversationMetadata,
    ConversationPage,
    ConversationWithMessages,
    CreateConversationConversationsMetadata,
    CreateConversationKind,
    CreateConversationResponseBody,
    DecodeError,
    FilePart,
    InvalidArgumentError,
    OutOfRangeError,
    ToolResultPart,
    UnknownPart,
    Unset,
    converter,
    structure,
    unstructure,
)
from conversations_client._json.parser import parse

LEAST: dict[str, Any] = {
    "kind": "conversation",
    "displayName": "n",
    "createdAt": 1734789600000,
    "updatedAt": 1734793200000.5,
}


def faults(value: object, cls: type = Conversation) -> list[str]:
    with pytest.raises(DecodeError) as raised:
        structure(value, cls)
    return [str(fault) for fault in raised.value.faults]


def test_the_names_of_the_api_reference() -> None:
    assert CreateConversationResponseBody is Conversation
    assert CreateConversationKind is ConversationKind
    assert CreateConversationConversationsMetadata is ConversationMetadata


def test_minimal_objects() -> None:
    assert structure(LEAST, Conversation) == Conversation(
        id=None,
        kind=ConversationKind.CONVERSATION,
        display_name="n",
        created_at=1734789600000,
        updated_at=1734793200000.5,
        created_by_id=None,
        updated_by_id=None,
        metadata=None,
    )


def test_null_and_absent_are_distinguished() -> None:
    metadata = {"entityId": None, "model": "m"}
    found = structure({**LEAST, "metadata": metadata}, Conversation).metadata
    assert found == ConversationMetadata(
        generating_title=None, entity_id=None, model="m", extra={"entityId": None}
    )
    assert unstructure(found) == metadata
    assert structure({}, ConversationMetadata).entity_id is None


def test_unknown_fields_and_kinds_are_preserved() -> None:
    wire = {**LEAST, "kind": "thread", "new": {"a": [1, None]}, "metadata": {"newer": True}}
    conversation = structure(wire, Conversation)
    assert conversation.kind == "thread"
    assert conversation.extra == {"new": {"a": [1, None]}}
    assert conversation.metadata == ConversationMetadata(extra={"newer": True})
    assert unstructure(conversation) == wire


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"displayName": None}, ["$.displayName: expected a string, got null"]),
        ({"displayName": 1}, ["$.displayName: expected a string, got a number"]),
        ({"createdAt": "1"}, ["$.createdAt: expected a number, got a string"]),
        ({"createdAt": True}, ["$.createdAt: expected a number, got a boolean"]),
        ({"createdAt": math.nan}, ["$.createdAt: expected a number, got a number that is not finite"]),
        ({"_id": None}, ["$._id: expected a string, got null"]),
        ({"kind": []}, ["$.kind: expected a string, got a list"]),
        ({"metadata": None}, ["$.metadata: expected an object, got null"]),
        ({"metadata": []}, ["$.metadata: expected an object, got a list"]),
        (
            {"metadata": {"generatingTitle": "false", "entityId": 1, "model": {}}},
            [
                "$.metadata.generatingTitle: expected a boolean, got a string",
                "$.metadata.entityId: expected a string, got a number",
                "$.metadata.model: expected a string, got an object",
            ],
        ),
        ({"createdById": b"x"}, ["$.createdById: expected a string, got a Python bytes"]),
    ],
)  # fmt: skip
def test_nothing_is_coerced(change: dict[str, Any], expected: list[str]) -> None:
    assert faults({**LEAST, **change}) == expected


def test_all_missing_fields_are_reported() -> None:
    assert faults({"displayName": 1}) == [
        "$.kind: missing",
        "$.displayName: expected a string, got a number",
        "$.createdAt: missing",
        "$.updatedAt: missing",
    ]
    assert faults([]) == ["$: expected an object, got a list"]


@attrs.frozen
class Own:
    """A custom class with features that the package's classes lack."""

    some_numbers: list[int]
    by_name: dict[str, Conversation]
    child: "Own | None" = None
    words: tuple[str, ...] = ()
    anything: Any = attrs.field(default=0, metadata={"wire": "any_thing"})
    whatever: Any = None
    null: str | Unset | None = UNSET


@attrs.frozen
class Moment:
    """A class with a type that JSON doesn't have."""

    the_moment: datetime


@attrs.frozen
class Kept:
    """A class with anything in a list."""

    members: list[Any]


@attrs.frozen
class PageWithMessages:
    """An undocumented page of conversations with messages."""

    data: tuple[ConversationWithMessages, ...]
    has_more: bool = attrs.field(metadata={"wire": "has_more"})


class Exhausting:
    """A class that can't be read."""


def test_custom_classes() -> None:
    wire: dict[str, Any] = {
        "someNumbers": [1],
        "byName": {"a": LEAST},
        "child": {"someNumbers": [], "byName": {}, "any_thing": [1]},
        "words": ["x"],
        "null": None,
        "unknown": 1,
    }
    own = structure(wire, Own)
    assert own == Own(
        some_numbers=[1],
        by_name={"a": structure(LEAST, Conversation)},
        child=Own(some_numbers=[], by_name={}, anything=[1]),
        words=("x",),
        null=None,
    )
    assert unstructure(own)["child"]["any_thing"] == [1]
    assert faults(
        {
            "someNumbers": ["a", True, 1.5],
            "byName": {"a": {}},
            "child": {"someNumbers": "12", "byName": []},
            "words": "abc",
            "null": 1,
        },
        Own,
    ) == [
        "$.someNumbers[0]: expected a whole number, got a string",
        "$.someNumbers[1]: expected a whole number, got a boolean",
        "$.someNumbers[2]: expected a whole number, got a fraction",
        "$.byName['a'].kind: missing",
        "$.byName['a'].displayName: missing",
        "$.byName['a'].createdAt: missing",
        "$.byName['a'].updatedAt: missing",
        "$.child.someNumbers: expected a list, got a string",
        "$.child.byName: expected an object, got a list",
        "$.words: expected a list, got a string",
        "$.null: expected a string, got a number",
    ]


def test_the_converter_can_be_extended() -> None:
    extended = converter.copy()
    extended.register_structure_hook(datetime, lambda v, _: datetime.fromisoformat(v))
    found = extended.structure({"theMoment": "2024-12-21T14:00:00+00:00"}, Moment)
    assert found == Moment(the_moment=datetime(2024, 12, 21, 14, tzinfo=UTC))


def test_a_class_without_a_hook_is_an_invalid_argument() -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        structure({"theMoment": "secret"}, Moment)
    assert "JSON can't be converted to datetime (Moment.the_moment)" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_hook_that_needs_another_hook_is_a_typed_error_without_the_value() -> None:
    class Tag: ...

    converter.register_structure_hook(Tag, lambda value, _: converter.structure(value, datetime))
    assert faults("secret", Tag) == [
        "$: no hook for datetime: register one with converter.register_structure_hook"
    ]


def test_faults_respect_hooks_for_unions() -> None:
    class Tag: ...

    @attrs.frozen
    class Tagged:
        tag: Tag | str
        count: int

    converter.register_structure_hook(Tag | str, lambda value, _: value)
    assert structure({"tag": "a", "count": 1}, Tagged) == Tagged("a", 1)
    assert faults({"tag": "a", "count": "1"}, Tagged) == [
        "$.count: expected a whole number, got a string"
    ]


def test_messages_of_other_libraries_are_not_repeated() -> None:
    def refuse(_instance: object, _attribute: object, value: str) -> None:
        raise ValueError(value)

    @attrs.frozen
    class Picky:
        word: str = attrs.field(validator=[refuse])

    assert faults({"word": "secret"}, Picky) == ["$: conversion failed with ValueError"]
    assert faults(1, type(None)) == ["$: expected null, got a number"]


def test_an_error_that_is_not_reproducible_is_still_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Once:
        calls = 0

    def hook(value: object, _: object) -> Once:
        Once.calls += 1
        if Once.calls == 1:
            raise ValueError
        return Once()

    converter.register_structure_hook(Once, hook)
    assert faults({}, Once) == ["$: is not a Once"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not JSON: Expecting value at byte 0 of 0"),
        (b'{"a":1}x', "not JSON: Extra data at byte 7 of 8"),
        (b'"\xc3\xa9"x', "not JSON: Extra data at byte 4 of 5"),
        (b"\xef\xbb\xbf1x", "not JSON: Extra data at byte 4 of 5"),
        (b"NaN", "contains NaN, which is not JSON"),
        (b"[1e999]", "contains a number that is too large"),
        (b"1" * 5000, "contains a number with too many digits"),
        (b"\xff", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_invalid_json(body: bytes, problem: str) -> None:
    with pytest.raises(DecodeError) as raised:
        parse(body)
    assert [str(fault) for fault in raised.value.faults] == [f"$: {problem}"]


def test_json_is_read() -> None:
    assert parse(b'\xef\xbb\xbf {"a": [1.5, null]} ') == {"a": [1.5, None]}


def test_times_are_aware_datetimes_too() -> None:
    conversation = structure(LEAST, Conversation)
    assert conversation.created == datetime(2024, 12, 21, 14, tzinfo=UTC)
    assert conversation.updated == datetime(2024, 12, 21, 15, 0, 0, 500, tzinfo=UTC)
    for far in (1e18, 10**400):
        with pytest.raises(OutOfRangeError, match="milliseconds"):
            _ = attrs.evolve(conversation, created_at=far).created


@pytest.mark.parametrize(
    ("change", "entity_id"),
    [
        ({}, None),
        ({"entityId": "beside"}, "beside"),
        ({"entityId": 3, "metadata": {"entityId": "inside"}}, None),
        ({"metadata": {"entityId": "inside"}}, "inside"),
        ({"metadata": {"entityId": None}}, None),
        ({"metadata": {}}, None),
    ],
)
def test_entity_id_of_both_revisions(change: dict[str, Any], entity_id: str | None) -> None:
    assert structure({**LEAST, **change}, Conversation).entity_id == entity_id


Strategy = st.SearchStrategy[Any]
texts: Strategy = st.text()
numbers: Strategy = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
json_values: Strategy = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=5,
)
objects: Strategy = st.dictionaries(texts, json_values)


def wire_object(required: dict[str, Strategy], **optional: Strategy) -> Strategy:
    """JSON objects with these fields, of which some may be missing, and an unknown field."""
    return st.fixed_dictionaries(required, optional={**optional, "unknown": json_values})


def part(kind: str, required: dict[str, Strategy], **optional: Strategy) -> Strategy:
    return wire_object({"kind": st.just(kind), **required}, **optional)


parts: Strategy = st.one_of(
    part("text", {"text": texts}),
    part(
        "file",
        {"file": wire_object({}, bytes=texts, uri=texts, name=texts, mimeType=texts)},
        metadata=objects,
    ),
    part("tool_result", {"tool_call_id": texts}, result=json_values, metadata=objects),
    part("error", {"error": texts}, code=numbers),
    part("reasoning", {"reasoning": texts}, signature=texts),
    part("data", {"data": objects}, metadata=objects),
    part("hologram", {}),
)
messages: Strategy = wire_object(
    {
        "_id": texts,
        "conversationId": texts,
        "createdAt": numbers,
        "createdById": texts,
        "role": st.sampled_from(["user", "assistant"]) | texts,
        "parts": st.lists(parts, max_size=4),
    }
)
conversations: Strategy = wire_object(
    {
        "kind": st.just("conversation") | texts,
        "displayName": texts,
        "createdAt": numbers,
        "updatedAt": numbers,
    },
    _id=texts,
    createdById=texts,
    updatedById=texts,
    metadata=wire_object(
        {}, generatingTitle=st.booleans(), entityId=st.none() | texts, model=st.none() | texts
    ),
    entityId=texts,
    messages=st.lists(messages, max_size=3),
)


@given(conversations)
def test_wire_to_object_to_wire_is_the_identity(wire: dict[str, Any]) -> None:
    for cls in (Conversation, ConversationWithMessages):
        conversation = structure(copy.deepcopy(wire), cls)
        again = unstructure(conversation)
        assert again == wire
        assert type(again["kind"]) is str
        assert structure(again, cls) == conversation


def places(value: Any) -> list[Any]:
    """The keys or indices of a value."""
    match value:
        case dict():
            return list(cast("dict[str, Any]", value))
        case [*members]:
            return list(range(len(members)))
        case _:
            return []


@st.composite
def corrupted(draw: st.DrawFn) -> Any:
    """A page of conversations with any JSON at a random position."""
    page: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {"data": st.lists(conversations, min_size=1, max_size=2), "has_more": st.booleans()}
        )
    )
    holder: Any = page
    while True:
        place = draw(st.sampled_from(places(holder)))
        if not places(holder[place]) or draw(st.booleans()):
            holder[place] = draw(json_values)
            return page
        holder = holder[place]


@given(json_values | corrupted())
def test_any_json_is_an_object_or_a_typed_error(value: Any) -> None:
    for cls in (PageWithMessages, ConversationPage, ConversationWithMessages, Conversation):
        try:
            result = structure(value, cls)
        except DecodeError:
            continue
        assert unstructure(result) == value


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()[:-1]))
def test_any_bytes_are_json_or_a_typed_error(body: bytes) -> None:
    try:
        found = parse(body)
    except DecodeError:
        return
    assert found == json.loads(body.decode("utf-8-sig"))


def nested(levels: int) -> dict[str, Any]:
    """Nested objects."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


DEEPEST = 100
TOOL_RESULT = {"kind": "tool_result", "tool_call_id": "call_1"}


@pytest.mark.parametrize(
    ("cls", "wire", "name", "path", "levels"),
    [
        (Conversation, LEAST, "new", "$", DEEPEST - 1),
        (ConversationMetadata, {}, "new", "$", DEEPEST - 1),
        (UnknownPart, {"kind": "data"}, "data", "$", DEEPEST - 1),
        (ToolResultPart, TOOL_RESULT, "result", "$.result", DEEPEST),
        (FilePart, {"kind": "file", "file": {}}, "metadata", "$.metadata", DEEPEST),
        (dict, {}, "a", "$", DEEPEST - 1),
        (object, {}, "a", "$", DEEPEST - 1),
    ],
)
def test_preserved_json_is_never_too_deep(
    cls: Any, wire: dict[str, Any], name: str, path: str, levels: int
) -> None:
    deep = {**wire, name: nested(levels)}
    kept: Any = structure(deep, cls)
    assert kept == pickle.loads(pickle.dumps(kept)) == copy.deepcopy(kept)
    assert unstructure(kept) == deep
    assert len(repr(kept)) > DEEPEST
    assert faults({**wire, name: nested(levels + 1)}, cls) == [
        f"{path}: nested more than {DEEPEST} levels deep"
    ]


@pytest.mark.parametrize("levels", [DEEPEST + 1, 900, 5_000, 20_000, 500_000])
def test_hostile_nesting_is_a_typed_error(levels: int) -> None:
    for opening, closing in [(b"[", b"]"), (b'{"a":', b"}")]:
        body = b'{"members": [' + opening * levels + b"0" + closing * levels + b"]}"
        for cls in (ConversationMetadata, dict, Kept):
            with pytest.raises(DecodeError, match="nested"):
                structure(parse(body), cls)


def test_a_recursive_custom_class_is_read_up_to_pythons_limit() -> None:
    wire: dict[str, Any] = {"someNumbers": [], "byName": {}}
    for _ in range(20_000):
        wire = {"someNumbers": [], "byName": {}, "child": wire}
    problems = {fault.partition(": ")[2] for fault in faults(wire, Own)}
    assert problems == {"conversion failed with RecursionError"}


def test_running_out_of_memory_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(
        "conversations_client._json.parser._decoder", SimpleNamespace(decode=exhaust)
    )
    monkeypatch.setattr("conversations_client._json.parser.parse_fast", exhaust)
    with pytest.raises(DecodeError, match="nested too deeply"):
        parse(b"[]")
    converter.register_structure_hook(Exhausting, exhaust)
    assert faults({}, Exhausting) == ["$: conversion failed with MemoryError"]


def test_responses_can_be_hashed_pickled_and_copied() -> None:
    conversation = structure({**LEAST, "metadata": {"x": [1]}, "y": []}, Conversation)
    assert pickle.loads(pickle.dumps(conversation)) == conversation
    assert copy.deepcopy(conversation) == conversation
    assert hash(conversation) == hash(copy.copy(conversation))
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET
    assert (repr(UNSET), bool(UNSET)) == ("UNSET", False)

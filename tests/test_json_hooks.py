"""The hooks that convert JSON by type, by literal equality."""

import math
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum, IntEnum, StrEnum
from types import NoneType
from typing import Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar, Union

import attrs
import pytest

from conversations_client import (
    UNSET,
    DecodeError,
    InvalidArgumentError,
    Unset,
    structure,
    unstructure,
)
from conversations_client._fields.field_metadata import ENVELOPE, nullable
from conversations_client._json import class_hooks
from conversations_client._json.converter import converter
from conversations_client._json.nesting import bounded, deeper_than

T = TypeVar("T")


class Colour(Enum):
    RED = "red"


class Size(StrEnum):
    BIG = "big"


class Level(IntEnum):
    LOW = 1


class Text(str):
    __slots__ = ()


class Row(NamedTuple):
    x: int
    name: str


class Anything(TypedDict, total=False):
    a: Any


class Address(TypedDict):
    city: str
    zip: NotRequired[int | None]


@attrs.frozen
class Cat:
    kind: Literal["cat", "kitten"]
    lives: int = 9


@attrs.frozen
class Dog:
    kind: Literal["dog"]


@attrs.frozen
class OtherPet:
    kind: str
    extra: dict[str, Any] = attrs.field(factory=dict[str, Any])


@attrs.frozen
class Other:
    name: str


@attrs.frozen
class Bird:
    species: Literal["bird"]


@attrs.frozen
class Lamp:
    kind: Literal["lamp"]
    state: Literal["on", "off"]


@attrs.frozen
class Radio:
    state: Literal["on", "off"]
    kind: Literal["radio"]


@attrs.frozen
class First:
    version: Literal[1]


@attrs.frozen
class Second:
    version: Literal[2]


CLOSED: Any = Cat | Dog
OPEN: Any = Union[Cat, Dog, OtherPet]  # noqa: UP007 - the other syntax
# Each row: a type, JSON, and the resulting object.
READ: list[tuple[Any, object, object]] = [
    (str, "a", "a"),
    (bool, False, False),
    (int, 10**30, 10**30),
    (float, 1, 1),
    (float, -1.5, -1.5),
    (NoneType, None, None),
    (Any, {"a": [None]}, {"a": [None]}),
    (object, [1.5], [1.5]),
    (Colour | str, "red", Colour.RED),
    (str | Colour, "red", Colour.RED),
    (Colour | str, "blue", "blue"),
    (Size | str, "big", Size.BIG),
    (str | Unset, "a", "a"),
    (str | Unset | None, None, None),
    (list[int], [1], [1]),
    (MutableSequence[int], [1], [1]),
    (Sequence[int], [1], (1,)),
    (tuple[int, ...], [1, 2], (1, 2)),
    (list, [1, "a"], [1, "a"]),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (Mapping[str, int], {"a": 1}, {"a": 1}),
    (dict, {"a": []}, {"a": []}),
    (Size, "big", Size.BIG),
    (Level, 1, Level.LOW),
    (Text, "a", Text("a")),
    (Dog | Bird, {"species": "bird"}, Bird("bird")),
    (Lamp | Radio, {"kind": "radio", "state": "on"}, Radio("on", "radio")),
    (First | Second, {"version": 2}, Second(2)),
    (Literal["a", 1], 1, 1),
    (Literal[True] | None, None, None),
    (Literal[Colour.RED], "red", Colour.RED),
    (set[int], [1, 1], {1}),
    (frozenset, [1], frozenset({1})),
    (AbstractSet[str], ["a"], frozenset({"a"})),
    (tuple[int, str], [1, "a"], (1, "a")),
    (Row, [1, "a"], Row(1, "a")),
    (Address, {"city": "a", "more": [1]}, {"city": "a", "more": [1]}),
    (Address, {"city": "a", "zip": None}, {"city": "a", "zip": None}),
    (CLOSED, {"kind": "cat"}, Cat("cat")),
    (CLOSED, {"kind": "kitten", "lives": 8}, Cat("kitten", 8)),
    (CLOSED, {"kind": "dog"}, Dog("dog")),
    (OPEN, {"kind": "dog"}, Dog("dog")),
    (Other | OtherPet, {"name": "a"}, Other("a")),  # without tags
    (OPEN, {"kind": "emu", "lays": True}, OtherPet("emu", {"lays": True})),
]


@pytest.mark.parametrize(("form", "wire", "expected"), READ)
def test_valid_values_are_read(form: Any, wire: object, expected: object) -> None:
    found = structure(wire, form)
    assert (found, type(found)) == (expected, type(expected))


# Each row: a type, JSON, and the errors.
REFUSED: list[tuple[Any, object, list[str]]] = [
    (str, 1, ["$: expected a string, got a number"]),
    (bool, 1, ["$: expected a boolean, got a number"]),
    (bool, None, ["$: expected a boolean, got null"]),
    (int, True, ["$: expected a whole number, got a boolean"]),
    (int, 1.0, ["$: expected a whole number, got a fraction"]),
    (int, "1", ["$: expected a whole number, got a string"]),
    (float, True, ["$: expected a number, got a boolean"]),
    (float, "1", ["$: expected a number, got a string"]),
    (float, math.inf, ["$: expected a number, got a number that is not finite"]),
    (float, math.nan, ["$: expected a number, got a number that is not finite"]),
    (NoneType, 0, ["$: expected null, got a number"]),
    (NoneType, False, ["$: expected null, got a boolean"]),
    (Colour | str, 1, ["$: expected a string, got a number"]),
    (Colour | str, None, ["$: expected a string, got null"]),
    (str | Unset, None, ["$: expected a string, got null"]),
    (list[int], (1,), ["$: expected a list, got a Python tuple"]),
    (list[int], "1", ["$: expected a list, got a string"]),
    (list[int], {}, ["$: expected a list, got an object"]),
    (list[int], [1, None], ["$[1]: expected a whole number, got null"]),
    (Sequence[int], [1.5], ["$[0]: expected a whole number, got a fraction"]),
    (dict[str, int], [], ["$: expected an object, got a list"]),
    (dict[str, int], {"a": "b"}, ["$['a']: expected a whole number, got a string"]),
    (Size, "small", ["$: conversion failed with ValueError"]),
    (Size, 1, ["$: expected a string, got a number"]),
    (Level, True, ["$: expected a whole number, got a boolean"]),
    (set[str], "ab", ["$: expected a list, got a string"]),
    (set[str], {"a": 1}, ["$: expected a list, got an object"]),
    (set[str], ["a", 1], ["$[1]: expected a string, got a number"]),
    (frozenset, "ab", ["$: expected a list, got a string"]),
    (tuple[int, str], "ab", ["$: expected a list, got a string"]),
    (tuple[int, str], [1, 2], ["$[1]: expected a string, got a number"]),
    (Row, "ab", ["$: expected a list, got a string"]),
    (Row, ["a", "a"], ["$[0]: expected a whole number, got a string"]),
    (Address, [], ["$: expected an object, got a list"]),
    (Address, {"zip": "1"}, ["$.city: missing", "$.zip: expected a whole number, got a string"]),
    (CLOSED, [], ["$: expected an object, got a list"]),
    (CLOSED, {}, ["$.kind: is not one of 'cat', 'kitten', 'dog'"]),
    (CLOSED, {"kind": "emu"}, ["$.kind: is not one of 'cat', 'kitten', 'dog'"]),
    (CLOSED, {"kind": ["cat"]}, ["$.kind: is not one of 'cat', 'kitten', 'dog'"]),
    (OPEN, {"kind": ["cat"]}, ["$.kind: expected a string, got a list"]),
    (OPEN, {}, ["$.kind: missing"]),
    (Lamp | Radio, {"kind": "lamp", "state": "dim"}, ["$.state: is not one of 'on', 'off'"]),
    (Lamp | Radio, {"state": "on"}, ["$.kind: is not one of 'lamp', 'radio'"]),
    (Literal["a", 1], True, ["$: is not one of 'a', 1"]),
    (Literal["a", 1], ["a"], ["$: is not one of 'a', 1"]),
    (Literal["a", 1], {}, ["$: is not one of 'a', 1"]),
    (Literal[True], 1, ["$: is not one of True"]),
]


@pytest.mark.parametrize(("form", "wire", "faults"), REFUSED)
def test_invalid_values_are_rejected(form: Any, wire: object, faults: list[str]) -> None:
    with pytest.raises(DecodeError) as raised:
        structure(wire, form)
    assert [str(fault) for fault in raised.value.faults] == faults


@pytest.mark.parametrize(
    "form",
    [
        Cat | Other | OtherPet,  # two classes without a tag
        Cat | str,
        tuple[Cat, Dog],
    ],
)
def test_only_a_union_of_tagged_classes_is_read_by_tags(form: Any) -> None:
    with pytest.raises((DecodeError, InvalidArgumentError)) as raised:
        structure({"kind": "cat"}, form)
    assert "kind" not in str(raised.value)


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize("form", [Any, object, list, list[Any], list[object]])
def test_any_json_is_read_up_to_a_depth(form: Any) -> None:
    assert structure(nested(100), form) == nested(100)
    with pytest.raises(DecodeError, match=r"^\$: nested more than 100 levels deep$"):
        structure(nested(101), form)


@pytest.mark.parametrize("form", [dict, dict[str, Any], Mapping[str, object], Anything])
def test_any_json_objects_are_read_up_to_a_depth(form: Any) -> None:
    assert structure({"a": nested(99)}, form) == {"a": nested(99)}
    with pytest.raises(DecodeError, match=r"^\$: nested more than 100 levels deep$"):
        structure({"a": nested(100)}, form)


def test_the_depth_of_json() -> None:
    values: list[Any] = ["text", [], {"a": [], "b": 1}, [[], {"a": {}}]]
    for levels, value in enumerate(values):
        assert [deeper_than(limit, value) for limit in range(5)] == [
            limit < levels for limit in range(5)
        ]
    assert bounded("text") == "text"


def test_members_of_an_enum_are_written_by_their_values() -> None:
    @attrs.frozen
    class Paint:
        colour: Colour | str
        size: Size | str

    for paint in (Paint(Colour.RED, Size.BIG), Paint("blue", "small")):
        wire = unstructure(paint)
        assert {type(value) for value in wire.values()} == {str}
        assert structure(wire, Paint) == paint


@attrs.frozen
class Plain:
    """Without `extra`: unknown fields are ignored."""

    first_name: str
    nickname: str | None = None
    pet_name: str | Unset | None = UNSET
    age: int = 7


@attrs.frozen
class Keeping:
    """With `extra`, and an attribute that is None for null."""

    some_number: int
    model: str | None = attrs.field(default=None, metadata=nullable())
    other: "Keeping | None" = None
    extra: dict[str, Any] = attrs.field(factory=dict[str, Any])


@attrs.frozen
class Node:
    """With nested objects of its own class."""

    children: "list[Node] | None" = None
    by_name: "dict[str, Node] | None" = None


@attrs.frozen
class Enveloped:
    """With an envelope around its attributes."""

    type: str = attrs.field(metadata=ENVELOPE)
    name: str
    model: str | None = attrs.field(default=None, metadata=nullable())
    extra: dict[str, Any] = attrs.field(factory=dict[str, Any])
    envelope: dict[str, Any] = attrs.field(factory=dict[str, Any])


@attrs.frozen
class Box(Generic[T]):
    """A class with a custom type."""

    value_in: T
    extra: dict[str, Any] = attrs.field(factory=dict[str, Any])


# Each row: a class, JSON, the resulting object, and its JSON.
OBJECTS: list[tuple[Any, dict[str, Any], object, dict[str, Any]]] = [
    (Plain, {"firstName": "a"}, Plain("a"), {"firstName": "a", "age": 7}),
    (
        Plain,
        {"firstName": "a", "nickname": "b", "petName": None, "age": 8, "x": 1},
        Plain("a", "b", None, 8),
        {"firstName": "a", "nickname": "b", "petName": None, "age": 8},
    ),
    (Keeping, {"someNumber": 1}, Keeping(1), {"someNumber": 1}),
    (
        Keeping,
        {"someNumber": 1, "model": None, "x": [1]},
        Keeping(1, extra={"model": None, "x": [1]}),
        {"someNumber": 1, "model": None, "x": [1]},
    ),
    (
        Keeping,
        {"someNumber": 1, "model": "m", "other": {"someNumber": 2, "y": 1}},
        Keeping(1, "m", Keeping(2, extra={"y": 1})),
        {"someNumber": 1, "model": "m", "other": {"someNumber": 2, "y": 1}},
    ),
    (
        Keeping,
        {"someNumber": 1, "extra": {"a": 1}},
        Keeping(1, extra={"extra": {"a": 1}}),
        {"someNumber": 1, "extra": {"a": 1}},
    ),
    (
        Keeping,
        {"someNumber": 1, "extra": 5},
        Keeping(1, extra={"extra": 5}),
        {"someNumber": 1, "extra": 5},
    ),
    (
        Node,
        {"children": [{"children": []}], "byName": {"a": {}}},
        Node([Node([])], {"a": Node()}),
        {"children": [{"children": []}], "byName": {"a": {}}},
    ),
    (
        Enveloped,
        {"type": "t", "data": {"name": "n"}},
        Enveloped("t", "n"),
        {"type": "t", "data": {"name": "n"}},
    ),
    (
        Enveloped,
        {"type": "t", "id": 1, "model": 2, "data": {"name": "n", "model": None, "type": 3}},
        Enveloped("t", "n", None, {"model": None, "type": 3}, {"id": 1, "model": 2}),
        {"type": "t", "id": 1, "model": 2, "data": {"name": "n", "model": None, "type": 3}},
    ),
    (Box[int], {"valueIn": 1, "x": 2}, Box(1, {"x": 2}), {"valueIn": 1, "x": 2}),
]


@pytest.mark.parametrize(("cls", "wire", "expected", "again"), OBJECTS)
def test_objects_are_read_and_written(
    cls: Any, wire: dict[str, Any], expected: object, again: dict[str, Any]
) -> None:
    found = structure(wire, cls)
    assert found == expected
    assert unstructure(found) == again


# Each row: a class, JSON, and the errors.
FAULTY: list[tuple[Any, object, list[str]]] = [
    (Plain, [], ["$: expected an object, got a list"]),
    (Plain, {}, ["$.firstName: missing"]),
    (
        Plain,
        {"firstName": None, "nickname": None, "age": None},
        [
            "$.firstName: expected a string, got null",
            "$.nickname: expected a string, got null",
            "$.age: expected a whole number, got null",
        ],
    ),
    (Keeping, {"someNumber": 1, "other": None}, ["$.other: expected an object, got null"]),
    (Keeping, {"someNumber": 1, "other": {}}, ["$.other.someNumber: missing"]),
    (Keeping, {"someNumber": 1, "model": 1}, ["$.model: expected a string, got a number"]),
    (Enveloped, {"type": "t"}, ["$.data: missing"]),
    (Enveloped, {"type": "t", "data": None}, ["$.data: expected an object, got null"]),
    (Enveloped, {"data": {"name": 1}}, ["$.type: missing", "$.data.name: expected a string, got a number"]),
    (Keeping, {"someNumber": 1, "x": nested(100)}, ["$: nested more than 100 levels deep"]),
    (Enveloped, {"type": "t", "x": nested(100), "data": {"name": "n"}}, ["$: nested more than 100 levels deep"]),
    (Box[int], {"valueIn": "1"}, ["$.valueIn: expected a whole number, got a string"]),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "wire", "faults"), FAULTY)
def test_each_error_has_its_path(cls: Any, wire: object, faults: list[str]) -> None:
    with pytest.raises(DecodeError) as raised:
        structure(wire, cls)
    assert sorted(str(fault) for fault in raised.value.faults) == sorted(faults)


def test_a_class_of_this_package_is_read_by_its_generated_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ready(value: object) -> object:
        return ("ready", value)

    def function_of(_: type) -> Callable[[object], object]:
        return ready

    monkeypatch.setattr(class_hooks, "function_of", function_of)
    hook = class_hooks._structure_hook(Plain, converter)
    assert hook({}, Plain) == ("ready", {})
    # The fast path stops at the first error, but the message has every error.
    hook = class_hooks._structure_hook(Plain, converter.copy(detailed_validation=True))
    assert hook({"firstName": "a"}, Plain) == Plain("a")

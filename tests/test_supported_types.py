"""The types that JSON can be converted to, which are checked before anything is sent."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import attrs
import pytest
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override
from pydantic import BaseModel

from conversations_client import (
    Conversation,
    ConversationPage,
    DecodeError,
    Event,
    InvalidArgumentError,
    Part,
    structure,
)
from conversations_client._json.conversion import check_type
from conversations_client._json.converter import converter

T = TypeVar("T")


class Colour(Enum):
    RED = "red"


class Size(StrEnum):
    BIG = "big"


@attrs.frozen
class Point:
    x: int


@attrs.frozen
class SamePoint:
    x: int


@attrs.frozen
class Circle:
    radius: float


@attrs.frozen
class Tree:
    children: "list[Tree]"
    parent: "Tree | None" = None


@attrs.frozen
class Visit:
    at: datetime


@attrs.frozen
class Visits:
    by_name: "dict[str, list[Visit]] | None" = None


@attrs.frozen
class Box(Generic[T]):
    item: T
    items: "list[T] | None" = None


@attrs.frozen
class BoxOfNumbers(Box[int]):
    size: int = 1


@attrs.frozen
class Unresolved:
    other: "Missing"  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable]


@attrs.frozen
class Stamped:
    name: str
    at: datetime = attrs.field(init=False, factory=datetime.now)


@dataclasses.dataclass
class Pair:
    left: int
    right: "Pair | None" = None


@dataclasses.dataclass
class Upload:
    content: bytes
    at: datetime | None = None


class Row(NamedTuple):
    x: int


class Point2(TypedDict):
    x: int


class Visit2(TypedDict):
    at: datetime


class Visit3(TypedDict):
    at: NotRequired[datetime | None]


class Model(BaseModel):
    x: int


class Plain:
    x: int


class Interface(Protocol):
    x: int


Number = NewType("Number", int)
SUPPORTED: list[Any] = [
    Conversation, ConversationPage, Event, Part, Event | None, list[Conversation],
    Point, Tree, Tree | None, Point | Circle, Point | Circle | None,
    Box[int], Box[list[Point]], BoxOfNumbers, Stamped, Pair, Row, Point2,
    dict, dict[str, Any], dict[str, Point], Mapping[str, object], list, list[int], Sequence[Point],
    tuple, tuple[int, ...], tuple[int, str], set[int], frozenset[str],
    str, int, float, bool, type(None), Any, object, int | None, Optional[str],  # noqa: UP045
    Colour, Size, Colour | str, Literal["a"], Annotated[int, "note"], Number, Path,
]  # fmt: skip


@pytest.mark.parametrize("form", SUPPORTED, ids=str)
def test_json_can_be_converted_to_a_type(form: Any) -> None:
    assert check_type("returns", form) is form


# Each row: a type, and the part of it that JSON can't be converted to.
UNSUPPORTED: list[tuple[Any, str]] = [
    (datetime, "datetime"),
    (Decimal, "Decimal"),
    (UUID, "UUID"),
    (bytes, "bytes"),
    (bytearray, "bytearray"),
    (complex, "complex"),
    (Model, "Model"),
    (Plain, "Plain"),
    (Interface, "Interface"),
    (type, "type"),
    (int | str, "int | str"),
    (list[int] | int, "list[int] | int"),
    (Callable[[int], int], "collections.abc.Callable[[int], int]"),
    (Iterable[int], "collections.abc.Iterable[int]"),
    (list[datetime], "datetime"),
    (dict[str, bytes], "bytes"),
    (set[bytes], "bytes"),
    (bytes | None, "bytes"),
    (datetime | None, "datetime"),
    (Annotated[datetime, "note"], "datetime"),
    (tuple[datetime, ...], "datetime"),
    (Visit, "datetime (Visit.at)"),
    (Visits, "datetime (Visit.at)"),
    (list[Visits | None], "datetime (Visit.at)"),
    (Point | Visit, "datetime (Visit.at)"),
    (Box[datetime], "datetime (Box.item)"),
    (Box, "~T"),
    (Upload, "bytes (Upload.content)"),
    (list[Upload], "bytes (Upload.content)"),
    (Visit2, "datetime (Visit2.at)"),
    (Visit3, "datetime (Visit3.at)"),
    (tuple[int, bytes], "bytes"),
]


@pytest.mark.parametrize(("form", "part"), UNSUPPORTED, ids=str)
def test_json_cant_be_converted_to_a_type(form: Any, part: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        check_type("returns", form)
    message = str(raised.value)
    assert message.startswith("returns can't be ")
    assert f": JSON can't be converted to {part}. Use attrs classes, dataclasses, dict" in message
    assert "converter.register_structure_hook" in message


@pytest.mark.parametrize("form", [None, "int", 1, {}, Point(1), [int], T, Self])
def test_only_types_are_types(form: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^returns (must be a class|can't be None)"):
        check_type("returns", form)


def test_other_problems_of_a_type_are_reported() -> None:
    with pytest.raises(InvalidArgumentError, match="can't be Unresolved: name 'Missing' is not"):
        check_type("returns", Unresolved)
    with pytest.raises(InvalidArgumentError, match="Could not disambiguate"):
        check_type("returns", Point | SamePoint)


@pytest.fixture
def extended(monkeypatch: pytest.MonkeyPatch) -> Converter:
    """A copy of the converter, to register hooks on."""
    copy = converter.copy()
    monkeypatch.setattr("conversations_client._json.converter.converter", copy)
    return copy


def test_a_registered_hook_supports_a_type(extended: Converter) -> None:
    extended.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    extended.register_structure_hook(bytes, lambda value, _: str(value).encode())
    extended.register_structure_hook(BaseModel, lambda value, cls: cls.model_validate(value))
    extended.register_structure_hook_func(lambda form: form == int | str, lambda value, _: value)
    for form in (datetime, Visits, list[Upload], bytes, Model, dict[str, Model], int | str):
        assert check_type("returns", form) is form


def test_a_hook_for_a_class_may_convert_the_attributes_itself(extended: Converter) -> None:
    at = override(struct_hook=lambda value, _: datetime.fromisoformat(value))
    extended.register_structure_hook(Visit, make_dict_structure_fn(Visit, extended, at=at))
    for form in (Visit, Visits):
        assert check_type("returns", form) is form


@pytest.mark.parametrize("value", [5, "a", None])
def test_bytes_are_not_made_of_other_values(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match="can't be converted to bytes"):
        structure(value, bytes)


def test_the_attributes_of_generic_classes_are_converted() -> None:
    assert structure({"item": 1, "items": [2]}, Box[int]) == Box(1, [2])
    assert structure({"item": [1]}, Box[list[int]]) == Box([1])
    with pytest.raises(DecodeError) as raised:
        structure({"item": "1", "items": ["2"]}, Box[int])
    assert [fault.path for fault in raised.value.faults] == ["$.item", "$.items[0]"]


def test_dataclasses_are_converted_like_attrs_classes() -> None:
    assert structure({"left": 1, "right": {"left": 2}}, Pair) == Pair(1, Pair(2))
    faulty: list[tuple[Any, str]] = [
        ([], "$: expected an object, got a list"),
        ({"left": "1"}, "$.left: expected a whole number, got a string"),
        ({}, "$.left: missing"),
    ]
    for wire, fault in faulty:
        with pytest.raises(DecodeError) as raised:
            structure(wire, Pair)
        assert [str(each) for each in raised.value.faults] == [fault]

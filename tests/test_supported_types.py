"""The types that JSON can be converted to, which are checked before anything is sent."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Final,
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

from conversations_client import (
    Conversation,
    ConversationPage,
    DecodeError,
    Event,
    InvalidArgumentError,
    Part,
    structure,
    unstructure,
)
from conversations_client._json.conversion import check_type
from conversations_client._json.converter import _check_once, converter

T = TypeVar("T")
U = TypeVar("U")


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
class VisitsByName:
    by_name: "dict[str, list[Visit]] | None"


@attrs.frozen
class Optionals:
    x: int
    union: int | str | None = None
    numbers: int | float | None = None
    json: dict[str, Any] | list[Any] | None = None
    call: Callable[[], int] | None = None
    at: datetime | None = None
    visits: Visits | None = None
    either: int | str = 0
    times: list[datetime] = attrs.field(factory=list[datetime])


@dataclasses.dataclass
class OptionalsOfDataclass:
    x: int
    at: datetime | None = None
    union: int | str = 0
    times: list[datetime] = dataclasses.field(default_factory=list[datetime])


class OptionalKeys(TypedDict):
    x: int
    union: NotRequired[int | str]


@attrs.frozen
class Times:
    x: int
    at: list[datetime]


@attrs.frozen
class Box(Generic[T]):
    item: T
    items: "list[T] | None" = None


@attrs.frozen
class BoxOfNumbers(Box[int]):
    size: int = 1


@attrs.frozen
class Both(Generic[T, U]):
    x: T
    y: U
    more: "list[U] | None" = None


@attrs.frozen
class First(Both[T, int], Generic[T]):
    pass


@attrs.frozen
class Swapped(Both[U, T], Generic[T, U]):
    pass


@attrs.frozen
class SameVariable(Both[int, str], Generic[T]):
    z: T | None = None


@attrs.frozen
class Lists(Swapped[list[T], Point], Generic[T]):
    """Arguments of arguments, and of a base of a base."""


class Undecorated(Lists[int]):
    pass


@attrs.frozen
class Bare(Generic[T]):
    """The arguments of `Both` are not those of this class."""

    a: T
    b: "Both | None" = None  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]


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


class BaseModel:
    """A base class with a hook of its own, such as pydantic's."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields


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
    Visits, Visit3, Optionals, OptionalsOfDataclass, OptionalKeys, list[Optionals],
    Annotated[int, datetime],
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
    (VisitsByName, "datetime (Visit.at)"),
    (list[VisitsByName | None], "datetime (Visit.at)"),
    (NewType("Moment", datetime), "datetime"),
    (Final[datetime], "datetime"),
    (Annotated[list[datetime], Point], "datetime"),
    (Point | Visit, "datetime (Visit.at)"),
    (Box[datetime], "datetime (Box.item)"),
    (Box, "~T"),
    (Upload, "bytes (Upload.content)"),
    (list[Upload], "bytes (Upload.content)"),
    (Visit2, "datetime (Visit2.at)"),
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
def extended(monkeypatch: pytest.MonkeyPatch) -> Iterator[Converter]:
    """A copy of the converter, to register hooks on."""
    copy = converter.copy()
    monkeypatch.setattr("conversations_client._json.converter.converter", copy)
    _check_once.cache_clear()
    yield copy
    _check_once.cache_clear()


def test_a_registered_hook_supports_a_type(extended: Converter) -> None:
    extended.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    extended.register_structure_hook(bytes, lambda value, _: str(value).encode())
    extended.register_structure_hook(BaseModel, lambda value, cls: cls(**value))
    extended.register_structure_hook_func(lambda form: form == int | str, lambda value, _: value)
    for form in (datetime, Visits, list[Upload], bytes, Model, dict[str, Model], int | str):
        assert check_type("returns", form) is form


def test_a_hook_for_a_class_may_convert_the_attributes_itself(extended: Converter) -> None:
    at = override(struct_hook=lambda value, _: datetime.fromisoformat(value))
    extended.register_structure_hook(Visit, make_dict_structure_fn(Visit, extended, at=at))
    for form in (Visit, Visits):
        assert check_type("returns", form) is form


OPTIONALS: list[Any] = [Optionals, OptionalsOfDataclass, OptionalKeys]


@pytest.mark.parametrize("form", OPTIONALS)
def test_unsupported_types_of_absent_fields_do_not_matter(form: Any) -> None:
    assert structure({"x": 1}, form) == form(x=1)
    faulty: list[tuple[Any, str]] = [
        ({"x": "a"}, "$.x: expected a whole number, got a string"),
        ({}, "$.x: missing"),
    ]
    for wire, fault in faulty:
        with pytest.raises(DecodeError) as raised:
            structure(wire, form)
        assert [str(each) for each in raised.value.faults] == [fault]


def test_unsupported_types_of_present_fields_are_reported() -> None:
    with pytest.raises(DecodeError) as raised:
        structure({"x": 1, "union": "a", "at": "b", "times": ["c"]}, Optionals)
    assert [str(each).partition(":")[0::2] for each in raised.value.faults] == [
        (path, f" no hook for {kind}: register one with converter.register_structure_hook")
        for path, kind in [
            ("$.union", "int | str"),
            ("$.at", "datetime"),
            ("$.times[0]", "datetime"),
        ]
    ]


def test_faults_of_the_value_come_before_those_of_the_class() -> None:
    assert structure({"x": 1, "at": []}, Times) == Times(1, [])
    faulty: list[tuple[Any, list[str]]] = [
        ([], ["$"]),
        ({"x": "a", "at": []}, ["$.x"]),
        ({"x": "a", "at": ["b"]}, ["$.x", "$.at[0]"]),
    ]
    for wire, paths in faulty:
        with pytest.raises(DecodeError) as raised:
            structure(wire, Times)
        assert [fault.path for fault in raised.value.faults] == paths
    with pytest.raises(InvalidArgumentError, match=r"datetime \(Times\.at\)"):
        structure({"x": 1, "at": ["b"]}, Times)


def test_a_hook_converts_a_part_of_an_optional_union(extended: Converter) -> None:
    extended.register_structure_hook(int | str, lambda value, _: value)
    assert check_type("returns", Optionals) is Optionals
    assert extended.structure({"x": 1, "union": "a"}, Optionals) == Optionals(1, "a")


def test_a_type_is_checked_once(monkeypatch: pytest.MonkeyPatch, extended: Converter) -> None:
    for _ in range(2):
        with pytest.raises(InvalidArgumentError):
            check_type("returns", Visit)  # failures are not remembered
    extended.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    assert check_type("returns", Visit) is Visit
    monkeypatch.setattr("conversations_client._json.converter._problem", None)
    assert check_type("returns", Visit) is Visit


def test_types_that_cant_be_hashed_are_rejected() -> None:
    form: Any = Annotated[int, []]
    for each in (form, list[form]):
        with pytest.raises(InvalidArgumentError, match="unhashable"):
            check_type("returns", each)


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


# Each row: a class, JSON, and the resulting object.
INHERITED: list[tuple[Any, dict[str, Any], object]] = [
    (First[str], {"x": "a", "y": 1, "more": [2]}, First("a", 1, [2])),
    (Swapped[int, str], {"x": "a", "y": 1, "more": [2]}, Swapped("a", 1, [2])),
    (SameVariable[bool], {"x": 1, "y": "a", "z": True}, SameVariable(1, "a", z=True)),
    (Lists[int], {"x": {"x": 1}, "y": [2]}, Lists(Point(1), [2])),
    (Undecorated, {"x": {"x": 1}, "y": [2]}, Undecorated(Point(1), [2])),
    (BoxOfNumbers, {"item": 1, "items": [2]}, BoxOfNumbers(1, [2])),
    (Bare[int], {"a": 1}, Bare(1)),
]


@pytest.mark.parametrize(("form", "wire", "expected"), INHERITED)
def test_inherited_type_variables_have_their_arguments(
    form: Any, wire: dict[str, Any], expected: object
) -> None:
    assert check_type("returns", form) is form
    assert structure(wire, form) == expected
    assert unstructure(expected) == wire | ({"size": 1} if form is BoxOfNumbers else {})
    wrong = {name: object() for name in wire}
    with pytest.raises(DecodeError) as raised:
        structure(wrong, form)
    assert [fault.path for fault in raised.value.faults] == [f"$.{name}" for name in wire]


def test_a_type_variable_without_an_argument_is_unsupported() -> None:
    with pytest.raises(DecodeError, match=r"^\$\.b: no hook for T:"):
        structure({"a": 1, "b": {"x": 1, "y": 1}}, Bare[int])


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

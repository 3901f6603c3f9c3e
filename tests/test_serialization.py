"""Values that JSON can't represent are reported by path and never quoted."""

import json
import re
from collections import deque
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client import (
    Client,
    ConversationMetadata,
    InvalidArgumentError,
    structure,
    unstructure,
)
from conversations_client._base.unset import UNSET
from conversations_client._calls.user_message import checked_message
from conversations_client._json import serialization
from conversations_client._json.converter import converter
from conversations_client._json.serialization import (
    json_argument,
    json_body,
    json_value,
    request_argument,
)
from conversations_client.messages import (
    ErrorPart,
    FileContent,
    FilePart,
    TextPart,
    ToolResultPart,
)

LOOP: dict[str, Any] = {}
LOOP["a"] = [LOOP]


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def inside(levels: int, value: object) -> object:
    """A value at so many levels below the top."""
    for _ in range(levels):
        value = [value]
    return value


TWICE = ["the same list is no circle"]


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"metadata": {"a": 1, "tags": {"secret"}}}, "$.metadata.tags is a Python set."),
        ([TWICE, TWICE, float("nan")], "$[2] is a number that JSON doesn't support."),
        ((1, -float("inf")), "$[1] is a number that JSON doesn't support."),
        ([10**5_000], "$[0] is a number that JSON doesn't support."),
        (
            {"a b": {"c": "\ud800"}},
            "$['a b'].c contains half of a surrogate pair, which is not text.",
        ),
        ({"a": {"\ud800": 1}}, "$.a contains half of a surrogate pair, which is not text."),
        ({"a": {(1, 2): 1}}, "$.a has a key that is not a string."),
        ({"a": {1: b"secret"}}, "$.a has a key that is not a string."),
        ([{None: 1}], "$[0] has a key that is not a string."),
        ({"a\n": b""}, r"$['a\n'] is a Python bytes."),
        ({"x" * 300: b""}, f"$.{'x' * 198}… is a Python bytes."),
        ({"-" * 300: b""}, f"$['{'-' * 50}'] is a Python bytes."),
        (LOOP, "$.a[0] contains itself."),
        ({"first": {"b": b""}, "second": b""}, "$.first.b is a Python bytes."),
        (nested(100_000), "$ is nested too deeply."),
        (inside(499, b""), f"${('[0]' * 499)[:199]}… is a Python bytes."),
        (inside(500, b""), "$ is nested too deeply."),
        ([inside(600, b""), 1], "$ is nested too deeply."),
        ([1, inside(600, b"")], "$ is nested too deeply."),
    ],
)
def test_the_path_is_reported(value: object, place: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        json_value(value)
    assert str(raised.value).startswith(f"The arguments can't be serialized as JSON: {place} Pass ")
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is raised.value.__context__ is None


def test_an_argument_that_contains_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidArgumentError, match=r"^body is nested too deeply, or contains"):
        json_argument("body", endless)


def test_a_create_reports_the_path() -> None:
    metadata = ConversationMetadata(extra={"labels": {"variants": {1, 2}}})
    with (
        Client("key", base_url="http://localhost:1") as client,
        pytest.raises(
            InvalidArgumentError, match=r"\$\.metadata\.labels\.variants is a Python set"
        ),
    ):
        client.conversations.create(metadata=metadata)


class Name(str):
    """A string of another class."""

    __slots__ = ()


class Level(IntEnum):
    HIGH = 3


class Pair(NamedTuple):
    first: int
    second: int


LOSSY: list[tuple[Any, str]] = [
    ({1: 2}, "$ has a key that is not a string"),
    ({"1": 1, 1: 2}, "$ has a key that is not a string"),
    ([{None: 1}], "$[0] has a key that is not a string"),
    ({"a": {True: 1}}, "$.a has a key that is not a string"),
    ({Level.HIGH: 1}, "$ has a key that is not a string"),
    (MappingProxyType({1.5: 1}), "$ has a key that is not a string"),
    ({"a": {1, 2}}, "$.a is a Python set"),
    ([set()], "$[0] is a Python set"),
    (({"b": frozenset("ab")},), "$[0].b is a Python frozenset"),
    (deque([{1}]), "$[0] is a Python set"),
    ({}.keys(), "$ is a Python dict_keys"),
    (ConversationMetadata(extra={"a": {1}}), "$.extra.a is a Python set"),
]


@pytest.mark.parametrize(("value", "problem"), LOSSY)
def test_what_json_would_change_is_rejected(value: object, problem: str) -> None:
    reason = rf"{re.escape(problem)}. Pass strings, finite numbers"
    with pytest.raises(InvalidArgumentError, match=f"^body can't be serialized as JSON: {reason}"):
        request_argument("body", value)
    with (
        Client("key", base_url="http://localhost:1") as client,
        pytest.raises(InvalidArgumentError, match=re.escape(problem.replace("$", "")[1:])),
    ):
        client.request("POST", "/v2/x", returns=dict[str, Any], body=value)


@pytest.mark.parametrize(("value", "problem"), LOSSY)
def test_a_tool_result_that_json_would_change_is_rejected(value: object, problem: str) -> None:
    parts = [
        ToolResultPart(tool_call_id="call_1", result=value),
        TextPart(text="a", metadata={"a": value}),
        ErrorPart(error="a", extra={"a": value}),
        FilePart(file=FileContent(uri="https://example.com", extra={"a": value})),
    ]
    for part, path in zip(
        parts, ["$.result", "$.metadata.a", "$.extra.a", "$.file.extra.a"], strict=True
    ):
        reason = re.escape(f"{path}{problem[1:]}.")
        with pytest.raises(InvalidArgumentError, match=rf"^message\[0\] can't .* {reason} Pass "):
            checked_message([part])


def test_what_json_keeps_is_sent() -> None:
    value = {
        Name("a"): Name("b"),
        "level": Level.HIGH,
        "pairs": [Pair(1, 2), deque([(3,)])],
        "mapping": MappingProxyType({"c": 1.5}),
        "part": TextPart(text="d"),
        "files": Files({2, 1}),  # the class says that it is a set
    }
    assert json.loads(json_value(request_argument("body", value))) == {
        "a": "b",
        "level": 3,
        "pairs": [[1, 2], [[3]]],
        "mapping": {"c": 1.5},
        "part": {"kind": "text", "text": "d"},
        "files": {"tags": [1, 2], "names": []},
    }


def test_a_request_argument_that_contains_itself() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^body is nested too deeply, or contains"):
        request_argument("body", LOOP)


LEAVES = st.sampled_from([None, 1, 1.5, "é", float("nan"), b"", {1}, "\ud800"])
KEYS = st.sampled_from(["a", "b c", 1, None, (1,), "\udfff"])


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_every_unserializable_value_has_a_path(value: object) -> None:
    problem = ""
    try:
        assert json_value(value)
    except InvalidArgumentError as error:
        problem = str(error)
    assert "nested too deeply" not in problem  # the message if there is no path


STRINGS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(STRINGS, STRINGS | st.none() | st.booleans() | st.just(UNSET)))
def test_a_body_of_strings_is_the_same_json_as_any_other(fields: dict[str, Any]) -> None:
    sent = {name: value for name, value in fields.items() if value is not UNSET}
    written = json.dumps(sent, ensure_ascii=False, separators=(",", ":"))
    assert json_body(fields) == written.encode()


def test_a_body_of_strings_that_cant_be_sent() -> None:
    with pytest.raises(InvalidArgumentError, match=r"\$\.b contains half of a surrogate pair"):
        json_body({"a": "x", "b": "\ud800"})


@attrs.frozen
class Visit:
    at: Any


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (datetime(2024, 12, 21, tzinfo=UTC), "$ is a Python datetime."),
        (object(), "$ is a Python object."),
        ({b"secret"}, "$[0] is a Python bytes."),
        (b"secret", "$ is a Python bytes."),
        (Decimal(1), "$ is a Python Decimal."),
        (Visit, "$ is a Python type."),
        (Visit(datetime(2024, 12, 21, tzinfo=UTC)), "$.at is a Python datetime."),
        (Visit({"a": [b"secret"]}), "$.at.a[0] is a Python bytes."),
        ([{"a": (b"secret",)}], "$[0].a[0] is a Python bytes."),
        (ConversationMetadata(extra={"a": Visit(1)}), "$.a is a Python Visit."),
    ],
)
def test_unstructure_rejects_what_is_not_json(value: object, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        unstructure(value)
    assert str(raised.value).startswith(f"value can't be converted to JSON: {problem} Convert it")
    assert "register_unstructure_hook" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert raised.value.__context__ is None
    with pytest.raises(InvalidArgumentError):
        json.dumps({"value": value}, default=unstructure)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("nan"), "$ is a number that JSON doesn't support."),
        (Visit({"a": [1.5, -float("inf")]}), "$.at.a[1] is a number that JSON doesn't support."),
        ({None: 1}, "$ has a key that is not a string."),
        ([{"a": {1: "secret"}}], "$[0].a has a key that is not a string."),
    ],
)
def test_unstructure_rejects_what_only_python_writes(value: object, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        unstructure(value)
    assert str(raised.value).startswith(f"value can't be converted to JSON: {problem} Convert it")
    assert "secret" not in str(raised.value)


def test_unstructure_rejects_what_contains_itself() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^value is nested too deeply, or contains"):
        unstructure(LOOP)
    with pytest.raises(InvalidArgumentError, match=r"^value is nested too deeply, or contains"):
        unstructure(ConversationMetadata(extra=LOOP))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_unstructure_returns_json_unchanged(value: object) -> None:
    assert json.dumps(unstructure(value)) == json.dumps(value)


def test_keys_that_cant_be_converted() -> None:
    message = "contains a dict with a key that is not a string. Convert the key first."
    for value in ({(1, "secret"): 3}, [Visit({frozenset(["secret"]): 1})]):
        with pytest.raises(InvalidArgumentError, match=f"^value {message}$"):
            unstructure(value)
        with pytest.raises(InvalidArgumentError, match=f"^body {message}$"):
            json_argument("body", value)


@attrs.frozen
class Files:
    tags: set[int]
    names: frozenset[str] = frozenset()
    path: Path | None = None


def test_what_structure_converts_is_converted_back() -> None:
    wire = {"tags": [2, 10], "names": ["a", "b", "c"], "path": "a/b"}
    files = structure(wire, Files)
    assert files == Files({10, 2}, frozenset("abc"), Path("a/b"))
    assert unstructure(files) == wire
    rows: list[tuple[Any, Any]] = [(set[int], [1, 2]), (frozenset, ["a"]), (Path, "a")]
    for form, value in rows:
        assert unstructure(structure(value, form)) == value


def test_sets_of_different_types_have_an_order() -> None:
    assert unstructure({"b", 1, None, ("a", 2), Visit(1)}) == ["b", 1, None, ["a", 2], {"at": 1}]


def test_unstructure_is_a_default_for_json() -> None:
    visits = {"visits": [Visit(1), Visit((1.5, None, True, {"a": Visit("b")}))]}
    written = '{"visits": [{"at": 1}, {"at": [1.5, null, true, {"a": {"at": "b"}}]}]}'
    assert json.dumps(visits, default=unstructure) == written


def test_registered_hooks_convert_other_types(monkeypatch: pytest.MonkeyPatch) -> None:
    extended = converter.copy()
    extended.register_unstructure_hook(datetime, datetime.isoformat)
    monkeypatch.setattr(serialization, "loaded_converter", lambda: extended)
    moment = datetime(2024, 12, 21, tzinfo=UTC)
    assert unstructure({"a": [Visit(moment)]}) == {"a": [{"at": "2024-12-21T00:00:00+00:00"}]}


def test_an_error_of_a_hook_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    extended = converter.copy()
    extended.register_unstructure_hook(datetime, lambda value: value + 1)
    monkeypatch.setattr(serialization, "loaded_converter", lambda: extended)
    with pytest.raises(TypeError, match="unsupported operand"):
        unstructure(datetime(2024, 12, 21, tzinfo=UTC))

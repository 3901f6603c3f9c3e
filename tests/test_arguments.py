"""Argument checks and the values they send, by literal equality."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, cast

import pytest

from conversations_client import (
    UNSET,
    Conversation,
    ConversationKind,
    ConversationMetadata,
    InvalidArgumentError,
)
from conversations_client._calls.arguments import (
    ConversationMetadataParam,
    ConversationMetadataUpdateParam,
    CreateRequest,
    checked_context,
    checked_conversation_id,
    checked_create_request,
    checked_display_name,
    checked_id,
    checked_idempotency_key,
    checked_limit,
    checked_max_in_flight,
    checked_metadata,
    checked_metadata_update,
    checked_model,
    checked_rate,
    checked_string,
    path_segment,
)
from conversations_client._calls.request_arguments import (
    checked_class,
    checked_method,
    checked_path,
    checked_query,
)
from conversations_client._calls.settings import checked_api_key

Check = Callable[[Any], Any]


def conversation(conversation_id: str | None) -> Conversation:
    return Conversation(
        id=conversation_id,
        kind=ConversationKind.CONVERSATION,
        display_name="",
        created_at=1,
        updated_at=1,
    )


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not the content"


class Colour(StrEnum):
    RED = "red"


class Shade(str, Enum):  # noqa: UP042 - unlike a StrEnum, its str() is not its value
    DARK = "dark"


class Level(IntEnum):
    LOW = 1


class Kind(Enum):
    CAT = "cat"


def named(check: Callable[[str, object], str]) -> Check:
    """A check that also takes the name of the argument."""
    return lambda value: check("it", value)


SEGMENT = named(path_segment)
CONVERSATION_ID = named(checked_conversation_id)
ID = named(checked_id)
STRING = named(checked_string)
RETURNS = partial(checked_class, "returns")

ACCEPTED: list[tuple[Check, object, object]] = [
    (RETURNS, dict, dict),
    (RETURNS, list[int], list[int]),
    (STRING, "", ""),
    (STRING, Text("a"), "a"),
    (STRING, "😀", "😀"),
    (ID, "a", "a"),
    (ID, " a ", " a "),
    (CONVERSATION_ID, "conv_1", "conv_1"),
    (CONVERSATION_ID, conversation("conv_1"), "conv_1"),
    (SEGMENT, "conv_1", "conv_1"),
    (SEGMENT, conversation("conv_1"), "conv_1"),
    (SEGMENT, "...", "..."),
    (SEGMENT, "./", ".%2F"),
    (SEGMENT, "../a", "..%2Fa"),
    (SEGMENT, "a/b?c#d%2F é", "a%2Fb%3Fc%23d%252F%20%C3%A9"),
    (SEGMENT, "~-_.\\\r\n", "~-_.%5C%0D%0A"),
    (checked_display_name, "", ""),
    (checked_display_name, "é" * 100, "é" * 100),
    (checked_metadata, {}, {}),
    (checked_metadata, MappingProxyType({"entity_id": "a"}), {"entityId": "a"}),
    (checked_metadata, {"generating_title": True}, {"generatingTitle": True}),
    (checked_metadata, {"generating_title": UNSET, "model": UNSET, "entity_id": UNSET}, {}),
    (
        checked_metadata,
        {"generating_title": False, "entity_id": None, "model": None},
        {"generatingTitle": False, "entityId": None, "model": None},
    ),
    (checked_metadata, {"model": ""}, {"model": ""}),
    (checked_metadata, ConversationMetadata(), {}),
    (
        checked_metadata,
        ConversationMetadata(generating_title=False, entity_id="a", model="m", extra={"b": 1}),
        {"b": 1, "generatingTitle": False, "entityId": "a", "model": "m"},
    ),
    (
        checked_metadata,
        ConversationMetadata(entity_id="a", extra={"entityId": "b"}),
        {"entityId": "a"},
    ),
    (checked_metadata_update, {"entity_id": None}, {"entityId": None}),
    (checked_metadata_update, {"generating_title": True}, {"generatingTitle": True}),
    (checked_create_request, {}, {}),
    (
        checked_create_request,
        {"display_name": "a", "metadata": {}, "project_id": None, "idempotency_key": "k"},
        {"display_name": "a", "metadata": {}, "project_id": None, "idempotency_key": "k"},
    ),
    (checked_max_in_flight, 1, 1),
    (checked_max_in_flight, 10_000, 10_000),
    (checked_rate, None, None),
    (checked_rate, 1, 1),
    (checked_rate, 0.001, 0.001),
    (checked_rate, 6e-309, 6e-309),
    (checked_query, {}, ()),
    (checked_query, MappingProxyType({"a": "b"}), (("a", "b"),)),
    (
        checked_query,
        {"a": "b", "c": 1, "d": -(10**30)},
        (("a", "b"), ("c", "1"), ("d", f"-1{'0' * 30}")),
    ),
    (checked_query, {"a": Text("b"), "": ""}, (("a", "b"), ("", ""))),
    (
        checked_query,
        {"a": Colour.RED, "b": Shade.DARK, "c": Level.LOW},
        (("a", "red"), ("b", "dark"), ("c", "1")),
    ),
    (checked_limit, 1, "1"),
    (checked_limit, 100, "100"),
    (checked_context, "a", "a"),
    (checked_context, " ", " "),
    (checked_model, "a/b", "a/b"),
    (checked_model, "a/b/c", "a/b/c"),
    (checked_path, "/", "/"),
    (checked_path, "/v2/features/a%20b", "/v2/features/a%20b"),
    (checked_path, "/a/...", "/a/..."),
    (checked_path, "/a/.b/c..", "/a/.b/c.."),
    (checked_path, "/!~", "/!~"),
    (checked_method, "get", "GET"),
    (checked_method, "POST", "POST"),
    (checked_method, "Put", "PUT"),
    (checked_method, "patch", "PATCH"),
    (checked_method, "DELETE", "DELETE"),
    (checked_idempotency_key, None, None),
    (checked_idempotency_key, "!", "!"),
    (checked_idempotency_key, "~" * 255, "~" * 255),
]


@pytest.mark.parametrize(("check", "value", "sent"), ACCEPTED)
def test_valid_arguments_are_sent_unchanged(check: Check, value: object, sent: object) -> None:
    assert check(value) == sent


SENT_AS_TEXT: list[Check] = [
    STRING,
    ID,
    SEGMENT,
    CONVERSATION_ID,
    checked_context,
    checked_display_name,
    checked_idempotency_key,
    lambda value: checked_query({value: value})[0][0],
    lambda value: checked_query({value: value})[0][1],
    lambda value: checked_api_key(value, {}).reveal(),
]


@pytest.mark.parametrize("check", SENT_AS_TEXT)
def test_a_member_of_an_enum_is_sent_as_its_value(check: Check) -> None:
    assert f"{check(Shade.DARK)}" == "dark"


class Later:
    """A result that was not awaited."""

    def __await__(self) -> Iterator[None]:
        yield


REFUSED: list[tuple[Check, object, str]] = [
    (STRING, None, "it must be a string, not None"),
    (STRING, b"a", "it must be a string, not bytes"),
    (STRING, Later(), "it must be a string, not Later: await it first"),
    (STRING, "a\ud83d", "it contains half of a surrogate pair"),
    (ID, 1, "it must be a string, not int"),
    (ID, "", "it is empty"),
    (ID, " \t\n\u2003", "it is empty"),
    (CONVERSATION_ID, conversation(None), "it is a conversation without an ID"),
    (CONVERSATION_ID, conversation(" "), "it is empty"),
    (CONVERSATION_ID, None, "it must be a conversation or its ID, not None"),
    (SEGMENT, ".", "it is '.', which"),
    (SEGMENT, "..", "it is '..', which"),
    (SEGMENT, conversation(".."), "it is '..', which"),
    (SEGMENT, "", "it is empty"),
    (SEGMENT, "\udc00", "it contains half of a surrogate pair"),
    (checked_display_name, None, "display_name can't be None: omit it, or pass UNSET. If a value may be None"),
    (checked_display_name, "é" * 101, "display_name has 101 characters"),
    (checked_metadata, None, "metadata can't be None: omit it, or pass UNSET. If a value may be None"),
    (checked_metadata, [("a", 1)], "metadata must be a dict or a ConversationMetadata, not list"),
    (checked_metadata, {"entityId": "a"}, "unknown key 'entityId'; did you mean 'entity_id'?"),
    (checked_metadata, {"modell": "a"}, "unknown key 'modell'; did you mean 'model'?"),
    (checked_metadata, {1: "a"}, "unknown key 1; use generating_title"),
    (checked_metadata, {10**5_000: "a"}, "unknown key an int with too many digits; use generating"),
    (checked_metadata, {"generating_title": None}, "generating_title can't be null"),
    (checked_metadata, {"generating_title": 1}, "generating_title must be True or False, not int"),
    (checked_metadata, ConversationMetadata(generating_title=cast("Any", 1)), "generating_title must be True or False, not int"),
    (checked_metadata, {"entity_id": ""}, "metadata: entity_id is empty"),
    (checked_metadata, {"entity_id": 1}, "metadata: entity_id must be a string, not int"),
    (checked_metadata, {"model": 1}, "metadata: model must be a string, not int"),
    (checked_metadata, {"model": "\ud800"}, "metadata: model contains half"),
    (checked_metadata_update, {"model": None}, "model can't be changed"),
    (checked_metadata_update, ConversationMetadata(model="a/b"), "model can't be changed"),
    (checked_metadata_update, {"entity_id": " "}, "metadata: entity_id is empty"),
    (checked_create_request, [], "a dict such as CreateRequest, not list"),
    (checked_create_request, {10**5_000: "a"}, "Unknown key an int with too many digits; use"),
    (checked_create_request, {"name": "a"}, "Unknown key 'name'; use display_name, metadata, project_id, idempotency_key."),
    (checked_max_in_flight, 0, "max_in_flight must be"),
    (checked_max_in_flight, True, "max_in_flight must be"),
    (checked_max_in_flight, 1.5, "max_in_flight must be"),
    (checked_max_in_flight, None, "max_in_flight must be"),
    (checked_rate, 0, "rate must be"),
    (checked_rate, -1, "rate must be"),
    (checked_rate, 5e-324, "rate must be"),
    (checked_query, {"a": "\ud800"}, "query: a contains half of a surrogate pair"),
    (checked_query, {"\ud800": "a"}, "query: a name contains half of a surrogate pair"),
    (checked_query, {1: "a"}, "query: a name must be a string, not int"),
    (checked_query, {"a": True}, "query: a must be a string or a whole number, not bool: convert it to the text that the API expects."),
    (checked_query, {"a": None}, "query: a must be a string or a whole number, not None: omit it."),
    (checked_query, {"a": 1.0}, "query: a must be a string or a whole number, not float"),
    (checked_query, {"a": ["1"]}, "query: a must be a string or a whole number, not list"),
    (checked_query, {"a": b"1"}, "query: a must be a string or a whole number, not bytes"),
    (checked_query, {"a": Kind.CAT}, "query: a must be a string or a whole number, not Kind"),
    (checked_query, {"a": UNSET}, "query: a must be a string or a whole number, not Unset"),
    (checked_query, {"a": 10**5_000}, "query: a has too many digits"),
    (checked_query, [("a", "b")], "query must be a dict, not list"),
    (checked_query, "a=b", "query must be a dict, not str"),
    (checked_rate, math.inf, "rate must be"),
    (checked_rate, math.nan, "rate must be"),
    (checked_rate, True, "rate must be"),
    (checked_rate, "1", "rate must be"),
    (checked_limit, 0, "limit is 0, but must be from 1 to 100"),
    (checked_limit, 101, "limit is 101, but must be from 1 to 100"),
    (checked_limit, True, "limit must be"),
    (checked_limit, 1.0, "limit must be"),
    (checked_limit, "1", "limit must be"),
    (checked_context, "", "context is empty"),
    (checked_context, None, "context must be a string, not None"),
    (checked_model, "gpt-4o", "model must include its provider"),
    (checked_model, "/gpt-4o", "model must include its provider"),
    (checked_model, "openai/", "model must include its provider"),
    (checked_model, "", "model must include its provider"),
    (checked_model, None, "model must be a string, not None"),
    (RETURNS, None, "returns can't be None: if the response has no body, pass type(None)."),
    (RETURNS, "dict", "returns must be a class, such as dict or your own attrs class, not str: pass the class itself"),
    (RETURNS, {}, "returns must be a class, such as dict or your own attrs class, not dict: pass the class itself"),
    (RETURNS, datetime, "returns can't be datetime: JSON can't be converted to datetime. Use attrs classes, dataclasses, dict,"),
    (checked_path, "", "path must begin with '/'"),
    (checked_path, "v2", "path must begin with '/'"),
    (checked_path, "https://example.com/", "path must begin with '/'"),
    (checked_path, "/.", "path contains the segment '.', which"),
    (checked_path, "/a/..", "path contains the segment '..', which"),
    (checked_path, "/a/./b", "path contains the segment '.', which"),
    (checked_path, "/a?b", "path contains '?': pass the query as query="),
    (checked_path, "/a#b", "path contains '#', which is not allowed in a path: quote each segment"),
    (checked_path, "/a\\b", "path contains '\\\\', which"),
    (checked_path, "/a b", "path contains ' ', which"),
    (checked_path, "/a\x7f", "path contains '\\x7f', which"),
    (checked_path, "/a\r\nHost: b", "path contains '\\r', which"),
    (checked_path, "/é", "path contains 'é', which"),
    (checked_path, None, "path must be a string, not None"),
    (checked_method, "", "method must be one of GET, POST, PUT, PATCH, DELETE"),
    (checked_method, "BREW", "method must be one of GET, POST, PUT, PATCH, DELETE"),
    (checked_method, "GET ", "method must be one of GET, POST, PUT, PATCH, DELETE"),
    (checked_method, None, "method must be a string, not None"),
    (checked_idempotency_key, "", "idempotency_key must be"),
    (checked_idempotency_key, "a" * 256, "idempotency_key must be"),
    (checked_idempotency_key, "a b", "idempotency_key must be"),
    (checked_idempotency_key, "a\n", "idempotency_key must be"),
    (checked_idempotency_key, "\x7f", "idempotency_key must be"),
    (checked_idempotency_key, "é", "idempotency_key must be"),
    (checked_idempotency_key, 1, "idempotency_key must be a string, not int"),
]  # fmt: skip


def test_a_limit_with_too_many_digits() -> None:  # which can't be the ID of a test
    with pytest.raises(
        InvalidArgumentError, match=r"^limit is an int with too many digits, but must"
    ):
        checked_limit(10**5_000)


@pytest.mark.parametrize(("check", "value", "problem"), REFUSED)
def test_invalid_arguments_are_rejected(check: Check, value: object, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        check(value)
    assert problem in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ is (raised.value.__context__ is not None)


@pytest.mark.parametrize(
    ("request_", "keys"),
    [
        (CreateRequest, {"display_name", "metadata", "project_id", "idempotency_key"}),
        (ConversationMetadataParam, {"generating_title", "entity_id", "model"}),
        (ConversationMetadataUpdateParam, {"generating_title", "entity_id"}),
    ],
)
def test_each_key_of_a_request_is_optional(request_: Any, keys: set[str]) -> None:
    assert (request_.__optional_keys__, request_.__required_keys__) == (keys, set())


@pytest.mark.parametrize(
    "cls", [ConversationMetadataParam, ConversationMetadataUpdateParam, CreateRequest]
)
def test_pydantic_validates_typed_dicts_strictly(cls: Any) -> None:
    assert cls.__pydantic_config__ == {"extra": "forbid", "strict": True}

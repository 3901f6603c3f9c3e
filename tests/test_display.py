"""Responses in terminals, notebooks, data frames and pickles."""

import copy
import json
import pickle
from io import StringIO
from typing import Any, cast

import attrs
import pytest
from rich.console import Console
from scripted import CONVERSATION

import conversations_client
from conversations_client import (
    Conversation,
    ConversationKind,
    ConversationMetadata,
    ConversationPage,
    FinishReason,
    ResponseDone,
    TextPart,
    ToolResultPart,
    UnknownPart,
    Usage,
    structure,
    unstructure,
)
from conversations_client._fields.pretty_repr import PrettyRepr

PLAIN = Conversation(
    id="conv_1",
    kind=ConversationKind.CONVERSATION,
    display_name="Support",
    created_at=1,
    updated_at=2.5,
    metadata=ConversationMetadata(extra={"entityId": None}),
)
LATER = attrs.evolve(PLAIN, id=None, kind="thread", metadata=None, extra={"color": "red"})
PART = TextPart(text="Hello")
RESULT = ToolResultPart(tool_call_id="call_1", result=None)
UNKNOWN = UnknownPart(kind="audio", extra={"url": "u"})
DONE = ResponseDone(
    timestamp="2024-12-21T14:00:00Z",
    finish_reason=FinishReason.STOP,
    usage=Usage(total_tokens=3),
    envelope={"later": 1},
)

REPRS: list[tuple[Any, str]] = [
    (
        PLAIN,
        "Conversation(id='conv_1', kind=<ConversationKind.CONVERSATION: 'conversation'>, display_name='Support', created_at=1, updated_at=2.5, created_by_id=None, updated_by_id=None, metadata=ConversationMetadata(generating_title=None, entity_id=None, model=None, extra={'entityId': None}))",
    ),
    (
        LATER,
        "Conversation(id=None, kind='thread', display_name='Support', created_at=1, updated_at=2.5, created_by_id=None, updated_by_id=None, metadata=None, extra={'color': 'red'})",
    ),
    (UNKNOWN, "UnknownPart(kind='audio', extra={'url': 'u'})"),
    (ConversationPage(data=(), has_more=False), "ConversationPage(data=(), has_more=False)"),
]

SHOWN: list[tuple[Any, list[tuple[str, Any]]]] = [
    (
        PLAIN,
        [
            ("id", "conv_1"),
            ("kind", ConversationKind.CONVERSATION),
            ("display_name", "Support"),
            ("created_at", 1),
            ("updated_at", 2.5),
            ("metadata", ConversationMetadata(extra={"entityId": None})),
        ],
    ),
    (ConversationMetadata(extra={"entityId": None}), [("extra", {"entityId": None})]),
    (PART, [("kind", "text"), ("text", "Hello")]),
    (RESULT, [("kind", "tool_result"), ("tool_call_id", "call_1"), ("result", None)]),
    (UNKNOWN, [("kind", "audio"), ("extra", {"url": "u"})]),
    (
        DONE,
        [
            ("timestamp", "2024-12-21T14:00:00Z"),
            ("envelope", {"later": 1}),
            ("type", "response.done"),
            ("finish_reason", FinishReason.STOP),
            ("usage", Usage(total_tokens=3)),
        ],
    ),
]

ANSWERS = [
    each
    for name in conversations_client.__all__
    if isinstance(each := getattr(conversations_client, name), type)
    and attrs.has(each)
    and {"extra", "parts"} & set(attrs.fields_dict(each))
]


@pytest.mark.parametrize(("value", "words"), REPRS)
def test_a_repr_omits_unknown_fields(value: Any, words: str) -> None:
    assert repr(value) == words


@pytest.mark.parametrize(("value", "attributes"), SHOWN)
def test_what_rich_displays(value: Any, attributes: list[tuple[str, Any]]) -> None:
    assert list(value.__rich_repr__()) == attributes


@pytest.mark.parametrize("cls", ANSWERS)
def test_every_response_class_has_a_rich_repr_and_no_dict(cls: type) -> None:
    assert issubclass(cls, PrettyRepr)
    assert cls.__repr__ is PrettyRepr.__repr__
    assert not any("__dict__" in vars(base) for base in cls.__mro__)


def test_rich_prints_a_conversation() -> None:
    console = Console(file=StringIO(), width=60, color_system=None)
    console.print(PLAIN)
    assert console.file.getvalue() == PRINTED  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


PRINTED = """\
Conversation(
    id='conv_1',
    kind=<ConversationKind.CONVERSATION: 'conversation'>,
    display_name='Support',
    created_at=1,
    updated_at=2.5,
    metadata=ConversationMetadata(
        extra={'entityId': None}
    )
)
"""


def test_ipython_prints_a_conversation() -> None:
    pretty: Any = pytest.importorskip("IPython.lib.pretty").pretty
    assert pretty(PLAIN, max_width=60) == PRINTED_BY_IPYTHON
    assert pretty(PART) == "TextPart(kind='text', text='Hello')"


PRINTED_BY_IPYTHON = """\
Conversation(id='conv_1',
             kind=<ConversationKind.CONVERSATION: 'conversation'>,
             display_name='Support',
             created_at=1,
             updated_at=2.5,
             metadata=ConversationMetadata(extra={'entityId': None}))"""


def test_a_recursive_object_can_be_displayed() -> None:
    extra: dict[str, Any] = {}
    part = UnknownPart(kind="odd", extra=extra)
    extra["self"] = part
    assert repr(part) == "UnknownPart(kind='odd', extra={'self': ...})"
    pretty: Any = pytest.importorskip("IPython.lib.pretty").pretty
    assert pretty(part) == "UnknownPart(kind='odd', extra={'self': UnknownPart(...)})"


@pytest.mark.parametrize("value", [PLAIN, LATER, PART, RESULT, UNKNOWN, DONE])
def test_responses_are_values(value: Any) -> None:
    cls = cast("Any", type(value))
    copies: list[Any] = [
        pickle.loads(pickle.dumps(value)),
        copy.deepcopy(value),
        structure(json.loads(json.dumps(unstructure(value))), cls),
        attrs.evolve(value),
    ]
    for same in copies:
        assert (type(same), same) == (cls, value)
        assert hash(same) == hash(value)
    assert set(attrs.asdict(value, recurse=False)) == set(attrs.fields_dict(cls))


def test_rows_of_a_data_frame() -> None:
    conversations = [structure(CONVERSATION, Conversation), LATER]
    assert [unstructure(each) for each in conversations] == [
        CONVERSATION,
        {
            "kind": "thread",
            "displayName": "Support",
            "createdAt": 1,
            "updatedAt": 2.5,
            "color": "red",
        },
    ]
    assert attrs.asdict(LATER) == {
        "id": None,
        "kind": "thread",
        "display_name": "Support",
        "created_at": 1,
        "updated_at": 2.5,
        "created_by_id": None,
        "updated_by_id": None,
        "metadata": None,
        "extra": {"color": "red"},
    }

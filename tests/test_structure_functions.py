"""The generated structure functions are current and agree with the general converter."""

import ast
import copy
import json
import pickle
from functools import partial
from typing import Any, cast, get_args

import attrs
import pytest
import structure_functions
from hypothesis import given
from test_events import ALL
from test_wire import conversations, corrupted, json_values, messages

from conversations_client import (
    Conversation,
    ConversationMetadata,
    ConversationPage,
    ConversationWithMessages,
    DecodeError,
    Event,
    FilePart,
    FinishReason,
    Message,
    PartialResponse,
    ReasoningPart,
    Response,
    TextPart,
    ToolCall,
    ToolFunction,
    Usage,
    UserMessage,
    structure,
    unstructure,
)
from conversations_client._fields.extra import NO_EXTRA
from conversations_client._json.converter import converter
from conversations_client._json.generated_functions import function_of

CLASSES = [cls for classes, _ in structure_functions.MODULES.values() for cls in classes]


@pytest.mark.parametrize("module", structure_functions.MODULES)
def test_the_modules_are_current(module: str) -> None:
    """If this fails, run `python scripts/structure_functions.py && ruff format`."""
    written = (structure_functions.FOLDER / f"{module}.py").read_text()
    assert without_imports(written) == without_imports(structure_functions.source(module))


def without_imports(source: str) -> list[str]:
    """The statements of a module without imports, which a formatter sorts and removes."""
    body = ast.parse(source).body
    return [ast.dump(each) for each in body if not isinstance(each, ast.Import | ast.ImportFrom)]


@pytest.mark.parametrize("cls", CLASSES)
def test_each_class_has_a_function(cls: type) -> None:
    assert function_of(cls) is not None


def test_other_classes_have_no_function() -> None:
    assert function_of(str) is None
    assert function_of(type("Own", (Conversation,), {})) is None


def read_by_both(value: object, cls: Any) -> tuple[object, object]:
    results: list[object] = []
    function = function_of(cls) or structure_functions_of_unions()[cls]
    general = partial(converter.copy(detailed_validation=True).structure, cl=cls)
    for read in (function, general):
        try:
            results.append(read(copy.deepcopy(value)))
        except Exception:  # noqa: BLE001 - any exception means an invalid value
            results.append("refused")
    return results[0], results[1]


def structure_functions_of_unions() -> dict[Any, Any]:
    from conversations_client._json import structure_events, structure_messages

    return structure_events.FUNCTIONS | structure_messages.FUNCTIONS


@given(json_values | corrupted() | conversations)
def test_both_converters_agree_on_conversations(value: Any) -> None:
    for cls in (ConversationPage, Conversation, ConversationWithMessages, ConversationMetadata):
        ours, general = read_by_both(value, cls)
        assert ours == general


@given(json_values | messages)
def test_both_converters_agree_on_messages(value: Any) -> None:
    ours, general = read_by_both(value, Message)
    assert ours == general


@pytest.mark.parametrize("wire", [wire for wire, _ in ALL])
@pytest.mark.parametrize("change", ["", "drop", "null", "list", "unknown"])
def test_both_converters_agree_on_events(wire: dict[str, Any], change: str) -> None:
    for name in wire.get("data", {}):
        value = copy.deepcopy(wire)
        match change:
            case "drop":
                del value["data"][name]
            case "null":
                value["data"][name] = None
            case "list":
                value["data"][name] = [1]
            case "unknown":
                value["data"] |= {"new": name}
                value |= {"newer": name}
            case _:
                pass
        for cls in (Event, *get_args(Event)):
            ours, general = read_by_both(value, cls)
            assert ours == general


def test_objects_without_unknown_fields_share_one_extra() -> None:
    first = structure({"model": "a/b"}, ConversationMetadata)
    assert first.extra is NO_EXTRA
    assert copy.deepcopy(first).extra is pickle.loads(pickle.dumps(first)).extra is NO_EXTRA
    assert first.extra == {}
    extra = cast("dict[str, Any]", first.extra)
    for change in (
        lambda: extra.update(a=1),
        lambda: extra.setdefault("a"),
        lambda: extra.__setitem__("a", 1),
        lambda: extra.__ior__({"a": 1}),
    ):
        with pytest.raises(TypeError, match=r"attrs\.evolve"):
            change()
    assert NO_EXTRA == {}


PUBLIC_VALUES: list[Any] = [
    UserMessage(parts=[TextPart(text="a"), FilePart.from_uri("https://a")], message_id="msg_1"),
    PartialResponse(id="resp_1", parts=(TextPart(text="a"), ReasoningPart(reasoning="b"))),
    Response(finish_reason=FinishReason.STOP, parts=(TextPart(text="a"),)),
    Response(
        finish_reason="new",
        usage=Usage(total_tokens=1),
        pending_tool_calls=(ToolCall(id="a", type="function", function=ToolFunction(name="b")),),
    ),
]


@attrs.frozen
class Holder:
    """A custom class with public classes in it."""

    response: Response
    message: UserMessage | None = None


@pytest.mark.parametrize("value", [*PUBLIC_VALUES, Holder(PUBLIC_VALUES[2], PUBLIC_VALUES[0])])
def test_objects_to_wire_to_objects_is_the_identity(value: Any) -> None:
    wire = json.loads(json.dumps(unstructure(value)))
    assert structure(wire, value.__class__) == value


def test_a_part_that_a_request_cannot_have_is_rejected() -> None:
    value: dict[str, Any] = {"role": "user", "parts": [{"kind": "data", "data": {}}]}
    with pytest.raises(DecodeError, match=r"parts\[0\]\.kind.* is not one of 'text'"):
        structure(value, UserMessage)


def test_the_text_of_a_message_is_that_of_its_text_parts() -> None:
    parts = [{"kind": kind, kind: kind} for kind in ("text", "reasoning", "text")]
    value = {
        "_id": "msg_1",
        "conversationId": "conv_1",
        "createdAt": 1,
        "createdById": "user_1",
        "role": "assistant",
        "parts": parts,
    }
    assert structure(value, Message).text == "texttext"

"""Whether a request may have taken effect, and whether the error is temporary, for every class."""

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

import conversations_client
from conversations_client import (
    ConversationsError,
    DecodeError,
    Delivery,
    DisconnectError,
    EventTooLargeError,
    Fault,
    Headers,
    PartialResponse,
    ResponseFailedError,
    ResponseTooLargeError,
    StatusError,
    StreamError,
    StreamTruncatedError,
    TLSError,
    TransportError,
)
from conversations_client.errors import status_error_class, worst_delivery

CLASSES: dict[str, Any] = {
    name: value
    for name in conversations_client.__all__
    if isinstance(value := getattr(conversations_client, name), type)
    and issubclass(value, ConversationsError)
}
TEMPORARY = {408, 425, 429, 500, 502, 503, 504, 507, 508, 511, 520, 529, 599}


def of_status(status: int) -> StatusError:
    return status_error_class(status)(
        "",
        status=status,
        service_message=None,
        headers=Headers(),
        body=b"",
        retry_after=None,
        delivery=Delivery.UNKNOWN,
        request_id=None,
    )


def failed(code: float) -> ResponseFailedError:
    error = ResponseFailedError("", partial=PartialResponse())
    error.service_message, error.code = "", code
    return error


def truncated(reason: ConversationsError | None) -> StreamTruncatedError:
    error = StreamTruncatedError("", partial=PartialResponse())
    error.reason = reason
    return error


def example(name: str) -> ConversationsError:
    """An error of a class."""
    cls = CLASSES[name]
    if issubclass(cls, StatusError):
        return next(error for status in range(600) if type(error := of_status(status)) is cls)
    if issubclass(cls, StreamError):
        made = {"ResponseFailedError": failed(400), "StreamTruncatedError": truncated(None)}
        return made.get(name) or cls("", partial=PartialResponse())
    return cls((Fault("$", "bad"),)) if cls is DecodeError else cls("")


EXAMPLES = {name: example(name) for name in CLASSES}


@pytest.mark.parametrize("error", EXAMPLES.values(), ids=EXAMPLES)
def test_each_class_has_is_temporary(error: ConversationsError) -> None:
    is_temporary = isinstance(error, TransportError) and not isinstance(
        error, TLSError | ResponseTooLargeError
    )
    is_temporary |= isinstance(error, StatusError) and error.status in TEMPORARY
    is_temporary |= isinstance(error, StreamTruncatedError)
    assert error.is_temporary is is_temporary
    assert pickle.loads(pickle.dumps(error)).is_temporary is is_temporary


@pytest.mark.parametrize("error", EXAMPLES.values(), ids=EXAMPLES)
def test_a_copy_of_an_error_names_its_request(error: ConversationsError) -> None:
    assert (error.method, error.template) == (None, None)
    own = copy.copy(error)
    own.method, own.template = "PATCH", "/a/{b}"
    for again in (copy.copy(own), copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
        assert (type(again), again.method, again.template) == (type(error), "PATCH", "/a/{b}")
    assert error.method is None


def test_a_status_decides_whether_it_is_temporary() -> None:
    for status in (*range(300, 500), *TEMPORARY, 501, 505):
        assert of_status(status).is_temporary is (status in TEMPORARY), status
        assert failed(status).is_temporary is (status in TEMPORARY), status


def test_a_broken_stream_is_as_temporary_as_its_reason() -> None:
    assert truncated(None).is_temporary
    assert truncated(DisconnectError("")).is_temporary
    assert not truncated(DecodeError(())).is_temporary
    assert not truncated(ResponseTooLargeError("")).is_temporary
    assert not EventTooLargeError("", partial=PartialResponse()).is_temporary


def test_the_worst_delivery_is_the_least_certain() -> None:
    ordered = [Delivery.UNSENT, Delivery.REFUSED, Delivery.UNKNOWN]
    for first in ordered:
        for second in ordered:
            worst = ordered[max(ordered.index(first), ordered.index(second))]
            assert worst_delivery(first, second) is worst


PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
OWN = {
    "delivery",
    "attempts",
    "request_id",
    "method",
    "template",
    "may_have_acted",
    "is_temporary",
}


def documented() -> dict[str, tuple[set[str], str]]:
    """The page's table: the attributes and `is_temporary` of each class."""
    rows: dict[str, tuple[set[str], str]] = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5:
            for name in re.findall(r"\[`(\w+)`\]\(reference/errors\.md", cells[0]):
                rows[name] = (set(re.findall(r"`(\w+)`", cells[2])), cells[3])
    return rows


def test_the_page_has_a_row_for_each_class_with_what_it_has() -> None:
    rows = documented()
    assert set(rows) == set(CLASSES) - {
        "ConversationsError", "StreamError", "TransportError", "TransportTimeoutError",
    }  # fmt: skip
    for name, (attributes, is_temporary) in rows.items():
        error = EXAMPLES[name]
        annotated = {
            a for base in type(error).__mro__ for a in vars(base).get("__annotations__", ())
        }
        has = {a for a in {*vars(error), *annotated} if not a.startswith("_") and a != "hint"}
        assert attributes == has - OWN, name
        if is_temporary in {"yes", "no"}:
            assert error.is_temporary is (is_temporary == "yes"), name

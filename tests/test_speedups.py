"""The fast JSON parser and the standard library's have the same results and errors."""

import json
import sys
from typing import Any, NoReturn

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_wire import LEAST, conversations, corrupted, json_values

from conversations_client import ConversationPage, DecodeError, structure, unstructure
from conversations_client._json import conversion
from conversations_client._json import parser as reader
from conversations_client._json.typed_pages import read_page

texts = st.text() | st.sampled_from(["\u2028", "\ud800", "\x7f", "é", "😀"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Documents, most of them with one change."""
    ascii_only = draw(st.booleans())
    body = json.dumps(draw(values), ensure_ascii=ascii_only).encode(errors="surrogatepass")
    place = draw(st.integers(0, len(body)))
    return body[:place] + draw(st.binary(max_size=2)) + body[place + draw(st.integers(0, 2)) :]


def read(body: bytes) -> tuple[Any, list[str]]:
    try:
        return repr(reader.parse(body)), []
    except DecodeError as error:
        return None, [str(fault) for fault in error.faults]


def refuse(body: bytes) -> NoReturn:
    raise ValueError


@given(documents())
@example(b"1" * 5000)
@example(b" 1 ")
@example(b"1 1")
@example(b"1" * 400)
@example(b"[1e999, -1e999]")
@example(b'{"a": 1, "a": 2}')
@example(b'"\\ud800"')
@example(b"\xef\xbb\xbf[NaN]")
@example(b"[" * 5000 + b"]" * 5000)
def test_all_readers_agree(body: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "parse_fast", refuse)
        expected = read(body)
        patch.setattr(reader, "parse_fast", reader.scan)
        assert read(body) == expected
    assert reader.parse_fast is not reader.scan
    assert read(body) == expected


def test_without_the_extra_the_standard_library_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "msgspec.json", None)
    assert reader._fastest() is reader.scan
    monkeypatch.setattr(reader, "parse_fast", reader.scan)
    page = structure(reader.parse(b'{"data": [], "has_more": false}'), ConversationPage)
    assert page == ConversationPage(data=(), has_more=False, extra={})


pages = corrupted() | st.fixed_dictionaries(
    {"data": st.lists(conversations, max_size=3), "has_more": st.booleans()},
    optional={"object": st.just("list") | st.text(), "new": json_values},
)


@given(pages)
@example({"data": [], "has_more": True, "object": "list"})
@example({"data": [{**LEAST, "entityId": "a", "metadata": {"entityId": None}}], "has_more": False})
@example(
    {"data": [{**LEAST, "metadata": {"model": None, "generatingTitle": True}}], "has_more": True}
)
@example(
    {"data": [{**LEAST, "createdAt": 2**70, "updatedAt": -0.0, "kind": "new"}], "has_more": True}
)
def test_the_typed_decoder_reads_pages_like_other_readers(page: Any) -> None:
    body = json.dumps(page).encode()
    found = read_page(body)
    try:
        expected = structure(reader.parse(body), ConversationPage)
    except DecodeError:
        assert found is None
        return
    if found is not None:
        assert found == expected
        assert repr(found) == repr(expected)
        assert unstructure(found) == page


def test_a_page_of_known_fields_is_read_by_the_typed_decoder() -> None:
    body = json.dumps({"data": [LEAST] * 100, "has_more": False, "object": "list"}).encode()
    assert read_page(body) == conversion.read(body, ConversationPage)
    assert read_page(b"\xff") is read_page(b"{}") is None
    with pytest.raises(DecodeError):
        conversion.read(body[:-1], ConversationPage)


class ConversationPageOfMine(ConversationPage):
    """A custom class with the name of a class of the package."""


ConversationPageOfMine.__name__ = "ConversationPage"


def test_a_class_of_the_same_name_is_read_as_itself() -> None:
    body = json.dumps({"data": [LEAST] * 100, "has_more": False}).encode()
    assert type(conversion.read(body, ConversationPageOfMine)) is ConversationPageOfMine


def test_without_the_extra_the_standard_library_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert reader.has_speedups()
    monkeypatch.setitem(sys.modules, "msgspec.json", None)
    monkeypatch.setattr(reader, "parse_fast", reader._fastest())
    assert reader.parse_fast is reader.scan
    assert not reader.has_speedups()
    assert reader.scan(b'{"a": [1]}') == {"a": [1]}
    for refused in (b"", b" 1", b"1 ", b"[1]x", b"[NaN]", b"\xff"):
        with pytest.raises((ValueError, TypeError, StopIteration)):
            reader.scan(refused)

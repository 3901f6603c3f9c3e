"""The quicker reader of JSON, and the standard library's: the same results, the same errors."""

import json
from typing import Any, NoReturn

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversations_client import ConversationPage, DecodeError, structure
from conversations_client._json import parser as reader

texts = st.text() | st.sampled_from(["\u2028", "\ud800", "\x7f", "é", "😀"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Documents, most of them spoilt at one place."""
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
        patch.setattr(reader, "quick", refuse)
        expected = read(body)
        patch.setattr(reader, "quick", reader.scan)
        assert read(body) == expected
    assert reader.quick is not reader.scan
    assert read(body) == expected


def test_without_the_extra_the_standard_library_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "msgspec.json", None)
    assert reader._quickest() is reader.scan
    monkeypatch.setattr(reader, "quick", reader.scan)
    page = structure(reader.parse(b'{"data": [], "has_more": false}'), ConversationPage)
    assert page == ConversationPage(data=(), has_more=False, extra={})

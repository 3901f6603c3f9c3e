"""The wrapper of the API key."""

import enum
from typing import Any

import pytest
from attrs import field, frozen

from conversations_client._base.secret import Secret

KEY = "12345678"
SECRET = Secret(KEY)


class Word(enum.StrEnum):
    KEY = "12345678"


@frozen
class Item:
    _name: str
    size: int
    parts: tuple["Item", ...] = ()
    number: int = field(init=False, default=5)


def test_a_secret_equals_only_the_same_secret() -> None:
    assert Secret(KEY) == SECRET
    assert hash(SECRET) == hash(Secret(KEY))
    assert Secret("87654321") != SECRET
    others: list[object] = [KEY, None]
    assert SECRET not in others


def test_a_secret_shows_only_on_request() -> None:
    assert SECRET.reveal() == KEY
    assert repr(SECRET) == str(SECRET) == "Secret(…)"
    assert not hasattr(SECRET, "__dict__")
    assert KEY not in str([getattr(SECRET, name) for name in Secret.__slots__])


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("", ""),
        ("1234567", "1234567"),
        ("12345678", "[redacted]"),
        ("a12345678b12345678", "a[redacted]b[redacted]"),
        (b"a12345678b", b"a[redacted]b"),
        (b"1234567", b"1234567"),
    ],
)
def test_a_secret_is_removed_from_a_text(text: Any, redacted: Any) -> None:
    assert SECRET.redact(text) == redacted


def test_a_short_key_may_be_an_ordinary_word() -> None:
    assert Secret("1234567").redact("1234567") == "1234567"


@pytest.mark.parametrize(
    ("value", "redacted"),
    [
        (None, None),
        (12345678, 12345678),
        ("x12345678", "x[redacted]"),
        ({"12345678": ["12345678", 1]}, {"[redacted]": ["[redacted]", 1]}),
        (("12345678", {"a": None}), ("[redacted]", {"a": None})),
        (Item("12345678", 1), Item("[redacted]", 1)),
        (Item("a", 1, (Item("12345678", 2),)), Item("a", 1, (Item("[redacted]", 2),))),
        ([Word.KEY], [Word.KEY]),
    ],
)
def test_a_secret_is_removed_from_data(value: Any, redacted: Any) -> None:
    found = SECRET.redact_within(value)
    assert found == redacted
    assert type(found) is type(redacted)
    assert not isinstance(value, list) or list(map(type, found)) == list(map(type, redacted))

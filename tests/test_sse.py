"""Server-sent events, split anywhere."""

import itertools
import json
import re
from collections.abc import Iterable
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client._sse.decoder import EventDecoder

BOM = b"\xef\xbb\xbf"
WORDS = {"text": "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg 👩‍👩‍👧 é"}
RAW = json.dumps(WORDS, ensure_ascii=False).encode()

STREAMS: dict[str, tuple[bytes, list[bytes]]] = {
    "nothing": (b"", []),
    "one event": (b"data: a\n\n", [b"a"]),
    "two events": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "carriage returns": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "both": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "mixed line ends": (b"data: a\r\ndata: b\n\r\ndata: c\r\n\rdata: d\r\r\n", [b"a\nb", b"c", b"d"]),
    "a newline and a carriage return are two": (b"data: a\n\rdata: b\n\r", [b"a", b"b"]),
    "a byte order mark": (BOM + b"data: a\n\n", [b"a"]),
    "a byte order mark and an empty line": (BOM + b"\ndata: a\n\n", [b"a"]),
    "two byte order marks": (BOM + BOM + b"data: a\n\ndata: b\n\n", [b"b"]),
    "a byte order mark after a newline": (b"\n" + BOM + b"data: a\n\n", []),
    "a byte order mark later": (b"data: a\n\n" + BOM + b"data: b\n\n", [b"a"]),
    "half a byte order mark": (BOM[:2] + b"data: a\n\ndata: b\n\n", [b"b"]),
    "comments": (b":\n: data: x\n:data\ndata: a\n:\ndata: b\n\n", [b"a\nb"]),
    "keep-alives": (b": ping\n\n:\n\n\n\ndata: a\n\n: ping\n\n", [b"a"]),
    "data with no colon": (b"data\n\n", [b""]),
    "data with nothing": (b"data:\n\ndata: \n\n", [b"", b""]),
    "several lines": (b"data: a\ndata\ndata:\ndata:b\n\n", [b"a\n\n\nb"]),
    "empty lines of data": (b"data\ndata\n\n", [b"\n"]),
    "no space": (b"data:a\n\n", [b"a"]),
    "one space is taken off": (b"data:  a \n\n", [b" a "]),
    "a tab is not": (b"data:\ta\n\n", [b"\ta"]),
    "colons": (b"data: a: b:\n\n", [b"a: b:"]),
    "other fields": (b"event: x\nid: 1\nretry: 5\ndata: a\nnonsense\nfoo: bar\n\n", [b"a"]),
    "fields that are nearly data": (b"dat: a\ndatas: b\n data: c\nData: d\ndata : e\n\n", []),
    "an event without data": (b"event: x\n\ndata: a\n\n", [b"a"]),
    "no blank line at the end": (b"data: a\n\ndata: b\n", [b"a", b"b"]),
    "no line end at the end": (b"data: a\n\ndata: b", [b"a", b"b"]),
    "what only strings end lines at": (b"data: " + RAW + b"\n\n", [RAW]),
    "bytes that are no text": (b"data: \xff\x00\x85\n\n", [b"\xff\x00\x85"]),
}  # fmt: skip


def decoded(chunks: Iterable[bytes], *, limit: int = 10_000) -> list[bytes]:
    """Every event: first those that are available early, then those at the end."""
    decoder = EventDecoder(limit=limit)
    found: list[bytes] = []
    for chunk in chunks:
        decoder.feed(chunk)
        found += iter(decoder.take, None)
    decoder.end()
    found += iter(decoder.take, None)
    assert not decoder.is_overfull
    return found


def expected(stream: bytes) -> list[bytes]:
    """The events of a complete stream, with a slow parser that follows the standard."""
    events: list[bytes] = []
    data = b""
    for line in [*re.split(rb"\r\n|\r|\n", stream.removeprefix(BOM)), b""]:
        name, _, value = line.partition(b":")
        if name == b"data":
            data += value.removeprefix(b" ") + b"\n"
        if line == b"" and data:
            events.append(data[:-1])
            data = b""
    return events


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize(("stream", "events"), STREAMS.values(), ids=STREAMS)
def test_a_stream_split_anywhere_has_the_same_events(stream: bytes, events: list[bytes]) -> None:
    assert expected(stream) == events
    assert decoded([stream]) == events
    assert decoded(cut(stream, range(len(stream)))) == events
    everywhere = range(len(stream) + 1)
    for place in everywhere:
        assert decoded(cut(stream, [place])) == events
    for pair in itertools.combinations(everywhere if len(stream) < 45 else (), 2):
        assert decoded(cut(stream, pair)) == events


def test_json_survives_unicode_line_separators() -> None:
    (data,) = decoded([b"data: " + RAW + b"\n\n"])
    assert json.loads(data) == WORDS


pieces = st.sampled_from([
    b"data", b"data:", b"data: ", b":", b" ", b"event: x", b"id", b"\n", b"\r", b"\r\n", b"\n\n", BOM,
    b"x", b"\x85", b"\xe2\x80\xa8", "é".encode(),
])  # fmt: skip
streams = st.lists(pieces | st.binary(max_size=3), max_size=30).map(b"".join)


@given(streams, st.lists(st.integers(0, 100)))
def test_any_stream_split_anywhere_follows_the_specification(
    stream: bytes, places: list[int]
) -> None:
    chunks = cut(stream, [min(place, len(stream)) for place in places])
    assert decoded(chunks) == expected(stream)


def test_a_carriage_return_ends_an_event_immediately() -> None:
    decoder = EventDecoder(limit=100)
    decoder.feed(b"data: a\r\r")
    assert decoder.take() == b"a"
    decoder.feed(b"")
    decoder.feed(b"\ndata: b\n\n")
    assert (decoder.take(), decoder.take()) == (b"b", None)


def test_a_megabyte_in_many_chunks_is_copied_only_a_few_times() -> None:
    data = b"x" * 2**20
    stream = b"data: " + data + b"\n\n"
    copied = 0

    class Counting(bytearray):
        def __iadd__(self, more: Any) -> Self:  # type: ignore[misc]
            nonlocal copied
            copied += len(more)
            return super().__iadd__(more)

        def __bytes__(self) -> bytes:
            nonlocal copied
            copied += len(self)
            return bytes(memoryview(self))

    decoder = EventDecoder(limit=2**21)
    decoder._rest = Counting()
    for chunk in cut(stream, range(0, len(stream), 1024)):
        decoder.feed(chunk)
    assert decoder.take() == data
    assert len(stream) < copied < 5 * len(stream)


LIMIT = 64
TOO_LARGE = {
    "a long line": b"data: " + b"x" * 1000 + b"\n\n",
    "an endless line": b"data: " + b"x" * 1000,
    "an endless comment": b":" * 1000,
    "a long comment": b":" * 1000 + b"\n",
    "a long field": b"id: " + b"x" * 1000 + b"\n\n",
    "many lines": b"data: 123456\n" * 100 + b"\n",
    "endless lines": b"data: 123456\n" * 100,
    "endless lines of nothing": b"data\n" * 100,
}


@pytest.mark.parametrize("stream", TOO_LARGE.values(), ids=TOO_LARGE)
@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_an_event_over_the_limit_is_detected_and_not_stored(stream: bytes, size: int) -> None:
    decoder = EventDecoder(limit=LIMIT)
    decoder.feed(b"data: before\n\n")
    for chunk in cut(stream, range(0, len(stream), size)):
        decoder.feed(chunk)
        assert len(decoder._rest) + len(decoder._data) <= LIMIT
    seen = [decoder.is_overfull, decoder.take(), decoder.is_overfull]
    decoder.feed(b"\n\ndata: after\n\n")
    decoder.end()
    assert [*seen, decoder.take(), decoder.is_overfull] == [False, b"before", True, None, True]


@pytest.mark.parametrize("stream", [b"data: a\n" + b"data: " + b"x" * 56 + b"\r\n\r\n", b"x" * 64])
def test_the_limit_is_the_same_for_any_chunks(stream: bytes) -> None:
    for size in range(1, len(stream) + 1):
        chunks = cut(stream, range(0, len(stream), size))
        exact, less = EventDecoder(limit=64), EventDecoder(limit=63)
        for chunk in chunks:
            exact.feed(chunk)
            less.feed(chunk)
        assert (exact.is_overfull, less.is_overfull) == (False, True)


def test_many_events_together_may_exceed_the_limit() -> None:
    assert decoded([b"data: 123456789\n\n" * 100], limit=20) == [b"123456789"] * 100
    assert decoded([b": ping\n\n" * 100 + b"data: a\n\n"], limit=20) == [b"a"]


def test_the_limit_counts_every_line_of_an_event_and_no_other_event() -> None:
    decoder = EventDecoder(limit=28)
    decoder.feed(b"data: a\ndata: 123456789\ndata: 123456789\n")
    seen = [decoder.is_overfull]
    decoder.feed(b"data: 1\n")
    assert [*seen, decoder.is_overfull] == [False, True]
    assert decoded([b"data: a\n\ndata: b\n\n"], limit=len(b"data: a")) == [b"a", b"b"]

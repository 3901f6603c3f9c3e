import re

import pytest

from harness import payloads, tables
from harness.ratios import Spread, paired, spread


def test_a_spread_has_a_median_a_minimum_and_a_maximum() -> None:
    assert spread([3.0, 1.0, 2.0, 10.0]) == Spread(2.5, 1.0, 10.0)


def test_ratios_are_taken_within_a_round() -> None:
    slow, fast = {"ours": 40.0, "httpx": 100.0}, {"ours": 5.0, "httpx": 10.0}
    assert paired([slow, fast, slow], "httpx") == {
        "ours": Spread(0.4, 0.4, 0.5),
        "httpx": Spread(1.0, 1.0, 1.0),
    }


def test_a_contender_that_missed_a_round_has_the_other_rounds() -> None:
    rounds = [{"httpx": 2.0}, {"ours": 1.0, "httpx": 4.0}]
    assert paired(rounds, "httpx")["ours"] == Spread(0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Spread(0.463, 0.44, 0.4949), "0.46 (0.44-0.49)"),
        (Spread(0.0412, 0.04, 1.5), "0.041 (0.040-1.50)"),
        (Spread(31.6, 9.99, 33.4), "32 (9.99-33)"),
    ],
)
def test_ratio(value: Spread, words: str) -> None:
    assert tables.ratio(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(5.4e-6, "5.4 µs"), (0.0125, "12.5 ms"), (3.25, "3.25 s")]
)
def test_seconds(value: float, words: str) -> None:
    assert tables.seconds(value) == words


def test_table() -> None:
    assert tables.table(["", "sync"], [["ours", "0.5"]]) == (
        "|  | sync |\n| --- | ---: |\n| ours | 0.5 |"
    )


def test_only_the_section_is_replaced() -> None:
    old = "a\n<!-- t: begin -->\nold\n<!-- t: end -->\nb\n"
    new = "a\n<!-- t: begin -->\n\nnew\n\n<!-- t: end -->\nb\n"
    assert tables.replaced(old, "t", "new") == new
    assert tables.replaced(new, "t", "new") == new
    with pytest.raises(ValueError, match="no section 'u'"):
        tables.replaced(old, "u", "new")


@pytest.mark.parametrize(("events", "per_chunk"), [(2, 1), (3, 1), (100, 32), (66, 32), (34, 32)])
def test_a_stream_has_the_requested_events_per_chunk(events: int, per_chunk: int) -> None:
    sent = b"".join(chunk * count for chunk, count in payloads.chunks(events, per_chunk))
    sizes: list[int] = []
    while size := int(sent[: sent.index(b"\r\n")], 16):
        body = sent[sent.index(b"\r\n") + 2 :]
        sizes.append(len(re.findall(rb"^data: ", body[:size], re.MULTILINE)))
        sent = body[size + 2 :]
    assert sent == b"0\r\n\r\n"
    assert sum(sizes) == events
    assert max(sizes) <= per_chunk

"""When the next of many may be sent: times in, seconds out."""

import math

from hypothesis import given
from hypothesis import strategies as st

from conversations_client._throttle import Throttle


def test_without_a_rate_nobody_waits() -> None:
    throttle = Throttle(rate=None)
    for index in range(3):
        assert throttle.wait(100.0) == 0
        throttle.sent(index, now=100.0)


def test_a_rate_is_kept_from_the_first_on() -> None:
    throttle = Throttle(rate=4)
    throttle.sent(0, now=100.0)
    assert throttle.wait(100.0) == 0.25
    throttle.sent(1, now=100.25)
    assert throttle.wait(100.25) == 0.25
    assert throttle.wait(100.5) == 0


def test_a_small_delay_is_made_up_for_and_a_long_one_is_not() -> None:
    throttle = Throttle(rate=16)
    throttle.sent(0, now=100.0)
    throttle.sent(1, now=100.09375)  # 1/32 s late
    assert throttle.wait(100.09375) == 0.03125
    throttle.sent(2, now=200.0)
    assert throttle.wait(200.0) == 0


@given(
    rate=st.floats(0.5, 5_000),
    steps=st.lists(st.floats(0, 2), max_size=200),
)
def test_no_more_are_sent_than_the_rate_allows(rate: float, steps: list[float]) -> None:
    throttle = Throttle(rate=rate)
    now, sent = 0.0, [0.0]
    throttle.sent(0, now=now)
    for step in steps:
        now += step
        while throttle.wait(now) == 0 and len(sent) < 2_000:
            sent.append(now)
            throttle.sent(len(sent), now=now)
    for at in {*sent}:
        assert sum(at <= other <= at + 1 for other in sent) <= rate * 1.1 + 2


def test_one_that_is_put_off_has_all_wait_and_then_one_goes_ahead() -> None:
    throttle = Throttle(rate=None)
    for index in range(3):
        throttle.sent(index, now=100.0)
    throttle.put_off(1, pause=2.0, now=100.0)
    throttle.put_off(2, pause=1.0, now=100.5)
    throttle.answered(0)
    assert throttle.wait(101.0) == 1.0
    assert throttle.wait(102.0) == 0
    throttle.sent(1, now=102.0)
    assert throttle.wait(102.0) == math.inf
    throttle.put_off(1, pause=4.0, now=102.5)
    assert throttle.wait(102.5) == 4.0
    throttle.sent(1, now=106.5)
    throttle.answered(1)
    throttle.sent(2, now=106.5)
    assert throttle.wait(106.5) == 0

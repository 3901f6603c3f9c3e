"""When the next request can be sent."""

import gc
import math
import sys
import threading

from hypothesis import given
from hypothesis import strategies as st

from conversations_client._base.secret import Secret
from conversations_client._client.many import shared_backoff as module
from conversations_client._client.many.rate_limiter import RateLimiter
from conversations_client._client.many.shared_backoff import Pause, SharedBackoff, shared_backoff


def test_without_a_rate_nothing_waits() -> None:
    throttle = RateLimiter(rate=None)
    for index in range(3):
        assert throttle.wait(100.0) == 0
        throttle.sent(index, now=100.0)


def test_the_rate_applies_from_the_first_request() -> None:
    throttle = RateLimiter(rate=4)
    throttle.sent(0, now=100.0)
    assert throttle.wait(100.0) == 0.25
    throttle.sent(1, now=100.25)
    assert throttle.wait(100.25) == 0.25
    assert throttle.wait(100.5) == 0


def test_a_small_delay_is_compensated_and_a_long_one_is_not() -> None:
    throttle = RateLimiter(rate=16)
    throttle.sent(0, now=100.0)
    throttle.sent(1, now=100.09375)  # 1/32 s late
    assert throttle.wait(100.09375) == 0.03125
    throttle.sent(2, now=200.0)
    assert throttle.wait(200.0) == 0


@given(
    rate=st.floats(0.5, 5_000),
    steps=st.lists(st.floats(0, 2), max_size=200),
)
def test_requests_never_exceed_the_rate(rate: float, steps: list[float]) -> None:
    throttle = RateLimiter(rate=rate)
    now, sent = 0.0, [0.0]
    throttle.sent(0, now=now)
    for step in steps:
        now += step
        while throttle.wait(now) == 0 and len(sent) < 2_000:
            sent.append(now)
            throttle.sent(len(sent), now=now)
    for at in {*sent}:
        assert sum(at <= other <= at + 1 for other in sent) <= rate * 1.1 + 2


def test_a_throttled_request_makes_all_wait_and_then_one_probes() -> None:
    throttle = RateLimiter(rate=None)
    for index in range(3):
        throttle.sent(index, now=100.0)
    throttle.throttled(1, pause=2.0, now=100.0)
    throttle.throttled(2, pause=1.0, now=100.5)
    throttle.completed(0)
    assert throttle.wait(101.0) == 1.0
    assert throttle.wait(102.0) == 0
    throttle.sent(1, now=102.0)
    assert throttle.wait(102.0) == math.inf
    throttle.throttled(1, pause=4.0, now=102.5)
    assert throttle.wait(102.5) == 4.0
    throttle.sent(1, now=106.5)
    throttle.completed(1)
    throttle.sent(2, now=106.5)
    assert throttle.wait(106.5) == 0


def test_all_users_of_a_shared_backoff_wait_and_send_a_probe() -> None:
    pause = SharedBackoff()
    mine, other = RateLimiter(rate=None, backoff=pause), RateLimiter(rate=None, backoff=pause)
    for throttle in (mine, other):
        throttle.sent(0, now=100.0)
    mine.throttled(0, pause=2.0, now=100.0)
    assert other.wait(101.0) == 1.0
    other.completed(0)  # from before the delay
    for throttle in (mine, other):
        assert throttle.wait(102.0) == 0
        throttle.sent(1, now=102.0)
        assert throttle.wait(102.0) == math.inf
    mine.throttled(1, pause=3.0, now=102.5)
    other.completed(1)
    assert other.wait(102.5) == mine.wait(102.5) == 3.0


def test_a_shared_backoff_needs_one_probe() -> None:
    backoff = SharedBackoff()
    limiter = RateLimiter(rate=None, backoff=backoff)
    backoff.extend(Pause(102.0, 2.0))
    limiter.sent(0, now=102.0)
    limiter.completed(0)
    limiter.sent(1, now=102.0)
    assert limiter.wait(102.0) == 0


def test_a_backoff_is_never_shortened() -> None:
    pause = SharedBackoff()
    one, other = RateLimiter(rate=None, backoff=pause), RateLimiter(rate=None, backoff=pause)
    one.throttled(0, pause=5.0, now=100.0)
    other.throttled(0, pause=1.0, now=100.0)
    assert one.wait(100.0) == other.wait(100.0) == 5.0


def test_a_backoff_is_shared_by_service_and_key_while_it_is_referenced() -> None:
    held = shared_backoff("http://a", Secret("one-key"))
    assert shared_backoff("http://a", Secret("one-key")) is held
    assert shared_backoff("http://a", Secret("another")) is not held
    assert shared_backoff("http://b", Secret("one-key")) is not held
    held.extend(Pause(5.0, 5.0))
    del held
    gc.collect()
    assert shared_backoff("http://a", Secret("one-key")).pause.until == -math.inf


def test_unused_backoffs_are_removed() -> None:
    for number in range(9):
        shared_backoff(f"http://unused-{number}", Secret("one-key"))
    gc.collect()
    used = shared_backoff("http://used", Secret("one-key"))
    assert [each() for each in module._backoffs.values() if each() in {None, used}] == [used]


def test_concurrent_threads_share_one_backoff() -> None:
    """Without a lock or an atomic step, the threads would create two."""
    threads = 8
    switches = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(300):
            barrier = threading.Barrier(threads)
            found: list[SharedBackoff] = []

            def ask(barrier: threading.Barrier, found: list[SharedBackoff], number: int) -> None:
                barrier.wait(timeout=60)
                found.append(shared_backoff(number, Secret("key")))

            asking = [
                threading.Thread(target=ask, args=(barrier, found, number)) for _ in range(threads)
            ]
            for thread in asking:
                thread.start()
            for thread in asking:
                thread.join(timeout=60)
            assert len(found) == threads
            assert len({id(backoff) for backoff in found}) == 1
    finally:
        sys.setswitchinterval(switches)

"""The clocks, the randomness and the sleep that an engine uses."""

import random
import time
import uuid
from collections.abc import Awaitable, Callable

from attrs import field, frozen

from conversations_client._http.streams import watchdog
from conversations_client._http.streams.clock import monotonic


def _wall() -> float:
    # Looked up now: a test may have replaced it before or after this module was imported.
    return time.time()


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


@frozen(kw_only=True)
class Environment:
    """What an engine uses besides the network; tests inject their own.

    Attributes:
        clock: Seconds of a clock that never stops or jumps; deadlines are measured on it.
        wall: Unix time in seconds; dates in headers are compared with it.
        jitter: A random number from 0 to 1.
        new_key: Makes an idempotency key.
        sleep: Waits so many seconds.
        sleep_async: Waits so many seconds on asyncio and trio.
    """

    clock: Callable[[], float] = monotonic
    wall: Callable[[], float] = _wall
    jitter: Callable[[], float] = random.random
    new_key: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    sleep: Callable[[float], None] = _sleep
    sleep_async: Callable[[float], Awaitable[None]] = watchdog.sleep

"""The clocks, the randomness and the sleep that an engine uses."""

import os
import time
from collections.abc import Awaitable, Callable

from attrs import frozen

from conversations_client._http.streams import watchdog
from conversations_client._http.streams.clock import monotonic


def _wall() -> float:
    # Looked up now: a test may have replaced it before or after this module was imported.
    return time.time()


def _jitter() -> float:
    # Imported for the first retry: most programs need none.
    from random import random

    return random()  # noqa: S311 - it spreads load, and protects nothing


def _new_key() -> str:
    return os.urandom(16).hex()


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
    jitter: Callable[[], float] = _jitter
    new_key: Callable[[], str] = _new_key
    sleep: Callable[[float], None] = _sleep
    sleep_async: Callable[[float], Awaitable[None]] = watchdog.sleep

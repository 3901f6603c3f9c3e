"""The engine's clocks, random numbers and sleep functions."""

import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import frozen

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.wakeup import Wakeup
from conversations_client._http.streams.clock import monotonic

if TYPE_CHECKING:
    from .async_wakeup import AsyncWakeup


def _wall() -> float:
    # Look up time.time on each call, because a test may replace it.
    return time.time()


def _jitter() -> float:
    # Imported on the first retry, because most programs never retry.
    lazy_import("random")
    from random import random

    return random()  # noqa: S311 - not for security


def _new_key() -> str:
    return os.urandom(16).hex()


def _sleep(seconds: float, wakeup: Wakeup) -> None:
    wakeup.wait(seconds)


async def _sleep_async(seconds: float, wakeup: "AsyncWakeup") -> None:
    await wakeup.wait(seconds)


@frozen(kw_only=True)
class Environment:
    """The system functions that an engine uses; tests inject their own.

    Attributes:
        clock: Monotonic time in seconds, for deadlines.
        wall: Unix time in seconds, for dates in headers.
        jitter: Returns a random number from 0 to 1.
        new_key: Returns a random idempotency key.
        sleep: Sleeps for a number of seconds, or until the wakeup is set.
        sleep_async: The same for asyncio and trio.
    """

    clock: Callable[[], float] = monotonic
    wall: Callable[[], float] = _wall
    jitter: Callable[[], float] = _jitter
    new_key: Callable[[], str] = _new_key
    sleep: Callable[[float, Wakeup], object] = _sleep
    sleep_async: "Callable[[float, AsyncWakeup], Awaitable[object]]" = _sleep_async

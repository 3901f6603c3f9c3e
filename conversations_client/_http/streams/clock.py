"""The clock for deadlines."""

import time
from functools import partial


def real_clock() -> "partial[float]":
    """A monotonic clock that freezegun can't stop.

    freezegun replaces `time.monotonic` and `time.perf_counter` in all modules. With a stopped
    clock, a deadline would never be reached.
    """
    # Windows has no clock_gettime(): there, import the package before time is frozen.
    if hasattr(time, "clock_gettime"):
        return partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    return partial(time.perf_counter)


monotonic = real_clock()
"""Monotonic time in seconds, which freezegun can't stop."""

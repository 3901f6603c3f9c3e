"""The clock that deadlines are measured with."""

import time
from functools import partial


def real_clock() -> "partial[float]":
    """The seconds of a clock that keeps running where a test freezes time.

    freezegun replaces `time.monotonic` and `time.perf_counter`, for modules that are imported
    before and after. A deadline on a clock that stands still never ends.
    """
    # Windows has no clock_gettime; its clock is real if the package is imported before the freeze.
    if hasattr(time, "clock_gettime"):
        return partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    return partial(time.perf_counter)


monotonic = real_clock()
"""Seconds since some moment in the past; never goes back, stands still or jumps."""

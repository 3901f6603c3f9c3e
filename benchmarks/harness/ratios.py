"""Summarizes measurements of several rounds. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """A median with its minimum and maximum."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The spread of one or more values."""
    return Spread(median(values), min(values), max(values))


def paired(rounds: Sequence[Mapping[str, float]], baseline: str) -> dict[str, Spread]:
    """The ratio of each contender to the baseline of the same round.

    A temporary disturbance of the machine affects a whole round, so it hardly affects the ratios.
    """
    ratios: dict[str, list[float]] = {}
    for costs in rounds:
        for name, cost in costs.items():
            ratios.setdefault(name, []).append(cost / costs[baseline])
    return {name: spread(values) for name, values in ratios.items()}

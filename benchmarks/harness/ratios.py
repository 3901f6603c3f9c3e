"""Measurements of several rounds as one figure with its spread. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """A median with the least and the most."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The spread of at least one value."""
    return Spread(median(values), min(values), max(values))


def paired(rounds: Sequence[Mapping[str, float]], baseline: str) -> dict[str, Spread]:
    """Each one's ratio to the baseline of the same round, over those rounds that it was in.

    What disturbs a machine for a while disturbs the whole of a round, and so not its ratios.
    """
    ratios: dict[str, list[float]] = {}
    for costs in rounds:
        for name, cost in costs.items():
            ratios.setdefault(name, []).append(cost / costs[baseline])
    return {name: spread(values) for name, values in ratios.items()}

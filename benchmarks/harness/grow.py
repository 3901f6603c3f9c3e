"""Measures how cost grows with tasks, the length of listings and the length of streams."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.measuring import Measurement
from harness.plots import Panel, draw
from harness.processes import ROOT, Work, machine, measure, serving
from harness.roster import AIOHTTP, HTTPX, HTTPX2, HTTPX_AIOHTTP, OURS, Contender

FOLDER = ROOT / "docs" / "benchmarks"

Points = list[tuple[float, Measurement]]


@dataclass(frozen=True)
class Growth:
    """A quantity that grows.

    Attributes:
        name: The name of its plot.
        across: The label of the horizontal axis.
        steps: The quantities, each with its work.
        contenders: The measured contenders.
        title: The title of the left panel, with its unit.
        figure: Computes the value in the left panel from a measurement.
    """

    name: str
    across: str
    steps: Sequence[tuple[int, Work]]
    contenders: Sequence[Contender]
    title: str
    figure: Callable[[Measurement], float]


def calls_per_second(measured: Measurement) -> float:
    """The calls per second of all tasks."""
    return measured["count"] / measured["wall"]


def microseconds(measured: Measurement) -> float:
    """The CPU microseconds per conversation or event."""
    return measured["cpu"] / measured["count"] * 1e6


def mebibytes(measured: Measurement) -> float:
    """The peak memory of the process in MiB, including the interpreter."""
    return measured["peak"] / 2**20


def growths(*, quick: bool) -> tuple[Growth, ...]:
    """The growths to measure; `quick` omits the last steps of each."""
    tasks = (1, 8, 64, 256) if quick else (1, 8, 64, 256, 512, 1_000, 2_000)
    return (
        Growth(
            "tasks",
            "tasks",
            [(count, Work("create_async", max(1_000, count), tasks=count)) for count in tasks],
            (OURS, AIOHTTP, HTTPX_AIOHTTP, HTTPX),
            "create requests per second",
            calls_per_second,
        ),
        Growth(
            "listing",
            "conversations listed",
            [(10**power, Work("listing", 10**power)) for power in range(3, 5 if quick else 7)],
            (OURS, HTTPX),
            "CPU per conversation, µs",
            microseconds,
        ),
        Growth(
            "streams",
            "events of one stream",
            [(10**power, Work("events", 10**power)) for power in range(2, 5 if quick else 6)],
            (OURS, HTTPX, HTTPX2),
            "CPU per event, µs",
            microseconds,
        ),
    )


def grown(growth: Growth, url: str) -> dict[str, Points]:
    """The measurements of each contender that has the scenario."""
    found: dict[str, Points] = {}
    for step, work in growth.steps:
        for contender in growth.contenders:
            print(f"{growth.name}, {step:,}: {contender.module}…", file=sys.stderr, flush=True)
            measured = measure(contender, url, work)
            if measured is not None:
                found.setdefault(contender.label.strip("*"), []).append((step, measured))
    return found


def plot(growth: Growth, found: dict[str, Points]) -> None:
    """Write the plot of a growth."""

    def curves(figure: Callable[[Measurement], float]) -> dict[str, list[tuple[float, float]]]:
        return {
            label: [(step, figure(measured)) for step, measured in points]
            for label, points in found.items()
        }

    left = Panel(growth.title, curves(growth.figure), growth.figure is calls_per_second)
    right = Panel("peak memory of the process, MiB", curves(mebibytes))
    draw(FOLDER / f"{growth.name}.svg", growth.across, (left, right))


def main() -> None:
    """Measure, then write the plots and their data."""
    parser = argparse.ArgumentParser(prog="benchmarks/grow", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="skip the longest steps")
    parser.add_argument("--write-docs", action="store_true", help="write the plots in docs/")
    chosen = parser.parse_args()
    everything = growths(quick=chosen.quick)
    with serving() as url:
        results = {growth.name: grown(growth, url) for growth in everything}
    text = json.dumps({"machine": machine(), "growth": results}, indent=1)
    if not chosen.write_docs:
        print(text)
        return
    (FOLDER / "grow.json").write_text(text)
    for growth in everything:
        plot(growth, results[growth.name])


if __name__ == "__main__":
    main()

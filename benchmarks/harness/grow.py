"""How cost grows with tasks, with the length of a listing and with that of a stream."""

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
    """One thing that grows.

    Attributes:
        name: Of its plot.
        across: What grows, in words.
        steps: How far, and the work at each step.
        contenders: Who is measured.
        title: What the left panel shows, with its unit.
        figure: That, of a measurement.
    """

    name: str
    across: str
    steps: Sequence[tuple[int, Work]]
    contenders: Sequence[Contender]
    title: str
    figure: Callable[[Measurement], float]


def calls_per_second(measured: Measurement) -> float:
    """How many calls all tasks make together."""
    return measured["count"] / measured["wall"]


def microseconds(measured: Measurement) -> float:
    """The CPU for one conversation or event."""
    return measured["cpu"] / measured["count"] * 1e6


def mebibytes(measured: Measurement) -> float:
    """What the process held at its peak, the interpreter and all."""
    return measured["peak"] / 2**20


def growths(*, quick: bool) -> tuple[Growth, ...]:
    """What is measured; the quick way leaves out the last step or two of each."""
    tasks = (1, 8, 64, 256) if quick else (1, 8, 64, 256, 512, 1_000, 2_000)
    return (
        Growth(
            "tasks",
            "tasks",
            [(count, Work("create_async", max(1_000, count), tasks=count)) for count in tasks],
            (OURS, AIOHTTP, HTTPX_AIOHTTP, HTTPX),
            "creates per second",
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
    """The measurements of each contender that is able to."""
    found: dict[str, Points] = {}
    for step, work in growth.steps:
        for contender in growth.contenders:
            print(f"{growth.name}, {step:,}: {contender.module}…", file=sys.stderr, flush=True)
            measured = measure(contender, url, work)
            if measured is not None:
                found.setdefault(contender.label.strip("*"), []).append((step, measured))
    return found


def plot(growth: Growth, found: dict[str, Points]) -> None:
    """Write the plot of one growth."""

    def curves(figure: Callable[[Measurement], float]) -> dict[str, list[tuple[float, float]]]:
        return {
            label: [(step, figure(measured)) for step, measured in points]
            for label, points in found.items()
        }

    left = Panel(growth.title, curves(growth.figure), growth.figure is calls_per_second)
    right = Panel("peak memory of the process, MiB", curves(mebibytes))
    draw(FOLDER / f"{growth.name}.svg", growth.across, (left, right))


def main() -> None:
    """Measure, and write the plots and the figures behind them."""
    parser = argparse.ArgumentParser(prog="benchmarks/grow", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    parser.add_argument("--write-docs", action="store_true", help="write the plots of docs/")
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

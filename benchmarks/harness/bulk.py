"""Measures the speed (against a plain loop, with a journal, on Dask) or memory of bulk calls."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from urllib.request import urlopen

from harness import tables
from harness.measuring import Measurement
from harness.processes import ROOT, Work, machine, measure, serving
from harness.ratios import Spread, paired, spread
from harness.roster import HTTPX, ON_DASK, OURS, Contender

PAGE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "docs" / "benchmarks"
AT_ONCE = 16
LATE = 20  # milliseconds that the server takes to respond to Dask's workers
RUN_TIMEOUT = 3000.0  # seconds for one process, which may create a million rows
FLAT = 4 * 2**20  # bytes that the longest run may use beyond the shortest

Round = dict[str, Measurement]
Works = dict[str, tuple[Contender, Work]]

_SYNC, _ASYNC = "a loop that calls httpx, threads", "a loop that calls httpx, tasks"
_MANY, _IMPORT = "create_many, sync", "import_file, with its journal"
_EXPORT = "export_with_messages, to JSON Lines"
BASELINES: dict[str, tuple[Contender, str, str]] = {
    _SYNC: (HTTPX, "many", _SYNC),
    _MANY: (OURS, "many", _SYNC),
    _IMPORT: (OURS, "imported", _MANY),
    _ASYNC: (HTTPX, "many_async", _ASYNC),
    "create_many, async": (OURS, "many_async", _ASYNC),
}
"""The measured scenarios, each with its baseline."""


def rounds(works: Works, url: str, count: int) -> list[Round]:
    """Run each work once per round, in alternating order."""
    found: list[Round] = []
    for number in range(count):
        done: Round = {}
        for name in list(works)[:: -1 if number % 2 else 1]:
            contender, work = works[name]
            print(f"round {number + 1}: {name}…", file=sys.stderr, flush=True)
            measured = measure(contender, url, work, timeout=RUN_TIMEOUT)
            assert measured is not None  # noqa: S101 - each contender has the scenario
            done[name] = measured
        found.append({name: done[name] for name in works})
    return found


def rows_per_second(done: Round) -> dict[str, float]:
    """The rates of one round."""
    return {name: measured["count"] / measured["wall"] for name, measured in done.items()}


def cpu(done: Round, name: str) -> float:
    """The CPU seconds per row."""
    return done[name]["cpu"] / done[name]["count"]


def rate_table(found: Sequence[Round], baselines: dict[str, str], *, with_cpu: bool) -> str:
    """Rows per second, the ratio to the baseline, and the CPU time per row."""
    heads = ["", "rows", "ratio", "CPU per row"][: 4 if with_cpu else 3]
    rates = [rows_per_second(done) for done in found]
    rows: list[list[str]] = []
    for name, baseline in baselines.items():
        absolute = spread([rate[name] for rate in rates]).median
        ratio: Spread = paired(rates, baseline)[name]
        beside = "1.00" if name == baseline else f"{tables.ratio(ratio)} vs. {baseline}"
        taken = tables.seconds(spread([cpu(done, name) for done in found]).median)
        rows.append([name, f"{absolute:,.0f}/s", beside, taken][: len(heads)])
    return tables.table(heads, rows)


def journal_costs(found: Sequence[Round]) -> str:
    """A sentence on what an import costs in addition to its create calls."""
    more = spread([cpu(done, _IMPORT) - cpu(done, _MANY) for done in found])
    usual, low, high = map(tables.seconds, (more.median, more.low, more.high))
    return f"The file and its journal add {usual} ({low}-{high}) of CPU time per row."


def rates(*, quick: bool) -> tuple[str, object]:
    """The section on rates, and its measurements."""
    count, times = (500, 1) if quick else (2_000, 7)
    beside = {name: (who, Work(does, count, AT_ONCE)) for name, (who, does, _) in BASELINES.items()}
    spreads = {
        f"{size} worker{'s' * (size > 1)}": (ON_DASK, Work("spread", size * 400, size))
        for size in (1, 2, 4)
    }
    with serving() as url:
        found = rounds(beside, url, times)
        with urlopen(f"{url}/late/{LATE}") as told:  # noqa: S310 - our own
            told.read()
        scaled = rounds(spreads, url, 1 if quick else 3)
    dask = (
        "Dask, one process per worker, 4 rows in flight per worker, a service that responds in "
        f"{LATE} ms:"
    )
    section = "\n\n".join(
        (
            f"{machine()}. {AT_ONCE} in flight; median (min-max) of {times} rounds:",
            rate_table(found, {name: row[-1] for name, row in BASELINES.items()}, with_cpu=True),
            journal_costs(found),
            dask,
            rate_table(scaled, dict.fromkeys(spreads, "1 worker"), with_cpu=False),
        )
    )
    return section, [found, scaled]


KEPT = {
    _MANY: "many",
    "create_many, async": "many_async",
    _IMPORT: "imported",
    _EXPORT: "exported",
}
"""The scenarios whose memory is measured."""


def memory(*, quick: bool) -> tuple[str, object]:
    """The section on memory, and its measurements; exits with an error if memory grows."""
    lengths = (1_000, 10_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    rows: list[list[str]] = []
    found: dict[str, list[float]] = {}
    for name, scenario in KEPT.items():
        works = {f"{name}, {n:,}": (OURS, Work(scenario, n, AT_ONCE)) for n in lengths}
        with serving() as url:  # a server for each scenario, because a server stops after an hour
            (done,) = rounds(works, url, 1)
        found[name] = peaks = [measured["peak"] for measured in done.values()]
        more = (f"{(peak - peaks[0]) / 2**20:+.1f} MiB" for peak in peaks[1:])
        rows.append([name, f"{peaks[0] / 2**20:.1f} MiB", *more])
    heads = [f"{n:,} rows" for n in lengths]
    section = f"{machine()}. {AT_ONCE} in flight; peak memory of the process:\n\n" + (
        tables.table(["", *heads], rows)
    )
    grown = [name for name, peaks in found.items() if peaks[-1] - peaks[0] > FLAT]
    if grown:
        print(section)
        sys.exit(f"Memory use grows with the number of rows: {', '.join(grown)}.")
    return section, found


def main() -> None:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(prog="benchmarks/bulk", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds")
    parser.add_argument(
        "--memory", action="store_true", help="measure memory use for up to a million rows"
    )
    parser.add_argument("--write-docs", action="store_true", help="write docs/performance.md")
    chosen = parser.parse_args()
    name = "bulk-memory" if chosen.memory else "bulk"
    sections: dict[str, Callable[..., tuple[str, object]]] = {"bulk": rates, "bulk-memory": memory}
    section, measured = sections[name](quick=chosen.quick)
    if not chosen.write_docs:
        print(section)
        return
    (FIGURES / f"{name}.json").write_text(json.dumps(measured, indent=1))
    tables.write_section(PAGE, name, section)


if __name__ == "__main__":
    main()

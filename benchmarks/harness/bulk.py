"""Many creates: beside a bare loop, in memory, with the journal, and over processes."""

import argparse
import json
import sys
from collections.abc import Sequence
from urllib.request import urlopen

from harness import tables
from harness.measuring import Measurement
from harness.processes import ROOT, Work, machine, measure, serving
from harness.ratios import Spread, paired, spread
from harness.roster import HTTPX, ON_DASK, OURS, Contender

PAGE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "docs" / "benchmarks" / "bulk.json"
AT_ONCE = 16
LATE = 20  # milliseconds that the server takes where processes are counted

Round = dict[str, Measurement]


def rounds(works: dict[str, tuple[Contender, Work]], url: str, count: int) -> list[Round]:
    """So many rounds, each with every work once."""
    found: list[Round] = []
    for number in range(count):
        done: Round = {}
        for name, (contender, work) in works.items():
            print(f"round {number + 1}: {name}…", file=sys.stderr, flush=True)
            measured = measure(contender, url, work)
            assert measured is not None  # noqa: S101 - each can do what it is given
            done[name] = measured
        found.append(done)
    return found


def rows_per_second(done: Round) -> dict[str, float]:
    """The rates of one round."""
    return {name: measured["count"] / measured["wall"] for name, measured in done.items()}


def rate_table(found: Sequence[Round], baselines: dict[str, str]) -> str:
    """Rows per second, and beside what each is measured."""
    rates = [rows_per_second(done) for done in found]
    rows: list[list[str]] = []
    for name, baseline in baselines.items():
        absolute = spread([rate[name] for rate in rates]).median
        ratio: Spread = paired(rates, baseline)[name]
        beside = "1.00" if name == baseline else f"{tables.ratio(ratio)} of {baseline}"
        rows.append([name, f"{absolute:,.0f}/s", beside])
    return tables.table(["", "rows", "beside"], rows)


def memory_table(found: Round) -> str:
    """The peak of the process for each length."""
    cells = [f"{measured['peak'] / 2**20:.1f} MiB" for measured in found.values()]
    return tables.table(["rows", *found], [["peak memory", *cells]])


def main() -> None:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(prog="benchmarks/bulk", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds")
    parser.add_argument("--write-docs", action="store_true", help="write docs/performance.md")
    chosen = parser.parse_args()
    count, times = (500, 1) if chosen.quick else (2_000, 5)
    beside = {
        "a loop of httpx, threads": (HTTPX, Work("many", count, AT_ONCE)),
        "create_many, sync": (OURS, Work("many", count, AT_ONCE)),
        "import_file, with its journal": (OURS, Work("imported", count, AT_ONCE)),
        "a loop of httpx, tasks": (HTTPX, Work("many_async", count, AT_ONCE)),
        "create_many, async": (OURS, Work("many_async", count, AT_ONCE)),
    }
    lengths = (1_000, 10_000) if chosen.quick else (1_000, 10_000, 100_000)
    spreads = {str(size): (ON_DASK, Work("spread", size * 400, size)) for size in (1, 2, 4)}
    with serving() as url:
        rates = rounds(beside, url, times)
        growth = {f"{n:,}": (OURS, Work("many_async", n, AT_ONCE)) for n in lengths}
        (memory,) = rounds(growth, url, 1)
        with urlopen(f"{url}/late/{LATE}") as told:  # noqa: S310 - our own
            told.read()
        scaled = rounds(spreads, url, 1 if chosen.quick else 3)
    section = "\n\n".join(
        (
            f"{machine()}. {AT_ONCE} in flight; median (least-most) of the rounds:",
            rate_table(rates, dict(zip(beside, _BASELINES, strict=True))),
            "Memory, async:",
            memory_table(memory),
            f"Dask workers of a process each, 4 rows in flight, a service that takes {LATE} ms:",
            rate_table(scaled, dict.fromkeys(spreads, "1")),
        )
    )
    if not chosen.write_docs:
        print(section)
        return
    FIGURES.write_text(json.dumps([rates, memory, scaled], indent=1))
    tables.write_section(PAGE, "bulk", section)


_SYNC, _ASYNC = "a loop of httpx, threads", "a loop of httpx, tasks"
_BASELINES = (_SYNC, _SYNC, "create_many, sync", _ASYNC, _ASYNC)


if __name__ == "__main__":
    main()

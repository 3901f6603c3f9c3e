"""Compares the cost of calls; writes the tables of docs/performance.md."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness import tables
from harness.columns import COSTS, OBJECTS, RATES, Column, run
from harness.measuring import Measurement
from harness.processes import ROOT, Work, machine, measure, serving
from harness.report import Results, cost_table, folded_ranges, rate_table, server_words
from harness.roster import SOCKETS
from harness.tables import extremes

DOCUMENT = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "docs" / "benchmarks" / "compare.json"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks/compare", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, without calls per second")
    parser.add_argument("--write-docs", action="store_true", help=f"write {DOCUMENT.name}")
    parser.add_argument("--json", type=Path, help="the file for all measurements")
    return parser.parse_args()


def written(ceiling: Measurement, results: Results, rates: Sequence[Column]) -> str:
    """The section of the document, with medians and collapsed ranges."""
    parts = [f"{machine()}. CPU time relative to plain httpx (median):"]
    parts += [cost_table(COSTS, results)]
    memory = (
        "Peak memory of the process, relative to plain httpx, and memory per object (excluding the "
        "parsed JSON), relative to the service's own SDK:"
    )
    parts += [memory, cost_table(OBJECTS, results)]
    ranges = [cost_table(COSTS, results, extremes), cost_table(OBJECTS, results, extremes)]
    if rates:
        parts += ["Calls per second, and the ratio to plain aiohttp:", rate_table(rates, results)]
        ranges += [rate_table(rates, results, extremes)]
    return "\n\n".join([*parts, server_words(ceiling, results), folded_ranges(ranges)])


def main() -> None:
    """Measure everything, then print and write the results."""
    chosen = arguments()
    results: Results = {}
    rates = () if chosen.quick else RATES
    with serving() as url:
        ceiling = measure(SOCKETS, url, Work("saturate", 64_000))
        assert ceiling is not None  # noqa: S101 - sockets have the scenario
        for column in (*COSTS, *OBJECTS, *rates):
            print(f"{column.title}…", file=sys.stderr, flush=True)
            rounds = 1 if chosen.quick else column.rounds
            results[f"{column.title}"] = run(replace(column, rounds=rounds), url)
    report = written(ceiling, results, rates)
    print(report)
    if chosen.write_docs:
        tables.write_section(DOCUMENT, "compare", report)
    if chosen.json or chosen.write_docs:
        (chosen.json or RESULTS).write_text(
            json.dumps({"machine": machine(), "ceiling": ceiling, "rounds": results}, indent=1)
        )


if __name__ == "__main__":
    main()

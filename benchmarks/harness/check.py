"""Checks that the client's costs are within their bounds; a quick check before a release."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from harness import tables
from harness.columns import Column, bytes_per_item, cpu_to_json, peak, ratios, run
from harness.processes import Work, serving
from harness.roster import AIOHTTP, HTTPX, OURS, SPED_UP, Contender


@dataclass(frozen=True)
class Bound:
    """The upper bound for the median cost of a column, well above the current cost."""

    column: Column
    limit: float


HTTP = (HTTPX, OURS)


def _create(contender: Contender) -> Column:
    title, contenders = f"create, sync, {contender.module}", (HTTPX, contender)
    return Column(title, Work("create", 300), 5, contenders=contenders)


def _create_async(contender: Contender) -> Column:
    title, contenders = f"create, async, 1 task, {contender.module}", (HTTPX, contender)
    return Column(title, Work("create_async", 200), 5, contenders=contenders)


def _tasks(contender: Contender, tasks: int, count: int) -> Column:
    """The CPU time of many tasks. The rate varies more, because it depends on both processes."""
    work = Work("create_async", count, tasks=tasks)
    title, contenders = f"{tasks:,} tasks, {contender.module}, aiohttp = 1", (AIOHTTP, contender)
    return Column(title, work, 3, baseline=AIOHTTP, contenders=contenders)


def _page(contender: Contender) -> Column:
    title, work = f"page of 100, {contender.module}", Work("page", 200)
    return Column(title, work, cost=cpu_to_json, baseline=None, contenders=(contender,))


def _events(contender: Contender) -> Column:
    title, work = f"32 events per chunk, {contender.module}", Work("events", 2_000, per_chunk=32)
    return Column(title, work, 3, contenders=(HTTPX, contender))


def _object() -> Column:
    title, work = "bytes per conversation", Work("memory", 2_000)
    return Column(title, work, 1, cost=bytes_per_item, baseline=None, contenders=(OURS,))


BOUNDS: Sequence[Bound] = (
    *(Bound(_create(contender), 0.35) for contender in (OURS, SPED_UP)),
    *(Bound(_create_async(contender), 0.20) for contender in (OURS, SPED_UP)),
    Bound(Column("64 tasks", Work("create_async", 128, tasks=64), 3, contenders=HTTP), 0.04),
    *(Bound(_tasks(contender, 64, 2_000), 0.95) for contender in (OURS, SPED_UP)),
    *(Bound(_tasks(contender, 512, 2_000), 0.95) for contender in (OURS, SPED_UP)),
    *(Bound(_tasks(contender, 2_000, 4_000), 1.00) for contender in (OURS, SPED_UP)),
    Bound(Column("import + construct", Work("construct", 1), 5, contenders=HTTP), 0.60),
    Bound(Column("first call", Work("first", 1), 9, contenders=HTTP), 0.95),
    Bound(Column("peak memory", Work("first", 1), 3, cost=peak, contenders=HTTP), 1.00),
    Bound(_page(OURS), 1.80),
    Bound(_page(SPED_UP), 0.80),
    Bound(_events(OURS), 1.80),
    Bound(_events(SPED_UP), 1.30),
    Bound(_object(), 350),
)


def main() -> None:
    """Print each ratio and its bound; exit with code 1 if a ratio exceeds its bound."""
    beyond = False
    with serving() as url:
        for bound in BOUNDS:
            found = ratios(bound.column, run(bound.column, url))[bound.column.contenders[-1].module]
            beyond = beyond or found.median > bound.limit
            verdict = "ABOVE" if found.median > bound.limit else "within"
            print(f"{bound.column.title:44}{tables.ratio(found):>20}  {verdict} {bound.limit:.2f}")
    sys.exit(int(beyond))


if __name__ == "__main__":
    main()

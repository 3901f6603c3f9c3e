"""Whether the client has become slower than it may: a quick look before a release."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from harness import tables
from harness.columns import Column, cpu_to_json, peak, ratios, run
from harness.processes import Work, serving
from harness.roster import AIOHTTP, HTTPX, OURS, SPED_UP, Contender


@dataclass(frozen=True)
class Bound:
    """How much a column may cost at most, as its median; well above what it does cost."""

    column: Column
    most: float


BOTH = (HTTPX, OURS)
WITH_AIOHTTP = (AIOHTTP, OURS)


def _rate(tasks: int, count: int) -> Column:
    work = Work("create_async", count, tasks=tasks)
    title = f"CPU, {tasks:,} tasks, aiohttp = 1"
    return Column(title, work, 3, baseline=AIOHTTP, contenders=WITH_AIOHTTP)


def _page(contender: Contender) -> Column:
    work, who = Work("page", 200), (contender,)
    title = f"page of 100, {contender.module}"
    return Column(title, work, cost=cpu_to_json, baseline=None, contenders=who)


BOUNDS: Sequence[Bound] = (
    Bound(Column("create, sync", Work("create", 300), 5, contenders=BOTH), 0.40),
    Bound(Column("create, async, 1 task", Work("create_async", 200), 5, contenders=BOTH), 0.30),
    Bound(Column("64 tasks", Work("create_async", 128, tasks=64), 3, contenders=BOTH), 0.04),
    Bound(_rate(64, 2_000), 1.20),
    Bound(_rate(512, 2_000), 1.20),
    Bound(_rate(2_000, 4_000), 1.30),
    Bound(Column("import + construct", Work("construct", 1), 5, contenders=BOTH), 0.70),
    Bound(Column("first call", Work("first", 1), 9, contenders=BOTH), 0.95),
    Bound(Column("peak memory", Work("first", 1), 3, cost=peak, contenders=BOTH), 1.00),
    Bound(_page(OURS), 1.80),
    Bound(_page(SPED_UP), 1.30),
    Bound(
        Column("event, 32 a chunk", Work("events", 2_000, per_chunk=32), 3, contenders=BOTH), 1.90
    ),
)


def main() -> None:
    """Print each ratio beside its bound; exits with 1 if one is beyond."""
    beyond = False
    with serving() as url:
        for bound in BOUNDS:
            found = ratios(bound.column, run(bound.column, url))[bound.column.contenders[-1].module]
            beyond = beyond or found.median > bound.most
            verdict = "BEYOND" if found.median > bound.most else "within"
            print(f"{bound.column.title:32}{tables.ratio(found):>20}  {verdict} {bound.most:.2f}")
    sys.exit(int(beyond))


if __name__ == "__main__":
    main()

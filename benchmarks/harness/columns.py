"""The columns of the comparison, and how their values are computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.measuring import Measurement
from harness.processes import Work, measure
from harness.ratios import Spread, paired, spread
from harness.roster import AIOHTTP, EVERYONE, HTTPX, HTTPX_AIOHTTP, ORQ, OURS, SPED_UP, Contender

Round = dict[str, Measurement]


def cpu_per_item(measured: Measurement) -> float:
    """CPU seconds per call, event or construction."""
    return measured["cpu"] / measured["count"]


def wall_per_item(measured: Measurement) -> float:
    """Seconds per response, across all tasks."""
    return measured["wall"] / measured["count"]


def bytes_per_item(measured: Measurement) -> float:
    """Bytes of memory per object."""
    return measured["bytes"] / measured["count"]


def peak(measured: Measurement) -> float:
    """The peak memory of the process, in bytes."""
    return measured["peak"]


def cpu_to_json(measured: Measurement) -> float:
    """CPU time as a multiple of `json.loads` in the same process."""
    return measured["cpu"] / measured["json"]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its title.
        work: The work that each contender does.
        rounds: The number of rounds.
        cost: Computes the value to compare from a measurement.
        baseline: The contender whose cost is 1.00; None if `cost` is already a ratio.
        contenders: The contenders; those without the scenario are skipped.
    """

    title: str
    work: Work
    rounds: int = 5
    cost: Callable[[Measurement], float] = cpu_per_item
    baseline: Contender | None = HTTPX
    contenders: Sequence[Contender] = EVERYONE


COSTS = (
    Column("create, sync", Work("create", 500)),
    Column("create, async, 1 task", Work("create_async", 300)),
    Column("create, async, 64 tasks", Work("create_async", 256, tasks=64), rounds=3),
    Column("create, async, 512 tasks", Work("create_async", 512, tasks=512), rounds=3),
    Column("import + construct", Work("construct", 1)),
    Column("import + construct + first create", Work("first", 1), rounds=9),
    Column("page of 100", Work("page", 200), cost=cpu_to_json, baseline=None),
    Column("1 event per chunk", Work("events", 2_000), rounds=3),
    Column("32 events per chunk", Work("events", 2_000, per_chunk=32), rounds=3),
)
OBJECTS = (
    Column("peak memory after the first create", Work("first", 1), rounds=3, cost=peak),
    Column(
        "bytes per conversation",
        Work("memory", 2_000),
        rounds=1,
        cost=bytes_per_item,
        baseline=ORQ,
    ),
)
RATES = tuple(
    Column(
        f"{tasks:,} tasks",
        Work("create_async", 4_000, tasks=tasks),
        rounds=3,
        cost=wall_per_item,
        baseline=AIOHTTP,
        contenders=(AIOHTTP, HTTPX_AIOHTTP, OURS, SPED_UP),
    )
    for tasks in (64, 512, 2_000)
)


def run(column: Column, url: str) -> list[Round]:
    """Run all rounds of a column, with every contender in each."""
    able = list(column.contenders)
    rounds: list[Round] = []
    for number in range(column.rounds):
        done: Round = {}
        # The order changes, so that no contender always runs after the same one.
        for contender in able[number % len(able) :] + able[: number % len(able)]:
            measured = measure(contender, url, column.work)
            if measured is not None:
                done[contender.module] = measured
        able = [contender for contender in able if contender.module in done]
        rounds.append(done)
    return rounds


def ratios(column: Column, rounds: Sequence[Round]) -> dict[str, Spread]:
    """The cost of each contender as a multiple of the baseline."""
    costs = [{name: column.cost(done) for name, done in found.items()} for found in rounds]
    if column.baseline is not None:
        return paired(costs, column.baseline.module)
    return {name: spread([found[name] for found in costs]) for name in costs[0]}

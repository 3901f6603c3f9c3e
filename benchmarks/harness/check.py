"""Whether the client has become slower than it may: a quick look before a release."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from harness import tables
from harness.columns import Column, cpu_to_json, ratios, run
from harness.processes import Work, serving
from harness.roster import HTTPX, OURS


@dataclass(frozen=True)
class Bound:
    """How much a column may cost at most, as its median; well above what it does cost."""

    column: Column
    most: float


BOTH = (HTTPX, OURS)
BOUNDS: Sequence[Bound] = (
    Bound(Column("create, sync", Work("create", 300), 5, contenders=BOTH), 0.75),
    Bound(Column("create, async, 1 task", Work("create_async", 200), 5, contenders=BOTH), 0.50),
    Bound(Column("64 tasks", Work("create_async", 128, tasks=64), 3, contenders=BOTH), 0.06),
    Bound(Column("import + construct", Work("construct", 1), 5, contenders=BOTH), 0.70),
    Bound(
        Column(
            "page of 100",
            Work("page", 200),
            cost=cpu_to_json,
            baseline=None,
            contenders=(OURS,),
        ),
        2.10,
    ),
)


def main() -> None:
    """Print each ratio beside its bound; exits with 1 if one is beyond."""
    beyond = False
    with serving() as url:
        for bound in BOUNDS:
            found = ratios(bound.column, run(bound.column, url))[OURS.module]
            beyond = beyond or found.median > bound.most
            verdict = "BEYOND" if found.median > bound.most else "within"
            print(f"{bound.column.title:24}{tables.ratio(found):>20}  {verdict} {bound.most:.2f}")
    sys.exit(int(beyond))


if __name__ == "__main__":
    main()

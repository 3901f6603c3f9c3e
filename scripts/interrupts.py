"""Interrupts every scenario in tests/interrupt_points.py at every point of its execution.

python scripts/interrupts.py [--instructions] [SCENARIO ...]

Each execution of a line in the package is a point. With --instructions, each execution of an
instruction in the pool is a point, too.
"""

import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from interrupt_points import SCENARIOS, Server, failures, points

_MOST_NAMED = 20


def _is_of_pool(name: str) -> bool:
    return name.startswith("_http/") and ("pool" in name or "slot" in name)


def main() -> int:
    """Try every point; return 1 if one fails."""
    names = [name for name in sys.argv[1:] if name != "--instructions"] or list(SCENARIOS)
    options: dict[str, Any] = {}
    if "--instructions" in sys.argv:
        options["instructions"] = _is_of_pool
    warnings.simplefilter("ignore", ResourceWarning)
    total = failed = 0
    with Server() as server:
        for name in names:
            started = time.monotonic()
            all_points = points(SCENARIOS[name], server, **options)
            failing = list(failures(SCENARIOS[name], server, all_points, **options))
            seconds = time.monotonic() - started
            print(f"{name}: {len(all_points):,} points, {len(failing)} failures, {seconds:.0f} s")
            for failure in failing[:_MOST_NAMED]:
                print(f"    {failure.point}: {failure.problem}")
            total += len(all_points)
            failed += len(failing)
    print(f"{total:,} points, {failed} failures")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

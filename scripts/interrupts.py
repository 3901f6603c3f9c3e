"""Interrupts every scenario of tests/interrupt_points.py at every point that it comes to.

python scripts/interrupts.py [--instructions] [SCENARIO ...]

A point is a line of the package, each time that execution comes to it; with --instructions, also
each instruction of the pool.
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
    """Try every point; 1 if one of them fails."""
    names = [name for name in sys.argv[1:] if name != "--instructions"] or list(SCENARIOS)
    options: dict[str, Any] = {}
    if "--instructions" in sys.argv:
        options["instructions"] = _is_of_pool
    warnings.simplefilter("ignore", ResourceWarning)
    total = failed = 0
    with Server() as server:
        for name in names:
            started = time.monotonic()
            found = points(SCENARIOS[name], server, **options)
            wrong = list(failures(SCENARIOS[name], server, found, **options))
            seconds = time.monotonic() - started
            print(f"{name}: {len(found):,} points, {len(wrong)} failures, {seconds:.0f} s")
            for failure in wrong[:_MOST_NAMED]:
                print(f"    {failure.point}: {failure.problem}")
            total += len(found)
            failed += len(wrong)
    print(f"{total:,} points, {failed} failures")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

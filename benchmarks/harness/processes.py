"""Runs the processes of a benchmark: the server on one core, one contender at a time on another."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from harness.measuring import Measurement
from harness.roster import Contender

ROOT = Path(__file__).parents[2]
RUN_TIMEOUT = 240.0  # seconds for a contender's process
_CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


class BenchmarkError(Exception):
    """A contender failed or printed no measurement."""


@dataclass(frozen=True)
class Work:
    """The work of a contender; `measuring.Load` in its process.

    Attributes:
        scenario: The name of its function.
        count: The number of calls, pages, conversations or events.
        tasks: The number of tasks that share the calls.
        per_chunk: The number of events in an HTTP chunk.
    """

    scenario: str
    count: int
    tasks: int = 1
    per_chunk: int = 1


def machine() -> str:
    """A description of the machine."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"{os.cpu_count()} cores, {platform.system()}, {platform.python_implementation()} {version}"
    )


@contextmanager
def serving() -> Generator[str]:
    """Run a server on the last core during the block, and yield its URL."""
    _pin(-1)
    with subprocess.Popen(
        [sys.executable, "-m", "harness.server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None  # noqa: S101 - requested above
        assert process.stdout is not None  # noqa: S101 - requested above
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def measure(
    contender: Contender, url: str, work: Work, *, timeout: float = RUN_TIMEOUT
) -> Measurement | None:
    """Run the work in a new process of the contender; None if it lacks the scenario."""
    _pin(0)
    words = (work.scenario, url, str(work.count), str(work.tasks), str(work.per_chunk))
    result = subprocess.run(  # noqa: S603 - the repository's own modules
        [_python(contender), "-m", f"contenders.{contender.module}", *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if result.returncode:
        raise BenchmarkError(f"{contender.module} failed at {work}:\n{result.stderr[-2000:]}")
    return cast("Measurement | None", json.loads(result.stdout))


def _python(contender: Contender) -> str:
    return str(ROOT / ".venv" / f"bench-{contender.environment}" / "bin" / "python")


def _pin(position: int) -> None:
    # New processes inherit the affinity. Other systems choose the cores themselves.
    if sys.platform == "linux":
        os.sched_setaffinity(0, {_CORES[position]})

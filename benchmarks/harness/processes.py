"""The processes of a benchmark: the server on one core, a contender at a time on the other."""

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
RUN_TIMEOUT = 240.0  # seconds for one process of a contender
_CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


class BenchmarkError(Exception):
    """A contender failed, or gave something else than a measurement."""


@dataclass(frozen=True)
class Work:
    """What a contender is to do; `measuring.Load` in its process.

    Attributes:
        scenario: Which of its functions.
        count: How many calls, pages, conversations or events.
        tasks: How many tasks share the calls.
        per_chunk: How many events come in one HTTP chunk.
    """

    scenario: str
    count: int
    tasks: int = 1
    per_chunk: int = 1


def machine() -> str:
    """The machine, as far as results depend on it."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"{os.cpu_count()} cores, {platform.system()}, {platform.python_implementation()} {version}"
    )


@contextmanager
def serving() -> Generator[str]:
    """A server on the last core for as long as the context lasts; gives its URL."""
    _pin(-1)
    with subprocess.Popen(
        [sys.executable, "-m", "harness.server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None  # noqa: S101 - asked for
        assert process.stdout is not None  # noqa: S101 - asked for
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def measure(
    contender: Contender, url: str, work: Work, *, timeout: float = RUN_TIMEOUT
) -> Measurement | None:
    """Have a fresh process of the contender do the work; None if it has no way to."""
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
    # Whatever is started from here on inherits it; where there is no pinning, the system decides.
    if sys.platform == "linux":
        os.sched_setaffinity(0, {_CORES[position]})

"""Ctrl-C, or a signal handler that raises, at every line that a scenario reaches.

These tests use a sample of the points; scripts/interrupts.py tries all of them.
"""

from collections.abc import Iterator

import pytest
from interrupt_points import SCENARIOS, Server, failures, points, sample

KNOWN: set[tuple[str, int]] = set()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


# The garbage collector closes what an interrupt left open, and warns.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", SCENARIOS)
def test_an_interrupt_at_any_line_leaves_everything_usable(server: Server, name: str) -> None:
    found = points(SCENARIOS[name], server)
    assert len(found) > 100
    assert list(failures(SCENARIOS[name], server, sample(found, KNOWN))) == []

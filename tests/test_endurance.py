"""Runs the scripts that make thousands of calls, with smaller numbers."""

from collections.abc import Iterator

import pytest
from load import run_tasks, run_threads
from no_duplicates import run
from raw_garbage import send
from soak import sandbox, soak
from variants import VARIANTS

from conversations_client.sandbox import Sandbox


@pytest.mark.parametrize("honors_keys", [True, False])
@pytest.mark.parametrize("variant", VARIANTS)
def test_no_create_is_lost_or_duplicated_and_each_error_is_correct(
    variant: str, honors_keys: bool
) -> None:
    figures = run(creates=300, at_once=64, seed=6, variant=variant, honors_keys=honors_keys)
    assert figures.is_correct, figures
    assert figures.faults > 20
    assert figures.created > 250


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_many_tasks_get_responses_in_order(backend: str) -> None:
    figures = run_tasks(tasks=500, connections=20, backend=backend)
    assert figures.calls == 500
    assert max(figures.connections, figures.most_concurrent, figures.overtaken) <= 20


def test_many_threads_get_responses() -> None:
    figures = run_threads(threads=32, calls=10, connections=4)
    assert figures.calls == 320
    assert max(figures.connections, figures.most_concurrent) <= 4


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with sandbox() as url:
        yield url


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_accumulates(variant: str, url: str) -> None:
    figures = soak(calls=200, variant=variant, url=url)
    assert figures.calls == 200
    assert figures.is_flat, figures


def test_the_sandbox_survives_garbage() -> None:
    with Sandbox() as sandbox:
        statuses = send(sandbox.url, sandbox.api_key, keep_going=lambda sent: sent < 500, seed=6)
    assert statuses.total() == 500
    assert statuses["400"] > 100
    assert statuses["413"] == 1
    assert not any(status.startswith("5") for status in statuses)


def test_the_sandbox_listens_on_loopback_alone() -> None:
    with Sandbox() as sandbox:
        assert sandbox._socket.getsockname()[0] == "127.0.0.1"

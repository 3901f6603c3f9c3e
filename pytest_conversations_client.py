"""The pytest fixtures of conversations_client.

This module is outside the package because pytest imports it in every run. The package itself is
imported only when a test uses a fixture.

PYTEST_DONT_REWRITE: the module has no assertions for pytest to rewrite.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import pluggy
    from attrs import AttrsInstance

    from conversations_client.sandbox import Sandbox


class _Outcome:
    """Whether a test passed. A test that is skipped or expected to fail doesn't count as passed."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self.is_passed: bool = False

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> "Generator[None, pluggy.Result[pytest.TestReport], None]":
        result = yield
        if item is self._item and call.when == "call":
            self.is_passed = result.get_result().passed


def _describe(fault: "AttrsInstance") -> str:
    """The arguments of a fault that are not None, without the content that it sends."""
    from attrs import fields

    arguments = {each.name: getattr(fault, each.name) for each in fields(type(fault)) if each.repr}
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items() if value is not None)


@pytest.fixture
def conversations_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """A running, empty `Sandbox` with its own port and key; it stops when the test ends.

    If a test passes but a fault that it injected never happened, pytest reports an error, unless
    the test calls `clear_disruptions()`.
    """
    from conversations_client.sandbox import Sandbox

    outcome = _Outcome(request.node)
    # Registered only for this test, so that other tests don't call it.
    request.config.pluginmanager.register(outcome)
    try:
        with Sandbox() as sandbox:
            yield sandbox
    finally:
        request.config.pluginmanager.unregister(outcome)
    if sandbox.disruptions and outcome.is_passed:
        faults = "; ".join(dict.fromkeys(map(_describe, sandbox.disruptions)))
        pytest.fail(
            f"No request met these faults of the sandbox: {faults}. Check their "
            "method and path, or call sandbox.clear_disruptions() at the end of the test.",
            pytrace=False,
        )


@pytest.fixture
def conversations_environment(
    conversations_sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Point ORQ_API_KEY and ORQ_BASE_URL at the test's sandbox and unset ORQ_PROJECT_ID.

    The tested code can then call `Client()` and `AsyncClient()` without arguments.
    """
    monkeypatch.setenv("ORQ_API_KEY", conversations_sandbox.api_key)
    monkeypatch.setenv("ORQ_BASE_URL", conversations_sandbox.url)
    monkeypatch.delenv("ORQ_PROJECT_ID", raising=False)

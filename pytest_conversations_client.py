"""The pytest fixtures of conversations_client.

This module is outside the package because pytest imports it in every run. The package itself is
imported only when a test uses a fixture.

PYTEST_DONT_REWRITE: the module has no assertions for pytest to rewrite.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conversations_client.sandbox import Sandbox


@pytest.fixture
def conversations_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """A running, empty `Sandbox` with its own port and key; it stops when the test ends.

    A test that injects a fault which never happens fails, unless it calls `clear_disruptions()`.
    """
    from conversations_client.sandbox import Sandbox

    failed = request.session.testsfailed
    with Sandbox() as sandbox:
        yield sandbox
    if sandbox.disruptions and request.session.testsfailed == failed:
        pytest.fail(
            f"No request met these faults of the sandbox: {sandbox.disruptions}. Check their "
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

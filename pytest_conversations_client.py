"""The pytest fixtures of conversations_client.

A module beside the package, for pytest imports it in every run: the package itself is only imported
by a test that asks for a fixture.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conversations_client.sandbox import Sandbox


@pytest.fixture
def conversations_sandbox() -> "Iterator[Sandbox]":
    """A running `Sandbox` of the test's own: a port, a key and an empty memory, gone at its end."""
    from conversations_client.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def conversations_environment(
    conversations_sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points ORQ_API_KEY and ORQ_BASE_URL at the test's sandbox, and takes ORQ_PROJECT_ID away.

    So `Client()` and `AsyncClient()` of the tested code find it by themselves.
    """
    monkeypatch.setenv("ORQ_API_KEY", conversations_sandbox.api_key)
    monkeypatch.setenv("ORQ_BASE_URL", conversations_sandbox.url)
    monkeypatch.delenv("ORQ_PROJECT_ID", raising=False)

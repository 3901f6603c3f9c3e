"""Runs the examples of README.md and docs/ against a sandbox, as the reader would."""

from collections.abc import Iterator

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from conversations_client.sandbox import Sandbox


@pytest.fixture(scope="session")
def documented_sandbox() -> Iterator[Sandbox]:
    """One sandbox for all examples."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def readers_environment(documented_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader has set up before an example."""
    monkeypatch.setenv("ORQ_API_KEY", documented_sandbox.api_key)
    monkeypatch.setenv("ORQ_BASE_URL", documented_sandbox.url)
    monkeypatch.delenv("ORQ_PROJECT_ID", raising=False)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["*.md"],
    fixtures=["readers_environment"],
).pytest()

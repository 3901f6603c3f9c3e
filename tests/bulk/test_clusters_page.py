"""Runs the recipes of docs/clusters.md whose engines are installed."""

import re
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from conversations_client import Client
from conversations_client.sandbox import Sandbox

PAGE = Path(__file__).parents[2] / "docs" / "clusters.md"
RECIPES = dict(
    zip(
        ["distributed", "ray", "celery"],
        re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL),
        strict=True,
    )
)


@pytest.mark.parametrize("engine", RECIPES)
@pytest.mark.filterwarnings("default")  # the engines emit warnings
def test_a_recipe_creates_every_row_once(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(engine)
    file = tmp_path / "a.jsonl"
    file.write_text("".join(f'{{"displayName": "number {number}"}}\n' for number in range(12)))
    with Sandbox() as sandbox:
        monkeypatch.setenv("ORQ_API_KEY", sandbox.api_key)
        monkeypatch.setenv("ORQ_BASE_URL", sandbox.url)
        recipe: dict[str, Any] = {"__name__": "recipe"}
        exec(RECIPES[engine], recipe)  # noqa: S102 - code of the page
        with worker(recipe) if engine == "celery" else nullcontext():
            recipe["main"](str(file), str(tmp_path / "journals"))
        with Client() as client:
            names = Counter(one.display_name for one in client.conversations.list(limit=100))
    assert names == Counter(f"number {number}" for number in range(12))


def worker(recipe: dict[str, Any]) -> Any:
    """A Celery worker in a thread."""
    testing = pytest.importorskip("celery.contrib.testing.worker")
    return testing.start_worker(recipe["app"], perform_ping_check=False, pool="solo")

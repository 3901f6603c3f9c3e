"""Runs the recipes of docs/clusters.md whose engines are installed."""

import os
import re
import subprocess
import sys
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
        ["multiprocessing", "distributed", "ray", "celery"],
        re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL),
        strict=True,
    )
)


@pytest.mark.parametrize("engine", [each for each in RECIPES if each != "multiprocessing"])
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


def test_the_processes_create_every_row_once(tmp_path: Path) -> None:
    rows = [f"number {number}" for number in range(12)]
    lines = (f'{{"displayName": "{name}"}}\n' for name in rows)
    (tmp_path / "customers.jsonl").write_text("".join(lines))
    script = tmp_path / "recipe.py"
    script.write_text(RECIPES["multiprocessing"])
    with Sandbox() as sandbox, sandbox.client() as client:
        settings = {"ORQ_API_KEY": sandbox.api_key, "ORQ_BASE_URL": sandbox.url}
        printed = subprocess.run(  # noqa: S603
            [sys.executable, script],
            cwd=tmp_path,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        names = [each.display_name for each in client.conversations.list(limit=100)]
    assert printed == "Report(created=12, failed=0, doubtful=0, new=12)\n"
    assert sorted(names) == sorted(rows)


def worker(recipe: dict[str, Any]) -> Any:
    """A Celery worker in a thread."""
    testing = pytest.importorskip("celery.contrib.testing.worker")
    return testing.start_worker(recipe["app"], perform_ping_check=False, pool="solo")

"""The release workflow matches its page."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conversations_client import __version__

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "project" / "releasing.md").read_text()


@pytest.fixture(scope="module")
def workflow() -> Any:
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, which is in the dev environment")
    # YAML 1.1 parses `on` as a boolean.
    return yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())


def steps(job: Any) -> list[Any]:
    return list(job["steps"])


def commands(job: Any) -> list[str]:
    return [step["run"] for step in steps(job) if "run" in step]


def action(job: Any, name: str) -> Any:
    (found,) = [each for each in steps(job) if each.get("uses", "").startswith(f"{name}@")]
    return found.get("with")


def test_a_tag_starts_the_release(workflow: Any) -> None:
    assert workflow[True] == {"push": {"tags": ["v*"]}}
    assert "git push origin v" in PAGE


def test_the_workflow_runs_the_commands_of_the_page(workflow: Any) -> None:
    section = re.search(r"^## Build\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    told = re.findall(r"^\$ (.*)$", section[1], re.MULTILINE)
    assert len(told) == 2
    assert commands(workflow["jobs"]["build"])[1:] == told


def test_only_the_publish_job_can_publish(workflow: Any) -> None:
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert workflow["permissions"] == {}
    assert build["permissions"] == {"contents": "read"}
    assert publish["permissions"] == {"id-token": "write"}
    assert (publish["needs"], publish["environment"]) == ("build", "release")
    assert commands(publish) == []
    assert action(publish, "pypa/gh-action-pypi-publish") == {
        "packages-dir": "dist",
        "attestations": True,
    }


def test_the_tested_distributions_are_published(workflow: Any) -> None:
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    built = action(build, "actions/upload-artifact")
    taken = action(publish, "actions/download-artifact")
    assert built["path"] == ".venv/dist/*"
    assert taken == {"name": built["name"], "path": "dist"}


def test_every_action_is_pinned_to_one_version(workflow: Any) -> None:
    uses = [
        step["uses"] for job in workflow["jobs"].values() for step in steps(job) if "uses" in step
    ]
    assert len(uses) == 5
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", each) for each in uses)


@pytest.mark.parametrize(
    ("tag", "is_the_version"),
    [(f"v{__version__}", True), (f"v{__version__}1", False), ("v", False)],
)
def test_a_tag_that_is_not_the_version_fails_the_release(
    workflow: Any, tag: str, is_the_version: bool
) -> None:
    check, *_ = commands(workflow["jobs"]["build"])
    ended = subprocess.run(  # noqa: S603
        ["bash", "-euo", "pipefail", "-c", check],  # noqa: S607
        cwd=ROOT,
        env={**os.environ, "GITHUB_REF_NAME": tag},
        check=False,
        timeout=60,
    )
    assert (ended.returncode == 0) is is_the_version

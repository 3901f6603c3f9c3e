"""The scripts run in a clean environment and support every Python."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
ENVIRONMENT = ROOT / "scripts" / "environment.sh"
PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
LIMIT = 60

pytestmark = pytest.mark.skipif(not ENVIRONMENT.exists(), reason="needs the checkout")


def output_of(script: str, folder: Path, **environment: str) -> list[str]:
    """The output of a script that sources `environment.sh`."""
    path = folder / "script"
    path.write_text(f'set -euo pipefail\nsource "{ENVIRONMENT}"\n{script}\n')
    environment = {"PATH": os.environ["PATH"], **environment}
    command = ["bash", str(path), "first argument", "second"]
    ended = subprocess.run(  # noqa: S603
        command, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


def names(lines: list[str]) -> set[str]:
    return {line.partition("=")[0] for line in lines}


# Variables that bash sets itself.
OF_BASH = {"PWD", "SHLVL", "_", "OLDPWD"}
HOSTILE = {
    "BASH_ENV": "/dev/null",
    "CDPATH": "/",
    "COVERAGE_FILE": "elsewhere",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "LC_ALL": "C",
    "ORQ_API_KEY": "secret",
    "PIP_INDEX_URL": "http://127.0.0.1:9",
    "PIP_TARGET": "elsewhere",
    "PYTHONPATH": "elsewhere",
    "PYTHONUNBUFFERED": "1",
    "TZ": "Asia/Tokyo",
}


def test_a_script_keeps_only_the_variables_for_installers(tmp_path: Path) -> None:
    kept = names(output_of("env", tmp_path, HOME="/nowhere", **HOSTILE)) - OF_BASH
    ours = {"PIP_DISABLE_PIP_VERSION_CHECK", "UV_SYSTEM_CERTS"}
    assert kept - ours == {"HOME", "PATH", "HTTPS_PROXY", "PIP_INDEX_URL"}


def test_a_clean_command_gets_no_variables_of_the_caller(tmp_path: Path) -> None:
    seen = output_of("clean ONE=1 env", tmp_path, HOME="/nowhere", **HOSTILE)
    assert names(seen) == {"HOME", "PATH", "ONE"}
    assert f"HOME={ROOT}/.venv/home" in seen


def test_a_script_needs_no_home_and_gets_its_arguments(tmp_path: Path) -> None:
    said = output_of('printf "%s\\n" "$#" "$1"; first_python; umask; cat', tmp_path)
    assert said[:2] == ["2", "first argument"]
    assert Path(said[2]).exists()
    assert said[3:] == ["0022"]


def test_a_nested_script_is_clean(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.write_text(f'source "{ENVIRONMENT}"\nenv\n')
    seen = output_of(f'export LEFT=1; bash "{inner}"', tmp_path, HOME="/nowhere")
    assert "LEFT" not in names(seen)


def test_one_python_can_be_chosen(tmp_path: Path) -> None:
    assert output_of('echo "${MINORS[@]}"', tmp_path, ONLY_PYTHON="3.14") == ["14"]


def test_every_list_of_pythons_is_the_same(tmp_path: Path) -> None:
    minors = output_of('echo "${MINORS[@]}"', tmp_path)[0].split()
    assert [f"3.{minor}" for minor in minors] == PYTHONS
    project: Any = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    classifiers = "\n".join(project["classifiers"])
    assert re.findall(r":: (3\.\d+)$", classifiers, re.MULTILINE) == PYTHONS
    assert project["requires-python"] == f">={PYTHONS[0]}"


def test_the_workflows_test_every_python() -> None:
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, which is in the dev environment")
    jobs: Any = {
        name: yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())["jobs"]
        for name in ("test", "release")
    }
    assert jobs["test"]["test"]["strategy"]["matrix"]["python"] == PYTHONS
    (setup,) = [
        step["with"]
        for step in jobs["release"]["build"]["steps"]
        if step.get("uses", "").startswith("actions/setup-python@")
    ]
    assert sorted(setup["python-version"].split()) == PYTHONS


def test_the_license_is_named_once() -> None:
    project: Any = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (project["license"], project["license-files"]) == ("MIT", ["LICENSE"])
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n")
    assert "[MIT](LICENSE)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/project/releasing.md"])
def test_the_pages_quote_the_last_line_of_the_scripts(page: str) -> None:
    quoted = {
        f'say "{said}"' for said in re.findall(r"`([A-Z][^`]*\.)`", (ROOT / page).read_text())
    }
    last = {(ROOT / "scripts" / name).read_text().splitlines()[-1] for name in ("test", "nightly")}
    assert quoted == last


def test_the_mutants_name_modules_and_tests_that_exist() -> None:
    settings = tomllib.loads((ROOT / "scripts" / "mutants.toml").read_text())
    tests: dict[str, list[str]] = settings["tests"]
    for module, names in tests.items():
        assert (ROOT / "conversations_client" / module).is_file(), module
        for name in names:
            path, _, function = name.partition("::")
            assert f"def {function}" in (ROOT / path).read_text(), name
    for each in settings["equivalent"]:
        module = ROOT / "conversations_client" / each["module"]
        for line in each["line"].splitlines():
            assert line.strip() in module.read_text(), each

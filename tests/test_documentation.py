"""Checks all pages; conftest.py runs their examples."""

import json
import os
import re
import runpy
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import reference_text
from docstring_examples import examples

import conversations_client
from conversations_client import bulk, sandbox, testing
from conversations_client.bulk import dask
from conversations_client.testing import factories

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
RUN = {"python", "console"}
# Blocks that are not code, or that a browser runs.
NOT_RUN = {
    "text",
    "html",
    "bash",  # test_examples.py runs it
    "py",  # for engines that are too large to install here
    "{toctree}",
    "{eval-rst}",
    "{include} ../../CHANGELOG.md",
    "{include} ../../CONTRIBUTING.md",
    "{include} ../../SECURITY.md",
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def links(path: Path) -> Iterator[tuple[Path, str]]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not re.match(r"[a-z]+:", target):
            name, _, anchor = target.partition("#")
            yield path.parent / name if name else path, anchor


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_have_targets(path: Path) -> None:
    for target, anchor in links(path):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), anchor


def test_titles_are_distinct() -> None:
    titles = [
        path.read_text().partition("\n")[0]
        for path in PAGES
        if path.parent != ROOT / "docs" / "project" and path.name != "README.md"
    ]
    assert sorted({title.lower() for title in titles}) == sorted(map(str.lower, titles))


def test_the_index_links_to_every_page() -> None:
    """For readers of the repository, who don't see the site's sidebar."""
    index = ROOT / "docs" / "index.md"
    pages = {path for path in ROOT.glob("docs/**/*.md") if path != index}
    linked = {target.resolve() for target, _ in links(index)}
    in_sidebar = {
        index.parent / f"{name}.md"
        for tree in re.findall(
            r"```{toctree}\n(?::[^\n]+\n)+\n(.*?)```", index.read_text(), re.DOTALL
        )
        for name in tree.split()
    }
    assert in_sidebar == pages
    assert pages <= linked


def test_what_only_the_site_shows_is_in_comments() -> None:
    for path in PAGES:
        text = re.sub(r"<!-- for the site:\n.*?-->\n", "", path.read_text(), flags=re.DOTALL)
        assert "```{" not in text, path


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_code_block_has_a_language_that_is_run(path: Path) -> None:
    fences = re.findall(r"^ *```(.*)$", path.read_text(), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert set(fences[1::2]) <= {""}
    assert set(fences[::2]) <= RUN | NOT_RUN


def test_the_description_of_the_package_has_no_link_to_a_file() -> None:
    pytest.importorskip("hatchling")
    namespace = runpy.run_path(str(ROOT / "hatch_build.py"))
    described: str = namespace["without_file_links"]((ROOT / "README.md").read_text())
    targets = re.findall(r"\]\(([^)\s]+)\)", described)
    assert targets
    assert [each for each in targets if not each.startswith(("https://", "#"))] == []
    assert "see\nMoving from orq-ai-sdk (`docs/how-to/moving-from-orq-ai-sdk.md`)." in described


def documented_on(page: Path) -> list[str]:
    return re.findall(
        r"^\.\. (?:auto|py:)(?!module)\w+:: (?:conversations_client\.(?:messages|events)\.)?(\w+)$",
        page.read_text(),
        re.MULTILINE,
    )


# Unions of documented classes, and a module.
NOT_CLASSES = {"Answer", "Call", "Failure", "factories"}
REFERENCE = sorted(ROOT.glob("docs/reference/*.md"))


def test_the_reference_has_every_public_name_once() -> None:
    documented = [name for page in REFERENCE for name in documented_on(page)]
    modules = (conversations_client, bulk, dask, sandbox, testing, factories)
    public = [name for module in modules for name in module.__all__]
    assert sorted(documented) == sorted({*public} - NOT_CLASSES)


def test_reference_pages_have_text_for_the_repository() -> None:
    assert {page.stem for page in reference_text.pages()} >= {"sandbox", "testing"}


@pytest.mark.parametrize("page", reference_text.pages(), ids=named)
def test_a_page_has_the_text_of_the_docstrings(page: Path) -> None:
    text = page.read_text()
    assert text == reference_text.updated(text), "Run python tests/reference_text.py"


@pytest.mark.parametrize("page", REFERENCE, ids=named)
def test_a_reference_page_lists_its_names(
    page: Path,
) -> None:
    told = re.search(
        r"On this page: (.*?)\.\s+This\s+page\s+is\s+generated .*/(\w+)\.html",
        page.read_text(),
        re.DOTALL,
    )
    assert told is not None
    assert re.findall(r"`(\w+)`", told[1]) == documented_on(page)
    assert told[2] == page.stem


def test_every_extra_is_documented() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    page = (ROOT / "docs" / "explanation" / "why-these-dependencies.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == sorted(extras)


# Code that type checkers can't check, with the reason.
NOT_TYPED = {
    "docs/how-to/celery.md": "import-untyped,untyped-decorator",  # Celery has no types
    "docs/how-to/django.md": "import-untyped,untyped-decorator,misc",  # Django has no types
    # Cells can await; pandas has no types, and may not be installed.
    "docs/how-to/notebooks.md": "top-level-await,import-not-found,import-untyped",
}
PACKAGES = ("bulk", "sandbox", "testing")
# Code that is wrong on purpose.
SHOWN_AS_WRONG = [("docs/conversations.md", 'metadata={"entityId": "agent_support"}')]
NEEDED = (
    "mypy",
    "pyright",
    "fastapi",
    "httpx2",
    "httpx-aiohttp",
    "opentelemetry-sdk",
    "respx",
    "truststore",
)


# False positives of pyright.
SEPARATE_BLOCKS = ["reportDuplicateImport"]
LACKS_STUBS = [
    "reportMissingTypeStubs",
    "reportUntypedFunctionDecorator",
    "reportUnknownMemberType",
    "reportUnknownArgumentType",
]
NOT_STRICT = {
    "docs/how-to/celery.md": LACKS_STUBS,
    "docs/how-to/django.md": [
        *LACKS_STUBS,
        "reportUnknownVariableType",
        "reportUnnecessaryComparison",
    ],
    "docs/how-to/notebooks.md": [
        *LACKS_STUBS,
        "reportMissingImports",
        "reportUnknownVariableType",
        "reportUnusedExpression",  # the last expression of a cell is displayed
    ],
}
# Pyright reports calls of another client, whose types are not strict.
WRONG_FOR_PYRIGHT = [
    ("docs/how-to/moving-from-orq-ai-sdk.md", "orq.conversations.update("),
    ("docs/how-to/moving-from-orq-ai-sdk.md", "orq.conversations.delete("),
    ("docs/how-to/moving-from-orq-ai-sdk.md", "conversation_id=conversation.id,"),
    ("docs/how-to/moving-from-orq-ai-sdk.md", "old = ["),
]


def as_module(page: Path) -> str:
    """The Python code of a page, with the same line numbers."""
    rules = [*SEPARATE_BLOCKS, *NOT_STRICT.get(named(page), [])]
    lines = [
        f'# mypy: disable-error-code="{NOT_TYPED.get(named(page), "")}"',
        f"# pyright: {', '.join(f'{rule}=false' for rule in rules)}",
    ]
    is_python = False
    for line in page.read_text().splitlines()[2:]:
        is_python = is_python and line != "```"
        lines.append(line if is_python else "")
        is_python = is_python or line == "```python"
    return "\n".join(lines)


def mypy_cache(tmp_path: Path) -> Path:
    """The cache of the main check, in a folder that may belong to another user."""
    return (ROOT if os.access(ROOT, os.W_OK) else tmp_path / "cache") / ".mypy_cache"


def test_examples_of_pages_are_typed(tmp_path: Path) -> None:
    needs_a_type_checker()
    pages = {f"page_{number}": page for number, page in enumerate(PAGES)}
    for name, page in pages.items():
        (tmp_path / f"{name}.py").write_text(as_module(page))
    cache = str(mypy_cache(tmp_path))
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", cache]
    command += map(str, tmp_path.glob("*.py"))
    checked = subprocess.run(  # noqa: S603
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200
    )
    assert checked.stderr == ""
    wrong: list[tuple[str, str, str]] = []
    for path, line, kind, problem in (each.split(":", 3) for each in checked.stdout.splitlines()):
        # The path may be from an earlier run with the same findings.
        page = pages[Path(path).stem]
        if kind == " error":
            wrong.append((named(page), page.read_text().splitlines()[int(line) - 1], problem))
    assert [page for page, *_ in wrong] == [page for page, _ in SHOWN_AS_WRONG], wrong
    assert all(code in line for (_, line, _), (_, code) in zip(wrong, SHOWN_AS_WRONG, strict=True))


def as_functions() -> str:
    """The examples in docstrings as typed functions; their arguments are what examples can use."""
    names = ["conversations_client", *(f"conversations_client.{name}" for name in PACKAGES)]
    functions = [f"from {name} import *" for name in names]
    for number, example in enumerate(examples()):
        if example.code.startswith(">>>") or example.name.startswith("bulk.dask."):
            continue  # Dask has no types
        is_async = "await " in example.code or "async " in example.code
        start, client = ("async def", "AsyncClient") if is_async else ("def", "Client")
        functions.append(
            f"{start} example_{number}(client: {client}, sandbox: Sandbox, "
            f"conversation: Conversation, conversation_id: str) -> None:  # {example.name}\n"
            + textwrap.indent(example.code, "    ")
        )
    return "\n".join(functions)


def test_examples_in_docstrings_are_typed(tmp_path: Path) -> None:
    needs_a_type_checker()
    (tmp_path / "examples_in_docstrings.py").write_text(as_functions())
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    checked = subprocess.run(  # noqa: S603
        [*command, "--cache-dir", str(mypy_cache(tmp_path)), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert checked.stdout + checked.stderr == ""


def needs_a_type_checker() -> None:
    missing = [name for name in NEEDED if not list(metadata.distributions(name=name))]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, which is in the dev environment")


def pyright(folder: Path) -> list[dict[str, Any]]:
    """The reports of pyright for the modules of a folder."""
    config = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    checked = subprocess.run(  # noqa: S603
        [*command, "-p", str(folder)], capture_output=True, text=True, check=False, timeout=200
    )
    found: list[dict[str, Any]] = json.loads(checked.stdout)["generalDiagnostics"]
    return found


def test_examples_of_pages_are_strictly_typed(tmp_path: Path) -> None:
    needs_a_type_checker()
    pages = {f"page_{number}": page for number, page in enumerate(PAGES)}
    for name, page in pages.items():
        (tmp_path / f"{name}.py").write_text(as_module(page))
    wrong: list[tuple[str, str]] = []
    for one in pyright(tmp_path):
        page = pages[Path(one["file"]).stem]
        number: int = one["range"]["start"]["line"]
        line = page.read_text().splitlines()[number]
        if "await" not in one["message"] or "top-level-await" not in NOT_TYPED.get(named(page), ""):
            wrong.append((named(page), line))
    expected = [*SHOWN_AS_WRONG, *WRONG_FOR_PYRIGHT]
    assert [one for one in wrong if not shown(one, expected)] == []
    assert [one for one in expected if not any(shown(each, [one]) for each in wrong)] == []


def shown(wrong: tuple[str, str], expected: list[tuple[str, str]]) -> bool:
    return any(wrong[0] == page and code in wrong[1] for page, code in expected)

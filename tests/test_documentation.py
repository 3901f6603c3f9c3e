"""What holds of the pages as a whole; conftest.py runs what they show."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import conversations_client

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
RUN = {"python", "console"}
# What is no code, and what a browser runs.
NOT_RUN = {
    "text",
    "html",
    "py",  # for engines that are too large to be installed here
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
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in links(path):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), anchor


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_code_block_is_of_a_language_that_is_run(path: Path) -> None:
    fences = re.findall(r"^ *```(.*)$", path.read_text(), re.MULTILINE)
    assert len(fences) % 2 == 0
    assert set(fences[1::2]) <= {""}
    assert set(fences[::2]) <= RUN | NOT_RUN


def test_the_reference_has_every_public_name_once() -> None:
    text = "".join(page.read_text() for page in ROOT.glob("docs/reference/*.md"))
    documented = re.findall(
        r"^\.\. (?:auto|py:)(?!module)\w+:: (?:conversations_client\.(?:messages|events)\.)?(\w+)$",
        text,
        re.MULTILINE,
    )
    assert sorted(documented) == sorted([*conversations_client.__all__, "Sandbox"])

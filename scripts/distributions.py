"""Checks the contents of the wheel and the sdist: python scripts/distributions.py FOLDER."""

import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
ONLY_IN_THE_SDIST = (
    ".github",
    "benchmarks",
    "docs",
    "examples",
    "requirements",
    "scripts",
    "tests",
)


def sources(*names: str) -> set[str]:
    """Return the named files and the files in the named folders, except caches."""
    return {
        path.relative_to(ROOT).as_posix()
        for name in names
        for path in (ROOT / name, *(ROOT / name).rglob("*"))
        if path.is_file() and not _is_cached(path.relative_to(ROOT))
    }


def _is_cached(path: Path) -> bool:
    # In folders such as __pycache__ and .mypy_cache.
    return any(part.strip("_").endswith("cache") for part in path.parts)


def problems_of_the_wheel(names: set[str]) -> list[str]:
    """Return the missing files of the package and the unexpected files."""
    needed = sources(*PACKAGES)
    packed = {name for name in names if ".dist-info/" not in name}
    licensed = any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    return [
        *(f"the wheel lacks {name}" for name in sorted(needed - packed)),
        *(f"the wheel should not contain {name}" for name in sorted(packed - needed)),
        *([] if "conversations_client/py.typed" in packed else ["the wheel has no py.typed"]),
        *([] if licensed else ["the wheel has no LICENSE"]),
    ]


def problems_of_the_sdist(names: set[str]) -> list[str]:
    """Return the missing files that the build, the tests or readers need."""
    needed = sources(*PACKAGES, *ONLY_IN_THE_SDIST)
    needed |= {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "conftest.py", "pyproject.toml"}
    packed = {name.partition("/")[2] for name in names}
    return [f"the sdist lacks {name}" for name in sorted(needed - packed)]


def main(folder: Path) -> None:
    """Check the wheel and the sdist in a folder."""
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as files:
        problems = problems_of_the_wheel(set(files.namelist()))
    with tarfile.open(sdist) as files:
        problems += problems_of_the_sdist(set(files.getnames()))
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

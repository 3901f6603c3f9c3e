"""Each example of docs/testing.md is a test file that passes."""

import re
from pathlib import Path

import pytest

import conversations_client

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)

pytest_plugins = ["pytester"]

# pytester forgets what its runs import: a later run would have a second copy of each class.
for _name in conversations_client.__all__:
    getattr(conversations_client, _name)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_of_the_page_pass(pytester: pytest.Pytester, example: str) -> None:
    if "fastapi" in example:
        pytest.importorskip("fastapi")
    pytester.makepyfile(example)
    outcomes = pytester.runpytest_inprocess("-Werror").parseoutcomes()
    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] >= len(re.findall(r"def test_", example)) > 0

"""What people can import and call changes only where somebody meant it to."""

from difflib import unified_diff
from pathlib import Path

import public_api

RECORD = Path(__file__).with_name("api.txt")


def test_the_public_api_is_as_recorded() -> None:
    recorded = RECORD.read_text().splitlines()
    changes = "\n".join(unified_diff(recorded, list(public_api.lines()), lineterm="", n=0))
    assert not changes, f"""\
The public API is not as tests/api.txt has it:

{changes}

If it is meant to change, say so in CHANGELOG.md and record it: python tests/public_api.py > tests/api.txt
"""

"""The public API changes only on purpose."""

import inspect
import sys
from difflib import unified_diff
from pathlib import Path

import public_api
import pytest

import conversations_client

RECORD = Path(__file__).with_name("api.txt")


def test_the_public_api_is_as_recorded() -> None:
    recorded = RECORD.read_text().splitlines()
    changes = "\n".join(unified_diff(recorded, list(public_api.lines()), lineterm="", n=0))
    assert not changes, f"""\
The public API is not as tests/api.txt has it:

{changes}

If it is meant to change, say so in CHANGELOG.md and record it: python tests/public_api.py > tests/api.txt
"""


CLASSES = [
    each
    for name in conversations_client.__all__
    if isinstance(each := getattr(conversations_client, name), type)
]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_public_class_and_member_has_help(cls: type) -> None:
    assert cls.__doc__
    for name, member in public_api.members(cls).items():
        if name != "__init__" and (callable(member) or hasattr(member, "__get__")):
            assert inspect.getdoc(member), name


def test_a_public_module_is_imported_on_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    module = conversations_client.responses
    monkeypatch.delattr(conversations_client, "responses")
    assert conversations_client.responses is module is sys.modules["conversations_client.responses"]

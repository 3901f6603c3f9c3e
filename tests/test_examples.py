"""The examples, run as a reader would, on a sandbox."""

import io
import runpy
from pathlib import Path

import pytest

from conversations_client import Client
from conversations_client.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[1] / "examples"
FAILED = (
    "POST /v2/conversations/{conversation_id}/responses failed while it was answered, "
    "with code 500: The model failed halfway."
)


@pytest.mark.parametrize(
    ("model", "typed", "turns", "printed"),
    [
        ("sandbox/echo", "One two\n\n  three \n", 2, "> One two\n> > three\n> \n"),
        ("sandbox/tool", "One two\n", 1, "> You said 2 words.\n> \n"),
        (
            "sandbox/fails",
            "One two\nthree\n",
            2,
            f"> One …\n{FAILED}\n> three…\n{FAILED}\n> \n",
        ),
    ],
)  # fmt: skip
def test_chat(  # noqa: PLR0917 - the columns of the table
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: str,
    typed: str,
    turns: int,
    printed: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["chat.py", model])
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with Sandbox() as sandbox:
        monkeypatch.setenv("ORQ_API_KEY", sandbox.api_key)
        monkeypatch.setenv("ORQ_BASE_URL", sandbox.url)
        runpy.run_path(str(EXAMPLES / "chat.py"), run_name="__main__")
        with Client() as client:
            (conversation,) = client.conversations.list()
            found = client.conversations.retrieve(conversation.id or "")
    assert capsys.readouterr().out == printed
    assert found.display_name == "Chat"
    assert [each.role for each in found.messages or ()] == ["user", "assistant"] * turns


def test_examples_fit_one_screen() -> None:
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 40

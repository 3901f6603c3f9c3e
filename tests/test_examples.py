"""Runs the examples on a sandbox, as a reader would."""

import io
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import reader_gone
from scripted import CONVERSATION

from conversations_client import Client
from conversations_client.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[1] / "examples"
FAILED = (
    "POST /v2/conversations/{id}/responses: the response failed "
    "with code 500: The model failed halfway."
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        monkeypatch.setenv("ORQ_API_KEY", sandbox.api_key)
        monkeypatch.setenv("ORQ_BASE_URL", sandbox.url)
        yield sandbox


def run_chat(monkeypatch: pytest.MonkeyPatch, model: str, typed: str) -> None:
    monkeypatch.setattr("sys.argv", ["chat.py", model])
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    runpy.run_path(str(EXAMPLES / "chat.py"), run_name="__main__")


@pytest.mark.parametrize(
    ("model", "typed", "turns", "printed"),
    [
        ("sandbox/echo", "One two\n\n  three \n", 2, "> One two\n> > three\n> \n"),
        ("sandbox/tool", "One two\n", 1, "> You said 2 words.\n> \n"),
        (
            "sandbox/fails",
            "One two\nthree\n",
            2,
            f"> One …\n{FAILED}\n> three…\n{FAILED}\n> \n",  # and it continues
        ),
    ],
)  # fmt: skip
def test_chat(  # noqa: PLR0917 - the columns of the table
    environment: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: str,
    typed: str,
    turns: int,
    printed: str,
) -> None:
    run_chat(monkeypatch, model, typed)
    with Client() as client:
        (conversation,) = client.conversations.list()
        assert conversation.id is not None
        found = client.conversations.retrieve(conversation.id)
    out = re.sub(r" Request ID: req_\w+\.", "", capsys.readouterr().out)
    assert out == printed.replace("{id}", conversation.id)
    assert found.display_name == "Chat"
    assert [each.role for each in found.messages or ()] == ["user", "assistant"] * turns


def test_a_rejected_chat_ends_with_a_message(
    environment: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_chat(monkeypatch, "sandbox/nobody", "Hello\n")
    # The message that sys.exit prints to stderr before it exits with 1.
    assert re.match(
        r"Error: POST /v2/conversations/conv_\w+/responses.* 422 ", str(ended.value.code)
    )


def test_a_chat_with_a_service_that_sends_no_id(
    environment: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.answer_next({key: value for key, value in CONVERSATION.items() if key != "_id"})
    with pytest.raises(SystemExit, match="a conversation without an ID"):
        run_chat(monkeypatch, "sandbox/echo", "Hello\n")


def test_examples_fit_one_screen() -> None:
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 40


def test_the_nightly_import_creates_each_row_once(environment: Sandbox, tmp_path: Path) -> None:
    page = EXAMPLES.parent / "docs" / "how-to" / "scripts.md"
    (script,) = re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    (in_place,) = re.findall(r"^\$ (day=.*)", page.read_text(), re.MULTILINE)
    date = tmp_path / "date"
    date.touch(mode=0o700)
    path = os.pathsep.join(map(str, [tmp_path, Path(sys.executable).parent, os.environ["PATH"]]))

    def codes(day: int, *runs: str, script: str = script) -> list[int]:
        date.write_text(f"#!/bin/sh\necho 2024-12-{day}")
        return [
            subprocess.run(  # noqa: S603
                ["bash", "-c", script],  # noqa: S607
                cwd=tmp_path,
                env={**os.environ, "PATH": path},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=60,
            ).returncode
            for _ in runs
        ]

    drop = tmp_path / "customers.csv"
    drop.write_text("number,name\n1,Roadmap\n2,Support\n")
    environment.fail_next(400, method="POST")
    assert codes(21, "a row fails", "it is sent again", "all is done") == [1, 0, 0]
    assert codes(22, "no file") == [1]
    drop.write_text("number,name\n3,Roadmap\n")
    assert codes(22, "a new file") == [0]
    for day in (23, 24):
        drop.write_text(f"displayName\n{day}\n")
        assert codes(day, "a new file", "all is done", script=in_place) == [0, 0]
    with Client() as client:
        names = [each.display_name for each in client.conversations.list()]
    assert sorted(names) == ["23", "24", "Roadmap", "Roadmap", "Support"]


def test_cron_sends_mail_about_a_nightly_import_only_if_it_fails(
    environment: Sandbox, tmp_path: Path
) -> None:
    page = (EXAMPLES.parent / "docs" / "how-to" / "scripts.md").read_text()
    (script,) = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    (line,) = re.findall(r"^0 3 \* \* \* (.*)$", page, re.MULTILINE)
    folder = tmp_path / "customers"
    folder.mkdir()
    executable = folder / "import-customers"
    executable.write_text(script)
    executable.chmod(0o700)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def mail() -> tuple[bool, str]:
        """Whether the line succeeds, and what cron would send."""
        ended = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", line],
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return ended.returncode == 0, ended.stdout

    is_done, text = mail()
    assert (is_done, "customers.csv" in text) == (False, True)
    (folder / "customers.csv").write_text("number,name\n1,Roadmap\n2,Support\n")
    environment.fail_next(400, method="POST")
    is_done, text = mail()
    assert (is_done, "1 row failed: see " in text) == (False, True)
    assert mail() == (True, "")


def test_the_demo_ends_silently_when_its_output_is_closed() -> None:
    demo = EXAMPLES.parent / "scripts" / "demo.py"
    with reader_gone() as nobody:
        ended = subprocess.run(  # noqa: S603
            [sys.executable, demo],
            stdout=nobody,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert (ended.returncode, ended.stderr) == (0, b"")

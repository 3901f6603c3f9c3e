"""Runs the examples on a sandbox, as a reader would."""

import io
import itertools
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
DOCS = EXAMPLES.parent / "docs"
SCRIPTS = (DOCS / "how-to" / "scripts.md").read_text()
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


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def program(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a program, in a folder."""
    (folder / "x.py").write_text(script)
    return subprocess.run(  # noqa: S603
        [sys.executable, "x.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("script", python_blocks(SCRIPTS), ids=itertools.count())
def test_a_script_is_complete(environment: Sandbox, tmp_path: Path, script: str) -> None:
    (tmp_path / "topics.csv").write_text("number,name\n1,Roadmap\n2,Customer Support\n")
    with environment.client() as client:
        client.conversations.create(display_name="Another")
    requests = len(environment.requests)
    ended = program(script, tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(environment.requests) > requests


def test_doubtful_rows_can_be_resolved(environment: Sandbox, tmp_path: Path) -> None:
    (script,) = (each for each in python_blocks((DOCS / "bulk.md").read_text()) if "argv" in each)
    (tmp_path / "topics.csv").write_text("displayName\nRoadmap\nSupport\nSales\n")

    def import_topics() -> int:
        command = [sys.executable, "-m", "conversations_client", "import", "topics.csv"]
        ended = subprocess.run(  # noqa: S603
            [*command, "--max-in-flight", "1"], cwd=tmp_path, check=False, timeout=60
        )
        return ended.returncode

    def resolve(*arguments: str) -> tuple[int, str]:
        ended = program(script, tmp_path, "topics.csv.journal", *arguments)
        return ended.returncode, ended.stderr

    environment.drop_next(after_acting=True)
    environment.fail_next(500)
    assert [import_topics(), import_topics()] == [5, 5]
    with environment.client() as client:
        ids = {each.display_name: f"{each.id}" for each in client.conversations.list()}
        assert set(ids) == {"Roadmap", "Sales"}
        assert resolve("1", ids["Roadmap"]) == resolve("2") == (0, "")
        assert resolve("3") == (1, "Row 3 is not doubtful.\n")
        assert import_topics() == 0
        names = [each.display_name for each in client.conversations.list()]
    assert sorted(names) == ["Roadmap", "Sales", "Support"]
    results = (tmp_path / "topics.csv.results.jsonl").read_text().splitlines()
    assert (len(results), ids["Roadmap"] in results[0]) == (3, True)


def test_the_nightly_import_creates_each_row_once(environment: Sandbox, tmp_path: Path) -> None:
    (script,) = re.findall(r"```bash\n(.*?)```", SCRIPTS, re.DOTALL)
    (in_place,) = re.findall(r"^\$ (day=.*)", SCRIPTS, re.MULTILINE)
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
    drop.write_text("number,name\n4,Sales\n")
    assert codes(22, "a second file", "it is still there") == [1, 1]
    assert codes(23, "it is a new file") == [0]
    for day in (24, 25):
        drop.write_text(f"number,name\n5,{day}\n")
        assert codes(day, "a new file", "all is done", script=in_place) == [0, 0]
    with Client() as client:
        names = [each.display_name for each in client.conversations.list()]
    assert sorted(names) == ["24", "25", "Roadmap", "Roadmap", "Sales", "Support"]


def test_cron_sends_mail_about_a_nightly_import_only_if_it_fails(
    environment: Sandbox, tmp_path: Path
) -> None:
    (script,) = re.findall(r"```bash\n(.*?)```", SCRIPTS, re.DOTALL)
    (line,) = re.findall(r"^0 3 \* \* \* (.*)$", SCRIPTS, re.MULTILINE)
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
    (folder / "customers.csv").write_text("number,name\n3,Sales\n")
    is_done, text = mail()
    assert (is_done, "is imported, but another customers.csv has arrived" in text) == (False, True)


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

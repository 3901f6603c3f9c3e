"""The installed command, used as people and shells use it."""

import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import SCRIPT, Terminal, reader_gone

from conversations_client import Client

pytest_plugins = ["command_line_fixtures"]

CTRL_C, CTRL_D = "\x03", "\x04"

pytestmark = pytest.mark.usefixtures("environment")


def test_a_morning_at_the_terminal(client: Client) -> None:
    conversation = client.conversations.create(
        display_name="Feature talk", metadata={"entity_id": "agent_terminal"}
    )
    with Terminal("list", "--entity-id", "agent_terminal") as terminal:
        assert terminal.end() == 0
        for words in ("Id", "Name", "Updated", str(conversation.id), "Feature talk", "just now"):
            assert words in terminal.seen
    with Terminal("delete", str(conversation.id)) as terminal:
        terminal.until(f"Delete {conversation.id} “Feature talk” for good? [y/N] ")
        terminal.press("n\n")
        assert terminal.end() == 1
    with Terminal("delete", str(conversation.id)) as terminal:
        terminal.until("for good?")
        terminal.press(CTRL_D)
        assert terminal.end() == 1
        assert "Traceback" not in terminal.seen
    with Terminal("delete", str(conversation.id)) as terminal:
        terminal.until("for good?")
        terminal.press("y\n")
        terminal.until(f"Deleted {conversation.id}")
        assert terminal.end() == 0


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_ctrl_c_at_a_question_and_during_a_call(client: Client) -> None:
    with Terminal("delete", str(client.conversations.create().id)) as terminal:
        terminal.until("for good?")
        # Python looks for signals before it reads, and may miss one that comes in between: the line
        # feed ends such a read.
        terminal.press(f"{CTRL_C}\n")
        assert terminal.end() == 130
        assert "Traceback" not in terminal.seen
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Terminal("list", "--timeout", "5", "--base-url", url_of(silent)) as terminal,
        silent.accept()[0] as connection,
    ):
        assert connection.recv(3) == b"GET"
        terminal.press(CTRL_C)
        assert terminal.end() == 130
        assert terminal.seen.replace("\r", "") == "^C\n"


def test_the_sandbox_until_ctrl_c(tmp_path: Path) -> None:
    with Terminal("sandbox", "--port", "0", "--db", str(tmp_path / "db")) as terminal:
        terminal.until("ORQ_API_KEY=")
        terminal.until("\n")
        values = dict(re.findall(r"export (\w+)=(\S+)\r\n", terminal.seen))
        with Client(values["ORQ_API_KEY"], base_url=values["ORQ_BASE_URL"]) as client:
            assert client.conversations.create(display_name="Kept").id
        terminal.press(CTRL_C)
        assert terminal.end() == 0


def test_the_sandbox_for_a_script_does_not_print_a_chosen_key() -> None:
    line = [SCRIPT, "sandbox", "--port", "0", "--api-key", "given", "--jsonl"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        values = json.loads(process.stdout.readline())
        with Client("given", base_url=values["ORQ_BASE_URL"]) as client:
            assert client.conversations.create().id
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert list(values) == ["ORQ_BASE_URL"]


def test_nobody_to_hear_of_an_error() -> None:
    with reader_gone() as nobody:
        ended = subprocess.run([SCRIPT, "show"], stderr=nobody, check=False, timeout=60)  # noqa: S603
    assert ended.returncode == 2


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"TERM": "xterm-256color"}, True), ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False)],
)
def test_no_color_is_honoured(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Terminal("doctor") as terminal:
        assert terminal.end() == 0
    assert ("\x1b[32mok" in terminal.seen) is coloured


def test_forced_colours_do_not_change_json() -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    ended = subprocess.run(  # noqa: S603
        [SCRIPT, "doctor"], capture_output=True, env=environment, check=True, timeout=60
    )
    assert json.loads(ended.stdout)
    ended = subprocess.run(  # noqa: S603
        [SCRIPT, "show"], capture_output=True, env=environment, check=False, timeout=60
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(b"\x1b[1;31mError:")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_completion(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    install = [SCRIPT, "--install-completion", "--shell", "bash", "--output", str(script)]
    subprocess.run(install, capture_output=True, check=True, timeout=60)  # noqa: S603
    press_tab = (
        f'. "{script}"; COMP_WORDS=(conversations re); COMP_CWORD=1; _conversations; '
        'echo "${COMPREPLY[@]}"'
    )
    ended = subprocess.run(  # noqa: S603
        ["bash", "-c", press_tab],  # noqa: S607
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout == "rename\n"


def test_the_module_runs_the_command() -> None:
    importlib.import_module("conversations_client.cli.__main__")
    line = [sys.executable, "-m", "conversations_client.cli", "show"]
    ended = subprocess.run(line, capture_output=True, check=False, timeout=60)  # noqa: S603
    assert ended.returncode == 2


def test_a_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['cyclopts'] = None; "
        "from conversations_client.cli import main; sys.exit(main())"
    )
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=60
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        b"The command line needs cyclopts, which is not installed: "
        b'pip install "conversations-client[cli]"\n'
    )


def test_the_client_does_not_import_the_command_line() -> None:
    code = (
        "import sys, conversations_client; "
        "sys.exit(bool({'cyclopts', 'conversations_client.cli'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # noqa: S603

"""The installed command at a terminal and in a shell."""

import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from command_line import SCRIPT, Ended, Terminal, execute, reader_gone

from conversations_client import Client

pytest_plugins = ["command_line_fixtures"]

CTRL_C, CTRL_D = "\x03", "\x04"

pytestmark = pytest.mark.usefixtures("environment")


def test_common_commands_at_the_terminal(client: Client) -> None:
    conversation = client.conversations.create(
        display_name="Feature talk", metadata={"entity_id": "agent_terminal"}
    )
    with Terminal("list", "--entity-id", "agent_terminal") as terminal:
        assert terminal.end() == 0
        for words in ("ID", "Name", "Updated", str(conversation.id), "Feature talk", "just now"):
            assert words in terminal.seen
    with Terminal("delete", str(conversation.id)) as terminal:
        terminal.until(f"Delete {conversation.id} “Feature talk” permanently? [y/N] ")
        terminal.press("n\n")
        assert terminal.end() == 1
    with Terminal("delete", str(conversation.id)) as terminal:
        terminal.until("permanently?")
        terminal.press(CTRL_D)
        assert terminal.end() == 1
        assert "Traceback" not in terminal.seen
    with Terminal("delete", str(conversation.id)) as terminal:
        terminal.until("permanently?")
        terminal.press("y\n")
        terminal.until(f"Deleted {conversation.id}")
        assert terminal.end() == 0


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_ctrl_c_at_a_prompt_and_during_a_call(client: Client) -> None:
    with Terminal("delete", str(client.conversations.create().id)) as terminal:
        terminal.until("permanently?")
        # Python checks for signals before it reads, and can miss a signal in between. The line
        # feed ends the read in that case.
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


def test_the_sandbox_runs_until_ctrl_c(tmp_path: Path) -> None:
    with Terminal("sandbox", "--port", "0", "--db", str(tmp_path / "db")) as terminal:
        terminal.until("ORQ_API_KEY=")
        terminal.until("\n")
        values = dict(re.findall(r"export (\w+)=(\S+)\r\n", terminal.seen))
        with Client(values["ORQ_API_KEY"], base_url=values["ORQ_BASE_URL"]) as client:
            assert client.conversations.create(display_name="Kept").id
        terminal.press(CTRL_C)
        assert terminal.end() == 0


@pytest.mark.parametrize(
    "line", [[SCRIPT, "sandbox"], [sys.executable, "-m", "conversations_client.sandbox"]]
)
def test_a_shell_can_evaluate_the_output_of_the_sandbox(tmp_path: Path, line: list[str]) -> None:
    options = ["--port", "0", "--db", str(tmp_path / "db")]
    with subprocess.Popen(  # noqa: S603
        [*line, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = process.stdout.readline() + process.stdout.readline()
        process.terminate()
        rest, message = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "")
    script = f'set -e; eval "{lines}"; echo "$ORQ_BASE_URL $ORQ_API_KEY"'
    ended = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    url, key = ended.stdout.split()
    assert message.startswith(f"The sandbox is running at {url} until you press Ctrl-C.")
    assert len(message.splitlines()) == 1
    assert key not in message
    assert key.startswith("sandbox_")


def test_a_name_that_no_request_can_have_is_rejected() -> None:
    ended = subprocess.run(  # noqa: S603
        [SCRIPT, "sandbox", "--allow-host", "http://a.test"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: --allow-host must be host names")


@contextmanager
def sandbox_for_a_script(*options: str) -> Generator[str, None, None]:
    """The URL of a sandbox with the key "given"."""
    line = [SCRIPT, "sandbox", "--port", "0", "--api-key", "given", "--jsonl", *options]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        values = json.loads(process.stdout.readline())
        yield values["ORQ_BASE_URL"]
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert list(values) == ["ORQ_BASE_URL"]


def test_the_sandbox_for_a_script_does_not_print_a_chosen_key() -> None:
    with sandbox_for_a_script() as url, Client("given", base_url=url) as client:
        assert client.conversations.create().id


def test_the_sandbox_takes_every_option() -> None:
    options = ("--revision", "1", "--allow-host", "a.test", "--allow-host", "b.test")
    with sandbox_for_a_script(*options, "--host", "localhost") as url:
        for host in ("a.test", "b.test"):
            document = httpx.get(f"{url}/openapi.json", headers={"Host": host}).json()
            assert document["info"]["version"] == "1"
    # The default files of the two revisions are different.
    with sandbox_for_a_script("--model", "a/b", "--pace", "0.01") as url:
        assert '"a/b"' in httpx.get(f"{url}/openapi.json").text


def test_an_error_with_a_closed_stderr() -> None:
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


def test_forced_colors_do_not_change_json() -> None:
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
    assert execute(SCRIPT, "completion", "bash") == Ended(0, script.read_text(), "")


# zsh loads a file of its `fpath` as a function when it is first needed.
_AS_A_FILE = "fpath=({folder} $fpath); autoload -Uz {name}; _arguments() {{ echo $1; }}; {name}"


@pytest.mark.parametrize(
    ("shell", "name", "script", "printed"),
    [
        ("fish", "any", '. {file}; complete -C "conversations ren"', "rename"),
        ("zsh", "_conversations", _AS_A_FILE, "-C"),
        ("zsh", "_cyclopts_conversations", _AS_A_FILE, "-C"),
        (
            "zsh",
            "any",
            "compdef() {{ echo $@; }}; . {file}",
            "_cyclopts_conversations conversations",
        ),
    ],
)
def test_a_completion_works_however_it_is_loaded(
    tmp_path: Path, shell: str, name: str, script: str, printed: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    file = tmp_path / name
    file.write_text(execute(SCRIPT, "completion", shell).out)
    ended = execute(shell, "-c", script.format(folder=tmp_path, name=name, file=file))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(printed)


@pytest.mark.parametrize("module", ["conversations_client", "conversations_client.cli"])
def test_the_module_runs_the_command(module: str) -> None:
    importlib.import_module(f"{module}.__main__")
    line = [sys.executable, "-m", module, "show"]
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
        b"The command-line tool needs cyclopts, which is not installed: "
        b'pip install "conversations-client[cli]"\n'
    )


def test_the_client_does_not_import_the_command_line() -> None:
    code = (
        "import sys, conversations_client; "
        "sys.exit(bool({'cyclopts', 'conversations_client.cli'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # noqa: S603

"""Exit codes and messages with closed, full and broken standard streams."""

import contextlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from command_line import LONGEST_WAIT, SCRIPT, WITH_CTRL_C, Ended, execute, unmeasured
from scripted import CONVERSATION, ScriptedServer, answer

from conversations_client import Client, __version__
from conversations_client._standard_streams import OutputStream, discard_output
from conversations_client.cli import main

pytest_plugins = ["command_line_fixtures"]
pytestmark = pytest.mark.usefixtures("environment")

FULL = "/dev/full"
LOST = "The output could not be written: No space left on device."


class Forked:
    """Runs command lines in forks of a process that has imported everything."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        program = Path(__file__).parents[1] / "fork_commands.py"
        # A fork would overwrite the coverage data of its parent.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=unmeasured(),
        )

    def run(
        self, *arguments: str, stdin: str, stdout: str, stderr: str, unbuffered: bool = False
    ) -> Ended:
        files = [self._directory / name for name in ("out", "err")]
        for file in files:
            file.write_bytes(b"")
        outputs = [
            str(file) if stream == "read" else stream
            for file, stream in zip(files, (stdout, stderr), strict=True)
        ]
        code = self._exit_code(
            {
                "arguments": arguments,
                "streams": [stdin, *outputs],
                "unbuffered": unbuffered,
                "environment": dict(os.environ),
            }
        )
        return Ended(code, *(file.read_text() for file in files))

    def _exit_code(self, job: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(job)}\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], LONGEST_WAIT)
        assert ready, f"{job['arguments']} does not end"
        return int(self._process.stdout.readline())

    def close(self) -> None:
        with self._process:
            self._process.kill()


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    commands = Forked(tmp_path_factory.mktemp("streams"))
    yield commands
    commands.close()


@frozen
class Case:
    """A command line with its exit code and output."""

    arguments: str
    code: int = 0
    error: str = ""
    prints: bool = True
    stdin: bytes = b""


def failing(arguments: str, code: int, error: str, stdin: bytes = b"") -> Case:
    return Case(arguments, code, error, prints=False, stdin=stdin)


CASES = [
    Case("--help"),
    Case("list --help"),
    Case("--version"),
    Case("--install-completion --shell bash --output {directory}/completion"),
    failing("frob", 2, "Unknown command"),
    failing("show", 2, "`show` needs CONVERSATION_ID"),
    failing("list --limit x", 2, "must be a whole number"),
    Case("create A --entity-id {entity}"),
    failing("create A --base-url {broken}", 5, "before you"),
    Case("list --limit 1000"),
    Case("list --limit 1000 --jsonl"),
    failing("list --timeout 0.3 --base-url http://127.0.0.1:1", 4, "doctor"),
    Case("show {id}"),
    failing("show conv_missing", 3, "404"),
    Case("rename {id} B"),
    Case("name {unnamed} --context B"),
    failing("delete {id}", 2, "--yes"),
    Case("delete {id} --yes"),
    Case("delete {id} conv_missing --yes", 3, "conv_missing"),
    Case("delete --file {directory}/ids --yes", 3, "The conversation doesn't exist"),
    Case("import {directory}/good.jsonl"),
    Case("import {directory}/bad.jsonl", 1, "1 row failed"),
    Case("export {directory}/exported.csv", 0, "Not included"),
    failing("export {directory}/missing/exported.csv", 2, "missing"),
    Case("chat {id} --model sandbox/echo", stdin=b"Hello\n"),
    failing("chat {id} --model sandbox/echo", 2, "not UTF-8", b"\xff\n"),
    Case("chat {id} --model sandbox/unknown", 1, "422", stdin=b"Hello\n"),
    Case("doctor"),
    Case("doctor --api-key wrong", 1),
    failing("sandbox --port {taken}", 2, "port"),
]
# stdout, stderr, and whether PYTHONUNBUFFERED is set.
SITUATIONS = [
    ("gone", "read", False),
    ("closed", "read", False),
    (FULL, "read", False),
    (FULL, "read", True),
    ("read", "gone", False),
    ("read", FULL, True),
    ("closed", "closed", False),
    (FULL, FULL, False),
]


@pytest.fixture
def filled_in(client: Client, tmp_path: Path) -> Iterator[Callable[[Case], list[str]]]:
    entity = f"agent_{uuid.uuid4()}"
    client.conversations.create()  # for the listings
    (tmp_path / "ids").write_text("conv_missing\n")
    (tmp_path / "good.jsonl").write_text('{"displayName": "A"}\n')
    (tmp_path / "bad.jsonl").write_text('{"displayName": "A"}\n{"unknown": 1}\n')
    with ScriptedServer([]) as broken, socket.create_server(("127.0.0.1", 0)) as taken:
        values: dict[str, object] = {
            "directory": tmp_path,
            "entity": entity,
            "broken": broken.url,
            "taken": taken.getsockname()[1],
        }

        def fill_in(case: Case) -> list[str]:
            if "{id}" in case.arguments:
                values["id"] = client.conversations.create().id
            if "{unnamed}" in case.arguments:
                values["unnamed"] = client.conversations.create(
                    metadata={"generating_title": True}
                ).id
            return case.arguments.format_map(values).split()

        yield fill_in


@pytest.mark.parametrize(("stdout", "stderr", "unbuffered"), SITUATIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.arguments}-{case.code}")
def test_the_exit_code_is_correct_with_any_streams(  # noqa: PLR0917 - the columns of the table
    forked: Forked,
    filled_in: Callable[[Case], list[str]],
    tmp_path: Path,
    case: Case,
    stdout: str,
    stderr: str,
    unbuffered: bool,
) -> None:
    stdin = tmp_path / "stdin"
    stdin.write_bytes(case.stdin)
    arguments = filled_in(case)
    ended = forked.run(
        *arguments, stdin=str(stdin), stdout=stdout, stderr=stderr, unbuffered=unbuffered
    )
    is_lost = stdout == FULL and case.prints
    assert ended.code == (6 if is_lost and case.code == 0 else case.code)
    assert bool(ended.out) is (stdout == "read" and case.prints)
    if stderr == "read":
        assert case.error in ended.err
        assert (LOST in ended.err) is is_lost
        assert bool(ended.err) is bool(case.error or is_lost)
    assert "Traceback" not in ended.err
    assert "Exception" not in ended.err


@pytest.mark.parametrize("stdout", ["read", "gone", "closed", FULL])
def test_a_create_succeeds_even_if_its_output_is_lost(
    forked: Forked, client: Client, stdout: str
) -> None:
    entity = f"agent_{uuid.uuid4()}"
    ended = forked.run(
        "create", "--entity-id", entity, stdin=os.devnull, stdout=stdout, stderr="read"
    )
    (created,) = client.conversations.list(entity_id=entity)
    assert ended.code == (6 if stdout == FULL else 0)
    assert ended.err == (f"Created {created.id}.\nError: {LOST}\n" if stdout == FULL else "")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("chat --model m/m", 0), ("delete conv_1", 2), ("list", 0), ("create", 0)],
)
def test_stdin_can_be_closed(forked: Forked, arguments: str, code: int) -> None:
    ended = forked.run(*arguments.split(), stdin="closed", stdout="read", stderr="read")
    assert ended.code == code
    closed = forked.run(*arguments.split(), stdin="closed", stdout="closed", stderr="closed")
    assert closed.code == code


def test_stdin_that_cannot_be_read(tmp_path: Path) -> None:
    ended = from_shell(f"0>{tmp_path}/written", SCRIPT, "chat", "--model", "m/m")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "Error: The input can't be read: Bad file descriptor.\n"


# The same tests with the installed command, started by a shell.
REDIRECTIONS = [
    (">&-", 0),
    ("2>&-", 0),
    ("<&-", 0),
    ("<&- >&- 2>&-", 0),
    (">/dev/full", 6),
    ("2>/dev/full", 0),
    (">/dev/full 2>/dev/full", 6),
]


def from_shell(redirections: str, *line: str, **environment: str) -> Ended:
    script = f'exec "$@" {redirections}'
    return execute("/bin/sh", "-c", script, "sh", *line, environment=environment)


@pytest.mark.parametrize(("redirections", "code"), REDIRECTIONS)
def test_the_installed_command(client: Client, redirections: str, code: int) -> None:
    entity = f"agent_{uuid.uuid4()}"
    ended = from_shell(redirections, SCRIPT, "create", "--entity-id", entity)
    assert ended.code == code
    assert len(list(client.conversations.list(entity_id=entity))) == 1
    assert bool(ended.out) is (" " not in redirections and redirections[0] in "2<")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("redirections", "unbuffered"),
    [("2>&-", ""), ("2>/dev/full", ""), ("2>/dev/full", "1"), (">&-", ""), (">/dev/full", "")],
)
def test_the_installed_command_with_an_error(redirections: str, unbuffered: str) -> None:
    ended = from_shell(redirections, SCRIPT, "show", PYTHONUNBUFFERED=unbuffered)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: ") is (redirections[0] == ">")
    assert len(ended.err.splitlines()) == (redirections[0] == ">")


SANDBOX = [sys.executable, "-m", "conversations_client.sandbox"]


@pytest.mark.parametrize(
    ("arguments", "redirections", "code"),
    [
        ("--help", ">&-", 0),
        ("--help", ">/dev/full", 0),
        ("--port x", "2>&-", 2),
        ("--port x", "2>/dev/full", 2),
        ("--port 1 --db /missing/db", "2>/dev/full", 2),
    ],
)
def test_the_sandbox_command(arguments: str, redirections: str, code: int) -> None:
    ended = from_shell(redirections, *SANDBOX, *arguments.split())
    assert (ended.code, ended.err) == (code, "")


@pytest.mark.parametrize(
    ("line", "redirections", "code", "error"),
    [
        ([SCRIPT, "sandbox"], ">&-", 0, ""),
        ([SCRIPT, "sandbox"], ">/dev/full", 6, f"Error: {LOST}\n"),
        (SANDBOX, ">&-", 0, ""),
        (SANDBOX, ">/dev/full", 0, "The address could not be written: No space left on device.\n"),
    ],
)
def test_a_sandbox_that_cannot_print_its_address_runs(
    tmp_path: Path, line: list[str], redirections: str, code: int, error: str
) -> None:
    port = unassigned_port()
    script = f'exec "$@" {redirections}'
    options = ["--port", str(port), "--db", str(tmp_path / "db")]
    with subprocess.Popen(  # noqa: S603
        ["/bin/sh", "-c", script, "sh", *line, *options], stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_port(port)
        process.terminate()
        _, printed = process.communicate(timeout=LONGEST_WAIT)
    sentence, _, rest = printed.partition("\n")
    assert sentence.startswith(f"The sandbox is running at http://127.0.0.1:{port} until you press")
    assert (process.returncode, rest) == (code, error)


def unassigned_port() -> int:
    """A free port that the operating system doesn't assign to other sockets."""
    for port in random.sample(range(15_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
    raise AssertionError(f"nothing listens on {port}")


def long_page() -> Iterator[bytes]:
    """A page that is longer than the buffer of a pipe, so that the command waits for its reader."""
    data = [{**CONVERSATION, "_id": f"conv_{n}", "displayName": "x" * 2_000} for n in range(100)]
    yield answer(200, {"object": "list", "data": data, "has_more": False})


@contextlib.contextmanager
def listing(stdout: int = subprocess.PIPE) -> Generator["subprocess.Popen[bytes]"]:
    with ScriptedServer(long_page()) as server:
        line = [*WITH_CTRL_C, SCRIPT, "list", "--all", "--jsonl", "--base-url", server.url]
        with subprocess.Popen(  # noqa: S603
            line, stdout=stdout, stderr=subprocess.PIPE, env=unmeasured()
        ) as process:
            yield process


def test_a_reader_that_closes_the_pipe_early() -> None:
    with listing() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["_id"] == "conv_0"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(LONGEST_WAIT) == 0


def test_a_reader_that_stops_reading_does_not_stop_ctrl_c() -> None:
    with listing() as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        # The command discards the rest of its output, because nobody reads it.
        assert process.wait(LONGEST_WAIT) == 130


def test_a_non_blocking_pipe() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with listing(stdout=writing) as process, os.fdopen(reading, "rb") as output:
        os.close(writing)
        assert len(output.read().splitlines()) == 100
        assert process.wait(LONGEST_WAIT) == 0


def test_a_full_non_blocking_pipe_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    read = bytearray()

    def read_some(*_: object) -> None:
        read.extend(os.read(reading, 1 << 16))

    monkeypatch.setattr(select, "select", read_some)
    output = OutputStream(writing, encoding="utf-8")
    output.write("x" * 200_000)
    output.flush()
    assert output.error is None
    assert 200_000 - (1 << 16) <= len(read) <= 200_000
    os.close(reading)
    os.close(writing)


NAME = "Füße 漢字 👋"


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "utf-16"},
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_json_and_piped_messages_are_utf_8(client: Client, variables: dict[str, str]) -> None:
    conversation_id = str(client.conversations.create().id)
    line = [SCRIPT, "chat", conversation_id, "--model", "sandbox/echo", "--jsonl"]
    ended = execute(*line, environment=variables, stdin=NAME.encode())
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == {
        "conversationId": conversation_id, "message": NAME, "answer": NAME,
    }  # fmt: skip


def test_replaced_streams_are_not_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, code in {("--version",): 0, ("frob",): 2}.items():
        monkeypatch.setattr(sys, "argv", ["conversations", *arguments])
        assert main() == code
    printed = capsys.readouterr()
    assert printed.out == f"{__version__}\n"
    assert printed.err.startswith("Error: Unknown command")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_discarded_output(stream: str, tmp_path: Path) -> None:
    with (tmp_path / stream).open("wb") as file:
        output = OutputStream(file.fileno(), encoding="utf-8")
        output.write("kept\n")
        output.discard()
        output.write("lost\n")
        assert output.error is None
    assert (tmp_path / stream).read_text() == "kept\n"


def test_discarded_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "stdout").open("wb") as file:
        output = OutputStream(file.fileno(), encoding="utf-8")
        monkeypatch.setattr(sys, "stdout", output)
        output.write("kept\n")
        discard_output()
        output.write("lost\n")
        output.flush()
    assert (tmp_path / "stdout").read_text() == "kept\n"


INTERRUPTED = """
import sys
from conversations_client.cli import main

class Interrupt:
    def find_spec(self, name, path, target=None):
        if name == "conversations_client.cli._run":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
sys.exit(main())
"""


def test_ctrl_c_during_the_imports() -> None:
    ended = execute(sys.executable, "-c", INTERRUPTED)
    assert (ended.code, ended.out, ended.err) == (130, "", "")

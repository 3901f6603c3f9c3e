"""SIGTERM and SIGHUP during long-running commands."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from command_line import LONGEST_WAIT, SCRIPT, Command, Terminal, unmeasured
from scripted import CONVERSATION, ScriptedServer, answer

from conversations_client.bulk import Entry, Journal, State
from conversations_client.cli._commands import exports, imports
from conversations_client.cli._commands.deletion_counts import Deletion
from conversations_client.cli._run import run
from conversations_client.cli._signals import StopSignalError, _Handler, before_forced_end

pytest_plugins = ["command_line_fixtures"]
pytestmark = pytest.mark.usefixtures("environment")

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
# Regardless of how the parent process handles the signals.
LAUNCH = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "signal.signal(signal.SIGTERM, signal.SIG_DFL); "
    "signal.signal(signal.SIGHUP, signal.{}); os.execv(sys.argv[1], sys.argv[1:])"
)
LISTING = answer(200, {"object": "list", "data": [CONVERSATION], "has_more": False})
REPLIES = {
    "import": [answer()],
    "export": [LISTING],
    "export --messages": [LISTING, answer(200, {**CONVERSATION, "messages": []})],
    "delete": [answer(204, b"")],
    "delete ID": [answer(204, b"")],
}
TOLD = {
    "import": "Stopped after creating 1 conversation. Run the same command again to continue.",
    "export": "a.jsonl was complete. Run the same command to export everything again.",
    "export --messages": "Stopped. Run the same command again to resume the export.",
    "delete": "Stopped. 1 of 3 was deleted.",
    "delete ID": "Stopped. 1 of 3 was deleted.",
}


WAITED_FOR = {
    "import": "Waiting for 1 request",
    "export --messages": "Waiting for up to 1 request",
    "delete ID": "Waiting for 1 request",
}


class Held:
    """A script whose last response waits until it is released."""

    def __init__(self, replies: list[bytes]) -> None:
        self.is_reached, self.release = Event(), Event()
        self._replies = replies

    def __iter__(self) -> Iterator[bytes]:
        yield from self._replies[:-1]
        self.is_reached.set()
        self.release.wait(LONGEST_WAIT)
        while True:
            yield self._replies[-1]


def line(name: str, folder: Path) -> list[str]:
    """The command, with a file of three rows if it reads one."""
    path = folder / "a.jsonl"
    if name == "create":
        return ["create"]
    if name.startswith("export"):
        return ["export", str(path), *name.split()[1:]]
    path.write_text("".join(f'{{"displayName": "{n}"}}\n' for n in range(3)))
    if name == "import":
        return ["import", str(path), "--max-in-flight", "1"]
    if name == "delete ID":
        return ["delete", "--yes", *(f"conv_{n}" for n in range(3))]
    path.write_text("".join(f'{{"_id": "conv_{n}"}}\n' for n in range(3)))
    return ["delete", "--yes", "--file", str(path)]


@contextmanager
def running(
    name: str, folder: Path, script: Held, *options: str, sighup: str = "SIG_DFL"
) -> Generator["subprocess.Popen[str]"]:
    """The command, once the service has received the request whose response it holds back."""
    launch = [sys.executable, "-ISc", LAUNCH.format(sighup), SCRIPT, *line(name, folder)]
    with (
        ScriptedServer(script) as server,
        subprocess.Popen(  # noqa: S603
            [*launch, "--base-url", server.url, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=unmeasured(),
        ) as process,
    ):
        try:
            assert script.is_reached.wait(LONGEST_WAIT)
            yield process
        finally:
            script.release.set()
            process.kill()


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("name", WAITED_FOR)
def test_a_signal_waits_for_the_requests_in_flight(
    tmp_path: Path, name: str, number: signal.Signals
) -> None:
    script = Held(REPLIES[name])
    with running(name, tmp_path, script) as process:
        process.send_signal(number)
        assert process.stderr
        told = process.stderr.readline()
        script.release.set()
        out, err = process.communicate(timeout=LONGEST_WAIT)
    assert (process.returncode, TOLD[name] in err) == (CODES[number], True), err
    again = "Press Ctrl-C again" if number is signal.SIGINT else "Send another signal"
    assert f"{WAITED_FOR[name]} in flight. {again} to end at once.\n" == told
    if name == "delete ID":
        assert json.loads(out) == ["conv_0"]
    if name == "import":
        assert json.loads(out)["new"] == 1
        (row,) = (tmp_path / "a.jsonl.results.jsonl").read_text().splitlines()
        assert json.loads(row)["status"] == "created"


def test_messages_are_printed_below_the_progress_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    ids = tmp_path / "ids"
    ids.write_text("conv_0\n")
    script = Held([answer(204, b"")])
    options = ["--yes", "--file", str(ids), "--base-url"]
    with (
        ScriptedServer(script) as server,
        Terminal("delete", *options, server.url) as terminal,
    ):
        assert script.is_reached.wait(LONGEST_WAIT)
        terminal.press("\x03")
        terminal.until("in flight")
        script.release.set()
        assert terminal.end() == CODES[signal.SIGINT]
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.seen).replace("\r", "\n")
    assert "Stopped. 1 of 1 was deleted." in text.split("\n")


def test_ids_are_printed_as_soon_as_they_are_deleted(tmp_path: Path) -> None:
    script = Held([answer(204, b""), answer(204, b"")])
    with running("delete ID", tmp_path, script, "--jsonl") as process:
        assert process.stdout
        assert process.stdout.readline() == '"conv_0"\n'
        script.release.set()
        out, _ = process.communicate(timeout=LONGEST_WAIT)
    assert (process.returncode, out) == (0, '"conv_1"\n"conv_2"\n')


@pytest.mark.parametrize("number", CODES)
def test_a_signal_during_a_change(tmp_path: Path, number: signal.Signals) -> None:
    with running("create", tmp_path, Held([answer()])) as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == CODES[number]
    assert "the change may have been made. Check whether" in err


def test_nohup_is_respected(tmp_path: Path) -> None:
    script = Held(REPLIES["export --messages"])
    with running("export --messages", tmp_path, script, sighup="SIG_IGN") as process:
        process.send_signal(signal.SIGHUP)
        script.release.set()
        process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == 0


ENDED = {
    "import": "Ended at once after creating 0 conversations. Run the same command again to continue.",
    "export --messages": "Stopped. Run the same command again to resume the export.",
    "delete ID": "Stopped. 0 of 3 were deleted. 1 more may have been deleted.",
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ENDED)
def test_a_second_signal_ends_the_command_at_once(
    tmp_path: Path, name: str, number: signal.Signals
) -> None:
    with running(name, tmp_path, Held(REPLIES[name])) as process:
        end_at_once(process, number)
        out, err = process.communicate(timeout=LONGEST_WAIT)
    assert (process.returncode, ENDED[name] in err) == (CODES[number], True), err
    if name == "delete ID":
        assert out == "[]\n"
    if name == "import":
        assert "1 row may have been imported." in err
        assert json.loads(out)["doubtful"] == 1
        with Journal(tmp_path / "a.jsonl.journal") as journal:
            assert journal.counts()[State.SENT] == 1


def end_at_once(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Send a signal until the process ends, which it does although no response arrives."""
    for _ in range(int(LONGEST_WAIT / 0.1)):
        process.send_signal(number)
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:  # the first signals count as one
            continue
        return
    pytest.fail("the second signal has no effect")


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("name", TOLD)
def test_each_command_says_how_to_continue(
    *,
    piped: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: signal.Signals,
) -> None:
    before = signal.signal(number, signal.SIG_DFL)

    def stop(*_: object, **__: object) -> None:
        signal.raise_signal(number)
        signal.raise_signal(number)  # by the shell or by `timeout`

    def stop_once(deletion: Deletion, *attempt: object) -> None:
        deletion.deleted.append(str(attempt[0]))
        if len(deletion.deleted) == 1:
            stop()

    monkeypatch.setattr(imports, "import_file", stop)
    monkeypatch.setattr(exports, "export_file", stop)
    monkeypatch.setattr(exports, "export_with_messages", stop)
    monkeypatch.setattr(Deletion, "record", stop_once)
    try:
        with ScriptedServer(REPLIES[name] * 100) as server:
            ended = piped(*line(name, tmp_path), "--base-url", server.url)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)
    told = TOLD[name].replace("creating 1 conversation", "creating 0 conversations")
    assert ended.code == CODES[number]
    assert told.partition(" 1 of 3")[0] in ended.err


def test_another_thread_can_run_a_command(tmp_path: Path) -> None:
    codes: list[int] = []
    with ScriptedServer(REPLIES["export"]) as server:
        arguments = [*line("export", tmp_path), "--base-url", server.url]
        thread = Thread(target=lambda: codes.append(run(arguments)))
        thread.start()
        thread.join(LONGEST_WAIT)
    assert codes == [0]


@pytest.mark.parametrize(("seconds", "codes"), [(0.5, []), (5.0, [143])])
def test_a_signal_may_arrive_twice(
    monkeypatch: pytest.MonkeyPatch, seconds: float, codes: list[int]
) -> None:
    ended: list[int] = []
    now = [100.0]
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    handler = _Handler()
    with pytest.raises(StopSignalError):
        handler(signal.SIGTERM, None)
    now[0] += seconds
    handler(signal.SIGTERM, None)
    assert ended == codes


def test_a_third_signal_ends_an_action_of_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    actions: list[str] = []
    handler = _Handler(first=0.0)

    def fail() -> None:
        actions.append("failed")
        raise ValueError

    def wait() -> None:
        actions.append("waited")
        handler(signal.SIGTERM, None)

    monkeypatch.setattr(os, "_exit", ended.append)
    with before_forced_end(wait), before_forced_end(fail):
        handler(signal.SIGINT, None)
    assert (actions, ended) == (["failed", "waited"], [143, 130])


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_second_signal_reports_what_is_unknown(
    *, piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    def end(code: int) -> None:
        raise SystemExit(code)

    def second_signal(*arguments: Any, **_: object) -> None:
        if isinstance(arguments[0], Deletion):
            arguments[0].deleted.append("conv_0")
        else:
            arguments[2].record(Entry(1, "", State.CREATED, "conv_0"))
            arguments[2].record(Entry(2, "", State.SENT, ""))
        _Handler(first=0.0)(signal.SIGTERM, None)

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(imports, "import_file", second_signal)
    monkeypatch.setattr(Deletion, "record", second_signal)
    with ScriptedServer(REPLIES["delete"] * 100) as server:
        ended = piped(*line("delete ID", tmp_path), "--base-url", server.url, *options)
    # The outcome of a request arrived, but the signal came before it was counted.
    assert (ended.code, json.loads(ended.out)) == (143, ["conv_0"])
    assert "Stopped. 1 of 3 was deleted. 1 more may have been deleted.\n" in ended.err
    ended = piped(*line("import", tmp_path), *options)
    report = json.loads(ended.out)
    assert (ended.code, report["created"], report["doubtful"]) == (143, 1, 1)
    assert ended.err.startswith("Ended at once after creating 1 conversation. Run the same")
    assert ended.err.endswith(
        "results.jsonl was not updated.\nError: 1 row may have been imported.\n"
    )

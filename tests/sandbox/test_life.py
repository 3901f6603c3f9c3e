"""The sandbox's life: start, stop, the command, and what survives a kill."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from conversations_client.sandbox import Sandbox
from conversations_client.sandbox.__main__ import main

KEY = "given"


def create(url: str, key: str) -> str:
    response = httpx.post(
        f"{url}/v2/conversations", json={}, headers={"Authorization": f"Bearer {key}"}
    )
    return str(response.json()["_id"])


@contextmanager
def command(*arguments: str) -> Generator[tuple["subprocess.Popen[str]", str], None, None]:
    line = [sys.executable, "-m", "conversations_client.sandbox", *arguments]
    environment = {**os.environ, "ORQ_API_KEY": "not to be shown"}
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            url = ""
            while not url:
                found = re.match("export ORQ_BASE_URL=(.*)", process.stdout.readline())
                url = found[1] if found else ""
            yield process, url
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_stops_clean(number: int) -> None:
    with command("--port", "0", "--api-key", KEY) as (process, url):
        create(url, KEY)
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""  # a key that was given is not shown


def test_the_command_shows_the_key_that_it_made_up() -> None:
    with command("--port", "0") as (process, url):
        assert process.stdout is not None
        name, _, key = process.stdout.readline().partition("=")
        assert (name, create(url, key.strip())[:5]) == ("export ORQ_API_KEY", "conv_")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_every_acknowledged_create_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    with command("--port", "0", "--db", str(path), "--api-key", KEY) as (process, url):
        ids = [create(url, KEY) for _ in range(20)]
        process.kill()
        process.wait(timeout=60)
    with Sandbox(db=path, api_key="k") as sandbox:
        for conversation_id in ids:
            found = httpx.get(
                f"{sandbox.url}/v2/conversations/{conversation_id}",
                headers={"Authorization": "Bearer k"},
            )
            assert found.status_code == 200
        assert create(sandbox.url, "k") > max(ids)


def test_the_command_says_why_it_cannot_start(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        try:
            assert main(["--port", str(port)]) == 2
        finally:
            signal.signal(signal.SIGINT, before[0])
            signal.signal(signal.SIGTERM, before[1])
    assert f"Port {port} can't be listened on" in capsys.readouterr().err


def test_what_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="0 to 65535"):
        Sandbox(port=70_000)
    with pytest.raises(OSError, match="missing"):
        Sandbox(db=tmp_path / "missing" / "db")
    with pytest.raises(OSError, match="cannot open"):
        Sandbox(db=tmp_path)
    (tmp_path / "text").write_text("no database of anything at all, just some words" * 50)
    with pytest.raises(OSError, match="text"):
        Sandbox(db=tmp_path / "text")


def test_stop_works_before_start_and_again() -> None:
    sandbox = Sandbox()
    sandbox.stop()
    sandbox.stop()


def test_a_failed_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox()
    monkeypatch.setattr(sandbox._server, "run", list[object])
    with pytest.raises(RuntimeError, match="could not start"):
        sandbox.start()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "conversations_client.sandbox")
    monkeypatch.setitem(sys.modules, "conversations_client.sandbox._server", None)
    with pytest.raises(ImportError, match=r"conversations-client\[sandbox\]"):
        __import__("conversations_client.sandbox")

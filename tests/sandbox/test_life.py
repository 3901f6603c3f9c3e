"""The start and stop of a sandbox, its command, and what survives a kill."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
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
def test_the_command_stops_cleanly(number: int) -> None:
    with command("--port", "0", "--api-key", KEY) as (process, url):
        create(url, KEY)
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""  # the user's key is not printed


def test_the_command_prints_a_generated_key() -> None:
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


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """Run a command line that can't start, and return its output."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> str:
        assert main(["--port", "0", *arguments]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        return printed.err

    yield run
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGTERM, before[1])


def test_the_command_reports_why_it_cannot_start(refused: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused("--port", str(port)) == (
            f"Cannot listen on port {port} of 127.0.0.1 (address already in use). "
            "Choose another one with --port, or 0 for a free one.\n"
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pace", "-1"], "--pace must be"),
        (["--api-key", ""], "Omit it to generate a key"),
        (["--revision", "3"], "--revision must be 1 or 2"),
        (["--model", "gpt-4o"], "provider/model_id"),
        (["--host", "192.0.2.1"], "Cannot listen on port 0 of 192.0.2.1 (cannot assign"),
        (["--host", "x" * 64], f"Cannot listen on port 0 of {'x' * 64} (not a host name)"),
    ],
)
def test_the_command_rejects_invalid_settings(
    refused: Callable[..., str], arguments: list[str], message: str
) -> None:
    assert message in refused(*arguments)


def test_a_host_that_is_not_found_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    with pytest.raises(OSError, match=r"of nowhere\.test \(name or service not known"):
        Sandbox(host="nowhere.test")


def test_the_command_passes_its_options_to_the_sandbox() -> None:
    options = ["--revision", "1", "--allow-host", "a.test", "--allow-host", "b.test"]
    with command("--port", "0", "--api-key", KEY, *options) as (_, url):
        for host in ("a.test", "b.test", "localhost"):
            document = httpx.get(f"{url}/openapi.json", headers={"Host": host}).json()
            assert document["info"]["version"] == "1"
    with command("--port", "0", "--api-key", KEY, "--model", "a/b") as (_, url):
        assert '"a/b"' in httpx.get(f"{url}/openapi.json").text


def test_an_unusable_port_or_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="0 to 65535"):
        Sandbox(port=70_000)
    with pytest.raises(
        OSError, match=r"^The folder .*missing of the database doesn't exist\. Create it"
    ):
        Sandbox(db=tmp_path / "missing" / "db")
    with pytest.raises(OSError, match=r"^Cannot open the database .*\. Choose another file\.$"):
        Sandbox(db=tmp_path)
    with pytest.raises(OSError, match=r"^Cannot create .*File name too long"):
        Sandbox(db=tmp_path / ("x" * 300))
    (tmp_path / "text").write_text("no database of anything at all, just some words" * 50)
    with pytest.raises(OSError, match="text"):
        Sandbox(db=tmp_path / "text")


def test_stop_works_before_start_and_again() -> None:
    sandbox = Sandbox()
    sandbox.stop()
    sandbox.stop()


def test_a_failed_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox()
    monkeypatch.setattr(sandbox._server, "run", list[object])
    with pytest.raises(RuntimeError, match="could not start"):
        sandbox.start()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "conversations_client.sandbox")
    monkeypatch.setitem(sys.modules, "conversations_client.sandbox._sandbox", None)
    with pytest.raises(ImportError, match=r"conversations-client\[sandbox\]"):
        __import__("conversations_client.sandbox")


def test_the_command_names_a_missing_extra_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "starlette.py").write_text("raise ModuleNotFoundError(name='starlette')")
    ended = subprocess.run(
        [sys.executable, "-m", "conversations_client.sandbox"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=60,
    )
    assert ended.returncode == 2
    assert ended.stderr == (
        b"The sandbox needs starlette, which is not installed: "
        b'pip install "conversations-client[sandbox]"\n'
    )


def test_the_key_stays_the_same_with_the_same_database(tmp_path: Path) -> None:
    def key(db: Path | None, api_key: str | None = None) -> str:
        sandbox = Sandbox(db=db, api_key=api_key)
        sandbox.stop()
        return sandbox.api_key

    chosen = key(tmp_path / "a", "chosen")
    first = key(tmp_path / "a")
    assert chosen == "chosen" != first
    assert key(tmp_path / "a") == first
    assert key(tmp_path / "a", "other") == "other"
    assert key(tmp_path / "a") == first
    assert key(tmp_path / "b") != first
    assert key(None) != key(None)

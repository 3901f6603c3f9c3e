"""ORQ_LOG: what a program prints to stderr, in every variant."""

import os
import re
import subprocess
import sys

import pytest
from scripted import ScriptedServer, answer
from variants import KEY, Variant

from conversations_client import AsyncClient, Client, ConfigurationError

SYNC = """
from conversations_client import Client
with Client() as client:
    client.conversations.create()
    with client.with_options(project_id="prj_1") as copy, Client() as other:
        copy.conversations.create(), other.conversations.create()
"""
ASYNC = """
import anyio
from conversations_client import AsyncClient
async def main():
    async with AsyncClient() as client:
        await client.conversations.create()
        async with client.with_options(project_id="prj_1") as copy, AsyncClient() as other:
            await copy.conversations.create()
            await other.conversations.create()
anyio.run(main, backend="{backend}")
"""
OWN_HANDLER = """
import logging, sys
logging.basicConfig(format="own %(levelname)s %(message)s", stream=sys.stdout)
"""
LATE_HANDLER = """
from conversations_client import Client
first = Client()
import logging, sys
logging.basicConfig(format="own %(levelname)s %(message)s", stream=sys.stdout)
"""
WARNINGS_ONLY = """
import logging, sys
logging.basicConfig(stream=sys.stdout)
logging.getLogger().handlers[0].setLevel(logging.WARNING)
"""
HIGHER_LEVEL = """
import logging
logging.getLogger("conversations_client").setLevel(logging.ERROR)
"""
LEVEL_AFTERWARDS = """
import logging
from conversations_client import Client
with Client() as client:
    logging.getLogger("conversations_client").setLevel(logging.ERROR)
    client.conversations.create()
"""
QUERY = """
from typing import Any
from conversations_client import Client
with Client() as client:
    client.request("GET", "/v2/other", returns=dict[str, Any], query={"q": "private"})
"""
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} DEBUG conversations_client: "
    r"POST /v2/conversations: 201 after [\d.]+ ms \(attempt 1, request ID unknown\)"
)


def program(variant: Variant) -> str:
    return SYNC if variant.name == "sync" else ASYNC.format(backend=variant.name)


def run(text: str, url: str, level: str) -> tuple[str, str]:
    """The output of a program to stdout and stderr."""
    environ = {**os.environ, "ORQ_API_KEY": KEY, "ORQ_BASE_URL": url, "ORQ_LOG": level}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", text],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("level", ["debug", "DEBUG", " Debug "])
def test_debug_logs_each_attempt_once_and_never_the_key(variant: Variant, level: str) -> None:
    with ScriptedServer([answer(x_other=KEY)] * 3) as server:
        output, errors = run(program(variant), server.url, level)
    assert output == ""
    lines = errors.splitlines()
    assert len(lines) == 3
    assert all(LINE.fullmatch(line) for line in lines)
    assert KEY not in errors


def test_info_logs_only_failed_attempts(variant: Variant) -> None:
    script = [answer(429, {}, retry_after="0"), answer(), answer(), answer()]
    with ScriptedServer(script) as server:
        _, errors = run(program(variant), server.url, "info")
    (line,) = errors.splitlines()
    assert " INFO conversations_client: POST /v2/conversations: 429 after " in line


def test_nothing_is_logged_without_it(variant: Variant) -> None:
    with ScriptedServer([answer()] * 3) as server:
        assert run(program(variant), server.url, "") == ("", "")


def test_handlers_of_the_program_are_used(variant: Variant) -> None:
    with ScriptedServer([answer()] * 3) as server:
        output, errors = run(OWN_HANDLER + program(variant), server.url, "debug")
    assert errors == ""
    assert [line[:40] for line in output.splitlines()] == [
        "own DEBUG POST /v2/conversations: 201 af"
    ] * 3


def test_a_handler_that_is_added_later_gets_the_lines_too(variant: Variant) -> None:
    with ScriptedServer([answer()] * 3) as server:
        output, errors = run(LATE_HANDLER + program(variant), server.url, "debug")
    assert len(errors.splitlines()) == len(output.splitlines()) == 3


def test_the_level_of_a_programs_own_handler_applies(variant: Variant) -> None:
    with ScriptedServer([answer()] * 3) as server:
        assert run(WARNINGS_ONLY + program(variant), server.url, "debug") == ("", "")


def test_it_overrides_a_level_that_the_program_has_set(variant: Variant) -> None:
    with ScriptedServer([answer()] * 3) as server:
        _, errors = run(HIGHER_LEVEL + program(variant), server.url, "debug")
    assert len(errors.splitlines()) == 3


def test_a_level_that_the_program_sets_afterwards_counts() -> None:
    with ScriptedServer([answer()]) as server:
        assert run(LEVEL_AFTERWARDS, server.url, "debug") == ("", "")


def test_the_query_of_a_request_is_not_logged() -> None:
    with ScriptedServer([answer(200, {})]) as server:
        _, errors = run(QUERY, server.url, "debug")
    assert "GET /v2/other: 200 after " in errors
    assert "private" not in errors


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_another_level_is_a_configuration_error(cls: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORQ_LOG", "loud")
    with pytest.raises(ConfigurationError, match="ORQ_LOG environment variable must be debug or"):
        cls(KEY)

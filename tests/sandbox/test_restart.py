"""A sandbox that stops and starts again, like a service that was down, and its clock."""

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from variants import Variant

from conversations_client import AsyncClient, ConnectError, Retry
from conversations_client.sandbox import Sandbox

ONCE = Retry(attempts=1)


@pytest.mark.parametrize("is_stored", [False, True])
def test_it_starts_again_with_the_same_port_key_and_data(
    is_stored: bool,
    tmp_path: Path,
) -> None:
    with Sandbox(db=tmp_path / "a.db" if is_stored else None) as sandbox:
        url, key = sandbox.url, sandbox.api_key
        with sandbox.client(retry=ONCE) as client:
            first = client.conversations.create(display_name="before")
            sandbox.stop()
            with pytest.raises(ConnectError):
                client.conversations.create()
            assert sandbox.start() is sandbox
            assert (sandbox.url, sandbox.api_key) == (url, key)
            second = client.conversations.create(display_name="after")
            assert [each.id for each in client.conversations.list()] == [second.id, first.id]
    with sandbox, sandbox.client() as client:
        assert len(list(client.conversations.list())) == 2


def test_a_sandbox_that_never_started_can_be_stopped_and_started() -> None:
    sandbox = Sandbox()
    sandbox.stop()
    with sandbox, sandbox.client() as client:
        client.conversations.create()


def test_faults_and_requests_outlive_a_restart() -> None:
    with Sandbox() as sandbox:
        sandbox.fail_next(429)
        sandbox.stop()
        sandbox.start()
        with sandbox.client(retry=Retry(wait_initial=0)) as client:
            client.conversations.create()
        assert [request.method for request in sandbox.requests] == ["POST", "POST"]


def test_a_running_sandbox_is_not_started_twice() -> None:
    with Sandbox() as sandbox, pytest.raises(RuntimeError, match="is already running"):
        sandbox.start()


def test_a_port_that_was_taken_meanwhile_is_an_error() -> None:
    with Sandbox() as sandbox:
        sandbox.stop()
        port = int(sandbox.url.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match=str(port)):
            sandbox.start()
        sandbox.start()


def test_it_prints_its_url_and_state_and_not_its_key() -> None:
    sandbox = Sandbox(api_key="secret-key")
    assert repr(sandbox) == f"<Sandbox at {sandbox.url}: stopped>"
    with sandbox:
        assert repr(sandbox) == f"<Sandbox at {sandbox.url}: running>"
    assert repr(sandbox) == f"<Sandbox at {sandbox.url}: stopped>"


def test_the_time_can_be_set(variant: Variant) -> None:
    def create(client: Any) -> Any:
        return client.conversations.create()

    with Sandbox() as sandbox:
        options: dict[str, Any] = {"api_key": sandbox.api_key, "base_url": sandbox.url}
        time = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
        sandbox.set_time(time)
        old = variant.run(create, **options)
        older = variant.run(create, **options)
        sandbox.set_time(None)
        new = variant.run(create, **options)
    assert (old.created, older.created) == (time, time)
    assert new.created.year > 2024
    assert old.id < older.id < new.id


@pytest.mark.parametrize(
    "time",
    [datetime(2024, 1, 1), "2024", 1_734_789_600_000, datetime(1969, 12, 31, tzinfo=UTC)],  # noqa: DTZ001
)
def test_a_time_is_aware_and_not_before_1970(time: Any) -> None:
    sandbox = Sandbox()
    with pytest.raises(ValueError, match=r"^time must be "):
        sandbox.set_time(time)
    sandbox.stop()


def test_its_clients_send_to_it() -> None:
    async def create(client: AsyncClient) -> None:
        async with client:
            await client.conversations.create(display_name="async")

    with Sandbox() as sandbox:
        with sandbox.client(project_id="prj_1") as client:
            client.conversations.create(display_name="sync")
        anyio.run(create, sandbox.async_client(timeout=20))
    bodies = [request.json() for request in sandbox.requests]
    assert bodies == [{"displayName": "sync", "projectId": "prj_1"}, {"displayName": "async"}]

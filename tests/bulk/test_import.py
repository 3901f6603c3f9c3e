"""Imports against a sandbox, and against scripts where it matters."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import HANG_UP, ScriptedServer, always, answer

from conversations_client import Client, ClientClosedError, Hooks, Retry
from conversations_client.bulk import BulkError, Entry, Journal, Report, State, import_file
from conversations_client.sandbox import Sandbox

ONCE = Retry(attempts=1)
TRUSTING = Retry(attempts=1, trust_idempotency_key=True)


class EnoughError(Exception):
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.jsonl"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "a.journal", import_id="import") as opened:
        yield opened


def write(path: Path, *rows: object) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def named(*names: str) -> list[dict[str, str]]:
    return [{"displayName": name} for name in names]


def sent(server: ScriptedServer) -> list[str]:
    return [json.loads(seen.body)["displayName"] for seen in server.seen]


def run(
    server: ScriptedServer, path: Path, journal: Journal, *, retry: Retry = ONCE, **options: Any
) -> Report:
    how: dict[str, Any] = {"max_in_flight": 1, **options}
    with Client("k", base_url=server.url, retry=retry) as client:
        return import_file(client, path, journal, **how)


def test_a_file_is_created_once(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "c"), {"metadata": {"entityId": "agent_1"}}, {"wrong": 1}, 5)
    told: list[Entry] = []
    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        for new in (4, 0):
            told.clear()
            report = import_file(client, path, journal, on_row=told.append)
            assert report == Report(created=4, failed=2, doubtful=0, new=new)
            assert report.created_before == 4 - new
            assert {entry.number for entry in told} == {1, 2, 3, 4, 5, 6}
        there = [one.display_name for one in client.conversations.list()]
        assert len(list(client.conversations.list(entity_id="agent_1"))) == 1
    assert Counter(there) == Counter("abc")


def test_a_part_of_a_file(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "c", "d"))
    with ScriptedServer(always()) as server:
        assert run(server, path, journal, start=1, stop=3).created == 2
        assert sent(server) == ["b", "c"]
        assert run(server, path, journal).created == 4
        assert sent(server) == ["b", "c", "a", "d"]


def test_what_failed_is_sent_again_and_what_is_doubtful_is_not(
    path: Path, journal: Journal
) -> None:
    write(path, *named("a", "b", "c"))
    journal.record(Entry(9, "d", State.SENT, ""))
    with ScriptedServer([answer(422), HANG_UP, answer(), answer()]) as server:
        assert run(server, path, journal) == Report(created=1, failed=1, doubtful=2, new=1)
        assert run(server, path, journal) == Report(created=2, failed=0, doubtful=2, new=1)
        assert sent(server) == ["a", "b", "c", "a"]


def test_what_is_doubtful_is_the_same_request_where_keys_are_trusted(
    path: Path, journal: Journal
) -> None:
    write(path, *named("a", "b"))
    with ScriptedServer([HANG_UP, answer(), answer()]) as server:
        assert run(server, path, journal, retry=TRUSTING) == Report(
            created=1, failed=0, doubtful=1, new=1
        )
        assert run(server, path, journal, retry=TRUSTING) == Report(
            created=2, failed=0, doubtful=0, new=1
        )
        first, _, again = server.seen
        assert (first.body, first.headers["idempotency-key"]) == (
            again.body,
            again.headers["idempotency-key"],
        )


def test_a_row_is_written_down_before_it_is_sent(path: Path, journal: Journal) -> None:
    write(path, *named("a"))

    def on_request(_: object) -> None:
        raise EnoughError

    with (
        Client("k", hooks=Hooks(on_request=on_request)) as client,
        pytest.raises(EnoughError),
    ):
        import_file(client, path, journal)
    assert [entry.state for entry in journal.entries()] == [State.SENT]


def test_a_file_that_has_changed_is_not_mixed_up(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b"))
    with ScriptedServer(always()) as server:
        run(server, path, journal)
        write(path, *named("a", "c"))
        with pytest.raises(BulkError, match="Row 2 has changed since it was created"):
            run(server, path, journal)
        assert sent(server) == ["a", "b"]


def test_ctrl_c_waits_for_what_is_in_flight(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "c", "d", "e", "f"))
    told: list[Entry] = []

    def interrupt(entry: Entry) -> None:
        told.append(entry)
        if len(told) == 1:
            raise KeyboardInterrupt

    with ScriptedServer(always()) as server, pytest.raises(KeyboardInterrupt):
        run(server, path, journal, on_row=interrupt, max_in_flight=3)
    counts = journal.counts()
    assert counts[State.CREATED] == len(server.seen) == len(told) < 6
    assert counts[State.SENT] == 0


def test_ctrl_c_twice_ends_it_at_once(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "c", "d"))

    def interrupt(_: Entry) -> None:
        raise KeyboardInterrupt

    with ScriptedServer(always()) as server, pytest.raises(KeyboardInterrupt):
        run(server, path, journal, on_row=interrupt, max_in_flight=2)
    assert journal.counts()[State.CREATED] == 2


def test_a_closed_client_is_not_the_rows_fault(path: Path, journal: Journal) -> None:
    write(path, *named("a"))
    client = Client("k", base_url="http://127.0.0.1:1")
    client.close()
    with pytest.raises(ClientClosedError):
        import_file(client, path, journal)

"""Imports into a sandbox, and into a scripted server if its responses matter."""

import hashlib
import itertools
import json
import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from scripted import CONVERSATION, HANG_UP, ScriptedServer, always, answer
from variants import World

from conversations_client import Client, ClientClosedError, Hooks, InvalidArgumentError, Retry
from conversations_client.bulk import (
    BulkError,
    Entry,
    ImportStoppedError,
    Journal,
    Report,
    State,
    count_rows,
    import_file,
    partitions,
    write_results,
)
from conversations_client.bulk._files.readers import read_rows
from conversations_client.bulk._files.rows import Row
from conversations_client.bulk._imports.import_file import import_rows
from conversations_client.bulk._imports.run import ImportRun, describe_unrecorded
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


def test_a_file_is_created_once(path: Path, journal: Journal, revision: int) -> None:
    entity: dict[str, Any] = {"metadata": {"entityId": "agent_1"}}
    rows = [{**row, **(entity if revision == 1 else {})} for row in named("a", "b", "c")]
    write(path, *rows, entity, {"wrong": 1}, 5)
    reported: list[Entry] = []
    with (
        Sandbox(revision=revision) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        for new in (4, 0):
            reported.clear()
            report = import_file(client, path, journal, on_row=reported.append)
            assert report == Report(created=4, failed=2, doubtful=0, new=new)
            assert report.created_before == 4 - new
            assert {entry.number for entry in reported} == {1, 2, 3, 4, 5, 6}
        there = [one.display_name for one in client.conversations.list()]
        of_one = len(list(client.conversations.list(entity_id="agent_1")))
    if revision == 1:  # revision 1 lists the conversations of all entities
        assert Counter(there) == Counter(["a", "b", "c", "Untitled"])
    else:
        assert (Counter(there), of_one) == (Counter("abc"), 1)


def test_an_import_of_a_range_of_rows(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "c", "d"))
    with ScriptedServer(always()) as server:
        assert run(server, path, journal, start=1, stop=3).created == 2
        assert sent(server) == ["b", "c"]
        assert run(server, path, journal).created == 4
        assert sent(server) == ["b", "c", "a", "d"]


def test_a_file_that_is_saved_with_another_separator_is_resumed(
    tmp_path: Path, journal: Journal
) -> None:
    path = tmp_path / "a.csv"
    path.write_text('displayName,projectId\n"a;,",p\nb,p\n')
    with ScriptedServer(always()) as server:
        assert run(server, path, journal, stop=1).created == 1
        path.write_text('\ufeffsep=;\r\ndisplayName;projectId\r\n"a;,";p\r\nb;p\r\n')
        assert run(server, path, journal) == Report(created=2, failed=0, doubtful=0, new=1)
        assert sent(server) == ["a;,", "b"]
    assert [entry.line for entry in journal.entries()] == [3, 4]


def test_failed_rows_are_sent_again_but_not_doubtful_rows(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "c", "d"))
    journal.record(Entry(4, Row(4, {"displayName": "d"}).digest(), State.SENT, ""))
    with ScriptedServer([answer(422), HANG_UP, answer(), answer()]) as server:
        assert run(server, path, journal) == Report(created=1, failed=1, doubtful=2, new=1)
        assert run(server, path, journal) == Report(created=2, failed=0, doubtful=2, new=1)
        assert sent(server) == ["a", "b", "c", "a"]


def test_doubtful_rows_are_sent_again_unchanged_if_keys_are_trusted(
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


def test_a_row_is_recorded_before_it_is_sent(path: Path, journal: Journal) -> None:
    write(path, *named("a"))

    def on_request(_: object) -> None:
        raise EnoughError

    with (
        Client("k", hooks=Hooks(on_request=on_request)) as client,
        pytest.raises(EnoughError),
    ):
        import_file(client, path, journal)
    assert [entry.state for entry in journal.entries()] == [State.SENT]


def test_a_row_that_failed_can_be_corrected(path: Path, journal: Journal) -> None:
    write(path, *named("a", "x" * 101, "refused"), {"displayName": 5})
    with ScriptedServer([answer(), answer(422), answer(), answer(), answer()]) as server:
        assert run(server, path, journal) == Report(created=1, failed=3, doubtful=0, new=1)
        write(path, *named("a", "b", "c", "d"))
        assert run(server, path, journal) == Report(created=4, failed=0, doubtful=0, new=3)
        assert sent(server) == ["a", "refused", "b", "c", "d"]
        keys = [seen.headers["idempotency-key"] for seen in server.seen]
        assert len(set(keys)) == 5  # so that the service treats a corrected row as a new request


@pytest.mark.parametrize("retry", [ONCE, TRUSTING])
@pytest.mark.parametrize(
    ("script", "state"),
    [([answer()], "it was imported"), ([HANG_UP], "it was sent")],
)
def test_a_row_that_may_be_created_cannot_change(
    *, path: Path, journal: Journal, script: list[bytes], state: str, retry: Retry
) -> None:
    write(path, *named("x" * 101, "b"))
    with ScriptedServer(script) as server:
        run(server, path, journal, retry=retry)
        write(path, *named("a", "c"))
        with pytest.raises(BulkError, match=f"Row 2 has changed since {state}"):
            run(server, path, journal, retry=retry)
        # The row before it is not sent either, because it may have been inserted.
        assert sent(server) == ["b"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([*named("a"), {"_id": "conv_1"}, *named("b")], named("a", "b")),
        ([*named("a"), {"displayName": 5}, *named("b")], named("a", "b")),
        (named("a", "x" * 101, "b"), named("a", "b")),
        (named("a", "b", "c"), named("a")),
        (named("a"), []),
    ],
)
def test_a_row_that_may_be_created_cannot_be_removed(
    path: Path, journal: Journal, before: list[Any], after: list[Any]
) -> None:
    write(path, *before)
    with ScriptedServer(always()) as server:
        run(server, path, journal)
        requests = len(server.seen)
        write(path, *after)
        with pytest.raises(BulkError, match="was in the file when") as raised:
            run(server, path, journal)
        assert len(server.seen) == requests
    assert "Rows are identified by their position" in str(raised.value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (named("a", "x" * 101), named("a")),
        (named("a", "x" * 101, "y" * 101), named("a", "b")),
    ],
)
def test_failed_rows_can_be_removed_at_the_end(
    path: Path, journal: Journal, before: list[Any], after: list[Any]
) -> None:
    write(path, *before)
    with ScriptedServer(always()) as server:
        run(server, path, journal)
        write(path, *after)
        report = run(server, path, journal)
    assert (report.created, report.failed) == (len(after), 0)
    assert [entry.number for entry in journal.entries()] == [*range(1, len(after) + 1)]


@pytest.mark.parametrize(
    ("before", "after", "is_hinted"),
    [
        ("a\r\nb\r\n", "a\nb\n", True),
        ("a\nb", "a\r\nb", True),
        ("a\r\nb", "a\nc", False),
        ("a\r\nb", "ab", False),
        (r"a\r\nb", r"a\nb", False),  # the text has backslashes
    ],
)
def test_changed_line_breaks_are_recognized(
    path: Path, journal: Journal, before: str, after: str, *, is_hinted: bool
) -> None:
    write(path, {"displayName": before, "metadata": {"entityId": before}})
    with ScriptedServer(always()) as server:
        run(server, path, journal)
        write(path, {"displayName": after, "metadata": {"entityId": after}})
        with pytest.raises(BulkError, match="Row 1 has changed since it was imported") as raised:
            run(server, path, journal)
    assert ("only the line breaks in its cells (LF or CRLF)" in str(raised.value)) == is_hinted
    assert ("an earlier row was removed" in str(raised.value)) != is_hinted


def test_empty_rows_can_be_removed_at_the_end(path: Path, journal: Journal) -> None:
    write(path, {"displayName": "a"}, {"_id": "conv_1"}, {"_id": "conv_2"})
    with ScriptedServer(always()) as server:
        assert run(server, path, journal).failed == 2
        _, *problems = [entry.detail for entry in journal.entries()]
        assert (
            problems
            == [
                (
                    "The row has no values to import. Leave it, fill in a field, or remove all such "
                    "rows at the end of the file."
                )
            ]
            * 2
        )
        write(path, {"displayName": "a"})
        assert run(server, path, journal).failed == 0


def test_blank_records_at_the_end_can_be_filled_in_later(tmp_path: Path, journal: Journal) -> None:
    path = tmp_path / "a.csv"
    header = "displayName,projectId\n"
    with ScriptedServer(always()) as server:
        for rows, report in {
            "a,\n,\n,\n": Report(created=1, failed=0, doubtful=0, new=1),
            "a,\n,\nc,\n,\n": Report(created=2, failed=1, doubtful=0, new=1),
            "a,\nb,\nc,\n,\n": Report(created=3, failed=0, doubtful=0, new=1),
        }.items():
            path.write_text(header + rows)
            assert run(server, path, journal) == report
        assert [(each.number, each.line) for each in journal.entries()] == [(1, 2), (2, 3), (3, 4)]
        path.write_text(header + "a,\nb,\n,\n")
        with pytest.raises(BulkError, match=r"Row 3 was in the file .* now has only 2 rows"):
            run(server, path, journal)


def test_parts_of_a_file_with_blank_records(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("displayName,projectId\na,\n,\n,\nb,\n,\n,\n")
    with ScriptedServer(always()) as server:
        parts = partitions(path, tmp_path / "journals", rows=2)
        reports = [part.run(lambda: Client("k", base_url=server.url)) for part in parts]
    assert [(each.created, each.failed) for each in reports] == [(1, 1), (1, 1)]
    assert count_rows(path) == 4


@pytest.mark.parametrize("part", [{"start": 1}, {"stop": 3}])
def test_the_empty_rows_of_a_part_are_not_to_be_removed(
    path: Path, journal: Journal, part: dict[str, Any]
) -> None:
    write(path, {"displayName": "a"}, {"_id": "conv_1"}, {"_id": "conv_2"})
    with ScriptedServer(always()) as server:
        run(server, path, journal, **part)
    assert {entry.detail for entry in journal.entries() if entry.number > 1} == {
        "The row has no values to import. Leave it, or fill in a field."
    }


def test_a_part_of_a_file_says_nothing_about_later_rows(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "x" * 101))
    with ScriptedServer(always()) as server:
        run(server, path, journal)
        assert run(server, path, journal, stop=1) == Report(created=2, failed=1, doubtful=0, new=0)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_fifty_failures_in_a_row_stop_the_import(path: Path, journal: Journal, status: int) -> None:
    write(path, *named(*(f"{number}" for number in range(80))))
    with ScriptedServer(itertools.chain([answer()], itertools.repeat(answer(status)))) as server:
        with pytest.raises(ImportStoppedError, match="50 consecutive rows failed") as raised:
            run(server, path, journal, destination="one")
        assert len(server.seen) == 51
    assert raised.value.report.created == 1
    with ScriptedServer(always()) as server:
        report = run(server, path, journal, destination="one")
    doubtful = 50 if status == 500 else 0
    assert report == Report(created=80 - doubtful, failed=0, doubtful=doubtful, new=79 - doubtful)


def test_each_run_gets_further_than_the_one_before(path: Path, journal: Journal) -> None:
    write(path, *named(*(f"{number}" for number in range(110)), "last"))
    script = itertools.chain([answer(404)] * 50, [answer(404)] * 100, [answer(404)] * 110)
    with ScriptedServer(itertools.chain(script, itertools.repeat(answer()))) as server:
        for _ in range(2):
            with pytest.raises(ImportStoppedError, match="50 consecutive rows failed"):
                run(server, path, journal)
        assert run(server, path, journal) == Report(created=1, failed=110, doubtful=0, new=1)


def test_an_import_that_starts_at_the_end_of_the_file(path: Path, journal: Journal) -> None:
    write(path, *named("a", "x" * 101))
    with ScriptedServer(always()) as server:
        run(server, path, journal, stop=2)
        assert run(server, path, journal, start=2) == Report(created=1, failed=1, doubtful=0, new=0)


def test_failures_of_the_rows_do_not_stop_the_import(path: Path, journal: Journal) -> None:
    write(path, *named(*(f"{number}" for number in range(80))))
    of_the_row = [answer(status) for status in (413, 422)]
    script = itertools.chain([answer(401)] * 49, of_the_row, itertools.repeat(answer(401)))
    with ScriptedServer(script) as server:
        assert run(server, path, journal) == Report(created=0, failed=80, doubtful=0, new=0)


def long_wait(*, before: int = 0) -> Iterator[bytes]:
    yield from [answer()] * before
    yield from itertools.repeat(answer(429, {}, retry_after="120"))


@pytest.mark.parametrize("max_in_flight", [1, 16])
def test_an_import_stops_if_the_service_asks_for_too_long_a_wait(
    path: Path, journal: Journal, max_in_flight: int
) -> None:
    write(path, *named(*(f"{number}" for number in range(80))))
    reported: list[Entry] = []
    with ScriptedServer(long_wait(before=1)) as server:
        with pytest.raises(
            ImportStoppedError, match="The Retry-After of 120 s is longer"
        ) as raised:
            run(
                server,
                path,
                journal,
                retry=Retry(),
                max_in_flight=max_in_flight,
                on_row=reported.append,
                destination="one",
            )
        assert len(server.seen) <= max_in_flight + 1
    assert raised.value.report == Report(created=1, failed=0, doubtful=0, new=1)
    assert "retry_after_max=60: wait that long, or increase it. The" in str(raised.value)
    assert [entry.state for entry in journal.entries()] == [State.CREATED]
    assert [entry.state for entry in reported] == [State.CREATED]
    with ScriptedServer(always()) as server:
        assert run(server, path, journal, destination="one").new == 79


def test_a_row_that_is_to_be_sent_later_keeps_its_earlier_status(
    path: Path, journal: Journal
) -> None:
    write(path, *named("a", "b"))
    with ScriptedServer([answer(500), answer(422)]) as server:
        run(server, path, journal, destination="one")
    before = list(journal.entries())
    assert [entry.state for entry in before] == [State.DOUBTFUL, State.FAILED]
    for _ in range(2):
        with ScriptedServer(long_wait()) as server, pytest.raises(ImportStoppedError) as raised:
            run(server, path, journal, destination="one", retry=TRUSTING, max_in_flight=2)
        assert raised.value.report == Report(created=0, failed=1, doubtful=1, new=0)
        assert list(journal.entries()) == before


@pytest.mark.parametrize("number", [1, 2])
def test_a_row_that_an_earlier_run_sent_is_doubtful_until_it_has_an_outcome(
    path: Path, journal: Journal, number: int
) -> None:
    write(path, *named("a", "b"))
    row = next(each for each in read_rows(path) if each.number == number)
    sent_before = Entry(number, row.digest(), State.SENT, "", line=number)
    journal.record(sent_before)  # and then the process was killed
    with ScriptedServer(long_wait()) as server, pytest.raises(ImportStoppedError) as raised:
        run(server, path, journal, retry=TRUSTING)
    assert raised.value.report == Report(created=0, failed=0, doubtful=1, new=0)
    assert list(journal.entries()) == [sent_before]


def test_a_row_that_may_exist_is_doubtful_although_it_is_to_be_sent_later(
    path: Path, journal: Journal
) -> None:
    write(path, *named("a", "b"))
    script = [answer(500), answer(429, {}, retry_after="120")]
    with ScriptedServer(script) as server, pytest.raises(ImportStoppedError):
        run(server, path, journal, retry=Retry(trust_idempotency_key=True, wait_initial=0))
    assert [entry.state for entry in journal.entries()] == [State.DOUBTFUL]


def test_a_row_that_the_journal_cannot_remove_has_failed(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "remove", Mock(side_effect=BulkError("full")))
    write(path, *named("a", "b"))
    with ScriptedServer(long_wait()) as server, pytest.raises(ImportStoppedError, match="120 s"):
        run(server, path, journal)
    assert [entry.state for entry in journal.entries()] == [State.FAILED]


def test_a_file_that_changes_while_it_is_read_stops_the_import(
    path: Path, journal: Journal
) -> None:
    write(path, *named("a"))
    with ScriptedServer(always()) as server:
        run(server, path, journal)
        rows = [
            Row(1, {"displayName": "a"}),
            Row(2, {"displayName": "b"}),
            Row(1, {"displayName": "z"}),
        ]
        passes = [iter(rows), iter(rows[:2])]  # the second one is checked first
        with (
            Client("k", base_url=server.url) as client,
            pytest.raises(ImportStoppedError, match="Row 1 has changed") as raised,
        ):
            import_rows(client, lambda: passes.pop(0), journal, max_in_flight=1, rate=None)
        assert raised.value.report == Report(created=2, failed=0, doubtful=0, new=1)


def test_ctrl_c_waits_for_the_rows_in_flight(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "c", "d", "e", "f"))
    reported: list[Entry] = []

    def interrupt(entry: Entry) -> None:
        reported.append(entry)
        if len(reported) == 1:
            raise KeyboardInterrupt

    with ScriptedServer(always()) as server, pytest.raises(KeyboardInterrupt):
        run(server, path, journal, on_row=interrupt, max_in_flight=3)
    counts = journal.counts()
    assert counts[State.CREATED] == len(server.seen) == len(reported) < 6
    assert counts[State.SENT] == 0


def test_ctrl_c_does_not_wait_for_the_time_to_send_the_next_row(
    path: Path, journal: Journal
) -> None:
    world = World()
    write(path, *named("a", "b", "c"))

    def interrupt(_: Entry) -> None:
        raise KeyboardInterrupt

    with ScriptedServer(always()) as server, Client("k", base_url=server.url) as client:
        client._environment = world.environment()
        with pytest.raises(KeyboardInterrupt):
            import_file(client, path, journal, rate=0.001, on_row=interrupt)
    assert (world.pauses, journal.counts()[State.CREATED]) == ([], 1)


def test_ctrl_c_does_not_wait_until_throttled_rows_can_be_sent(
    path: Path, journal: Journal
) -> None:
    class InterruptedWorld(World):
        def _sleep(self, seconds: float, wakeup: object) -> None:
            super()._sleep(seconds, wakeup)
            raise KeyboardInterrupt

    world = InterruptedWorld()
    write(path, *named("a", "b", "c"))
    script = [answer(429, {}, retry_after="30")]
    with ScriptedServer(script) as server, Client("k", base_url=server.url) as client:
        client._environment = world.environment()
        with pytest.raises(KeyboardInterrupt):
            import_file(client, path, journal, max_in_flight=1)
    assert world.pauses == [30.0]
    assert journal.counts() == {**dict.fromkeys(State, 0), State.FAILED: 1}


def test_ctrl_c_between_two_steps_waits_for_the_rows_in_flight(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *named("a", "b", "c"))
    looks: list[int] = []

    def in_flight(_: object) -> int:
        looks.append(1)
        if len(looks) == 2:
            raise KeyboardInterrupt
        return 0

    def fail(_: Entry) -> None:
        raise ValueError

    monkeypatch.setattr(ImportRun, "in_flight", property(in_flight))
    with ScriptedServer(always()) as server, pytest.raises(KeyboardInterrupt):
        run(server, path, journal, on_row=fail, max_in_flight=2)
    counts = journal.counts()
    assert counts[State.CREATED] == len(server.seen)
    assert counts[State.SENT] == 0


def test_further_ctrl_c_lose_no_outcome(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b", "c", "d"))

    def interrupt(_: Entry) -> None:
        raise KeyboardInterrupt

    with ScriptedServer(always()) as server, pytest.raises(KeyboardInterrupt):
        run(server, path, journal, on_row=interrupt, max_in_flight=3)
    counts = journal.counts()
    assert (counts[State.CREATED], counts[State.SENT]) == (len(server.seen), 0)


def test_on_row_tells_which_rows_are_skipped(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b"))
    reported: list[Entry] = []
    with ScriptedServer(always()) as server:
        run(server, path, journal)
        write(path, *named("a", "b", "c"))
        run(server, path, journal, on_row=reported.append)
    assert [entry.is_skipped for entry in reported] == [True, True, False]
    assert reported == list(journal.entries())


def test_ctrl_c_while_an_outcome_is_recorded_does_not_lose_it(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *named("a", "b", "c", "d"))
    record, interrupts = journal.record, iter([1])

    def interrupted(entry: Entry) -> None:
        if entry.state is State.CREATED and next(interrupts, 0):
            raise KeyboardInterrupt
        record(entry)

    monkeypatch.setattr(journal, "record", interrupted)
    with ScriptedServer(always()) as server, pytest.raises(KeyboardInterrupt):
        run(server, path, journal, max_in_flight=2)
    counts = journal.counts()
    assert counts[State.CREATED] == len(server.seen)
    assert counts[State.SENT] == 0


def test_a_row_that_is_recorded_at_ctrl_c_is_sent_and_no_other_row(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *named("a", "b", "c", "d"))
    record, interrupts = journal.record, iter([1])

    def interrupted(entry: Entry) -> None:
        record(entry)
        if (entry.state, entry.number) == (State.SENT, 2) and next(interrupts, 0):
            raise KeyboardInterrupt

    monkeypatch.setattr(journal, "record", interrupted)
    with ScriptedServer(always()) as server, pytest.raises(KeyboardInterrupt):
        run(server, path, journal, max_in_flight=3)
    assert Counter(sent(server)) == Counter("ab")
    assert journal.counts() == {**dict.fromkeys(State, 0), State.CREATED: 2}


def test_a_closed_client_fails_no_row(path: Path, journal: Journal) -> None:
    write(path, *named("a"))
    client = Client("k", base_url="http://127.0.0.1:1")
    client.close()
    with pytest.raises(ClientClosedError):
        import_file(client, path, journal)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        (
            "base_url",
            None,
            r"Its conversations were created at {here}, but this client sends to {there}\.",
        ),
        (
            "project_id",
            "prj_1",
            r"Its conversations belong to no project, but this client uses prj_1\.",
        ),
        ("api_key", "other", "Its conversations were created with a different API key"),
    ],
)
@pytest.mark.parametrize("script", [[answer()], [HANG_UP]])
def test_an_import_is_bound_to_its_destination(
    *, path: Path, journal: Journal, script: list[bytes], option: str, value: str, words: str
) -> None:
    write(path, *named("a", "b"))
    with ScriptedServer(script) as here, ScriptedServer(always()) as there:
        run(here, path, journal, stop=1)
        chosen: dict[str, Any] = {"api_key": "k", "base_url": here.url, option: value or there.url}
        expected = words.format(here=here.url, there=there.url)
        with Client(**chosen, retry=ONCE) as client:
            with pytest.raises(BulkError, match=f"journal belongs to a different .* {expected}"):
                import_file(client, path, journal)
            assert len(here.seen + there.seen) == 1
            # change_destination=True allows it, also in later runs.
            for new in (1, 0) if option == "base_url" else (0, 0):
                report = import_file(client, path, journal, change_destination=True)
                assert report.new == new
            import_file(client, path, journal)
        with pytest.raises(BulkError, match="pass change_destination=True to skip"):
            run(here, path, journal)


def test_an_import_that_is_refused_leaves_the_destination(path: Path, journal: Journal) -> None:
    write(path, *named("a"))
    with ScriptedServer(always()) as here, ScriptedServer(always()) as there:
        run(here, path, journal)
        before = journal.destination
        write(path, *named("b"))
        with pytest.raises(BulkError, match="Row 1 has changed"):
            run(there, path, journal, change_destination=True)
        assert journal.destination == before


def test_journals_have_different_digests_of_one_key(path: Path, tmp_path: Path) -> None:
    write(path, *named("a"))
    destinations = list[Any]()
    with ScriptedServer(always()) as server:
        for name in ("one", "other"):
            with Journal(tmp_path / name) as journal:
                run(server, path, journal)
                destinations.append(journal.destination)
    one, other = destinations
    assert (one.service, one.project_id) == (other.service, other.project_id)
    assert len({one.key, other.key, "k", ""}) == 4


def test_an_import_that_created_nothing_can_change_its_destination(
    path: Path, journal: Journal
) -> None:
    write(path, *named("a"))
    with ScriptedServer([answer(401)]) as here, ScriptedServer(always()) as there:
        run(here, path, journal)
        assert run(there, path, journal) == Report(created=1, failed=0, doubtful=0, new=1)


def test_a_service_on_changing_ports_has_a_name(path: Path, journal: Journal) -> None:
    write(path, *named("a"))
    with ScriptedServer(always()) as here, ScriptedServer(always()) as there:
        run(here, path, journal, destination="staging")
        assert run(there, path, journal, destination="staging").created_before == 1
        with pytest.raises(BulkError, match=f"created at staging, but .* sends to {there.url}"):
            run(there, path, journal)


def test_a_journal_has_no_key(path: Path, journal: Journal, tmp_path: Path) -> None:
    write(path, *named("a"))
    key = "a-long-secret-key"
    with ScriptedServer(always()) as server, Client(key, base_url=server.url) as client:
        import_file(client, path, journal)
    digest = hashlib.sha256(key.encode()).hexdigest()
    for file in tmp_path.iterdir():
        assert key.encode() not in file.read_bytes()
        assert digest[:16].encode() not in file.read_bytes()  # it is salted


def test_the_key_column_is_in_the_results(path: Path, journal: Journal) -> None:
    write(path, {"displayName": "a", "id": "A"}, {"displayName": 5, "id": 2}, {"displayName": "c"})
    results = path.with_name("results")
    with ScriptedServer(always()) as server:
        run(server, path, journal, ignore=["id"])
        # The destination is available while rows are created.
        assert run(server, path, journal, key="id").new == 0
    write_results(journal.entries(), results)
    first, second, third = map(json.loads, results.read_text().splitlines())
    assert first == {
        "row": 1,
        "line": 1,
        "key": "A",
        "status": "created",
        "id": CONVERSATION["_id"],
    }
    assert (second["key"], second["status"]) == (2, "failed")
    assert "key" not in third


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.csv", b'\n"displayName"\n"a\nb"\n\nc\n"d\n\n"\ne\n', [3, 6, 7, 10]),
        ("a.jsonl", b'\n{"displayName": "a"}\n\n\n{"displayName": 1}\nx\n', [2, 5, 6]),
    ],
)
def test_the_results_have_the_line_of_each_row(
    tmp_path: Path, journal: Journal, name: str, content: bytes, lines: list[int]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with ScriptedServer(always()) as server:
        run(server, path, journal)
        content = b"\n" + content
        path.write_bytes(content)
        run(server, path, journal)  # the lines are those of the file as it is now
    results = tmp_path / "results"
    write_results(journal.entries(), results)
    found = [json.loads(line) for line in results.read_text().splitlines()]
    assert [each["line"] for each in found] == [line + 1 for line in lines]
    assert [each["row"] for each in found] == list(range(1, len(lines) + 1))


def test_options_are_checked_before_anything_is_sent(path: Path, journal: Journal) -> None:
    write(path, {"title": "a"})
    with ScriptedServer(always()) as server:
        cases: list[tuple[dict[str, Any], str]] = [
            ({"start": -1}, "start and stop must be 0 or more"),
            ({"stop": -1}, "start and stop must be 0 or more"),
            ({"max_in_flight": 0}, "max_in_flight must be"),
            ({"rate": 0}, "rate"),
            ({"ignore": "title"}, "ignore must be a list of columns"),
            (
                {"columns": {"displayname": "title"}},
                "There is no field 'displayname'\\. Did you mean 'displayName'\\? The fields are",
            ),
            ({"columns": {"xyz": "title"}}, "There is no field 'xyz'\\. The fields are"),
            (
                {"columns": {"displayName": "title", "projectId": "title"}},
                "The column 'title' is used for two fields",
            ),
        ]
        for options, words in cases:
            arguments: dict[str, Any] = {"columns": {"displayName": "title"}, **options}
            with pytest.raises(InvalidArgumentError, match=words):
                run(server, path, journal, **arguments)
        assert server.seen == []
        assert journal.destination is None


def full(journal: Journal, monkeypatch: pytest.MonkeyPatch, *rows: int) -> None:
    """Make a journal fail to record the outcomes of some rows."""
    record = journal.record

    def recording(entry: Entry) -> None:
        if entry.number in rows and entry.state is not State.SENT:
            raise BulkError("The journal can't be used: database or disk is full.")
        record(entry)

    monkeypatch.setattr(journal, "record", recording)


def test_after_a_full_disk_all_created_rows_are_reported(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *named("a", "b", "c", "d", "e", "f"))
    with ScriptedServer(always()) as server:
        with monkeypatch.context() as patched:
            full(journal, patched, 2, 3)
            with pytest.raises(ImportStoppedError) as raised:
                run(server, path, journal, max_in_flight=3)
        stopped = pickle.loads(pickle.dumps(raised.value))
        created = len(server.seen)
        assert stopped.report == Report(created=created, failed=0, doubtful=0, new=created)
        assert {entry.number for entry in stopped.unrecorded} <= {2, 3}
        assert stopped.may_have_acted
        words = (
            f"database or disk is full. The import stopped after it created {created} conversation"
        )
        assert words in str(stopped)
        assert f"(created: {CONVERSATION['_id']})" in str(stopped)
        assert str(stopped).endswith("Run the import again to continue.")
        lost = len(stopped.unrecorded)
        report = run(server, path, journal)
        assert (report.created, report.doubtful) == (6 - lost, lost)
        assert sorted(sent(server)) == list("abcdef")  # no row twice


def test_a_row_that_is_not_sent_for_lack_of_space_stays_failed(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *named("a", "b"))
    with ScriptedServer([answer(422), answer(422), *[answer()] * 2]) as server:
        assert run(server, path, journal).failed == 2
        record = journal.record

        def recording(entry: Entry) -> None:
            if entry.number == 2 and entry.state is State.SENT:
                raise BulkError("The journal is full.")
            record(entry)

        monkeypatch.setattr(journal, "record", recording)
        with pytest.raises(ImportStoppedError) as raised:
            run(server, path, journal)
        assert raised.value.report == Report(created=1, failed=1, doubtful=0, new=1)
        assert len(server.seen) == 3


def test_lack_of_disk_space_is_found_before_the_first_row(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *named(*"abc"))
    (_, _, free) = usage = shutil.disk_usage(path)
    assert free > 50_000
    with ScriptedServer(always()) as server:
        for total, left, is_enough in [(10**9, 30_000, False), (10**9, 40_000, True), (0, 0, True)]:
            small = type(usage)(total, total, left)
            monkeypatch.setattr(shutil, "disk_usage", Mock(return_value=small))
            if is_enough:
                run(server, path, journal)
            else:
                with pytest.raises(BulkError, match=r"needs about 0\.04 MB, .* 0\.03 MB left\."):
                    run(server, path, journal)
                assert server.seen == []
        assert len(server.seen) == 3


def test_outcomes_are_recorded_once_there_is_space_again(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *named("a", "b"))
    record, failures = journal.record, iter([BulkError("The journal is full.")])

    def recording(entry: Entry) -> None:
        if entry.state is State.CREATED:
            for error in failures:
                raise error
        record(entry)

    monkeypatch.setattr(journal, "record", recording)
    with (
        ScriptedServer(always()) as server,
        pytest.raises(
            ImportStoppedError, match=r"after it created 1 conversation\. Run the import"
        ) as raised,
    ):
        run(server, path, journal)
    assert raised.value.unrecorded == ()
    assert not raised.value.may_have_acted
    assert journal.counts()[State.CREATED] == 1


def test_a_journal_that_fails_before_the_first_row_is_not_a_stopped_import(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, {"displayName": 5, "metadata": 5})
    full(journal, monkeypatch, 1)
    with ScriptedServer(always()) as server, pytest.raises(BulkError, match="disk is full"):
        run(server, path, journal)
    assert server.seen == []


def test_a_full_database(path: Path, journal: Journal) -> None:
    names = [f"number {number}" for number in range(500)]
    write(path, *named(*names))
    database = journal._database
    ((pages,),) = database.execute("PRAGMA page_count")
    database.execute(f"PRAGMA max_page_count = {pages + 2}")
    with ScriptedServer(always()) as server:
        with pytest.raises(ImportStoppedError, match="database or disk is full") as raised:
            run(server, path, journal, max_in_flight=8)
        assert raised.value.report.created == len(server.seen) > 10
        database.execute("PRAGMA max_page_count = 100000")
        report = run(server, path, journal, max_in_flight=8)
        assert report.created + report.doubtful == 500
        assert report.doubtful == len(raised.value.unrecorded)
        assert Counter(sent(server)) == Counter(names)


@pytest.mark.parametrize("error", [EnoughError, OSError])
def test_an_error_of_the_caller_is_raised_after_the_rows_in_flight_are_recorded(
    path: Path, journal: Journal, error: type[Exception]
) -> None:
    write(path, *named("a", "b", "c", "d", "e", "f"))

    def fail(_: Entry) -> None:
        raise error

    with ScriptedServer(always()) as server, pytest.raises(error):
        run(server, path, journal, on_row=fail, max_in_flight=3)
    counts = journal.counts()
    assert counts[State.CREATED] == len(server.seen) < 6
    assert counts[State.SENT] == 0


def test_an_error_names_some_of_many_unrecorded_outcomes() -> None:
    entries = [Entry(number, "", State.CREATED, "conv_1") for number in range(22)]
    assert describe_unrecorded(entries).endswith("row 19 (created: conv_1) and 2 more.")


def cut_off(size: int) -> Callable[[Path], object]:
    return lambda path: os.truncate(path, size)


def overwrite(path: Path) -> None:
    path.write_bytes(path.read_bytes().swapcase())


def grow(path: Path) -> None:
    with path.open("a") as file:
        file.write('{"displayName": "new"')


@pytest.mark.parametrize(
    "change",
    [
        cut_off(24_000),  # between two rows
        cut_off(24_010),
        cut_off(0),
        grow,
        overwrite,
    ],
)
def test_a_file_that_changes_during_its_import(
    path: Path, journal: Journal, change: Callable[[Path], object]
) -> None:
    path.write_text(f"{json.dumps({'displayName': 'a'}):119}\n" * 999)
    os.utime(path, (0, 0))

    def on_row(entry: Entry) -> None:
        if entry.number == 3:
            change(path)

    with ScriptedServer(always()) as server, Client("k", base_url=server.url) as client:
        with pytest.raises(ImportStoppedError, match="changed while it was being read") as raised:
            import_file(client, path, journal, max_in_flight=1, on_row=on_row)
        assert 3 <= len(server.seen) < 20
        assert raised.value.report == Report(
            created=len(server.seen), failed=0, doubtful=0, new=len(server.seen)
        )


def test_an_id_that_is_not_text_is_recorded(path: Path, journal: Journal) -> None:
    write(path, *named("a", "b"))
    created = [{**CONVERSATION, "_id": "\ud800"}, CONVERSATION]
    with (
        ScriptedServer([answer(201, body) for body in created]) as server,
        Client("k", base_url=server.url) as client,
    ):
        report = import_file(client, path, journal, max_in_flight=1)
    assert (report.created, report.failed, report.doubtful) == (2, 0, 0)
    assert [entry.detail for entry in journal.entries()] == ["\\ud800", CONVERSATION["_id"]]


def test_a_file_that_changes_before_its_first_row_is_sent(
    path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, *named("a"))

    def check_space(*_: object) -> None:
        write(path, *named("b", "c"))

    monkeypatch.setattr(Journal, "check_space", check_space)
    with ScriptedServer(always()) as server, Client("k", base_url=server.url) as client:
        with pytest.raises(BulkError, match="changed while it was being read"):
            import_file(client, path, journal)
        assert server.seen == []

"""Exports of conversations with their messages."""

import itertools
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from revisions import REVISIONS
from scripted import ScriptedServer, answer

from conversations_client import (
    Client,
    ConversationWithMessages,
    InvalidArgumentError,
    RateLimitError,
    Retry,
    ServerError,
    structure,
    unstructure,
)
from conversations_client.bulk import (
    BulkError,
    ExportFailure,
    ExportReport,
    Journal,
    export_file,
    export_with_messages,
    import_file,
)
from conversations_client.bulk._exports import journal as export_journal
from conversations_client.bulk._exports import message_export
from conversations_client.bulk._exports.journal import ExportJournal, ExportState
from conversations_client.sandbox import Sandbox

MESSAGE: dict[str, Any] = {
    "_id": "msg_1",
    "conversationId": "conv_0",
    "createdAt": 1734789600000.5,
    "createdById": "user_1",
    "role": "assistant",
    "parts": [
        {"kind": "text", "text": "=\ud800", "later": [1]},
        {"kind": "tool_result", "tool_call_id": "call_1", "result": None},
        {"kind": "text in some other way", "text": 5},
    ],
    "later": {"a": None},
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox.api_key, base_url=sandbox.url) as client:
        yield client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "backup.jsonl"


@pytest.fixture
def journal(path: Path) -> Iterator[ExportJournal]:
    with ExportJournal(f"{path}.export") as journal:
        yield journal


def create(client: Client, count: int, *, entity_id: str | None = None) -> list[str]:
    """The IDs of new conversations, newest first."""
    created = [
        client.conversations.create(display_name=f"{n}", metadata={"entity_id": entity_id})
        for n in range(count)
    ]
    return [str(one.id) for one in reversed(created)]


def exported(path: Path) -> list[ConversationWithMessages]:
    lines = path.read_text().splitlines()
    return [structure(json.loads(line), ConversationWithMessages) for line in lines]


def conversation(number: int, **fields: object) -> dict[str, object]:
    return {
        "_id": f"conv_{number}",
        "kind": "conversation",
        "displayName": f"number {number}",
        "createdAt": 1734789600000,
        "updatedAt": 1734793200000,
        **fields,
    }


def page(*conversations: dict[str, object], has_more: bool = False) -> bytes:
    return answer(200, {"object": "list", "data": conversations, "has_more": has_more})


def test_conversations_have_their_messages_in_the_order_of_the_listing(
    client: Client, path: Path
) -> None:
    ids = create(client, 120)
    client.conversations.responses.create(ids[5], message="hello", model="sandbox/tool")
    progress: list[tuple[int, int | None]] = []

    def record(done: int, total: int | None) -> None:
        progress.append((done, total))

    report = export_with_messages(client, path, on_progress=record)
    assert report == ExportReport(
        exported=120, deleted=0, failed=0, without_messages=0, failures=(), is_written=True
    )
    found = exported(path)
    assert [one.id for one in found] == ids
    assert found == [client.conversations.retrieve(one) for one in ids]
    assert len(found[5].messages or ()) == 2
    assert progress[:2] == [(100, None), (120, None)]
    assert progress[2:] == [(number, 120) for number in range(121)]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("extension", ["jsonl", "parquet"])
def test_an_export_with_messages_is_imported_by_either_revision(
    *, tmp_path: Path, extension: str, revision: int
) -> None:
    if extension == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"backup.{extension}"
    with Sandbox(revision=revision) as sandbox, client_of(sandbox) as client:
        ids = create(client, 3, entity_id="agent_1")
        if revision == 2:
            client.conversations.responses.create(ids[0], message="hello", model="sandbox/echo")
        report = export_with_messages(client, path, entity_ids=["agent_1", "agent_2"])
    assert (report.exported, report.without_messages) == (3, 3 if revision == 1 else 0)
    for target in REVISIONS:
        with (
            Sandbox(revision=target) as sandbox,
            client_of(sandbox) as client,
            Journal(tmp_path / f"{target}.journal") as journal,
        ):
            assert import_file(client, path, journal).created == 3
            created = list(client.conversations.list(entity_id="agent_1"))
        assert {one.display_name for one in created} == {"0", "1", "2"}
        assert {one.metadata and one.metadata.entity_id for one in created} == {"agent_1"}


def client_of(sandbox: Sandbox) -> Client:
    return Client(sandbox.api_key, base_url=sandbox.url)


def test_several_entities_are_exported_in_order(client: Client, path: Path) -> None:
    ids = {entity: create(client, 3, entity_id=entity) for entity in (None, "a", "b", "c")}
    export_with_messages(client, path, entity_ids=["b", None, "a", "b"])
    assert [one.id for one in exported(path)] == [*ids["b"], *ids[None], *ids["a"]]


def test_an_empty_listing_is_exported_as_an_empty_file(client: Client, path: Path) -> None:
    report = export_with_messages(client, path)
    assert (report.exported, report.is_written) == (0, True)
    assert path.read_bytes() == b""


def test_parquet_has_a_nested_column(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    script = [
        page(conversation(0), conversation(1), conversation(2)),
        answer(200, conversation(0, messages=[MESSAGE], displayName="\ud800")),
        answer(200, conversation(1, messages=[])),
        answer(200, conversation(2)),
    ]
    with (
        ScriptedServer(script) as server,
        Client("k", base_url=server.url) as client,
    ):
        report = export_with_messages(client, path, max_in_flight=1)
    assert report.without_messages == 1
    first, second, third = parquet.read_table(path).to_pylist()
    assert (first["_id"], first["displayName"]) == ("conv_0", "\\ud800")
    assert (second["messages"], third["messages"]) == ([], None)
    (message,) = first["messages"]
    parts = message.pop("parts")
    assert message == {
        "_id": "msg_1",
        "conversationId": "conv_0",
        "createdAt": 1734789600000.5,
        "createdById": "user_1",
        "role": "assistant",
        "extra": '{"later": {"a": null}}',
    }
    assert [json.loads(part["json"]) for part in parts] == MESSAGE["parts"]
    assert [(part["kind"], part["text"]) for part in parts] == [
        ("text", "=\\ud800"),
        ("tool_result", None),
        ("text in some other way", None),
    ]


def test_long_messages_are_written_in_small_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("conversations_client.bulk._files.writers._MAX_BYTES", 2_500)
    path = tmp_path / "a.parquet"
    long = {**MESSAGE, "parts": [{"kind": "text", "text": "x" * 300}]}
    script = [
        page(*(conversation(number) for number in range(4))),
        *(answer(200, conversation(number, messages=[long])) for number in range(4)),
    ]
    with (
        ScriptedServer(script) as server,
        Client("k", base_url=server.url) as client,
    ):
        export_with_messages(client, path, max_in_flight=1)
    assert parquet.ParquetFile(path).num_row_groups == 2


def test_an_export_that_stopped_is_resumed(client: Client, sandbox: Sandbox, path: Path) -> None:
    ids = create(client, 20)
    path.write_text("old")

    def stop(done: int, total: int | None) -> None:
        if total is not None and done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_with_messages(client, path, max_in_flight=2, on_progress=stop)
    assert path.read_text() == "old"
    create(client, 1)  # it is newer than the listing, which is already complete
    seen = len(sandbox.requests)
    report = export_with_messages(client, path)
    assert report.exported == 20
    assert [one.id for one in exported(path)] == ids
    # 10 of 20, the requests in flight, and 3 to check the workspace.
    assert 10 <= len(sandbox.requests) - seen <= 15


def test_a_listing_is_resumed_where_it_stopped(path: Path) -> None:
    whole = [conversation(number, messages=[]) for number in range(3)]
    script = [
        page(whole[0], has_more=True),
        answer(401),
        answer(200, whole[0]),  # checks the workspace
        page(*whole[:2], has_more=True),  # the first page again
        page(whole[2]),
        *(answer(200, one) for one in whole),
    ]
    with ScriptedServer(script) as server, Client("k", base_url=server.url) as client:
        with pytest.raises(Exception, match="401"):
            export_with_messages(client, path)
        export_with_messages(client, path, max_in_flight=1)
    queries = [seen.target for seen in server.seen[1:5]]
    assert [query.partition("startingAfter=")[2] for query in queries] == [
        "conv_0",
        "",
        "conv_0",
        "conv_1",
    ]
    assert [one.id for one in exported(path)] == ["conv_0", "conv_1", "conv_2"]


def test_conversations_deleted_after_the_listing_are_left_out(client: Client, path: Path) -> None:
    ids = create(client, 3)

    def delete(_done: int, total: int | None) -> None:
        if total is None:
            client.conversations.delete(ids[1])

    report = export_with_messages(client, path, on_progress=delete)
    assert (report.exported, report.deleted, report.is_written) == (2, 1, True)
    assert [one.id for one in exported(path)] == [ids[0], ids[2]]


@pytest.mark.parametrize("skip_failed", [False, True])
def test_failed_retrievals_are_tried_again(path: Path, *, skip_failed: bool) -> None:
    whole = [conversation(number, messages=[]) for number in range(3)]
    script = [
        page(*whole),
        *[answer(200, whole[0]), answer(200, {"kind": 5}), answer(200, whole[2])],
        *(answer(200, one) for one in whole),  # checks the workspace
        answer(200, {"kind": 5}) if skip_failed else answer(200, whole[1]),
    ]
    with ScriptedServer(script) as server, Client("k", base_url=server.url) as client:
        first = export_with_messages(client, path, max_in_flight=1)
        assert (first.exported, first.failed, first.is_written) == (2, 1, False)
        assert not path.exists()
        (failure,) = first.failures
        assert failure.conversation_id == "conv_1"
        assert "the API's documentation" in failure.error
        last = export_with_messages(client, path, max_in_flight=1, skip_failed=skip_failed)
    assert (last.exported, last.failed, last.is_written) == (
        3 - skip_failed,
        int(skip_failed),
        True,
    )
    kept = [0, 2] if skip_failed else [0, 1, 2]
    assert [one.id for one in exported(path)] == [f"conv_{number}" for number in kept]


def test_another_conversation_than_the_one_asked_for_is_not_exported(path: Path) -> None:
    whole = [conversation(number, messages=[]) for number in range(3)]
    script = [page(*whole), *(answer(200, whole[number]) for number in (0, 2, 2))]
    with ScriptedServer(script) as server, Client("k", base_url=server.url) as client:
        report = export_with_messages(client, path, max_in_flight=1)
    assert (report.exported, report.failed, report.is_written) == (2, 1, False)
    assert report.failures == (
        ExportFailure("conv_1", "The service sent a different conversation."),
    )


def test_a_conversation_without_an_id_cannot_be_retrieved(path: Path) -> None:
    bare = conversation(0)
    del bare["_id"]
    with (
        ScriptedServer([page(bare), page(bare)]) as server,
        Client("k", base_url=server.url) as client,
    ):
        for _ in range(2):
            report = export_with_messages(client, path)
            assert (report.failed, report.is_written) == (1, False)
            assert report.failures == (ExportFailure(None, "The service sent no ID."),)


def test_a_conversation_whose_id_is_not_text_cannot_be_retrieved(path: Path) -> None:
    odd = {**conversation(0), "_id": "\ud800"}
    script = [page(odd, conversation(1)), answer(200, conversation(1, messages=[]))]
    with ScriptedServer(script) as server, Client("k", base_url=server.url) as client:
        report = export_with_messages(client, path, skip_failed=True)
    assert (report.exported, report.failed, report.is_written) == (1, 1, True)
    assert report.failures == (ExportFailure(None, "The service sent an ID that is not text."),)


def test_the_journal_is_not_the_exported_file(client: Client, path: Path) -> None:
    """The journal is deleted at the end, and the file would be deleted with it."""
    link = path.with_name("link")
    link.symlink_to(path)
    for journal in (path, path.parent / "." / path.name, link):
        with pytest.raises(BulkError, match="its journal must be two different files"):
            export_with_messages(client, path, journal=journal)
    assert not path.exists()


@pytest.mark.parametrize("value", [10**30, {"a": 1}])
def test_a_value_that_parquet_cannot_store(tmp_path: Path, value: object) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    name = "entityId" if isinstance(value, dict) else "createdAt"
    with (
        ScriptedServer([page({**conversation(0), name: value})]) as server,
        Client("k", base_url=server.url) as client,
        pytest.raises(BulkError, match=r"can't store: .* that ends in \.jsonl"),
    ):
        export_file(client.conversations.list(), path)
    assert list(tmp_path.iterdir()) == []


def test_many_failures_in_a_row_stop_the_export(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_export, "_MAX_CONSECUTIVE_FAILURES", 3)
    whole = [conversation(number, messages=[]) for number in range(20)]
    script = [
        page(*whole),
        *[answer(500), answer(500), answer(200, whole[2]), answer(500), answer(500), answer(502)],
        *(answer(200, one) for one in whole[:3]),  # checks the workspace
        *[*(answer(200, one) for one in whole if one is not whole[2])],
    ]
    retry = Retry(attempts=1)
    with (
        ScriptedServer(script) as server,
        Client("k", base_url=server.url, retry=retry) as client,
    ):
        with pytest.raises(ServerError) as raised:
            export_with_messages(client, path, max_in_flight=1)
        assert raised.value.status == 502
        export_with_messages(client, path, max_in_flight=1)
    assert [one.id for one in exported(path)] == [one["_id"] for one in whole]


def test_an_export_stops_if_the_service_asks_for_too_long_a_wait(path: Path) -> None:
    whole = [conversation(number, messages=[]) for number in range(80)]
    throttled = itertools.repeat(answer(429, {}, retry_after="120"))
    script = itertools.chain([page(*whole), answer(200, whole[0])], throttled)
    with (
        ScriptedServer(script) as server,
        Client("k", base_url=server.url) as client,
        pytest.raises(RateLimitError, match="The Retry-After of 120 s is longer than"),
    ):
        export_with_messages(client, path, max_in_flight=1, source="one")
    assert len(server.seen) == 3
    journal = Path(f"{path}.export")
    with (
        ScriptedServer(throttled) as server,
        Client("k", base_url=server.url) as client,
        pytest.raises(RateLimitError),
    ):
        export_with_messages(client, path, source="one")
    assert len(server.seen) <= 3  # the sample that checks the workspace
    with ExportJournal(journal) as opened:
        counts = opened.counts()
        assert (counts[ExportState.RETRIEVED], counts[ExportState.LISTED]) == (1, 79)


def test_an_error_of_the_listing_is_raised(path: Path) -> None:
    with (
        ScriptedServer([answer(429)]) as server,
        Client("k", base_url=server.url, retry=Retry(attempts=1)) as client,
        pytest.raises(RateLimitError),
    ):
        export_with_messages(client, path)


def test_an_export_is_not_resumed_with_another_selection(client: Client, path: Path) -> None:
    with ExportJournal(f"{path}.export") as journal:
        journal.begin(client.base_url, [None, "a"])
    with pytest.raises(BulkError) as raised:
        export_with_messages(client, path, entity_ids=["a"])
    assert str(raised.value) == (
        f"The journal {path}.export belongs to a different export, of the standalone "
        f"conversations, a from {client.base_url}. This export is of a from {client.base_url}. "
        "Resume the other export with its service and entities, or delete the journal to start "
        "again."
    )


def test_an_export_is_not_resumed_from_another_service(client: Client, path: Path) -> None:
    with ExportJournal(f"{path}.export") as journal:
        journal.begin(client.base_url, [None])
    with Client("k", base_url="http://127.0.0.1:9") as other, pytest.raises(BulkError):
        export_with_messages(other, path)


def test_the_journal_can_be_elsewhere(client: Client, path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    seen: list[bool] = []

    def look(_done: int, _total: int | None) -> None:
        seen.append(elsewhere.exists())

    create(client, 1)
    export_with_messages(client, path, journal=elsewhere, on_progress=look)
    assert seen == [True, True, True]
    assert list(tmp_path.iterdir()) == [path]


def test_the_journal_of_an_earlier_version_is_resumed(client: Client, path: Path) -> None:
    with ExportJournal(f"{path}.export") as journal:
        journal.begin(client.base_url, [None])
    database = sqlite3.connect(f"{path}.export")
    database.execute("ALTER TABLE export DROP COLUMN includes_others")
    database.close()
    create(client, 2)
    report = export_with_messages(client, path)
    assert (report.exported, report.includes_others) == (2, False)


def test_a_journal_of_an_earlier_version_that_cannot_be_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExportJournal(f"{path}.export") as journal:
        journal.begin("x", [None])
    database = sqlite3.connect(f"{path}.export")
    database.execute("ALTER TABLE export DROP COLUMN includes_others")
    database.close()
    monkeypatch.setattr(export_journal, "_ADD_INCLUDES_OTHERS", "ALTER TABLE missing RENAME TO a")
    for _ in range(2):  # the second time, it is not in use
        with pytest.raises(BulkError, match="missing"):
            ExportJournal(f"{path}.export")


def test_an_export_is_not_resumed_with_a_key_of_another_workspace(path: Path) -> None:
    whole = [conversation(number, messages=[]) for number in range(2)]
    script = [
        page(*whole),
        *[answer(200, whole[0]), answer(400)],
        *[answer(404, {"message": "nothing"})] * 2,
    ]
    with ScriptedServer(script) as server, Client("k", base_url=server.url) as client:
        assert not export_with_messages(client, path, max_in_flight=1).is_written
        with pytest.raises(BulkError, match="Use a key for the same workspace"):
            export_with_messages(client, path, max_in_flight=1)


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("a.csv", {}, BulkError, r"CSV can't store messages. .* \.jsonl or \.parquet\."),
        ("a.xlsx", {}, BulkError, "an unknown format"),
        ("missing/a.jsonl", {}, FileNotFoundError, "missing"),
        ("a.jsonl", {"entity_ids": [""]}, InvalidArgumentError, "entity_id is empty"),
        ("a.jsonl", {"entity_ids": []}, InvalidArgumentError, "entity_ids is empty"),
        (
            "a.jsonl",
            {"entity_ids": "agent_1"},
            InvalidArgumentError,
            "must be a list of entity IDs",
        ),
        ("a.jsonl", {"max_in_flight": 0}, InvalidArgumentError, "max_in_flight"),
        ("a.jsonl", {"rate": 0}, InvalidArgumentError, "rate"),
    ],
)
def test_invalid_options_are_found_before_anything_is_sent(
    *,
    tmp_path: Path,
    name: str,
    options: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    with (
        Client("k", base_url="http://127.0.0.1:9", retry=Retry(attempts=1)) as client,
        pytest.raises(error, match=words),
    ):
        export_with_messages(client, tmp_path / name, **options)


def test_parquet_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with (
        Client("k", base_url="http://127.0.0.1:9") as client,
        pytest.raises(BulkError, match="Parquet needs pyarrow"),
    ):
        export_with_messages(client, tmp_path / "a.parquet")


# The journal


def test_a_journal_is_for_one_process(path: Path, journal: ExportJournal) -> None:
    with pytest.raises(BulkError, match="is in use by another export\\. Wait until it ends"):
        ExportJournal(f"{path}.export")
    journal.close()
    journal.close()
    ExportJournal(f"{path}.export").close()
    assert list(path.parent.iterdir()) == []  # no export was started


def test_a_file_that_is_not_an_export_journal(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("something else, which is long enough to have a header" * 9)
    with Journal(tmp_path / "import"):
        pass
    for name, words in {
        "text": "is not an export journal\\. Choose another file",
        "import": "is not an export journal\\. Choose another file",
        "missing/journal": "can't be created: the folder .*missing doesn't exist",
    }.items():
        with pytest.raises(BulkError, match=words):
            ExportJournal(tmp_path / name)
    assert (tmp_path / "text").read_text().startswith("something else")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE conversation SET detail = '{'",
        "UPDATE conversation SET detail = '5'",
        "UPDATE conversation SET detail = NULL",
        "UPDATE conversation SET detail = CAST(x'ff' AS TEXT)",
        "UPDATE conversation SET state = 'unknown'",
        "DROP TABLE listing",
    ],
)
def test_a_damaged_journal_of_an_export(client: Client, path: Path, change: str) -> None:
    (conversation_id,) = create(client, 1)
    with ExportJournal(f"{path}.export") as journal:
        journal.begin(client.base_url, [None])
        (listing,) = journal.listings()
        journal.record_page(listing, [conversation_id])
        journal.complete(listing)
        journal.record(conversation_id, ExportState.RETRIEVED, "{}")
    database = sqlite3.connect(f"{path}.export")
    with database:
        database.execute(change)
    database.close()
    with pytest.raises(BulkError, match=r"The journal .* is damaged[.:].* start again"):
        export_with_messages(client, path)
    assert not path.exists()


def test_a_journal_with_a_damaged_index_leaves_nothing_out(client: Client, path: Path) -> None:
    ids = create(client, 2)
    file = Path(f"{path}.export")
    with ExportJournal(file) as journal:
        journal.begin(client.base_url, [None])
        (listing,) = journal.listings()
        journal.record_page(listing, ids)
        journal.complete(listing)
    content = bytearray(file.read_bytes())
    content[content.rindex(ids[0].encode())] ^= 1  # the index comes after the table
    file.write_bytes(content)
    with pytest.raises(BulkError, match=r"The journal .* is damaged\. Delete it to start again"):
        export_with_messages(client, path)
    assert not path.exists()


def test_the_journal_of_a_finished_export_is_replaced(client: Client, path: Path) -> None:
    """Its process was killed before it could delete the journal."""
    create(client, 2)
    journal = ExportJournal(f"{path}.export")
    journal.begin(client.base_url, [None])
    journal.finish()
    journal._database.close()
    assert Path(f"{path}.export").exists()
    assert export_with_messages(client, path).exported == 2


def test_a_change_that_fails_is_undone(journal: ExportJournal) -> None:
    journal.begin("http://a", [None])
    (listing,) = journal.listings()
    journal._database.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON listing BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(BulkError):
        journal.record_page(listing, ["conv_1"])
    assert sum(journal.counts().values()) == 0
    assert journal.listings() == [listing]


def test_unknown_fields_are_exported(path: Path) -> None:
    whole = conversation(0, messages=[MESSAGE], later=[1], metadata={"later": 2, "model": None})
    script = [page(conversation(0)), answer(200, whole)]
    with ScriptedServer(script) as server, Client("k", base_url=server.url) as client:
        export_with_messages(client, path)
    assert json.loads(path.read_text()) == whole
    assert unstructure(exported(path)[0]) == whole

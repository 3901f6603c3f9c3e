"""Other operations over plain HTTP: paging, updates, deletions, names and messages."""

import re
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from conversations_client.sandbox import Sandbox
from conversations_client.sandbox._operations import request_body
from conversations_client.sandbox._operations.error_responses import on_disconnect
from conversations_client.sandbox._operations.names import name_from
from conversations_client.sandbox._storage import database, ulid
from conversations_client.sandbox._storage.idempotency_store import StoredResponse
from conversations_client.sandbox._storage.store import Store


class Api(httpx.Client):
    """A client that knows the revision of its sandbox."""

    revision = 2


# For features that the first revision lacks.
SECOND_ONLY = pytest.mark.parametrize("revision", [2], indirect=True)


@pytest.fixture
def sandbox(revision: int) -> Iterator[Sandbox]:
    with Sandbox(api_key="k", revision=revision) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox, revision: int) -> Iterator[Api]:
    with Api(base_url=sandbox.url, headers={"Authorization": "Bearer k"}) as client:
        client.revision = revision
        yield client


def created(api: Api, number: int, **body: Any) -> list[str]:
    """Create conversations and return their IDs, newest first."""
    required = {"metadata": {"entityId": "agent"}} if api.revision == 1 else {}
    content = {**required, **body}
    ids = [str(api.post("/v2/conversations", json=content).json()["_id"]) for _ in range(number)]
    return ids[::-1]


def page(api: Api, **query: Any) -> tuple[list[str], bool]:
    listing = api.get("/v2/conversations", params=query).raise_for_status().json()
    assert listing["object"] == "list"
    return [conversation["_id"] for conversation in listing["data"]], listing["has_more"]


def test_pages_start_with_the_newest(api: Api) -> None:
    assert page(api) == ([], False)
    ids = created(api, 11)
    assert page(api) == (ids[:10], True)
    assert page(api, startingAfter=ids[9]) == (ids[10:], False)
    assert page(api, limit=11) == (ids, False)
    assert page(api, limit=3, startingAfter=ids[3]) == (ids[4:7], True)
    assert page(api, limit=3, endingBefore=ids[5]) == (ids[2:5], True)
    assert page(api, limit=3, endingBefore=ids[2]) == (ids[:2], False)
    with_slash = api.get("/v2/conversations/")
    if api.revision == 1:
        assert with_slash.status_code == 404
    else:
        assert with_slash.json() == api.get("/v2/conversations").json()


def test_paging_is_correct_during_inserts_and_deletes(api: Api) -> None:
    ids = created(api, 4)
    first, more = page(api, limit=2)
    created(api, 3)
    api.delete(f"/v2/conversations/{ids[1]}")
    assert (first, more) == (ids[:2], True)
    assert page(api, limit=2, startingAfter=ids[1]) == (ids[2:], False)


@SECOND_ONLY
def test_entities_are_listed_separately(api: Api) -> None:
    alone = created(api, 1) + created(api, 1, metadata={"entityId": None})
    owned = created(api, 2, metadata={"entityId": "agent"})
    assert set(page(api)[0]) == set(alone)
    assert page(api, entityId="agent") == (owned, False)
    assert page(api, entityId="other") == ([], False)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=x", "limit=", "limit=+5", "limit=1&limit=2",
        "startingAfter=x", "endingBefore=conv_1",
        f"startingAfter=conv_{'0' * 26}&endingBefore=conv_{'0' * 26}",
    ],
)  # fmt: skip
def test_invalid_queries(api: Api, query: str) -> None:
    response = api.get(f"/v2/conversations?{query}")
    assert response.status_code == 400
    assert list(response.json()) == ["message"]


@SECOND_ONLY
def test_update_changes_only_the_given_fields(api: Api) -> None:
    (one,) = created(api, 1, metadata={"entityId": "a", "model": "m"})
    url = f"/v2/conversations/{one}"
    before = api.get(url).json()
    renamed = api.patch(url, json={"displayName": "new"}).json()
    assert (renamed["displayName"], renamed["metadata"]) == ("new", {"entityId": "a", "model": "m"})
    assert renamed["updatedAt"] >= before["updatedAt"]
    moved = api.patch(url, json={"metadata": {"entityId": None, "generatingTitle": True}}).json()
    assert moved["metadata"] == {"entityId": None, "model": "m", "generatingTitle": True}
    assert moved["displayName"] == "new"
    assert api.patch(url, json={}).json() == moved
    assert api.patch(url, json={"displayName": None}).status_code == 422


def test_delete(api: Api) -> None:
    one, two = created(api, 2)
    url = f"/v2/conversations/{one}"
    response = api.delete(url)
    assert (response.status_code, response.content) == (204, b"")
    assert page(api)[0] == [two]
    for gone in (
        api.delete(url),
        api.get(url),
        api.patch(url, json={"displayName": "x"}),
        api.post(f"{url}/generate-name", json={"context": "x"}),
    ):
        assert gone.status_code == 404
        assert list(gone.json()) == ["message"]


INVALID = [
    {"content": b""},
    {"content": b"{"},
    {"content": b"[]"},
    {"content": b'{"displayName": 1, "metadata": 2, "context": 3}'},
    {"content": b"1e999"},
    {"content": b"x" * (2**20 + 1)},
    {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
]


@pytest.mark.parametrize("invalid", INVALID, ids=range(len(INVALID)))
def test_a_missing_conversation_is_reported_before_an_invalid_body(
    api: Api, invalid: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "LIMIT", 2**20)
    request: dict[str, Any] = {"headers": {"Content-Type": "application/json"}, **invalid}
    (one,) = created(api, 1)
    calls = [("PATCH", ""), ("POST", "/generate-name"), ("POST", "/responses")]
    for method, path in calls[: api.revision + 1]:
        missing = api.request(method, f"/v2/conversations/conv_1{path}", **request)
        assert (missing.status_code, missing.json()) == (
            404,
            {"message": "The conversation doesn't exist."},
        )
        existing = api.request(method, f"/v2/conversations/{one}{path}", **request)
        assert existing.status_code in {400, 413, 415, 422}


def test_a_repeated_request_gets_its_response_after_a_delete(
    api: Api,
) -> None:
    (one,) = created(api, 1)
    name: dict[str, Any] = {"json": {"context": "x"}, "headers": {"Idempotency-Key": "once"}}
    url = f"/v2/conversations/{one}/generate-name"
    first = api.post(url, **name)
    api.delete(f"/v2/conversations/{one}")
    assert api.post(url, **name).json() == first.json()


def test_generate_name(api: Api) -> None:
    (one,) = created(api, 1)
    url = f"/v2/conversations/{one}/generate-name"
    assert api.post(url, json={}).json()["message"].endswith("$ must have context.")
    assert api.post(url, json={"context": ""}).status_code == 422
    named = api.post(url, json={"context": "How do\nI pay an invoice?"}).json()
    assert named["displayName"] == "How do I pay an invoice?"
    entity = {"entityId": "agent"} if api.revision == 1 else {}
    assert named["metadata"] == {**entity, "generatingTitle": False}
    assert api.post(url, json={"context": "again"}).status_code == 400


def test_the_default_name_counts_as_no_name(api: Api) -> None:
    (one,) = created(api, 1, displayName="Untitled")
    named = api.post(f"/v2/conversations/{one}/generate-name", json={"context": "Invoices"})
    assert (named.status_code, named.json()["displayName"]) == (200, "Invoices")


def test_names() -> None:
    assert name_from("x" * 200) == "x" * 100
    assert name_from(" \n ") == "Untitled"


@SECOND_ONLY
def test_messages_are_listed_oldest_first(sandbox: Sandbox, api: Api) -> None:
    (one,) = created(api, 1)
    texts = [[{"kind": "text", "text": text}] for text in ("first", "second")]
    for parts in texts:
        assert sandbox._store.messages.append(one, role="user", parts=parts) is not None
    assert sandbox._store.messages.append("conv_x", role="user", parts=[]) is None
    messages = api.get(f"/v2/conversations/{one}").json()["messages"]
    assert [message["parts"] for message in messages] == texts
    assert {message["conversationId"] for message in messages} == {one}


def test_a_bug_in_the_sandbox_is_a_500_with_the_documented_body(sandbox: Sandbox, api: Api) -> None:
    sandbox._store.close()
    response = api.post("/v2/conversations", json={"metadata": {"entityId": "a"}})
    assert response.status_code == 500
    assert list(response.json()) == ["message"]
    assert "x-request-id" in response.headers


def test_a_disconnected_client_gets_a_response() -> None:
    request: Any = None
    assert on_disconnect(request, Exception()).status_code == 400


def test_ulids() -> None:
    assert ulid.encode(0) == "0" * 26
    assert ulid.encode(2**128 - 1) == "7" + "z" * 25
    with pytest.raises(OverflowError):
        ulid.encode(2**128)


def test_a_database_of_a_later_version_is_rejected(tmp_path: Path) -> None:
    ticks = count()
    store = Store(tmp_path / "db", clock=lambda: next(ticks))
    with store._database.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(OSError, match="this version"):
        Store(tmp_path / "db")


def test_a_database_of_an_earlier_version_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "db"
    with sqlite3.connect(path) as old:
        for statement in database._TABLES:
            old.execute(statement)
        old.execute("PRAGMA user_version = 1")
        old.execute(
            "INSERT INTO setting VALUES ('user_id', 'user_1'), ('last_ulid', ?)", ["0" * 26]
        )
        old.execute(
            "INSERT INTO conversation VALUES ('conv_1', 'a', 1, 2, 3, 'user_1', 'user_1', NULL, NULL)"
        )
        old.execute(
            "INSERT INTO message VALUES ('msg_1', 'conv_1', 2, 'user_1', 'user',"
            """ '[{"kind": "tool_result", "tool_call_id": "c", "result": [Infinity, 1]}]')"""
        )
        old.execute("INSERT INTO kept_answer VALUES ('key', 'f', 201, x'7b7d', 1000)")
    old.close()
    for _ in range(2):
        store = Store(path, clock=lambda: 1001)
        found = store.conversations.find("conv_1")
        assert found is not None
        assert (found.display_name, found.created_by_id) == ("a", "user_1")
        (message,) = store.messages.of("conv_1")
        assert message.parts[0]["result"] == [None, 1]
        assert store.tool_calls.of("conv_1") == {}
        stored = store.idempotency.find("key")
        assert stored == StoredResponse(fingerprint="f", status=201, body=b"{}")
        store.close()
    with pytest.raises(OSError, match="belongs to revision 2"):
        Store(path, revision=1)


@pytest.mark.parametrize(("made_for", "other"), [(1, 2), (2, 1)])
def test_a_database_belongs_to_one_revision(tmp_path: Path, made_for: int, other: int) -> None:
    path = tmp_path / "db"
    Store(path, revision=made_for).close()
    with pytest.raises(OSError, match=f"belongs to revision {made_for} of the API, not {other}"):
        Store(path, revision=other)
    Store(path, revision=made_for).close()


def test_each_response_has_an_id_of_its_own_whatever_the_client_sends(api: Api) -> None:
    ids = {
        api.get(path, headers={"X-Request-Id": "mine"}).headers["X-Request-Id"]
        for path in ("/health", "/v2/conversations", "/nowhere")
    }
    assert len(ids) == 3
    assert all(re.fullmatch("req_[0-9a-f]{32}", each) for each in ids)

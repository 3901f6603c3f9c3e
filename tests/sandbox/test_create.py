"""Creates conversations with plain httpx, so that the client can't hide bugs in the sandbox."""

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from conversations_client.sandbox import Sandbox
from conversations_client.sandbox._storage.store import Store

ID = re.compile(r"conv_[0-7][0-9a-hjkmnp-tv-z]{25}")


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with (
        Sandbox() as sandbox,
        httpx.Client(
            base_url=sandbox.url, headers={"Authorization": f"Bearer {sandbox.api_key}"}
        ) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("body", "name", "metadata"),
    [
        ({}, "Untitled", None),
        ({"displayName": "é" * 100}, "é" * 100, None),
        ({"displayName": "", "projectId": "prj_1"}, "", None),
        ({"metadata": {}}, "Untitled", {}),
        ({"metadata": {"entityId": "a"}}, "Untitled", {"entityId": "a"}),
        (
            {"metadata": {"entityId": None, "generatingTitle": True, "model": None, "x": 1}},
            "Untitled",
            {"entityId": None, "generatingTitle": True, "model": None},
        ),
    ],
)
def test_create_and_retrieve(
    api: httpx.Client, body: dict[str, Any], name: str, metadata: dict[str, Any] | None
) -> None:
    response = api.post("/v2/conversations", json=body)
    assert response.status_code == 201
    assert response.headers["x-request-id"].startswith("req_")
    created = response.json()
    assert ID.fullmatch(created["_id"])
    assert created["createdAt"] == created["updatedAt"]
    assert created["createdById"] == created["updatedById"]
    assert (created["kind"], created["displayName"]) == ("conversation", name)
    assert created.get("metadata") == metadata
    assert "projectId" not in created
    found = api.get(f"/v2/conversations/{created['_id']}")
    assert found.status_code == 200
    assert found.json() == {**created, "messages": []}


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "empty"),
        (b"{", 400, "not valid JSON"),
        (b'{"displayName": NaN}', 400, "not valid JSON"),
        (b'"\\ud800"', 400, ""),
        (b"\xff", 400, "not valid JSON"),
        (b"[" * 200 + b"]" * 200, 400, "nested"),
        (b"[]", 422, "$ must be of type object"),
        (b'{"displayName": null}', 422, "$.displayName must be of type string"),
        (b'{"displayName": "' + b"x" * 101 + b'"}', 422, "at most 100 characters"),
        (
            b'{"displayName": 1, "metadata": {"model": 1, "generatingTitle": 0}}',
            422,
            "$.displayName must be of type string; $.metadata.generatingTitle must be of type boolean; $.metadata.model must be of type string or null",
        ),
        (b'"' + b"x" * 2**25 + b'"', 413, "larger than 33554432 bytes"),
    ],
)
def test_invalid_bodies(api: httpx.Client, content: bytes, status: int, words: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = api.post("/v2/conversations", content=content, headers=headers)
    assert response.status_code == status
    assert list(response.json()) == ["message"]
    assert words in response.json()["message"]


def test_other_rejections(api: httpx.Client) -> None:
    for status, response in [
        (415, api.post("/v2/conversations", content=b"{}", headers={"Content-Type": "text/plain"})),
        (404, api.get("/v2/conversations/conv_1")),
        (404, api.get("/nowhere")),
        (405, api.put("/v2/conversations")),
        (401, httpx.post(api.base_url.join("/v2/conversations"), json={})),
        (401, api.get("/v2/conversations/x", headers=[(b"Authorization", "Bearer é".encode("latin-1"))])),
        (401, api.get("/v2/conversations/x", headers={"Authorization": "Basic x"})),
        (400, api.post("/v2/conversations", json={}, headers={"Idempotency-Key": ""})),
        (400, api.post("/v2/conversations", json={}, headers={"Idempotency-Key": "x" * 256})),
    ]:  # fmt: skip
        assert response.status_code == status, response.text
        assert list(response.json()) == ["message"]
        if status == 401:
            assert response.headers["www-authenticate"] == "Bearer"
    assert httpx.get(api.base_url.join("/health")).json() == {"status": "ok"}


def test_an_idempotency_key_repeats_the_first_response(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": "one"}
    first = api.post("/v2/conversations", content=b'{"displayName":"a","metadata":{}}', headers={**headers, "Content-Type": "application/json"})  # fmt: skip
    again = api.post(
        "/v2/conversations", json={"metadata": {}, "displayName": "a"}, headers=headers
    )
    assert (again.status_code, again.json()) == (201, first.json())
    other = api.post("/v2/conversations", json={"displayName": "b"}, headers=headers)
    assert other.status_code == 422
    assert "a different request" in other.json()["message"]


def test_concurrent_duplicates_create_one_conversation(api: httpx.Client) -> None:
    def create(_: int) -> str:
        headers = {"Idempotency-Key": "at-once"}
        return str(api.post("/v2/conversations", json={}, headers=headers).json()["_id"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(24)))) == 1


def test_a_stored_response_expires_after_a_day(tmp_path: Path) -> None:
    path = tmp_path / "db"
    key = {"Idempotency-Key": "k"}
    ids: list[str] = []
    for hours in (0, 23, 25):
        with Sandbox(db=path, api_key="k") as sandbox:
            if hours:
                with sqlite3.connect(path) as database:
                    database.execute(
                        "UPDATE idempotent_response SET stored_at = stored_at - ?",
                        (hours * 3_600_000,),
                    )
                database.close()
            response = httpx.post(
                f"{sandbox.url}/v2/conversations",
                json={},
                headers={"Authorization": "Bearer k", **key},
            )
            ids.append(response.json()["_id"])
    assert ids[0] == ids[1] != ids[2]


def test_ids_increase_after_a_restart_with_an_earlier_clock(tmp_path: Path) -> None:
    ids: list[str] = []
    for now in (2_000, 1_000, 3_000):
        store = Store(tmp_path / "db", clock=partial(int, now), randomness=lambda: 7)
        ids += [store.conversations.create(display_name=None, metadata=None).id for _ in range(3)]
        store.close()
    assert ids == sorted(set(ids))

"""Streamed responses over plain HTTP."""

import asyncio
import base64
import json
import re
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import define, field

from conversations_client import FilePart
from conversations_client.sandbox import Sandbox
from conversations_client.sandbox._operations import stream_recorder
from conversations_client.sandbox._storage.store import Store

ULID = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SAID = {"kind": "text", "text": "One two three"}
MESSAGE_ID = "msg_" + "0" * 26
MODEL = "provider/model_id, or one of sandbox/echo, sandbox/reasoning, sandbox/tool, sandbox/fails"


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with Sandbox(api_key="k") as sandbox, connected(sandbox) as client:
        yield client


@contextmanager
def connected(sandbox: Sandbox) -> Generator[httpx.Client, None, None]:
    with httpx.Client(base_url=sandbox.url, headers={"Authorization": "Bearer k"}) as client:
        yield client


def conversation(api: httpx.Client) -> str:
    return f"/v2/conversations/{api.post('/v2/conversations', json={}).json()['_id']}"


def body(model: str = "sandbox/echo", **fields: Any) -> dict[str, Any]:
    return {"model": model, "message": {"role": "user", "parts": [SAID]}, **fields}


def message(**fields: Any) -> dict[str, Any]:
    return body(message={"role": "user", "parts": [SAID], **fields})


def part(**fields: Any) -> dict[str, Any]:
    return message(parts=[fields])


def messages(api: httpx.Client, url: str) -> list[tuple[str, str, list[dict[str, Any]]]]:
    found = api.get(url).json()["messages"]
    return [(each["_id"], each["role"], each["parts"]) for each in found]


def events(stream: str) -> list[dict[str, Any]]:
    """Parse a stream, which must have a `data` line and an empty line for each event."""
    *blocks, rest = stream.split("\n\n")
    assert rest == ""
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


def ids_counted(stream: str) -> str:
    """A stream with numbers instead of ULIDs, and T instead of times."""
    seen: dict[str, int] = {}
    numbered = ULID.sub(lambda found: str(seen.setdefault(found[0], len(seen) + 1)), stream)
    return TIME.sub("T", numbered)


def test_an_echo_byte_by_byte(api: httpx.Client) -> None:
    url = conversation(api)
    response = api.post(f"{url}/responses", json=body(task_id="task_mine"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert ids_counted(response.text) == (
        'data: {"type":"response.started","timestamp":"T","data":{"responseId":"resp_1","taskId":"task_mine","model":"sandbox/echo","workflowRunId":"run_2","userMessageId":"msg_3","assistantMessageId":"msg_4"}}\n\n'
        'data: {"type":"part.delta","timestamp":"T","data":{"partId":"text_5","delta":{"_id":"text_5","kind":"text","text":"One "}}}\n\n'
        'data: {"type":"part.delta","timestamp":"T","data":{"partId":"text_5","delta":{"_id":"text_5","kind":"text","text":"two "}}}\n\n'
        'data: {"type":"part.delta","timestamp":"T","data":{"partId":"text_5","delta":{"_id":"text_5","kind":"text","text":"three"}}}\n\n'
        'data: {"type":"part.done","timestamp":"T","data":{"partId":"text_5","part":{"_id":"text_5","kind":"text","text":"One two three"}}}\n\n'
        'data: {"type":"response.done","timestamp":"T","data":{"finishReason":"stop","usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}}\n\n'
    )
    started = events(response.text)[0]["data"]
    assert messages(api, url) == [
        (started["userMessageId"], "user", [SAID]),
        (started["assistantMessageId"], "assistant", [SAID]),
    ]


@pytest.mark.parametrize(
    ("model", "last", "stored"),
    [
        ("sandbox/reasoning", "response.done", [SAID]),
        (
            "sandbox/tool",
            "response.done",
            [
                {"kind": "tool_result", "tool_call_id": "call_1", "result": {"words": 3}},
                {"kind": "text", "text": "You said 3 words."},
            ],
        ),
        (
            "sandbox/fails",
            "response.failed",
            [
                {"kind": "text", "text": "One two "},
                {"kind": "error", "error": "The model failed halfway.", "code": 500},
            ],
        ),
    ],
)
def test_each_model_is_deterministic_and_its_reply_is_stored(
    api: httpx.Client, model: str, last: str, stored: list[dict[str, Any]]
) -> None:
    url = conversation(api)
    first, again = (api.post(f"{url}/responses", json=body(model)).text for _ in range(2))
    assert ids_counted(first) == ids_counted(again)
    assert events(first)[0]["data"]["taskId"].startswith("task_")
    assert [each["type"] for each in events(first) if each["type"].startswith("response")] == [
        "response.started",
        last,
    ]
    user, assistant = messages(api, url)[:2]
    assert (user[1:], assistant[1]) == (("user", [SAID]), "assistant")
    assert json.loads(ids_counted(json.dumps(assistant[2]))) == stored


def test_every_kind_of_part_is_stored_unchanged(api: httpx.Client) -> None:
    url = conversation(api)
    parts: list[dict[str, Any]] = [
        {"kind": "text", "text": ""},
        {"kind": "file", "file": {"bytes": "AA==", "mimeType": "a/b", "name": "n"}},
        {"kind": "file", "file": {"uri": "https://example.com/é"}, "metadata": {"a": [1]}},
        {"kind": "tool_result", "tool_call_id": "c", "result": None, "metadata": {}},
        {"kind": "tool_result", "tool_call_id": "c"},
        {"kind": "error", "error": "e", "code": 1.5},
    ]
    response = api.post(f"{url}/responses", json=message(parts=parts))
    assert events(response.text)[-1]["type"] == "response.done"
    assert messages(api, url)[0][2] == parts


def test_messages_keep_their_ids_and_order(api: httpx.Client) -> None:
    url = conversation(api)
    ids = ["msg_" + letter * 26 for letter in "732"]
    for message_id in ids:
        response = api.post(f"{url}/responses", json=message(messageId=message_id))
        assert events(response.text)[0]["data"]["userMessageId"] == message_id
    assert [each[0] for each in messages(api, url) if each[1] == "user"] == ids
    other = conversation(api)
    repeated = api.post(f"{other}/responses", json=message(messageId=ids[0]))
    assert repeated.status_code == 409
    assert repeated.json() == {"message": "A message with this messageId already exists."}
    assert messages(api, other) == []


def test_messages_are_in_order_regardless_of_clock_and_ids() -> None:
    now = iter([9, 9, 3, 20])
    store = Store(clock=lambda: 0)
    one = store.conversations.create(display_name=None, metadata=None).id
    store.messages._clock = lambda: next(now)
    appended = [
        store.messages.append(one, role="user", parts=[], message_id=f"msg_{letter}")
        for letter in "cba"
    ]
    assert store.messages.append(one, role="user", parts=[], message_id="msg_a") is None
    assert store.messages.of(one) == appended
    assert [each.created_at for each in store.messages.of(one)] == [9, 10, 11]
    store.close()


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ({}, "$ must have message and model"),
        (body("echo"), f"$.model must be {MODEL}"),
        (body("/echo"), f"$.model must be {MODEL}"),
        (body("openai/"), f"$.model must be {MODEL}"),
        (body("openai/gpt-4o\n"), f"$.model must be {MODEL}"),
        (body("sandbox/fail"), f"$.model must be {MODEL}"),
        (body("sandbox/echo/"), f"$.model must be {MODEL}"),
        ({**body(), "model": None}, "$.model must be of type string"),
        (body(stream=False), "$.stream must be true"),
        (body(task_id=None), "$.task_id must be of type string"),
        (body(message="Hello"), "$.message must be of type object"),
        (body(message={}), "$.message must have parts and role"),
        (message(role="assistant"), '$.message.role must be "user"'),
        (message(parts="x"), "$.message.parts must be of type array"),
        (message(messageId="msg_1"), "$.message.messageId must be a message's id"),
        (message(messageId=MESSAGE_ID + "\n"), "$.message.messageId must be a message's id"),
        (message(parts=[SAID, 1]), "$.message.parts[1] must be an object whose kind is text, file, tool_result or error"),
        (part(text="x"), "$.message.parts[0] must be an object whose kind is text, file, tool_result or error"),
        (part(kind="reasoning", reasoning="x"), "$.message.parts[0] must be an object whose kind is text, file, tool_result or error"),
        (part(kind="text"), "$.message.parts[0] must have text"),
        (part(kind="text", text=None), "$.message.parts[0].text must be of type string"),
        (part(kind="file"), "$.message.parts[0] must have file"),
        (part(kind="file", file={}), "$.message.parts[0].file must have either bytes or uri"),
        (part(kind="file", file={"bytes": "AA==", "uri": "x"}), "$.message.parts[0].file must have either bytes or uri"),
        (part(kind="file", file={"bytes": ""}), "$.message.parts[0].file.bytes must have at least 1 characters"),
        (part(kind="file", file={"bytes": "A"}), "$.message.parts[0].file.bytes must be base64"),
        (part(kind="file", file={"bytes": "AA==\n"}), "$.message.parts[0].file.bytes must be base64"),
        (part(kind="file", file={"uri": 1}, metadata=1), "$.message.parts[0].file.uri must be of type string; $.message.parts[0].metadata must be of type object"),
        (part(kind="tool_result", result=1), "$.message.parts[0] must have tool_call_id"),
        (part(kind="tool_result", tool_call_id=""), "$.message.parts[0].tool_call_id must have at least 1 characters"),
        (part(kind="error", error="x", code="1"), "$.message.parts[0].code must be of type number"),
    ],
)  # fmt: skip
def test_an_invalid_body_stores_nothing(
    api: httpx.Client, sent: dict[str, Any], fault: str
) -> None:
    url = conversation(api)
    response = api.post(f"{url}/responses", json=sent)
    assert response.status_code == 422
    assert response.json() == {"message": f"The body is invalid: {fault}."}
    assert messages(api, url) == []


@pytest.mark.parametrize("model", ["openai/gpt-4o", "a/b/c:1@2", "é/ü", "Sandbox/echo"])
def test_any_other_model_replies_like_echo(api: httpx.Client, model: str) -> None:
    url = conversation(api)
    stream = api.post(f"{url}/responses", json=body(model)).text
    echo = api.post(f"{url}/responses", json=body()).text
    assert events(stream)[0]["data"]["model"] == model
    assert ids_counted(stream) == ids_counted(echo).replace('"sandbox/echo"', f'"{model}"')


@pytest.mark.parametrize(
    ("models", "accepted", "refused"),
    [
        ([], ["sandbox/tool"], ["openai/gpt-4o", "sandbox/tools"]),
        (["openai/gpt-4o", "a/b"], ["openai/gpt-4o", "a/b", "sandbox/echo"], ["openai/gpt-4", "x"]),
    ],
)
def test_other_models_can_be_limited(
    models: list[str], accepted: list[str], refused: list[str]
) -> None:
    with Sandbox(api_key="k", models=models) as sandbox, connected(sandbox) as api:
        url = conversation(api)
        for model in accepted:
            assert api.post(f"{url}/responses", json=body(model)).status_code == 200
        for model in refused:
            response = api.post(f"{url}/responses", json=body(model))
            assert response.status_code == 422
            assert "$.model must be sandbox/echo, " in response.json()["message"]
        document = api.get("/openapi.json").text
        assert all(model in document for model in models)


def test_the_conversation_must_exist(api: httpx.Client) -> None:
    url = conversation(api)
    api.delete(url)
    response = api.post(f"{url}/responses", json=body(), headers={"Idempotency-Key": "no"})
    assert (response.status_code, response.json()) == (
        404,
        {"message": "The conversation doesn't exist."},
    )


def test_the_document_describes_the_stream(api: httpx.Client) -> None:
    described = api.get("/openapi.json").json()["paths"][
        "/v2/conversations/{conversation_id}/responses"
    ]["post"]
    assert list(described["responses"]["200"]["content"]) == ["text/event-stream"]
    assert {"400", "401", "404", "409", "413", "415", "422"} < set(described["responses"])


def test_a_key_repeats_the_stream(api: httpx.Client) -> None:
    url = conversation(api)
    key = {"Idempotency-Key": "again"}
    first = api.post(f"{url}/responses", json=body(), headers=key)
    again = api.post(f"{url}/responses", json=body(), headers=key)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert len(messages(api, url)) == 2
    other = api.post(f"{url}/responses", json=body(stream=True), headers=key)
    assert other.status_code == 422


def test_a_stream_over_the_limit_is_not_recorded(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = conversation(api)
    key = {"Idempotency-Key": "long"}
    sent = api.post(f"{url}/responses", json=body())
    monkeypatch.setattr(stream_recorder, "LIMIT", len(sent.content) - 1)
    first = api.post(f"{url}/responses", json=body(), headers=key)
    assert events(first.text)[-1]["type"] == "response.done"
    again = api.post(f"{url}/responses", json=body(), headers=key)
    assert again.status_code == 409
    assert "Retrieve the conversation" in again.json()["message"]
    assert len(messages(api, url)) == 4


@define
class BlockingSleep:
    """A sleep that lets some events pass, then waits until it is cancelled."""

    passes: int
    seconds: list[float] = field(factory=list[float])
    cut: threading.Event = field(factory=threading.Event)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) > self.passes:
            try:
                await asyncio.Event().wait()
            finally:
                self.cut.set()


def read(lines: Iterator[str], number: int) -> list[dict[str, Any]]:
    """The next events of a stream."""
    found: list[dict[str, Any]] = []
    while len(found) < number:
        found += [json.loads(line.removeprefix("data: ")) for line in [next(lines)] if line]
    return found


@pytest.mark.parametrize(
    ("passes", "parts"), [(0, []), (2, [{"kind": "text", "text": "One two "}])]
)
def test_a_disconnect_stops_the_reply(
    tmp_path: Path, passes: int, parts: list[dict[str, Any]]
) -> None:
    blocking = BlockingSleep(passes)
    sandbox = Sandbox(db=tmp_path / "db", api_key="k", pace=60)
    sandbox._pacing.sleep = blocking
    key = {"Idempotency-Key": "gone"}
    with sandbox, connected(sandbox) as api:
        url = conversation(api)
        with api.stream("POST", f"{url}/responses", json=body(), headers=key) as response:
            lines = response.iter_lines()
            read(lines, passes + 1)
            assert [each[1] for each in messages(api, url)] == ["user"]
            running = api.post(f"{url}/responses", json=body(), headers=key)
            assert running.status_code == 409
        assert blocking.cut.wait(30)
        left = api.post(f"{url}/responses", json=body(), headers=key)
        assert left.status_code == 409
    assert blocking.seconds == [60] * (passes + 1)
    store = Store(tmp_path / "db")
    user, assistant = store.messages.of(url.rpartition("/")[2])
    store.close()
    assert (user.parts, assistant.parts) == ([SAID], parts)


def test_a_disconnect_ends_a_stall(tmp_path: Path) -> None:
    blocking = BlockingSleep(1)  # the pause before the second event
    sandbox = Sandbox(db=tmp_path / "db", api_key="k")
    sandbox._pacing.sleep = blocking
    with sandbox, connected(sandbox) as api:
        url = conversation(api)
        sandbox.delay_next(60, after_events=2)
        with api.stream("POST", f"{url}/responses", json=body()) as response:
            read(response.iter_lines(), 2)
        assert blocking.cut.wait(30)
    assert blocking.seconds == [0, 60]
    store = Store(tmp_path / "db")
    _, assistant = store.messages.of(url.rpartition("/")[2])
    store.close()
    assert assistant.parts == [{"kind": "text", "text": "One "}]


def test_stopping_the_sandbox_ends_its_streams(tmp_path: Path) -> None:
    sandbox = Sandbox(db=tmp_path / "db", api_key="k", pace=60)
    sandbox._pacing.sleep = BlockingSleep(1)
    stopped = {"error": "The sandbox is stopping.", "code": 503}
    with sandbox, connected(sandbox) as api:
        url = conversation(api)
        with api.stream("POST", f"{url}/responses", json=body()) as response:
            lines = response.iter_lines()
            read(lines, 2)
            sandbox.stop()
            (last,) = read(lines, 1)
            assert list(lines) == [""]
    assert (last["type"], last["data"]) == ("response.failed", stopped)
    store = Store(tmp_path / "db")
    _, assistant = store.messages.of(url.rpartition("/")[2])
    store.close()
    assert assistant.parts == [{"kind": "text", "text": "One "}, {"kind": "error", **stopped}]


def test_a_reply_is_streamed_completely_after_a_delete() -> None:
    sandbox = Sandbox(api_key="k")

    async def delete(_seconds: float) -> None:
        sandbox._store.conversations.delete(url.rpartition("/")[2])

    sandbox._pacing.sleep = delete
    with sandbox, connected(sandbox) as api:
        url = conversation(api)
        response = api.post(f"{url}/responses", json=body())
        assert events(response.text)[-1]["type"] == "response.done"
        assert api.get(url).status_code == 404


@pytest.mark.parametrize("pace", [-1, float("inf"), float("nan")])
def test_an_invalid_pace_is_rejected(pace: float) -> None:
    with pytest.raises(ValueError, match="pace must be 0 or more seconds"):
        Sandbox(pace=pace)


def test_a_file_of_several_megabytes() -> None:
    content = b"x" * 5_000_000
    with Sandbox() as sandbox, sandbox.client() as client:
        one = client.conversations.create()
        file = FilePart.from_bytes(content, mime_type="text/plain", name="a.txt")
        client.conversations.responses.create(one, message=["a", file], model="sandbox/echo")
        assert sandbox.requests[-1].json()["message"]["parts"][1]["file"]["name"] == "a.txt"
        found = client.conversations.retrieve(one).messages
    assert found is not None
    part = found[0].parts[1]
    assert isinstance(part, FilePart)
    assert part.file.bytes == base64.b64encode(content).decode()

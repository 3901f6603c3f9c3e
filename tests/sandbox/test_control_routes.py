"""The methods for tests over HTTP, as a program in another language uses them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from conversations_client.sandbox import Sandbox

BODY = {
    "message": {"role": "user", "parts": [{"kind": "text", "text": "One two three"}]},
    "model": "sandbox/echo",
    "stream": True,
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    with httpx.Client(base_url=sandbox.url, headers=headers, timeout=30) as client:
        yield client


def pending(api: httpx.Client) -> int:
    count: int = api.get("/sandbox/faults").json()["pending"]
    return count


def test_a_failure_with_arguments(api: httpx.Client) -> None:
    fault = {"status": 429, "retry_after": 2, "message": "Slower", "times": 2, "method": "POST"}
    assert api.post("/sandbox/fail-next", json=fault).json() == {"pending": 2}
    assert api.get("/v2/conversations").status_code == 200
    failed = api.post("/v2/conversations", json={})
    assert failed.status_code == 429
    assert failed.headers["Retry-After"] == "2"
    assert failed.json() == {"message": "Slower"}
    assert pending(api) == 1
    assert api.delete("/sandbox/faults").json() == {"pending": 0}
    assert api.post("/v2/conversations", json={}).status_code == 201


@pytest.mark.parametrize("options", [{}, {"content": b""}, {"json": {}}])
def test_without_arguments_the_defaults_apply(api: httpx.Client, options: dict[str, Any]) -> None:
    assert api.post("/sandbox/fail-next", **options).json() == {"pending": 1}
    assert api.get("/v2/conversations").status_code == 503


def test_an_answer(api: httpx.Client) -> None:
    api.post("/sandbox/answer-next", json={"body": {"a": 1}, "status": 201})
    answer = api.get("/v2/conversations")
    assert (answer.status_code, answer.json()) == (201, {"a": 1})


def test_a_dropped_connection(api: httpx.Client) -> None:
    api.post("/sandbox/drop-next", json={"after_acting": True})
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/v2/conversations", json={"displayName": "Acted"})
    assert [each["displayName"] for each in api.get("/v2/conversations").json()["data"]] == [
        "Acted"
    ]


def test_a_delay(sandbox: Sandbox, api: httpx.Client) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    sandbox._pacing.sleep = pause
    api.post("/sandbox/delay-next", json={"seconds": 60})
    assert api.get("/v2/conversations").status_code == 200
    assert pauses == [60]


def test_a_stalled_stream(sandbox: Sandbox, api: httpx.Client) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    sandbox._pacing.sleep = pause
    conversation = api.post("/v2/conversations", json={}).json()["_id"]
    api.post("/sandbox/delay-next", json={"seconds": 60, "after_events": 3})
    assert pending(api) == 1
    response = api.post(f"/v2/conversations/{conversation}/responses", json=BODY)
    assert response.text.count("data: ") == 6
    assert pauses == [0, 0, 60, 0, 0, 0]


def test_a_broken_stream(api: httpx.Client) -> None:
    conversation = api.post("/v2/conversations", json={}).json()["_id"]
    api.post("/sandbox/break-stream", json={"after_events": 2, "garbage": "data: {\n\n"})
    with (
        api.stream("POST", f"/v2/conversations/{conversation}/responses", json=BODY) as stream,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        for _line in stream.iter_lines():
            pass


def test_the_time(api: httpx.Client) -> None:
    def created_at() -> int:
        created: int = api.post("/v2/conversations", json={}).json()["createdAt"]
        return created

    times = ["2024-12-21T01:00:00+01:00", None]
    moment, none = (api.post("/sandbox/set-time", json={"time": time}).json() for time in times)
    assert (moment, none) == ({"time": "2024-12-21T00:00:00.000Z"}, {"time": None})
    api.post("/sandbox/set-time", json={"time": "2024-12-21T00:00:00Z"})
    assert created_at() == 1_734_739_200_000
    api.post("/sandbox/set-time", json={"time": None})
    assert created_at() > 1_734_739_200_000


def test_the_received_requests(api: httpx.Client) -> None:
    api.post("/v2/conversations?a=1", json={"displayName": "A"})
    api.get("/sandbox/faults")
    (request,) = api.get("/sandbox/requests").json()["requests"]
    headers = request.pop("headers")
    assert request == {
        "method": "POST",
        "path": "/v2/conversations",
        "query": "a=1",
        "body": '{"displayName":"A"}',
    }
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    assert api.delete("/sandbox/requests").json() == {"requests": []}
    assert api.get("/sandbox/requests").json() == {"requests": []}


def test_the_pending_faults_are_listed_in_order_without_their_content(api: httpx.Client) -> None:
    faults = {
        "fail-next": {"status": 429, "retry_after": 2, "times": 2, "method": "post"},
        "delay-next": {"seconds": 60, "path": "*/responses"},
        "drop-next": {"after_acting": True},
        "answer-next": {"body": "secret"},
        "break-stream": {"garbage": "secret"},
    }
    for name, arguments in faults.items():
        api.post(f"/sandbox/{name}", json=arguments)
    listed = api.get("/sandbox/faults")
    assert "secret" not in listed.text
    headers = {"Content-Type": "application/json"}
    assert listed.json() == {
        "pending": 6,
        "faults": [
            {
                "kind": "response",
                "times": 2,
                "method": "POST",
                "path": None,
                "status": 429,
                "headers": {**headers, "Retry-After": "2"},
            },
            {
                "kind": "delay",
                "times": 1,
                "method": None,
                "path": "*/responses",
                "seconds": 60,
                "after_events": 0,
            },
            {"kind": "drop", "times": 1, "method": None, "path": None, "after_acting": True},
            {
                "kind": "response",
                "times": 1,
                "method": None,
                "path": None,
                "status": 200,
                "headers": headers,
            },
            {
                "kind": "break",
                "times": 1,
                "method": "POST",
                "path": "/v2/conversations/*/responses",
                "after_events": 1,
            },
        ],
    }


@pytest.mark.parametrize(
    ("path", "options", "status", "problem"),
    [
        ("fail-next", {"json": {"status": 200}}, 422, "status must be 400 or more"),
        ("fail-next", {"json": {"status": True}}, 422, "status must be a whole number"),
        ("fail-next", {"json": {"statsu": 500}}, 422, "unexpected keyword argument 'statsu'"),
        ("fail-next", {"json": {"path": "/sandbox/faults"}}, 422, "not part of the API"),
        ("fail-next", {"json": []}, 422, "must be of type object"),
        ("fail-next", {"data": {"status": "500"}}, 415, "application/json"),
        ("answer-next", {}, 422, "missing a required argument: 'body'"),
        ("answer-next", {"json": {"body": None}}, 422, "body must be a string, not None"),
        ("delay-next", {"json": {"seconds": "1"}}, 422, "seconds must be a number"),
        ("delay-next", {"json": {"seconds": 1, "after_events": 0.5}}, 422, "after_events must be"),
        ("set-time", {"json": {"time": "yesterday"}}, 422, "time must be like 2024-12-21T00"),
        ("set-time", {"json": {"time": "2024-12-21"}}, 422, "time zone"),
        ("set-time", {"json": {"time": 1}}, 422, "time must be a string"),
        ("fail", {}, 404, "Not Found"),
    ],
)
def test_an_invalid_request(
    api: httpx.Client, path: str, options: dict[str, Any], status: int, problem: str
) -> None:
    response = api.post(f"/sandbox/{path}", **options)
    assert response.status_code == status
    assert problem in response.json()["message"]
    assert api.get("/sandbox/faults").json() == {"pending": 0, "faults": []}


def test_the_key_is_required(sandbox: Sandbox) -> None:
    for method, path in [("POST", "fail-next"), ("GET", "requests"), ("DELETE", "faults")]:
        response = httpx.request(method, f"{sandbox.url}/sandbox/{path}", timeout=30)
        assert response.status_code == 401
    assert sandbox.disruptions == ()


def test_pending_faults_do_not_affect_these_paths(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.fail_next(500)
    assert pending(api) == 1
    assert sandbox.requests == ()

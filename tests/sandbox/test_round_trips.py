"""The sandbox returns everything that it accepts unchanged; everything else is a 4xx."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client.sandbox import Sandbox
from conversations_client.sandbox._operations.strict_json import MAX_DEPTH, parse

JSON_TYPE = {"Content-Type": "application/json"}
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,400})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)  # fmt: skip
LITERALS = st.sampled_from(["null", "true", "false", "NaN", "Infinity", "-Infinity", "-0", "1e999"])
# Any UTF-16 code units, including lone surrogates.
STRINGS = st.lists(st.integers(0, 0xFFFF), max_size=6).map(
    lambda units: '"' + "".join(f"\\u{unit:04x}" for unit in units) + '"'
)
PLAIN_STRINGS = st.text(max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False))
KEYS = st.one_of(STRINGS, PLAIN_STRINGS, st.sampled_from(['"a"', '"b"']))


def arrays_and_objects(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.tuples(KEYS, children).map(": ".join)
    return st.one_of(
        st.lists(children, max_size=4).map(lambda items: f"[{','.join(items)}]"),
        st.lists(members, max_size=4).map(lambda items: f"{{{','.join(items)}}}"),
    )


JSON_TEXTS = st.recursive(
    st.one_of(NUMBERS, LITERALS, STRINGS, PLAIN_STRINGS), arrays_and_objects, max_leaves=8
)


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer k"}
    with (
        Sandbox(api_key="k") as sandbox,
        httpx.Client(base_url=sandbox.url, headers=headers) as client,
    ):
        yield client


def new(api: httpx.Client) -> str:
    created = api.post("/v2/conversations", json={}).raise_for_status().json()
    return f"/v2/conversations/{created['_id']}"


def send(api: httpx.Client, url: str, part: str) -> httpx.Response:
    """Send a message with one part as raw JSON text."""
    content = f'{{"model": "a/b", "message": {{"role": "user", "parts": [{part}]}}}}'.encode()
    return api.post(f"{url}/responses", content=content, headers=JSON_TYPE)


def check_round_trip(api: httpx.Client, part: str) -> int:
    """Send a part and retrieve it; return the status of the first response."""
    url = new(api)
    sent = send(api, url, part)
    found = api.get(url)
    assert found.status_code == 200
    stored = [message["parts"] for message in found.json()["messages"]]
    if sent.status_code == 200:
        assert '"type":"response.done"' in sent.text
        assert exact(stored[0]) == exact([json.loads(part)])
    else:
        assert 400 <= sent.status_code < 500
        assert stored == []
    return sent.status_code


def exact(value: Any) -> str:
    """JSON in which 1 and 1.0, 0 and False are different."""
    return json.dumps(value, allow_nan=False)


@given(result=JSON_TEXTS)
def test_a_tool_result_is_returned_unchanged(api: httpx.Client, result: str) -> None:
    check_round_trip(api, f'{{"kind": "tool_result", "tool_call_id": "c", "result": {result}}}')


@given(metadata=JSON_TEXTS)
def test_the_metadata_of_a_part_is_returned_unchanged(api: httpx.Client, metadata: str) -> None:
    check_round_trip(api, f'{{"kind": "file", "file": {{"uri": ""}}, "metadata": {metadata}}}')


@given(code=NUMBERS)
def test_the_code_of_an_error_is_returned_unchanged(api: httpx.Client, code: str) -> None:
    check_round_trip(api, f'{{"kind": "error", "error": "", "code": {code}}}')


@pytest.mark.parametrize("sent", [STRINGS, PLAIN_STRINGS])
def test_names_and_entities_are_returned_unchanged(
    api: httpx.Client, sent: st.SearchStrategy[str]
) -> None:
    @given(name=sent, entity=sent)
    def check(name: str, entity: str) -> None:
        content = f'{{"displayName": {name}, "metadata": {{"entityId": {entity}}}}}'.encode()
        created = api.post("/v2/conversations", content=content, headers=JSON_TYPE)
        if created.status_code != 201:
            assert created.status_code == 400
            return
        found = api.get(f"/v2/conversations/{created.json()['_id']}").json()
        assert found["displayName"] == json.loads(name)
        assert found["metadata"] == {"entityId": json.loads(entity)}

    check()


REFUSED = [
    ("1e999", "a number that is too large for a 64-bit float"),
    ("-1e999", "a number that is too large for a 64-bit float"),
    ("1" * 400 + ".0", "a number that is too large for a 64-bit float"),
    ("9" * 5000, "an integer with too many digits"),
    ("NaN", "NaN, which is not valid JSON"),
    ("Infinity", "Infinity, which is not valid JSON"),
    ("-Infinity", "-Infinity, which is not valid JSON"),
    ('"\\ud800"', "a lone surrogate"),
    ('"\\udc00\\ud800"', "a lone surrogate"),
    ('{"\\udfff": 1}', "a lone surrogate"),
    ('{"a": 1, "a": 1}', "an object with the same key twice"),
    ('[{"a": {"b": 1, "\\u0062": 2}}]', "an object with the same key twice"),
]


@pytest.mark.parametrize(("result", "message"), REFUSED)
def test_values_that_cannot_be_returned_are_rejected(
    api: httpx.Client, result: str, message: str
) -> None:
    part = f'{{"kind": "tool_result", "tool_call_id": "c", "result": {result}}}'
    assert check_round_trip_of(api, part) == f"The body contains {message}."


@pytest.mark.parametrize("brackets", ["[]", ["{", "}"]])
def test_deep_nesting_is_rejected(api: httpx.Client, brackets: str) -> None:
    opening = brackets[0] if brackets == "[]" else '{"a":'
    for depth in (MAX_DEPTH, 100_000):
        result = opening * depth + "1" + brackets[1] * depth
        part = f'{{"kind": "tool_result", "tool_call_id": "c", "result": {result}}}'
        message = f"The body is nested more than {MAX_DEPTH} levels deep."
        assert check_round_trip_of(api, part) == message


def check_round_trip_of(api: httpx.Client, part: str) -> str:
    url = new(api)
    refused = send(api, url, part)
    assert refused.status_code == 400
    assert api.get(url).json()["messages"] == []
    return str(refused.json()["message"])


@pytest.mark.parametrize(
    "result",
    [
        "1e308", "-1.7976931348623157e308", "5e-324", "0.1", "1.0", "-0.0", "1E2",
        "9" * 400, "-" + "9" * 400, '"\\u0000"', '"\\ud83d\\ude00"', '"\u2028"', "[" * 58 + "]" * 58,
    ],
)  # fmt: skip
def test_unusual_values_are_accepted(api: httpx.Client, result: str) -> None:
    part = f'{{"kind": "tool_result", "tool_call_id": "c", "result": {result}}}'
    assert check_round_trip(api, part) == 200


@given(st.binary(max_size=40))
def test_any_bytes_are_parsed_or_rejected(raw: bytes) -> None:
    try:
        value = parse(raw)
    except ValueError:
        return
    assert parse(json.dumps(value).encode()) == value

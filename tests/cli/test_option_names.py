"""Error messages of the client on the command line."""

import re
import sqlite3
import ssl
from operator import attrgetter
from typing import Any

import httpx
import pytest
from scripted import ScriptedServer, answer
from streaming import chunk, head, streamed, word

from conversations_client import Client, ConversationsError, Retry
from conversations_client._base.secret import Secret
from conversations_client._http.connections.route import Proxy
from conversations_client._http.transport_errors import transport_error
from conversations_client._http.used_proxy import UsedProxy
from conversations_client.bulk import Entry, Journal, State
from conversations_client.bulk._database import _error_message
from conversations_client.bulk._files.rows import Row
from conversations_client.bulk._imports.destination import conflict_message
from conversations_client.bulk._imports.row_changes import check_unchanged
from conversations_client.cli._option_names import _ARGUMENTS, _REWORDINGS, describe, describe_row

ID = "conv_1"


def message_of(error: ConversationsError) -> str:
    return str(error)


def stack(
    error: Exception, cause: Exception | None = None, *, proxy: UsedProxy | None = None
) -> str:
    """The message for an error of the HTTP library."""
    error.__cause__ = cause
    return message_of(transport_error(error, Secret("key"), proxy=proxy))


PROXY = UsedProxy.from_environment(Proxy(scheme="http", host="a", port=1, source="ALL_PROXY"))


def constructing(api_key: str | None = "key", **options: Any) -> str:
    with pytest.raises(ConversationsError) as raised:
        Client(api_key, **options)
    return message_of(raised.value)


def from_environment(variable: str, value: str) -> str:
    """The error for a variable."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ORQ_API_KEY", "key")
        patched.setenv(variable, value)
        return constructing(None)


def calling(
    name: str, *given: Any, script: list[Any] | None = None, attempts: int = 1, **options: Any
) -> str:
    """The error of a call."""
    *positional, named = given
    with (
        ScriptedServer(script or []) as server,
        Client("key", base_url=server.url, retry=Retry(attempts=attempts), **options) as client,
        pytest.raises(ConversationsError) as raised,
    ):
        attrgetter(name)(client.conversations)(*positional, **named)
    return message_of(raised.value)


def opening(path: str) -> str:
    """The error of a journal that can't be opened."""
    with pytest.raises(ConversationsError) as raised:
        Journal(path)
    return message_of(raised.value)


def changed_row() -> str:
    """The error of a row that has changed since it was imported."""
    with pytest.raises(ConversationsError) as raised:
        check_unchanged(Row(1, {}), Entry(number=1, digest="", state=State.CREATED, detail=""))
    return message_of(raised.value)


REJECTED = ssl.SSLError()
REJECTED.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
RESPOND = {"message": "x", "model": "m/m"}


def messages() -> list[tuple[str, str]]:
    """Messages of the client with their wording on the command line."""
    return [
        (stack(httpx.ConnectTimeout("")), "connecting took too long: check --base-url and the network."),
        (
            stack(httpx.ConnectTimeout(""), proxy=PROXY),
            "connecting through the proxy http://a:1 took too long: check --base-url and ALL_PROXY.",
        ),
        (stack(httpx.PoolTimeout("")), "no connection became free in time: lower --max-in-flight."),
        (
            stack(httpx.ConnectError("[Errno 111] Connection refused")),
            "could not connect (Connection refused): check --base-url and the network.",
        ),
        (
            constructing(api_key=""),
            "No API key: pass --api-key or set the ORQ_API_KEY environment variable. To try it without a key, add --sandbox.",
        ),
        (
            from_environment("ORQ_BASE_URL", "x.test"),
            "--base-url needs a scheme and a host, as in 'https://my.orq.ai': got 'x.test'.",
        ),
        (
            from_environment("ORQ_API_KEY", "a b"),
            "The API key (--api-key) contains a space, a line break or another character that is not allowed in a key: copy it again.",
        ),
        (
            from_environment("ORQ_PROJECT_ID", "prj_1 "),
            "The project ID begins or ends with a space or a quotation mark, or contains a line break: copy it again to --project-id.",
        ),
        (
            calling("create", {}, script=[answer(401, {})]),
            "The service returned 401 Unauthorized. Check --api-key.",
        ),
        (stack(httpx.ReadTimeout("")), "nothing was received in time."),
        (
            stack(httpx.ConnectError("bad"), ssl.SSLError()),
            "the connection could not be encrypted (bad): check --base-url, or set SSL_CERT_FILE to its certificate authority's certificate file.",
        ),
        (
            stack(httpx.ConnectError("bad"), REJECTED),
            "the connection could not be encrypted (bad): the service requires a client certificate that it accepts, which this command can't send.",
        ),
        (constructing(timeout=0), "--timeout must be a positive number of seconds, at most 2592000, got 0."),
        (
            constructing(base_url="http://x.test"),
            "--base-url 'http://x.test' would send the API key unencrypted: use https://.",
        ),
        (
            calling("create", {}, timeout=1e-9),
            "The whole call took longer than its timeout of 1e-09 s: increase --timeout if the service needs longer.",
        ),
        (
            calling("create", {}, script=[answer(429, {})]),
            "The service returned 429 Too Many Requests. Send fewer requests.",
        ),
        (
            calling("delete", ID, {}, script=[answer(429, {}, Retry_After="61")], attempts=2),
            "The service returned 429 Too Many Requests. The Retry-After of 61 s is longer than the command-line limit of 60 s: wait that long, then try again.",
        ),
        (
            calling("create", {}, script=[answer()], max_response_bytes=5),
            "The body is larger than the command-line limit of 5 bytes.",
        ),
        (
            calling("create", {"display_name": "x" * 101}),
            "The name has 101 characters; the API allows at most 100: shorten it.",
        ),
        (calling("retrieve", "", {}), "The ID is empty: pass the ID that the API returned."),
        (
            calling("create", {"metadata": {"entity_id": ""}}),
            "--entity-id is empty: omit it, or pass an ID.",
        ),
        (
            calling("responses.create", ID, {**RESPOND, "model": "m"}),
            "--model must include its provider, as in 'openai/gpt-4o': provider/model_id.",
        ),
        (
            calling("responses.create", ID, RESPOND, script=[head() + chunk(word("x" * 99))], max_event_bytes=9),
            "An event is larger than the command-line limit of 9 bytes.",
        ),
        (
            calling("responses.create", ID, RESPOND, script=[streamed(word("x"))]),
            "The stream ended before the response was complete.",
        ),
        (
           conflict_message("The journal a.journal", "Its conversations belong to prj_1, but this client uses prj_2."),
            "The journal a.journal belongs to a different destination. Its conversations belong to prj_1, but this command uses prj_2. Nothing was sent. Choose new files with --journal and --results to import every row into the new destination, or add --change-destination to skip the rows already imported.",
        ),
        (
            calling("delete", ID, {}, script=[answer(200, b"<p>", Content_Type="text/html")]),
            "The service returned 200 with text/html, which doesn't match the API's documentation: 200 is not a documented success status. This looks like a web page, perhaps a login page: check --base-url.",
        ),
        (
            calling("create", {"display_name": "\udcff"}),
            "The name is not valid UTF-8: type it again, or convert it.",
        ),
        (
            constructing(base_url="http://x:abc"),
            "--base-url has an invalid port: use 1 to 65535, or omit it.",
        ),
        (
            changed_row(),
            "Row 1 has changed since it was imported, or an earlier row was removed or inserted. Rows are identified by their position: restore the file and add new rows at the end, or import the new file with new files for --journal and --results; every row is then imported again.",
        ),
        (
            _error_message(__file__, sqlite3.OperationalError("disk I/O error"), "import"),
            f"The journal {__file__} can't be used: disk I/O error. Check its folder and the free disk space, or use new files for --journal and --results (every row is then imported again).",
        ),
        (
            opening("missing/journal"),
            "The journal missing/journal can't be created: the folder missing doesn't exist. Create the folder, or use another file with --journal.",
        ),
        (
            calling("create_many", [], {"rate": 0}),
            "--rate must be a number above 0.",
        ),
        (
            calling("responses.create", ID, {**RESPOND, "message": "\udcff"}),
            "The message is not valid UTF-8: type it again, or convert it.",
        ),
        (
            calling("generate_name", ID, {"context": "x"}, script=[answer(400, {"message": "The conversation already has a name."})]),
            "The service returned 400 Bad Request: The conversation already has a name. Use `conversations rename` to change it.",
        ),
        (
            calling("generate_name", ID, {"context": ""}),
            "--context is empty: describe what the conversation is about.",
        ),
    ]  # fmt: skip


def test_error_messages_name_options() -> None:
    both = messages()
    assert [describe(ConversationsError(python)) for python, _ in both] == [
        command for _, command in both
    ]
    # Every rewording applies to a real message of the client.
    everything = "\n".join(python for python, _ in both)
    assert all(
        re.search(phrase.pattern, everything, re.MULTILINE)
        for phrase, _ in (*_REWORDINGS, *_ARGUMENTS)
    )


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (
            "Map it with columns={'projectId': 'project_id'}, or use ignore=['project_id'].",
            "Map it with --map projectId=project_id, or use --ignore project_id.",
        ),
        (
            "Unknown field 'project_id'. Check project_id.",
            "Unknown field 'project_id'. Check --project-id.",
        ),
        ("model must be a string, not a number.", "model must be a string, not a number."),
        ("Set ignore=['a' + 'b'].", "Set ignore=['a' + 'b']."),
        (
            "POST /v2/conversations returned 401 Unauthorized. Check api_key.",
            "The service returned 401 Unauthorized. Check --api-key.",
        ),
        (
            "displayName contains half of a surrogate pair, which is not text: decode the source.",
            r"displayName contains an unpaired surrogate such as \ud800, which is half of a character: replace it.",
        ),
        ("", ""),
        (r"The service sent ignore=['\N'].", r"The service sent ignore=['\N']."),
    ],
)
def test_columns_are_not_mistaken_for_options(problem: str, words: str) -> None:
    assert describe_row(problem) == words

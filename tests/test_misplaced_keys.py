"""A key in the wrong place is in no message, repr, traceback or log."""

import inspect
import io
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Command
from scripted import ScriptedServer, answer
from streaming import played
from variants import Variant, World

from conversations_client import (
    AsyncClient,
    AsyncHooks,
    Client,
    ConfigurationError,
    ConversationsError,
    Hooks,
    InvalidArgumentError,
    NotFoundError,
    Retry,
    Timeout,
)
from conversations_client._base.causes import causes
from conversations_client._base.secret import Secret
from conversations_client.cli._app import COMMANDS, app
from conversations_client.cli._session import Options

pytest_plugins = ["command_line_fixtures"]

KEY = "sk-Mark+01/23456789"
PIECE = "mark"
SPELLINGS = [KEY, KEY.lower(), "sk-Mark%2B01%2F23456789", f"prj_{KEY}", f"Bearer {KEY}"]
SIMPLE = "sk-Mark-0123456789"  # also a valid host
URLS = [SIMPLE, f"https://{SIMPLE}", f"http://{SIMPLE}:1", f"https://my.orq.ai/{SIMPLE}/v2"]
SWAPPED = "https://my.orq.ai"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # a variable may be the name of a file
    for name in ("ORQ_API_KEY", "ORQ_BASE_URL", "ORQ_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.DEBUG)
    return lambda: "".join(repr(vars(record)) for record in caplog.records)


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that a program usually prints of an error."""
    yield from traceback.format_exception(error)
    for each in causes(error):
        yield f"{each} {each!r} {vars(each)} {getattr(each, '__notes__', '')}"


def shown_by(make: Callable[[], Any]) -> str:
    """What constructing and failing to use a client shows."""
    try:
        with make() as client:
            shown = f"{client!r} {client.conversations!r} {client.proxy} {client.base_url}"
            client.with_options(retry=Retry(attempts=1)).conversations.create()
    except (ConversationsError, AttributeError, TypeError) as error:
        return "".join(texts_of(error))
    return shown


ARGUMENTS = sorted(set(inspect.signature(Client).parameters) - {"api_key"})


@pytest.mark.parametrize("key", [SIMPLE, SWAPPED])
@pytest.mark.parametrize("value", [*URLS, *SPELLINGS])
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_an_argument_of_a_client(argument: str, value: str, key: str, logs: Any) -> None:
    own = KEY if value in SPELLINGS and key == SIMPLE else key
    options: dict[str, Any] = {argument: value}
    for cls in (Client, AsyncClient):
        with pytest.raises(ConfigurationError) as raised:
            cls(own, **options)
        assert PIECE not in ("".join(texts_of(raised.value)) + logs()).lower()


@pytest.mark.parametrize("argument", ["total", "connect", "idle"])
def test_an_argument_of_a_timeout(argument: str) -> None:
    options: dict[str, Any] = {argument: KEY}
    with pytest.raises(ConfigurationError) as raised:
        Timeout(**options)
    assert PIECE not in "".join(texts_of(raised.value)).lower()


@pytest.mark.parametrize("argument", sorted(inspect.signature(Retry).parameters))
def test_an_argument_of_a_retry(argument: str) -> None:
    options: dict[str, Any] = {argument: KEY}
    with pytest.raises(ConfigurationError) as raised:
        Retry(**options)
    assert PIECE not in "".join(texts_of(raised.value)).lower()


VARIABLES = ["ORQ_BASE_URL", "ORQ_PROJECT_ID", "ORQ_LOG", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY",
             "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"]  # fmt: skip


@pytest.mark.parametrize("key", [SIMPLE, SWAPPED])
@pytest.mark.parametrize("value", [*URLS, f"user:{SIMPLE}@a.example", f"a..b,{SIMPLE}!"])
@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable(  # noqa: PLR0917 - fixtures, and the columns of the table
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logs: Any,
    variable: str,
    value: str,
    key: str,
) -> None:
    monkeypatch.setenv("ORQ_BASE_URL", "https://127.0.0.1:1")
    if variable == "NO_PROXY":
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    if "PROXY" in variable:
        monkeypatch.setenv("ORQ_BASE_URL", "https://api.invalid")
    monkeypatch.setenv("ORQ_API_KEY", key)
    monkeypatch.setenv(variable, value)
    shown = shown_by(lambda: Client(timeout=0.2))
    printed = capsys.readouterr()
    assert PIECE not in (shown + logs() + printed.out + printed.err).lower()


CALLS: dict[str, dict[str, Any]] = {
    "conversations.create": {"display_name": "a", "project_id": "p", "idempotency_key": "k"},
    "conversations.retrieve": {"conversation_id": "c"},
    "conversations.update": {"conversation_id": "c", "display_name": "a"},
    "conversations.delete": {"conversation_id": "c"},
    "conversations.generate_name": {"conversation_id": "c", "context": "a", "idempotency_key": "k"},
    "conversations.list": {"starting_after": "c", "entity_id": "e"},
    "conversations.responses.create": {
        "conversation_id": "c", "message": "a", "model": "a/b", "task_id": "t", "idempotency_key": "k"
    },
    "request": {"method": "GET", "path": "/v2/a", "returns": dict, "idempotency_key": "k"},
}  # fmt: skip
IN_URLS = {"conversation_id", "starting_after", "entity_id", "idempotency_key", "path"}
USES = [
    (name, argument)
    for name, arguments in CALLS.items()
    for argument in arguments
    if argument != "returns"
]


def test_every_text_of_a_call_is_tested() -> None:
    with Client(KEY) as client:
        for name, arguments in CALLS.items():
            method: Any = client
            for part in name.split("."):
                method = getattr(method, part)
            texts = {
                argument
                for argument, parameter in inspect.signature(method).parameters.items()
                if "str" in str(parameter.annotation) or argument in {"conversation_id", "message"}
            }
            optional = {"metadata", "extra_headers", "query", "ending_before", "returns"}
            assert texts - optional == set(arguments) - {"returns"}


def use(name: str, arguments: dict[str, Any]) -> Callable[[Any], Any]:
    async def scenario(client: Any) -> Any:
        method = client
        for part in name.split("."):
            method = getattr(method, part)
        result = method(**arguments)
        if name == "conversations.list":
            return [each async for each in result]
        return await result

    return scenario


@pytest.mark.parametrize("value", SPELLINGS)
@pytest.mark.parametrize(("name", "argument"), USES)
def test_an_argument_of_a_call(
    variant: Variant, logs: Any, name: str, argument: str, value: str
) -> None:
    infos: list[Any] = []

    async def record(info: Any) -> None:
        infos.append(info)

    is_sync = variant.name == "sync"
    hooks = Hooks(on_request=infos.append) if is_sync else AsyncHooks(on_request=record)
    value = f"/v2/{value.replace(' ', '')}" if argument == "path" else value
    arguments = {**CALLS[name], argument: value}
    with ScriptedServer([answer(404)] * 4) as server:
        with pytest.raises(ConversationsError) as raised:
            variant.run(
                lambda client: played(client, use(name, arguments)),
                world=World(),
                api_key=KEY,
                base_url=server.url,
                hooks=hooks,
            )
        if argument in IN_URLS:
            assert isinstance(raised.value, InvalidArgumentError)
            assert server.seen == []
        assert all(PIECE not in seen.target.lower() for seen in server.seen)
    assert PIECE not in ("".join(texts_of(raised.value)) + logs() + repr(infos)).lower()


def test_a_stream_and_a_listing_are_not_created_with_a_key() -> None:
    with Client(KEY) as client:
        with pytest.raises(InvalidArgumentError, match="contains the API key"):
            client.conversations.responses.stream(KEY, message="a", model="a/b")
        with pytest.raises(InvalidArgumentError, match="contains the API key"):
            client.conversations.list(ending_before=KEY)
        with pytest.raises(InvalidArgumentError, match="contains the API key"):
            client.request("GET", "/v2/a", returns=dict, query={KEY: 1})
        with pytest.raises(ConfigurationError, match="contains the API key"):
            client.with_options(project_id=KEY)
        with pytest.raises(ConfigurationError, match="contains the API key"):
            client.with_options(project_id="prj_12345678").with_options(api_key="prj_12345678")


async def delete_and_retrieve(client: Any) -> list[Any]:
    found: list[Any] = []
    for method in (client.conversations.delete_many, client.conversations.retrieve_many):
        async with method([KEY]) as outcomes:
            found += [each async for each in outcomes]
    return found


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_a_key_in_a_bulk_call(name: str, logs: Any) -> None:
    with ScriptedServer([]) as server:
        found = Variant(name).run(delete_and_retrieve, api_key=KEY, base_url=server.url)
        assert server.seen == []
    assert [type(each.error) for each in found] == [InvalidArgumentError] * 2
    assert PIECE not in ("".join(str(each.error) for each in found) + logs()).lower()


def test_ordinary_text_may_contain_a_short_key() -> None:
    assert not Secret("k").is_in("key")
    assert Secret("k").is_in("k")
    with (
        ScriptedServer([answer(404)]) as server,
        Client("conv", base_url=server.url, project_id="convention") as client,
        pytest.raises(NotFoundError, match="/v2/conversations/conv "),
    ):
        client.conversations.retrieve("conv")


def option_names() -> list[tuple[str, str]]:
    common = [f"--{name.replace('_', '-')}" for name in inspect.signature(Options).parameters]
    found = [("list", name) for name in common if name != "--api-key"]
    for command in COMMANDS:
        for argument in app[command].assemble_argument_collection():
            found += [(command, name) for name in argument.names]
    return found


@pytest.mark.parametrize("is_sandbox", [False, True])
@pytest.mark.parametrize(("command", "option"), [*option_names(), *((c, "") for c in COMMANDS)])
def test_an_argument_of_a_command(
    piped: Command,
    monkeypatch: pytest.MonkeyPatch,
    logs: Any,
    command: str,
    option: str,
    *,
    is_sandbox: bool,
) -> None:
    monkeypatch.setenv("ORQ_API_KEY", KEY)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    value = [option, KEY] if option.startswith("--") else [KEY]
    ended = piped(command, *value, *(["--sandbox"] if is_sandbox else []))
    assert ended.code == 2
    assert PIECE not in (ended.out + ended.err + logs()).lower()


def test_a_key_and_a_url_that_are_swapped(piped: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORQ_API_KEY", SWAPPED)
    by_option = piped("list", "--base-url", KEY)
    assert by_option.code == 2
    assert "ORQ_API_KEY) is a URL" in by_option.err
    monkeypatch.setenv("ORQ_BASE_URL", KEY)
    diagnosis = piped("doctor", "--json")
    assert diagnosis.code == 1
    assert "it doesn't begin with https:// or http://." in diagnosis.out
    for ended in (by_option, diagnosis, piped("list")):
        assert PIECE not in (ended.out + ended.err).lower()


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize(("own", "value"), [*((SIMPLE, url) for url in URLS), (SWAPPED, SIMPLE)])
def test_a_variable_of_the_diagnosis(
    piped: Command, monkeypatch: pytest.MonkeyPatch, own: str, value: str, variable: str
) -> None:
    monkeypatch.setenv("ORQ_API_KEY", own)
    monkeypatch.setenv(variable, value)
    ended = piped("doctor", "--json", "--timeout", "0.2")
    assert ended.code in {1, 2}
    assert PIECE not in (ended.out + ended.err).lower()

"""Common mistakes, and what the error messages say to do about them."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from scripted import ScriptedServer, answer
from variants import KEY, Variant

from conversations_client import (
    UNSET,
    AsyncClient,
    Client,
    ClientClosedError,
    ConfigurationError,
    ConversationMetadata,
    DecodeError,
    FilePart,
    InvalidArgumentError,
    NotFoundError,
    TextPart,
    ToolResultPart,
    structure,
)
from conversations_client._json.conversion import read

PAGE = answer(200, {"object": "list", "data": [], "has_more": False})


async def not_awaited() -> None:
    """A call to an async client that is not awaited."""


def send(client: Any, message: Any) -> Any:
    return client.conversations.responses.create("conv_1", message=message, model="a/b")


MISTAKES: list[tuple[Callable[[Any], Any], str]] = [
    (
        lambda c: c.create(display_name=None),
        "pass display_name=UNSET if value is None else value.",
    ),
    (lambda c: c.create(metadata=None), "pass metadata=UNSET if value is None else value."),
    (lambda c: c.update("conv_1", display_name=None), "display_name can't be None: omit it"),
    (
        lambda c: c.responses.create("conv_1", message="a", model="b/c", task_id=1),
        "task_id must be a string",
    ),
    (lambda c: c.retrieve(5), "conversation_id must be a conversation or its ID, not int."),
    (lambda c: c.retrieve(None), "conversation_id must be a conversation or its ID, not None."),
    (lambda c: c.create(metadata={"entityId": "a"}), "did you mean 'entity_id'?"),
    (lambda c: c.create(metadata={"entity": "a"}), "did you mean 'entity_id'?"),
    (lambda c: c.create(metadata={"color": "a"}), "use generating_title, entity_id, model."),
    (
        lambda c: c.responses.create("conv_1", message={"role": "user"}, model="b/c"),
        "not dict: write text as TextPart(text=…).",
    ),
    (
        lambda c: c.responses.create("conv_1", message=[{"type": "text"}], model="b/c"),
        "a ToolResultPart or an ErrorPart, not dict: write text as TextPart(text=…).",
    ),
]


@pytest.mark.parametrize(("mistake", "advice"), MISTAKES)
def test_the_message_says_what_to_pass(
    variant: Variant, mistake: Callable[[Any], Any], advice: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        variant.run(lambda client: mistake(client.conversations), api_key=KEY)
    assert advice in str(caught.value)


@pytest.mark.parametrize("given", [{"display_name": None}, {"displayName": "a"}])
def test_a_request_of_many_has_the_same_advice(variant: Variant, given: Any) -> None:
    def scenario(client: Any) -> Any:
        outcomes = client.conversations.create_many([given])
        return _first_of_many(outcomes) if isinstance(client, Client) else _first(outcomes)

    (failed,) = variant.run(scenario, api_key=KEY)
    assert ("omit it" if "display_name" in given else "did you mean 'display_name'?") in str(
        failed.error
    )


def _first_of_many(outcomes: Any) -> list[Any]:
    with outcomes:
        return list(outcomes)


async def _first(outcomes: Any) -> list[Any]:
    async with outcomes:
        return [one async for one in outcomes]


def test_a_coroutine_is_to_be_awaited() -> None:
    coroutine: Any = not_awaited()
    attempts: list[Callable[[Any], Any]] = [
        lambda client: client.conversations.retrieve(coroutine),
        lambda client: client.conversations.create(display_name=coroutine),
        lambda client: send(client, coroutine),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidArgumentError, match="not coroutine: await it first"):
            attempt(Client(KEY))
    coroutine.close()


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (1000, "limit is 1000, but must be from 1 to 100: it is the size of a page"),
        (0, "limit is 0, but"),
        ("ten", "limit must be a whole number from 1 to 100, not str."),
        (True, "limit must be a whole number from 1 to 100, not bool."),
    ],
)
def test_a_limit_is_the_size_of_a_page(limit: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        list(Client(KEY).conversations.list(limit=limit))
    assert message in str(caught.value)


@pytest.mark.parametrize("limit", [None, UNSET])
def test_a_listing_without_a_limit_sends_none(variant: Variant, limit: Any) -> None:
    with ScriptedServer([PAGE] * 2) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.url}
        variant.run(lambda c: c.conversations.list(limit=limit).first(), **options)
        variant.run(lambda c: c.conversations.with_raw_response.list(limit=limit), **options)
    assert [request.target for request in server.seen] == ["/v2/conversations/"] * 2


def test_a_404_of_a_request_without_an_id_says_to_check_the_url(variant: Variant) -> None:
    with ScriptedServer([answer(404, {"message": "Not Found"})] * 4) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.url}
        calls: list[tuple[Callable[[Any], Any], bool]] = [
            (lambda client: client.conversations.create(), False),
            (lambda client: client.conversations.with_raw_response.list(), False),
            (lambda client: client.conversations.retrieve("conv_1"), True),
        ]
        for send_one, is_about_the_id in calls:
            with pytest.raises(NotFoundError) as caught:
                variant.run(send_one, **options)
            assert "base_url" in str(caught.value)
            assert ("Check the ID" in str(caught.value)) is is_about_the_id


def test_a_404_of_a_path_without_the_version_names_the_version(variant: Variant) -> None:
    def scenario(path: str) -> Callable[[Any], Any]:
        return lambda client: client.request("GET", path, returns=dict)

    with ScriptedServer([answer(404, {"message": "Not Found"})] * 3) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.url}
        for path in ("/conversations", "/v2"):
            with pytest.raises(NotFoundError, match="The paths of the API begin with /v2/"):
                variant.run(scenario(path), **options)
        with pytest.raises(NotFoundError) as caught:
            variant.run(scenario("/v2/conversation"), **options)
    assert "begin with" not in str(caught.value)


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_an_invalid_url_of_the_environment_names_the_variable(
    cls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("my.orq.ai", "ftp://my.orq.ai", "https://a b", "http://my.orq.ai"):
        monkeypatch.setenv("ORQ_BASE_URL", url)
        with pytest.raises(ConfigurationError, match=r"^The ORQ_BASE_URL environment variable is"):
            cls(KEY)
        with pytest.raises(ConfigurationError) as caught:
            cls(KEY, base_url=url)
        assert "ORQ_BASE_URL" not in str(caught.value)
    assert cls(KEY, allow_plain_http=True).base_url == "http://my.orq.ai"


def test_a_key_is_passed_without_bearer() -> None:
    for key in ("Bearer secret-key-1", "bearer secret-key-1"):
        with pytest.raises(ConfigurationError, match="without 'Bearer'") as caught:
            Client(key)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "mime_type", "words"),
    [
        ("", None, "uri must be an absolute URI"),
        (" ", None, "uri must be an absolute URI"),
        ("a.pdf", None, "for a local file, use FilePart.from_bytes"),
        ("/home/a.pdf", None, "uri must be an absolute URI"),
        ("https://example.com/a b", None, "uri must be an absolute URI"),
        ("https:", None, "uri must be an absolute URI"),
        (None, None, "uri must be an absolute URI"),
        ("https://example.com/a", "csv", "mime_type must be a type and a subtype"),
        ("https://example.com/a", "", "mime_type must be a type and a subtype"),
        ("https://example.com/a", "text/", "mime_type must be a type and a subtype"),
        ("https://example.com/a", "text/csv/x", "mime_type must be a type and a subtype"),
        ("https://example.com/a", 1, "mime_type must be a type and a subtype"),
    ],
)
def test_a_file_has_a_uri_and_a_media_type(uri: Any, mime_type: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        FilePart.from_uri(uri, mime_type=mime_type)
    assert words in str(caught.value)


def test_valid_uris_and_media_types_are_accepted() -> None:
    for uri in ("https://example.com/é.pdf", "s3://bucket/key", "data:,a", "urn:isbn:1"):
        for mime_type in (None, "image/svg+xml", "text/csv; charset=utf-8", "x-a/vnd.b.c"):
            assert FilePart.from_uri(uri, mime_type=mime_type).file.mime_type == mime_type
    with pytest.raises(InvalidArgumentError, match="mime_type must be"):
        FilePart.from_bytes(b"a", mime_type="csv")


@pytest.mark.parametrize(
    ("value", "cls", "advice"),
    [
        (ConversationMetadata, {}, "arguments of structure are swapped: pass the JSON first"),
        (list[int], [1], "arguments of structure are swapped: pass the JSON first"),
        ({}, "ConversationMetadata", "cls must be a class, such as dict or your own attrs class, not str: pass the class itself, not its name or an instance."),
        ({}, ConversationMetadata(), "not ConversationMetadata: pass the class itself"),
        ({}, {}, "cls must be a class"),
        ({}, None, "cls can't be None: if there is no value, pass type(None)."),
        ({}, bytes, "cls can't be bytes: JSON can't be converted to bytes."),
    ],
)  # fmt: skip
def test_structure_says_what_to_pass(value: Any, cls: Any, advice: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        structure(value, cls)
    assert advice in str(caught.value)
    assert caught.value.__context__ is None


def test_a_file_is_passed_as_what_it_contains() -> None:
    file: Any = io.BytesIO(b"a")
    with pytest.raises(InvalidArgumentError, match=r"pass the result of its read\(\)"):
        FilePart.from_bytes(file)


@pytest.mark.parametrize("text", ['{"model": "a/b"}', b"{}", bytearray(b"{}")])
def test_json_text_is_parsed_first(text: Any) -> None:
    with pytest.raises(DecodeError, match=r"parse it with json\.loads first"):
        structure(text, ConversationMetadata)
    with pytest.raises(DecodeError) as caught:
        structure([text], ConversationMetadata)
    assert "json.loads" not in str(caught.value)
    with pytest.raises(DecodeError) as caught:
        read(b'"a response that is a string"', ConversationMetadata)
    assert "json.loads" not in str(caught.value)


@pytest.mark.parametrize(
    "part", [TextPart(text="a"), ToolResultPart(tool_call_id="call_1", result=1)]
)
def test_a_message_can_be_one_part(part: Any) -> None:
    with ScriptedServer([answer(422, {})] * 2) as server:
        client = Client(KEY, base_url=server.url)
        for message in (part, [part]):
            with pytest.raises(Exception, match="422"):
                send(client, message)
        client.close()
    one, several = (request.body for request in server.seen)
    assert one == several


@pytest.mark.parametrize("is_copy", [False, True])
def test_a_closed_client_is_not_entered_again(variant: Variant, is_copy: bool) -> None:
    def scenario(client: Any) -> Any:
        again = client.with_options() if is_copy else client
        return (
            _enter_async(client, again)
            if isinstance(client, AsyncClient)
            else _enter(client, again)
        )

    def _enter(client: Any, again: Any) -> str:
        client.close()
        with pytest.raises(ClientClosedError) as entering, again:
            raise AssertionError("it was entered")
        with pytest.raises(ClientClosedError) as calling:
            again.conversations.create()
        return f"{entering.value} {calling.value}"

    async def _enter_async(client: Any, again: Any) -> str:
        await client.aclose()
        with pytest.raises(ClientClosedError) as entering:
            async with again:
                raise AssertionError("it was entered")
        with pytest.raises(ClientClosedError) as calling:
            await again.conversations.create()
        return f"{entering.value} {calling.value}"

    messages = variant.run(scenario, api_key=KEY)
    assert messages.count("Create a new client.") == 2
    assert "inside its with block" not in messages


def test_the_first_of_a_listing_needs_one_request(variant: Variant) -> None:
    data = [
        {
            "_id": f"conv_{n}",
            "kind": "conversation",
            "displayName": "a",
            "createdAt": 1,
            "updatedAt": 1,
        }
        for n in range(2)
    ]
    full = answer(200, {"object": "list", "data": data, "has_more": True})
    with ScriptedServer([full, PAGE]) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.url}
        found = variant.run(lambda c: c.conversations.list().first(), **options)
        missing = variant.run(lambda c: c.conversations.list().first(), **options)
    assert (found.id, missing, len(server.seen)) == ("conv_0", None, 2)

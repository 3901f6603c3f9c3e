"""Names after a dot, docstrings and reprs, as an interactive user sees them."""

import ast
import inspect
import textwrap
from typing import Any

import pytest
from scripted import ScriptedServer, answer
from streaming import WHOLE, streamed
from variants import KEY, Variant, everything

import conversations_client
from conversations_client import (
    AsyncClient,
    Client,
    Conversation,
    ConversationsError,
    Created,
    DecodeError,
    Deleted,
    Failed,
    RawResponse,
    Retrieved,
    StatusError,
)

BOTH = pytest.mark.parametrize("cls", [Client, AsyncClient])


def objects(cls: Any) -> list[Any]:
    """An object of each class that users get from a client."""
    client = cls(KEY)
    conversations = client.conversations
    stream = conversations.responses.stream("conv_1", message="hello", model="a/b")
    return [
        client,
        conversations,
        conversations.with_raw_response,
        conversations.responses,
        conversations.responses.with_raw_response,
        conversations.list(),
        stream,
        conversations.delete_many([]),
    ]


@BOTH
def test_dir_has_no_private_names(cls: Any) -> None:
    for one in objects(cls):
        names = dir(one)
        assert [name for name in names if name.startswith("_") and not name.endswith("__")] == []
        assert {"__class__", "__init__", "__repr__"} <= set(names)
    assert {"conversations", "request", "with_options", "timeout"} <= set(dir(cls(KEY)))
    assert {"create", "list", "responses"} <= set(dir(cls(KEY).conversations))


@BOTH
def test_objects_have_reprs_without_the_key(cls: Any) -> None:
    prefix = cls.__name__.removesuffix("Client")
    client, conversations, raw, responses, raw_responses, listing, stream, many = map(
        repr, objects(cls)
    )
    timeout = "timeout=Timeout(total=UNSET, connect=5.0, idle=30.0)"
    url = "base_url='https://my.orq.ai'"
    assert client == f"{prefix}Client({url}, {timeout})"
    assert conversations == f"{prefix}Conversations({url})"
    assert raw == f"{prefix}RawConversations({url})"
    assert responses == f"{prefix}Responses({url})"
    assert raw_responses == f"{prefix}RawResponses({url})"
    assert listing == f"{prefix}Pages()"
    assert stream == (f"<{prefix}Stream of POST /v2/conversations/conv_1/responses: not opened>")
    assert many == f"<{prefix}Outcomes of delete_many: not opened>"
    assert KEY not in "".join(map(repr, objects(cls)))


@BOTH
def test_a_listing_prints_its_arguments(cls: Any) -> None:
    one = Conversation(id="conv_1", kind="a", display_name="b", created_at=1, updated_at=1)
    listings = cls(KEY).conversations
    name = f"{cls.__name__.removesuffix('Client')}Pages"
    listing = listings.list(limit=3, starting_after=one, entity_id="e", extra_headers={"X": "y"})
    assert repr(listing) == f"{name}(limit=3, starting_after='conv_1', entity_id='e')"
    assert repr(listings.list(ending_before="conv_2")) == f"{name}(ending_before='conv_2')"


def test_outcomes_print_whether_they_are_open() -> None:
    with Client(KEY) as client:
        outcomes = client.conversations.create_many([])
        found = [repr(outcomes)]
        with outcomes:
            found.append(repr(outcomes))
        found.append(repr(outcomes))
    assert [each.rpartition(": ")[2] for each in found] == ["not opened>", "open>", "closed>"]


def test_a_stream_prints_its_progress(variant: Variant) -> None:
    def stream(client: Any) -> Any:
        return client.conversations.responses.stream("conv_1", message="a", model="b/c")

    def states(one: Any) -> list[str]:
        found = [repr(one)]
        with one:
            found.append(repr(one))
            one.collect()
            found.append(repr(one))
        return [*found, repr(one)]

    async def states_async(one: Any) -> list[str]:
        found = [repr(one)]
        async with one:
            found.append(repr(one))
            await one.collect()
            found.append(repr(one))
        return [*found, repr(one)]

    def left_early(one: Any) -> list[str]:
        with one:
            pass
        return [repr(one)]

    async def left_early_async(one: Any) -> list[str]:
        async with one:
            pass
        return [repr(one)]

    def scenario(client: Any) -> Any:
        one = stream(client)
        return states_async(one) if isinstance(client, AsyncClient) else states(one)

    def early(client: Any) -> Any:
        one = stream(client)
        return left_early_async(one) if isinstance(client, AsyncClient) else left_early(one)

    with ScriptedServer([streamed(WHOLE)] * 2) as server:
        options: dict[str, Any] = {"api_key": KEY, "base_url": server.url}
        shown = variant.run(scenario, **options)
        (closed,) = variant.run(early, **options)
    assert [one.rpartition(": ")[2] for one in shown] == [
        "not opened>",
        "open>",
        "complete>",
        "complete>",
    ]
    assert closed.endswith("responses: closed>")


def test_a_listing_can_still_be_iterated(variant: Variant) -> None:
    page = answer(200, {"object": "list", "data": [], "has_more": False})
    with ScriptedServer([page]) as server:
        found = variant.run(
            lambda client: everything(client.conversations.list()),
            api_key=KEY,
            base_url=server.url,
        )
    assert found == []


def test_dir_of_the_package_has_its_public_names_only() -> None:
    names = {name for name in dir(conversations_client) if not name.startswith("__")}
    modules = {"errors", "events", "hooks", "messages", "models", "responses"}
    assert names == {*conversations_client.__all__, *modules} - {"__version__"}


@pytest.mark.parametrize(
    "cls",
    [
        ConversationsError,
        Created,
        DecodeError,
        Deleted,
        Failed,
        RawResponse,
        Retrieved,
        StatusError,
    ],
)
def test_each_attribute_has_a_docstring(cls: type) -> None:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    described = [
        each.target.id
        for each, after in zip(tree.body, tree.body[1:], strict=False)
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and isinstance(after, ast.Expr)
    ]
    assert described == list(inspect.get_annotations(cls)) != []

"""Listings in every variant, against the sandbox and scripted servers."""

import gc
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from revisions import required
from scripted import CONVERSATION, ScriptedServer, answer
from variants import KEY, Variant, World, everything

from conversations_client import (
    AsyncClient,
    Client,
    ConversationPage,
    NotFoundError,
    Pages,
    PagingError,
    structure,
)
from conversations_client._calls.endpoints import Listing
from conversations_client._client.cursor import Cursor, _State
from conversations_client.sandbox import Sandbox


def test_list_iterates_over_every_page(variant: Variant, revision: int) -> None:
    with (
        Sandbox(revision=revision) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        options: dict[str, Any] = {"api_key": sandbox.api_key, "base_url": sandbox.url}
        arguments = required(revision)
        ids = [client.conversations.create(**arguments).id for _ in range(7)][::-1]
        if revision == 2:  # revision 1 lists the conversations of all entities
            client.conversations.create(metadata={"entity_id": "a"})

        def listed(**query: Any) -> list[str | None]:
            found = variant.run(
                lambda client: everything(client.conversations.list(**query)), **options
            )
            return [conversation.id for conversation in found]

        assert listed(limit=3) == ids
        assert listed() == ids
        assert listed(limit=2, starting_after=ids[2]) == ids[3:]
        assert listed(limit=2, ending_before=ids[3]) == [ids[1], ids[2], ids[0]]
        assert len(listed(entity_id="a")) == (7 if revision == 1 else 1)
        pages = variant.run(
            lambda client: everything(client.conversations.list(limit=3).pages(after=ids[2])),
            **options,
        )
        assert [[c.id for c in page.data] for page in pages] == [ids[3:6], ids[6:]]
        assert [page.has_more for page in pages] == [True, False]


def wire(conversation_id: str | None) -> dict[str, Any]:
    found = {**CONVERSATION, "_id": conversation_id}
    return found if conversation_id else {k: v for k, v in found.items() if k != "_id"}


def page(*ids: str | None, more: bool = True) -> bytes:
    return answer(200, {"object": "list", "data": [wire(i) for i in ids], "has_more": more})


def test_pages_are_requested_one_by_one() -> None:
    with (
        ScriptedServer([page("a", "b"), page("c", more=False)]) as server,
        Client(KEY, base_url=server.url) as client,
    ):
        listing = client.conversations.list(limit=2, entity_id="e f")
        assert server.seen == []
        assert [c.id for c in islice(listing, 2)] == ["a", "b"]
        assert [s.target for s in server.seen] == ["/v2/conversations/?limit=2&entityId=e+f"]


def test_an_iterator_over_a_listing_can_be_continued() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        ids = [client.conversations.create().id for _ in range(3)][::-1]
        conversations = iter(client.conversations.list(limit=2))
        assert next(conversations).id == ids[0]
        assert [each.id for each in conversations] == ids[1:]


def test_the_cursor_matches_the_direction(variant: Variant) -> None:
    for query, cursors in [
        ({}, ["", "startingAfter=b"]),
        ({"ending_before": "z"}, ["endingBefore=z", "endingBefore=a"]),
        ({"starting_after": "z"}, ["startingAfter=z", "startingAfter=b"]),
    ]:
        given: dict[str, Any] = dict(query)
        with ScriptedServer([page("a", "b"), page("c", more=False)]) as server:
            found = variant.run(partial(listing, **given), api_key=KEY, base_url=server.url)
        assert [c.id for c in found] == ["a", "b", "c"]
        assert [s.target.partition("?")[2] for s in server.seen] == cursors


def test_a_listing_resumes_after_a_saved_cursor_in_either_direction(variant: Variant) -> None:
    for query, cursor in [
        ({}, "startingAfter=m"),
        ({"starting_after": "z"}, "startingAfter=m"),
        ({"ending_before": "z"}, "endingBefore=m"),
    ]:
        given: dict[str, Any] = dict(query)
        with ScriptedServer([page("a", more=False)]) as server:
            variant.run(partial(resumed, after="m", **given), api_key=KEY, base_url=server.url)
        assert [s.target.partition("?")[2] for s in server.seen] == [cursor]


def test_one_page_has_the_cursor_of_the_next(variant: Variant) -> None:
    def one_page(client: Any, after: str | None = None) -> Any:
        return client.conversations.list(limit=2).page(after=after)

    with ScriptedServer([page("a", "b"), page("c", more=False)]) as server:
        run = partial(variant.run, api_key=KEY, base_url=server.url)
        first = run(one_page)
        last = run(partial(one_page, after=first.next_cursor))
    assert ([c.id for c in first.data], first.next_cursor) == (["a", "b"], "b")
    assert ([c.id for c in last.data], last.next_cursor) == (["c"], None)
    assert [s.target.partition("?")[2] for s in server.seen] == [
        "limit=2",
        "limit=2&startingAfter=b",
    ]


def test_a_page_without_conversations_has_no_cursor() -> None:
    assert ConversationPage(data=(), has_more=True).next_cursor is None


def resumed(client: Any, *, after: str, **query: Any) -> Any:
    return everything(client.conversations.list(**query).pages(after=after))


def listing(client: Any, **query: Any) -> Any:
    return everything(client.conversations.list(**query))


def collect(found: list[Any], client: Any) -> Any:
    """Everything that a listing yields, even if it raises afterwards."""
    conversations = client.conversations.list()
    if hasattr(conversations, "__aiter__"):
        return _collect(found, conversations)
    return found.extend(conversations)


async def _collect(found: list[Any], conversations: Any) -> None:
    async for conversation in conversations:
        found.append(conversation)  # noqa: PERF401 - a comprehension would lose earlier items


@pytest.mark.parametrize(
    ("script", "words", "given_until_then"),
    [
        ([page("a"), page("a")], "repeated a page", "a"),
        ([page("a"), page("b"), page("a")], "repeated a page", "ab"),
        ([page("a"), page("b"), page("c"), page("d"), page("a")], "repeated a page", "abcd"),
        ([page("a"), page(), page()], "an empty page twice", "a"),
        ([page(), page()], "an empty page twice", ""),
        ([page("a", None)], "without an ID", "a "),
    ],
)
def test_a_listing_that_cannot_continue_raises_an_error(
    variant: Variant, script: list[bytes], words: str, given_until_then: str
) -> None:
    found: list[Any] = []
    with ScriptedServer(script) as server, pytest.raises(PagingError, match=words):
        variant.run(partial(collect, found), api_key=KEY, base_url=server.url)
    assert len(server.seen) == len(script)
    assert [c.id or " " for c in found] == list(given_until_then)


def test_an_empty_page_with_more_is_requested_again(variant: Variant) -> None:
    script = [page(), page("a"), page(), page("b"), page(), page(more=False)]
    with ScriptedServer(script) as server:
        pages = variant.run(
            lambda client: everything(client.conversations.list().pages()),
            api_key=KEY,
            base_url=server.url,
        )
    assert [[c.id for c in page.data] for page in pages] == [["a"], ["b"], []]
    cursors = [s.target.partition("?")[2] for s in server.seen]
    assert cursors == [
        "",
        "",
        "startingAfter=a",
        "startingAfter=a",
        "startingAfter=b",
        "startingAfter=b",
    ]


def test_a_page_that_ends_at_its_own_cursor_is_a_repeated_cursor(variant: Variant) -> None:
    with ScriptedServer([page("a")]) as server, pytest.raises(PagingError, match="repeated a page"):
        variant.run(partial(resumed, after="a"), api_key=KEY, base_url=server.url)


def ending_in(conversation_id: int) -> ConversationPage:
    return structure({"data": [wire(str(conversation_id))], "has_more": True}, ConversationPage)


@given(before=st.integers(0, 40), around=st.integers(1, 40))
def test_any_cycle_of_cursors_is_found(before: int, around: int) -> None:
    ends = (min(n, before) + max(0, n - before) % around for n in count())
    taken: list[ConversationPage] = []
    with pytest.raises(PagingError, match="repeated a page"):
        taken.extend(Pages(lambda _: ending_in(next(ends)), Listing()).pages())
    different = before + around
    assert different <= len(taken) < 3 * different
    if before == 0 or around == 1:
        assert len(taken) == different


def test_a_long_listing_takes_no_more_memory_than_a_short_one() -> None:
    cursor = Cursor(None, True)
    assert all(cursor.advance(ending_in(n)) and cursor.has_more() for n in range(300))
    assert {type(value) for value in attrs.asdict(cursor).values()} <= {str, int, bool, _State}


@pytest.mark.parametrize("status", [301, 308, 404, 405])
def test_the_list_of_the_first_revision_is_found(variant: Variant, status: int) -> None:
    world = World()
    with ScriptedServer([answer(status, b""), page("a", more=False)]) as server:
        found = variant.run(listing, world=world, api_key=KEY, base_url=server.url)
    assert [c.id for c in found] == ["a"]
    assert [s.target for s in server.seen] == ["/v2/conversations/", "/v2/conversations"]


def test_every_page_of_the_first_revision_is_found(variant: Variant) -> None:
    with ScriptedServer([answer(404, b""), page("a", "b"), page("c", more=False)]) as server:
        found = variant.run(listing, api_key=KEY, base_url=server.url)
    assert [c.id for c in found] == ["a", "b", "c"]
    assert [s.target for s in server.seen] == [
        "/v2/conversations/",
        "/v2/conversations",
        "/v2/conversations?startingAfter=b",
    ]


def test_a_service_that_changes_its_revision_is_supported() -> None:
    first, second = page("a", more=False), page("b", more=False)
    script = [answer(404, b""), first, answer(404, b""), second]
    with ScriptedServer(script) as server, Client(KEY, base_url=server.url) as client:
        assert [c.id for c in client.conversations.list()] == ["a"]
        assert [c.id for c in client.conversations.list()] == ["b"]
    slash, none = "/v2/conversations/", "/v2/conversations"
    assert [s.target for s in server.seen] == [slash, none, none, slash]


def recipe(*, is_async: bool) -> Any:
    """The function on the page about conversations that skips invalid ones."""
    page = (Path(__file__).parents[1] / "docs" / "conversations.md").read_text("utf-8")
    (code,) = [each for each in page.split("```python\n") if "def valid_conversations" in each]
    code = code.partition("\nfor each in ")[0]
    if is_async:
        code = code.replace(
            "def valid_conversations() -> Iterator",
            "async def valid_conversations() -> AsyncIterator",
        )
        code = code.replace("import Iterator", "import AsyncIterator, Iterator")
        code = code.replace("= client.", "= await client.")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    return names


@pytest.mark.parametrize("revision", [1, 2])
def test_invalid_conversations_can_be_skipped(
    variant: Variant, revision: int, caplog: pytest.LogCaptureFixture
) -> None:
    def scenario(client: Any) -> Any:
        names = recipe(is_async=variant.name != "sync")
        names["client"] = client
        return everything(names["valid_conversations"]())

    invalid = {**wire("c"), "updatedAt": None}
    mixed: list[Any] = [wire("b"), invalid, None, wire("d")]
    script = [
        page("a"),
        answer(200, {"object": "list", "data": mixed, "has_more": True}),
        answer(200, {"object": "list", "data": [invalid], "has_more": True}),
        page("e"),
        answer(200, {"object": "list", "data": [invalid], "has_more": False}),
    ]
    with ScriptedServer([answer(404, b"")] * (2 - revision) + script) as server:
        found = variant.run(scenario, api_key=KEY, base_url=server.url)
    assert [c.id for c in found] == ["a", "b", "d", "e"]
    path = "/v2/conversations" + "/" * (revision - 1)
    cursors = [f"{path}?limit=50&startingAfter={cursor}" for cursor in "adce"]
    assert [s.target for s in server.seen][2 - revision :] == [f"{path}?limit=50", *cursors]
    assert caplog.messages == [
        "Skipped data[1]: $.updatedAt: expected a number, got null",
        "Skipped data[2]: $: expected an object, got null",
        *["Skipped data[0]: $.updatedAt: expected a number, got null"] * 2,
    ]


def test_a_service_without_a_list_is_an_error(variant: Variant) -> None:
    with ScriptedServer([answer(404, b"")] * 2) as server, pytest.raises(NotFoundError):
        variant.run(listing, api_key=KEY, base_url=server.url)
    assert len(server.seen) == 2


def test_an_iterator_of_a_listing_can_be_iterated() -> None:
    client = AsyncClient(KEY)
    for walking in (aiter(client.conversations.list()), client.conversations.list().pages()):
        assert aiter(walking) is walking


def test_a_listing_can_be_stopped_anywhere(variant: Variant) -> None:
    async def leave_async(client: Any) -> None:
        async for _ in client.conversations.list():
            break
        async for _ in client.conversations.list().pages():
            break
        gc.collect()

    def leave(client: Any) -> Any:
        if variant.name != "sync":
            return leave_async(client)
        for _ in client.conversations.list():
            break
        return None

    with ScriptedServer([page("a", "b"), page("a", "b")]) as server:
        variant.run(leave, api_key=KEY, base_url=server.url)

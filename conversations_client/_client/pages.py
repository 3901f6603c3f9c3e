"""Listings: every page after the other, asked for when it is needed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from enum import Enum, auto
from typing import Self

from attrs import define, field, frozen

from conversations_client.errors import Delivery, PagingError
from conversations_client.models import Conversation, ConversationPage

Fetch = Callable[[str | None], ConversationPage]
AsyncFetch = Callable[[str | None], Awaitable[ConversationPage]]


class _State(Enum):
    MORE = auto()
    EMPTY = auto()
    """There is more, but the last page was empty."""
    UNNAMED = auto()
    """There is more, behind a conversation without an id."""
    DONE = auto()


@define
class _Walk:
    """Where a listing goes on. No I/O, and the same memory however long it gets.

    A cursor that comes round again is found without keeping all of them: each is compared with
    the one before it, with the first, and with one that is kept after 1, 2, 4, 8 … pages (Brent's
    algorithm). A listing that stands still or starts anew is so found at once, and any other that
    goes in circles before it has come to three times as many pages as it has.
    """

    cursor: str | None
    _backwards: bool
    _state: _State = field(default=_State.MORE, init=False)
    _pages: int = field(default=0, init=False)
    _first: str | None = field(default=None, init=False)
    _kept: str | None = field(default=None, init=False)

    def goes_on(self) -> bool:
        """Whether there is a page to ask for at `cursor`; raises PagingError."""
        if self._state is _State.UNNAMED:
            raise _lost("says that there is more after a conversation without an id")
        return self._state is not _State.DONE

    def take(self, page: ConversationPage) -> bool:
        """Move on behind a page; False if it is to be asked for again. Raises PagingError."""
        if not page.has_more:
            self._state = _State.DONE
        elif page.data:
            self._follow(page.data[0 if self._backwards else -1].id)
        elif self._state is _State.EMPTY:
            raise _lost("sent an empty page twice and says that there is more")
        else:
            self._state = _State.EMPTY
            return False
        return True

    def _follow(self, cursor: str | None) -> None:
        if cursor is None:
            self._state = _State.UNNAMED
            return
        if cursor in {self.cursor, self._first, self._kept}:
            raise _lost(
                "sent a page again that the listing has been at, so that some may have come twice"
            )
        self._state = _State.MORE
        self.cursor = cursor
        self._pages += 1
        if self._pages == 1:
            self._first = cursor
        if self._pages.bit_count() == 1:
            self._kept = cursor


def _lost(what: str) -> PagingError:
    return PagingError(
        f"The listing can't go on: the service {what}. What came until now is right.",
        delivery=Delivery.REFUSED,
    )


@frozen
class Pages:
    """A listing: iterate for its conversations, or take `pages()` one by one.

    Nothing is asked for before the first iteration, and each iteration starts anew.
    """

    _fetch: Fetch = field(repr=False)
    _backwards: bool

    def __iter__(self) -> Iterator[Conversation]:
        for page in self.pages():
            yield from page.data

    def pages(self, *, after: str | None = None) -> Iterator[ConversationPage]:
        """The pages, each when it is asked for.

        An empty page that says that there is more is not given but asked for once again.

        Args:
            after: The id of the last conversation that is done with; the listing goes on behind
                it. None starts where the listing does.

        Raises:
            PagingError: The service says that there is more but not where, or goes in circles.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
        """
        walk = _Walk(after, self._backwards)
        while walk.goes_on():
            page = self._fetch(walk.cursor)
            if walk.take(page):
                yield page


@frozen
class AsyncPages:
    """A listing: iterate for its conversations, or take `pages()` one by one.

    Nothing is asked for before the first iteration, and each iteration starts anew.
    """

    _fetch: AsyncFetch = field(repr=False)
    _backwards: bool

    def __aiter__(self) -> AsyncIterator[Conversation]:
        return _AsyncItems(self.pages())

    def pages(self, *, after: str | None = None) -> AsyncIterator[ConversationPage]:
        """The pages, each when it is asked for.

        An empty page that says that there is more is not given but asked for once again.

        Args:
            after: The id of the last conversation that is done with; the listing goes on behind
                it. None starts where the listing does.

        Raises:
            PagingError: The service says that there is more but not where, or goes in circles.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
        """
        return _AsyncPageByPage(self._fetch, _Walk(after, self._backwards))


# Classes, not async generators: whoever leaves one of those early has to close it.


class _AsyncPageByPage:
    def __init__(self, fetch: AsyncFetch, walk: _Walk) -> None:
        self._fetch = fetch
        self._walk = walk

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ConversationPage:
        while self._walk.goes_on():
            page = await self._fetch(self._walk.cursor)
            if self._walk.take(page):
                return page
        raise StopAsyncIteration


class _AsyncItems:
    def __init__(self, pages: AsyncIterator[ConversationPage]) -> None:
        self._pages = pages
        self._items: Iterator[Conversation] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Conversation:
        while (item := next(self._items, None)) is None:
            page = await anext(self._pages)
            self._items = iter(page.data)
        return item

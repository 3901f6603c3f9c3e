"""Listings, which request each page when it is needed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from enum import Enum, auto
from typing import ClassVar, Final, Self

from attrs import define, field, frozen

from conversations_client._base.not_pickled import Shared
from conversations_client._base.public_dir import PublicDir
from conversations_client._calls.arguments import checked_conversation_id
from conversations_client._calls.endpoints import Listing
from conversations_client.errors import Delivery, PagingError
from conversations_client.models import Conversation, ConversationPage

Fetch = Callable[[str | None], ConversationPage]
AsyncFetch = Callable[[str | None], Awaitable[ConversationPage]]

_REFUSAL: Final = "pickled: pickle the client and call list() again, or pickle the conversations"


class _State(Enum):
    MORE = auto()
    EMPTY = auto()
    """There are more pages, but the last one was empty."""
    NO_CURSOR = auto()
    """There are more pages, but the last conversation has no ID to continue after."""
    DONE = auto()


@define
class _Cursor:
    """The position in a listing. No I/O; memory use is constant for listings of any length.

    It detects repeated cursors without storing them all: it compares each cursor with the previous
    one, the first one, and the last one whose page number was a power of two (Brent's algorithm).
    It detects a repeat of the previous page, or a listing that starts over, immediately, and any
    other cycle within three times its length.
    """

    value: str | None
    _backwards: bool
    _state: _State = field(default=_State.MORE, init=False)
    _pages: int = field(default=0, init=False)
    _first: str | None = field(default=None, init=False)
    _saved: str | None = field(default=None, init=False)

    def has_more(self) -> bool:
        """Whether there is a page to request; raises PagingError."""
        if self._state is _State.NO_CURSOR:
            raise _broken("reports more conversations after one without an ID")
        return self._state is not _State.DONE

    def advance(self, page: ConversationPage) -> bool:
        """Continue after a page, or return False if it must be requested again.

        Raises PagingError.
        """
        if not page.has_more:
            self._state = _State.DONE
        elif page.data:
            self._follow(page.data[0 if self._backwards else -1].id)
        elif self._state is _State.EMPTY:
            raise _broken("sent an empty page twice, but reports more conversations")
        else:
            self._state = _State.EMPTY
            return False
        return True

    def _follow(self, cursor: str | None) -> None:
        if cursor is None:
            self._state = _State.NO_CURSOR
            return
        if cursor in {self.value, self._first, self._saved}:
            raise _broken("repeated a page of this listing")
        self._state = _State.MORE
        self.value = cursor
        self._pages += 1
        if self._pages == 1:
            self._first = cursor
        if self._pages.bit_count() == 1:
            self._saved = cursor


def _start(after: str | Conversation | None, *, backwards: bool) -> _Cursor:
    start = None if after is None else checked_conversation_id("after", after)
    return _Cursor(start, backwards)


def _broken(problem: str) -> PagingError:
    return PagingError(
        f"The listing can't continue: the service {problem}. The conversations so far are valid, "
        "but some may appear twice.",
        delivery=Delivery.REFUSED,
    )


@frozen(repr=False)
class Pages(Shared, PublicDir):
    """A listing: iterate over its conversations or its `pages()`.

    It sends no request until you iterate, and each iteration starts from the beginning.

    Example:
        for conversation in client.conversations.list():
            print(conversation.display_name)
    """

    _refusal: ClassVar = _REFUSAL
    _fetch: Fetch
    _listing: Listing

    def __repr__(self) -> str:
        return f"Pages({self._listing})"

    def __iter__(self) -> Iterator[Conversation]:
        return _Items(self.pages())

    def pages(self, *, after: str | Conversation | None = None) -> Iterator[ConversationPage]:
        """The pages of the listing; each is requested when it is needed.

        An empty page that reports more conversations is requested again rather than returned.

        Args:
            after: The conversation, or its ID, after which to continue the listing. Default: None,
                the start of the listing.

        Raises:
            InvalidArgumentError: `after` is invalid; nothing was sent.
            PagingError: The service reports more conversations but sends no new cursor.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.

        Example:
            for page in client.conversations.list(limit=100).pages():
                print(len(page.data), page.has_more)
        """
        return _PageByPage(self._fetch, _start(after, backwards=self._listing.is_backwards))

    def page(self, *, after: str | Conversation | None = None) -> ConversationPage:
        """Request one page, for example to show it on a web page.

        Args:
            after: The conversation, or its ID, after which to continue the listing. Default: None,
                the start of the listing.

        Raises:
            InvalidArgumentError: `after` is invalid; nothing was sent.
            PagingError: The service sent an empty page twice, but reports more conversations.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.

        Example:
            page = client.conversations.list(limit=20).page()
            print(len(page.data), page.next_cursor)
        """
        return next(self.pages(after=after))

    def first(self) -> Conversation | None:
        """Request the first page and return its first conversation, or None if there is none.

        Raises:
            PagingError: The service sent an empty page twice, but reports more conversations.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.

        Example:
            newest = client.conversations.list(limit=1).first()
        """
        return next(iter(self), None)


@frozen(repr=False)
class AsyncPages(Shared, PublicDir):
    """A listing: iterate over its conversations or its `pages()`.

    It sends no request until you iterate, and each iteration starts from the beginning.

    Example:
        async for conversation in client.conversations.list():
            print(conversation.display_name)
    """

    _refusal: ClassVar = _REFUSAL
    _fetch: AsyncFetch
    _listing: Listing

    def __repr__(self) -> str:
        return f"AsyncPages({self._listing})"

    def __aiter__(self) -> AsyncIterator[Conversation]:
        return _AsyncItems(self.pages())

    def pages(self, *, after: str | Conversation | None = None) -> AsyncIterator[ConversationPage]:
        """The pages of the listing; each is requested when it is needed.

        An empty page that reports more conversations is requested again rather than returned.

        Args:
            after: The conversation, or its ID, after which to continue the listing. Default: None,
                the start of the listing.

        Raises:
            InvalidArgumentError: `after` is invalid; nothing was sent.
            PagingError: The service reports more conversations but sends no new cursor.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.

        Example:
            async for page in client.conversations.list(limit=100).pages():
                print(len(page.data), page.has_more)
        """
        return _AsyncPageByPage(self._fetch, _start(after, backwards=self._listing.is_backwards))

    async def page(self, *, after: str | Conversation | None = None) -> ConversationPage:
        """Request one page, for example to show it on a web page.

        Args:
            after: The conversation, or its ID, after which to continue the listing. Default: None,
                the start of the listing.

        Raises:
            InvalidArgumentError: `after` is invalid; nothing was sent.
            PagingError: The service sent an empty page twice, but reports more conversations.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.

        Example:
            page = await client.conversations.list(limit=20).page()
            print(len(page.data), page.next_cursor)
        """
        return await anext(self.pages(after=after))

    async def first(self) -> Conversation | None:
        """Request the first page and return its first conversation, or None if there is none.

        Raises:
            PagingError: The service sent an empty page twice, but reports more conversations.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response doesn't match the API's documentation.

        Example:
            newest = await client.conversations.list(limit=1).first()
        """
        return await anext(aiter(self), None)


# These are classes because a generator ends at an exception: the next read would look like the end
# of the listing. Also, an async generator must be closed if it isn't exhausted.


class _PageByPage:
    def __init__(self, fetch: Fetch, cursor: _Cursor) -> None:
        self._fetch = fetch
        self._cursor = cursor

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ConversationPage:
        while self._cursor.has_more():
            page = self._fetch(self._cursor.value)
            if self._cursor.advance(page):
                return page
        raise StopIteration


class _Items:
    def __init__(self, pages: Iterator[ConversationPage]) -> None:
        self._pages = pages
        self._items: Iterator[Conversation] = iter(())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Conversation:
        while (item := next(self._items, None)) is None:
            self._items = iter(next(self._pages).data)
        return item


class _AsyncPageByPage:
    def __init__(self, fetch: AsyncFetch, cursor: _Cursor) -> None:
        self._fetch = fetch
        self._cursor = cursor

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ConversationPage:
        while self._cursor.has_more():
            page = await self._fetch(self._cursor.value)
            if self._cursor.advance(page):
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

"""Listings, which request each page when it is needed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import ClassVar, Final, Self

from attrs import frozen

from conversations_client._base.not_pickled import Shared
from conversations_client._base.public_dir import PublicDir
from conversations_client._calls.endpoints import Listing
from conversations_client.models import Conversation, ConversationPage

from .cursor import Cursor

Fetch = Callable[[str | None], ConversationPage]
AsyncFetch = Callable[[str | None], Awaitable[ConversationPage]]

_REFUSAL: Final = "pickled: pickle the client and call list() again, or pickle the conversations"


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
        cursor = Cursor.start(after, backwards=self._listing.is_backwards)
        return _PageByPage(self._fetch, cursor)

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
        return _AsyncPageByPage(
            self._fetch, Cursor.start(after, backwards=self._listing.is_backwards)
        )

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
    def __init__(self, fetch: Fetch, cursor: Cursor) -> None:
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
    def __init__(self, fetch: AsyncFetch, cursor: Cursor) -> None:
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

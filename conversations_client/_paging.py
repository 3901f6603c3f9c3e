"""Listings: every page after the other, asked for when it is needed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from attrs import field, frozen

from .errors import Delivery, PagingError
from .models import Conversation, ConversationPage

Fetch = Callable[[str | None], ConversationPage]
AsyncFetch = Callable[[str | None], Awaitable[ConversationPage]]


class _Walk:
    """Where a listing goes on. No I/O."""

    def __init__(self, *, backwards: bool) -> None:
        self._backwards = backwards
        self._seen: set[str] = set()

    def next_cursor(self, page: ConversationPage) -> str | None:
        """The id to go on from, or None at the end; raises PagingError."""
        if not page.has_more:
            return None
        if not page.data:
            raise _lost("sent an empty page and says that there is more")
        cursor = page.data[0 if self._backwards else -1].id
        if cursor is None:
            raise _lost("says that there is more after a conversation without an id")
        if cursor in self._seen:
            raise _lost("sent a page again that the listing has been at")
        self._seen.add(cursor)
        return cursor


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

        Args:
            after: The id of the last conversation that is done with; the listing goes on behind
                it. None starts where the listing does.

        Raises:
            PagingError: The service says that there is more but not where, or goes in circles.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
        """
        walk = _Walk(backwards=self._backwards)
        cursor = after
        while True:
            page = self._fetch(cursor)
            yield page
            cursor = walk.next_cursor(page)
            if cursor is None:
                return


@frozen
class AsyncPages:
    """A listing: iterate for its conversations, or take `pages()` one by one.

    Nothing is asked for before the first iteration, and each iteration starts anew.
    """

    _fetch: AsyncFetch = field(repr=False)
    _backwards: bool

    async def __aiter__(self) -> AsyncIterator[Conversation]:
        async for page in self.pages():
            for conversation in page.data:
                yield conversation

    async def pages(self, *, after: str | None = None) -> AsyncIterator[ConversationPage]:
        """The pages, each when it is asked for.

        Args:
            after: The id of the last conversation that is done with; the listing goes on behind
                it. None starts where the listing does.

        Raises:
            PagingError: The service says that there is more but not where, or goes in circles.
            TransportError: No complete answer came.
            StatusError: The service refused or failed.
            DecodeError: The answer is not what the API documents.
        """
        walk = _Walk(backwards=self._backwards)
        cursor = after
        while True:
            page = await self._fetch(cursor)
            yield page
            cursor = walk.next_cursor(page)
            if cursor is None:
                return

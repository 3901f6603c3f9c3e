"""The position in a listing, from which it continues page by page. No I/O."""

from enum import Enum, auto
from typing import Self

from attrs import define

from conversations_client._calls.arguments import checked_conversation_id
from conversations_client.errors import Delivery, PagingError
from conversations_client.models import Conversation, ConversationPage


class _State(Enum):
    MORE = auto()
    EMPTY = auto()
    """There are more pages, but the last one was empty."""
    NO_CURSOR = auto()
    """There are more pages, but the last conversation has no ID to continue after."""
    DONE = auto()


@define
class Cursor:
    """The position in a listing. No I/O; memory use is constant for listings of any length.

    It detects repeated cursors without storing them all: it compares each cursor with the previous
    one, the first one, and the last one whose page number was a power of two (Brent's algorithm).
    It detects a repeat of the previous page, or a listing that starts over, immediately, and any
    other cycle within three times its length.
    """

    value: str | None
    _backwards: bool
    _state: _State = _State.MORE
    _pages: int = 0
    _first: str | None = None
    _saved: str | None = None

    @classmethod
    def start(cls, after: str | Conversation | None, *, backwards: bool) -> Self:
        """The start of a listing, or the position after a conversation.

        Raises InvalidArgumentError.
        """
        return cls(None if after is None else checked_conversation_id("after", after), backwards)

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


def _broken(problem: str) -> PagingError:
    return PagingError(
        f"The listing can't continue: the service {problem}. The conversations so far are valid, "
        "but some may appear twice.",
        delivery=Delivery.REFUSED,
    )

"""The connections that a client and its copies share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from .fork_safety import import_for_calls

if TYPE_CHECKING:
    from conversations_client._base.wakeup import Wakeups


class _Closable(Protocol):
    closing: "Wakeups"


ConnectionsT = TypeVar("ConnectionsT", bound=_Closable)


class SharedConnections(Generic[ConnectionsT]):
    """The connections that a client and its copies share, created on first use.

    Args:
        create: Creates the connections without opening any; concurrent threads may call it once
            each.
    """

    def __init__(self, create: Callable[[], ConnectionsT]) -> None:
        self._create = create
        self._created: dict[str, ConnectionsT] = {}
        self.is_closed = False

    def get(self) -> ConnectionsT:
        """The connections; always the same object."""
        import_for_calls()
        connections = self._created.get("") or self._created.setdefault("", self._create())
        if self.is_closed:
            connections.closing.set()
        return connections

    def check_open(self) -> None:
        """Raise ClientClosedError if the connections are closed."""
        if self.is_closed:
            import_for_calls()
            from conversations_client._http.slot_queue import closed_error

            raise closed_error()

    def close(self) -> ConnectionsT | None:
        """Stop sending, and return the connections to close, or None if there are none."""
        self.is_closed = True
        return self._created.get("")

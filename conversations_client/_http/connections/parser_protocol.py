"""The interface of response parsers."""

from typing import Protocol

from .wire import WireResponse


class ResponseParser(Protocol):
    """Parses the responses of one connection, one at a time."""

    def start(self, method: bytes) -> None:
        """Prepare for the response to a request."""
        ...

    def receive(self, data: bytes) -> None:
        """Process received data, empty at the end of the connection; raises RemoteProtocolError."""
        ...

    def head(self) -> WireResponse | None:
        """The response without its body; None if more must be received first."""
        ...

    def chunk(self) -> bytes | None:
        """The next chunk of the body, empty at its end; None if more must be received first."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether `chunk` has returned the whole body; False if that isn't known yet."""
        return False

    def renew(self) -> bool:
        """Prepare for the next request.

        Returns:
            Whether the connection can be used again. It can't if the response is incomplete or
            closes the connection, or if data follows it, which would look like the next response.
        """
        ...

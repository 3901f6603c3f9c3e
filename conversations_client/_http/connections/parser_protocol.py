"""What a connection needs of a parser of responses."""

from typing import Protocol

from .wire import WireResponse


class ResponseParser(Protocol):
    """Parses the responses of one connection, one after the other."""

    def start(self, method: bytes) -> None:
        """Get ready for the response to a request."""
        ...

    def receive(self, data: bytes) -> None:
        """Take received data, empty at the end of the connection; raises RemoteProtocolError."""
        ...

    def head(self) -> WireResponse | None:
        """The response without its body; None if more must be received first."""
        ...

    def chunk(self) -> bytes | None:
        """The next chunk of the body, empty at its end; None if more must be received first."""
        ...

    def renew(self) -> bool:
        """Get ready for the next request.

        Returns:
            Whether the connection can be used again: not if the response isn't complete or ends the
            connection, nor if data followed it, which would pass for the next response.
        """
        ...

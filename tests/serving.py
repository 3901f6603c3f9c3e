"""A loopback server with a fixed response for each kind of request."""

import socket
from typing import BinaryIO

from scripted import CONVERSATION, ReceivedRequest, ScriptedServer, answer, read_request
from streaming import WHOLE, streamed

PAGE = {"object": "list", "data": [CONVERSATION], "has_more": False}


class AnsweringServer(ScriptedServer):
    """Always sends the same conversation, page or stream."""

    def __init__(self) -> None:
        super().__init__([])

    def _converse(self, connection: socket.socket, stream: BinaryIO) -> None:
        while (seen := read_request(stream)) is not None:
            self.seen.append(seen)
            connection.sendall(self.response_to(seen))

    def response_to(self, seen: ReceivedRequest) -> bytes:
        """The bytes of the response."""
        match seen.method, seen.target.partition("?")[0].split("/")[3:]:
            case "POST", []:
                return answer()
            case "GET", [] | [""]:
                return answer(200, PAGE)
            case "GET", ["conv_of_nobody"]:
                return answer(404, {"message": "nobody"})
            case "GET", [_]:
                return answer(200)
            case _:
                return streamed(WHOLE)

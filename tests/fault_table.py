"""Faults of a service, and the errors that callers get."""

import gzip
import json
import math
from typing import Any

from attrs import field, frozen
from faulty import Step, await_request, receive, receive_start, reset
from scripted import CONVERSATION, HALF, answer

from conversations_client import (
    DecodeError,
    Delivery,
    DisconnectError,
    ResponseTooLargeError,
    StatusError,
)

JSON = json.dumps(CONVERSATION).encode()
HEAD = b"HTTP/1.1 201 Created\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@frozen
class Fault:
    """A fault in every connection, and its result.

    Attributes:
        steps: The steps of the server.
        error: The class of the error.
        again: How often an idempotent call is sent; a create request is sent once.
        words: A part of the error message.
        options: The settings of the client.
    """

    steps: list[Step]
    error: type[Exception] = DisconnectError
    again: int = 3
    words: str = "broke"
    options: dict[str, Any] = field(factory=dict[str, Any])


def body(content: object, **headers: str) -> list[Step]:
    """A successful response with this body."""
    return [receive, answer(201, content, **headers)]


def undocumented(words: str, content: object, **headers: str) -> Fault:
    """A response with a successful status and an invalid body."""
    return Fault(body(content, **headers), DecodeError, 1, words)


BROKEN = {
    "reset before reading": Fault([await_request, reset]),
    "reset while reading": Fault([receive_start, reset]),
    "closed before reading": Fault([await_request]),
    "reset after the request": Fault([receive, reset]),
    "closed after the request": Fault([receive]),
    "closed in the status line": Fault([receive, b"HTTP/1.1 20"]),
    "closed in the headers": Fault([receive, HEAD + b"Content-Le"]),
    "reset in the headers": Fault([receive, HEAD + b"Content-Le", reset]),
    "closed in the body": Fault([receive, HALF]),
    "reset in the body": Fault([receive, HALF, reset]),
    "cut before a chunk": Fault([receive, CHUNKED]),
    "cut in the size of a chunk": Fault([receive, CHUNKED + b"5"]),
    "cut in a chunk": Fault([receive, CHUNKED + b"5\r\n{"]),
    "cut before the last chunk": Fault([receive, CHUNKED + b"%x\r\n%b\r\n" % (len(JSON), JSON)]),
    "cut in the last chunk": Fault([receive, CHUNKED + b"%x\r\n%b\r\n0\r\n" % (len(JSON), JSON)]),
}

LYING = {
    "another protocol": Fault([receive, b"SSH-2.0-OpenSSH_9.9\r\n\r\n"]),
    "no head": Fault([receive, b"<html>Bad Gateway</html>"]),
    "a status below 100": Fault([receive, b"HTTP/1.1 099 Low\r\n\r\n"]),
    "an upgrade": Fault([receive, b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx"]),
    "a length that is too large": Fault([receive, answer(Content_Length="999")]),
    "a negative length": Fault([receive, answer(Content_Length="-1")]),
    "a length that is none": Fault([receive, answer(Content_Length="all")]),
    "two lengths": Fault([receive, HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"]),
    "a transfer encoding of its own": Fault([receive, answer(Transfer_Encoding="gzip")]),
    "a chunk of no size": Fault([receive, CHUNKED + b"zz\r\n{}\r\n"]),
    "a chunk of negative size": Fault([receive, CHUNKED + b"-2\r\n{}\r\n"]),
    "a chunk larger than any": Fault([receive, CHUNKED + b"f" * 40 + b"\r\n{}\r\n"]),
    "a header of a megabyte": Fault([receive, HEAD + b"X: " + b"x" * 10**6 + b"\r\n\r\n"]),
    "100,000 headers": Fault([receive, HEAD + b"X: x\r\n" * 10**5 + b"\r\n"]),
    "NUL in a header": Fault([receive, HEAD + b"X: a\0b\r\n\r\n"]),
    "a header without a name": Fault([receive, HEAD + b": x\r\n\r\n"]),
}  # fmt: skip

ODD = {
    "nothing": undocumented("not JSON", b""),
    "text": undocumented("text/plain", b"Created", Content_Type="text/plain"),
    "HTML": undocumented("text/html", b"<p>Created</p>", Content_Type="text/html"),
    "half": undocumented("not JSON", JSON[:-1]),
    "more": undocumented("not JSON", JSON + b"{}"),
    "Latin-1": undocumented("not UTF-8", JSON.replace(b"Feature", b"Featur\xe9")),
    "UTF-16": undocumented("not UTF-8", JSON.decode().encode("utf-16")),
    "null": undocumented("got null", None),
    "a list": undocumented("got a list", [CONVERSATION]),
    "a string": undocumented("got a string", "created"),
    "nested 100,000 deep": undocumented("nested too deeply", b"[" * 10**5 + b"]" * 10**5),
    "nested and never closed": undocumented("nested too deeply", b'{"a":' * 10**5),
    "nested in what is kept": undocumented(
        "nested", JSON[:-1] + b', "new": ' + b"[" * 500 + b"]" * 500 + b"}"
    ),
    "NaN": undocumented("NaN", {**CONVERSATION, "createdAt": math.nan}),
    "a number of 5,000 digits": undocumented("too many digits", JSON.replace(b"1734789600000", b"1" * 5000)),
    "a number beyond all": undocumented("too large", JSON.replace(b"1734789600000", b"1e999")),
    "10 MB of nothing": undocumented("not JSON", b"x" * 10**7),
    "no content": Fault([receive, b"HTTP/1.1 204 No Content\r\n\r\n"], DecodeError, 1, "204"),
    "no content, and yet some": Fault(
        [receive, answer(204)], DecodeError, 1, "204 is not a documented success status"
    ),
    "a gzip bomb": Fault(
        body(gzip.compress(bytes(10**8)), Content_Encoding="gzip"),
        ResponseTooLargeError,
        1,
        "max_response_bytes=67108864",
    ),
    "no gzip": undocumented("could not be decompressed", JSON, Content_Encoding="gzip"),
    "half a gzip": undocumented("incomplete", gzip.compress(JSON)[:-9], Content_Encoding="gzip"),
    "garbage after gzip": undocumented(
        "could not be decompressed", gzip.compress(JSON) + b"garbage", Content_Encoding="gzip"
    ),
    "twenty encodings": undocumented(
        "was not requested", JSON, Content_Encoding=", ".join(["gzip"] * 20)
    ),
    "another encoding": undocumented("was not requested", JSON, Content_Encoding="zstd"),
    "a status beyond all": Fault(
        [receive, b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"], StatusError, 1, "returned 999."
    ),
}  # fmt: skip

FAULTS = {**BROKEN, **LYING, **ODD}

UNDECIDED = {408: 3, 409: 1, 425: 3, 429: 3, 500: 3, 502: 3, 503: 3, 504: 3}
"""Statuses, and how often a call that changes nothing is made when it gets them each time."""

DELIVERY = {
    408: Delivery.UNKNOWN,
    409: Delivery.REFUSED,
    425: Delivery.REFUSED,
    429: Delivery.REFUSED,
    500: Delivery.UNKNOWN,
    502: Delivery.UNKNOWN,
    503: Delivery.UNKNOWN,
    504: Delivery.UNKNOWN,
}
REPEATED = (425, 429)
"""Those after which a create is made again, too."""

"""What is sent over a connection and what is read of it, to the byte."""

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client._http.connections.http11 import (
    H11Parser,
    ResponseParser,
    header_lines,
    request_bytes,
)
from conversations_client._http.connections.route import Route
from conversations_client._http.connections.wire import RequestLimits, WireRequest
from conversations_client._http.streams.errors import LocalProtocolError, RemoteProtocolError

ROUTE = Route(host="h", port=80)
ANSWER = (
    b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
    b"HTTP/1.1 201 Made\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\none\r\n2\r\ntw\r\n0\r\n\r\n"
)


def request(
    target: bytes = b"/all?limit=1",
    header: tuple[bytes, bytes] = (b"X", b"caf\xe9 \t!"),
    body: bytes = b"",
) -> WireRequest:
    limits = RequestLimits(connect=None, idle=None, deadline=math.inf, clock=lambda: 0)
    return WireRequest(b"POST", target, b"%b: %b\r\n" % header, body, limits, b"Host: h\r\n")


def read(http: ResponseParser, pieces: list[bytes]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """An answer that comes in these pieces: its status, its headers and its body."""
    coming = iter(pieces)
    head = None
    while head is None:
        http.receive(next(coming))
        head = http.head()
    body = b""
    while (chunk := http.chunk()) != b"":
        if chunk is None:
            http.receive(next(coming))
        else:
            body += chunk
    return head.status, head.headers, body


PARSERS: list[Callable[[], ResponseParser]] = [H11Parser]


@pytest.fixture(params=PARSERS)
def new(request: pytest.FixtureRequest) -> Callable[[], ResponseParser]:
    found: Callable[[], ResponseParser] = request.param
    return found


def asked(new: Callable[[], ResponseParser], method: bytes = b"POST") -> ResponseParser:
    parser = new()
    parser.start(method)
    return parser


def test_a_request_is_sent_as_it_is() -> None:
    sent = request_bytes(request(body=b"body"), ROUTE)
    assert sent == b"POST /all?limit=1 HTTP/1.1\r\nHost: h\r\nX: caf\xe9 \t!\r\n\r\nbody"


@pytest.mark.parametrize(
    "header",
    [
        (b"X", b"a\r\nY: b"),
        (b"X", b"a\nb"),
        (b"X", b"a\rb"),
        (b"X", b"a\0b"),
        (b"X", b"a\x7fb"),
        (b"X\r\nY", b"a"),
        (b"X Y", b"a"),
        (b"X:", b"a"),
        (b"", b"a"),
    ],
)
def test_a_header_that_would_be_another_one_is_refused(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(LocalProtocolError, match=r"^A header can\'t be sent\.$"):
        header_lines([(b"Host", b"h"), header])


@pytest.mark.parametrize("target", [b"/a b", b"/a\r\nX: b", b"/\n", b"/\xff", b"/\0"])
def test_a_target_that_would_be_more_than_one_is_refused(target: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        request_bytes(request(target=target), ROUTE)


@pytest.mark.parametrize("new", PARSERS)
@given(st.lists(st.integers(1, len(ANSWER) - 1), unique=True).map(sorted))
def test_an_answer_is_the_same_however_it_is_cut(
    new: Callable[[], ResponseParser], cuts: list[int]
) -> None:
    edges = [0, *cuts, len(ANSWER)]
    pieces = [ANSWER[start:end] for start, end in itertools.pairwise(edges)]
    http = asked(new)
    assert read(http, pieces) == (
        201,
        [(b"Content-Type", b"text/plain"), (b"Transfer-Encoding", b"chunked")],
        b"onetw",
    )
    assert http.renew()
    http.start(b"POST")
    assert read(http, [ANSWER])[0] == 201


def test_what_an_answer_says_of_itself(new: Callable[[], ResponseParser]) -> None:
    http = asked(new)
    http.receive(b"HTTP/1.0 200 All right\r\n\r\n")
    head = http.head()
    assert head is not None
    assert (head.version, head.reason) == (b"1.0", b"All right")


def test_an_answer_to_a_head_request_has_no_body(new: Callable[[], ResponseParser]) -> None:
    http = asked(new, b"HEAD")
    assert read(http, [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"])[2] == b""
    assert http.renew()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\n",
    ],
)
def test_a_connection_that_must_not_be_used_again(
    answer: bytes, new: Callable[[], ResponseParser]
) -> None:
    http = asked(new)
    assert read(http, [answer])[2] == b"ok"
    assert not http.renew()


def test_an_answer_that_is_not_whole_is_not_followed_by_a_request(
    new: Callable[[], ResponseParser],
) -> None:
    http = asked(new)
    http.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
    assert http.head() is not None
    assert not http.renew()


def test_an_end_before_the_answer(new: Callable[[], ResponseParser]) -> None:
    with pytest.raises(RemoteProtocolError, match="without sending a response"):
        asked(new).receive(b"")


def test_an_end_within_the_body(new: Callable[[], ResponseParser]) -> None:
    http = asked(new)
    http.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
    http.head()
    assert http.chunk() == b"o"
    assert http.chunk() is None
    http.receive(b"")
    with pytest.raises(RemoteProtocolError):
        http.chunk()

"""What is sent over a connection and what is read of it, to the byte."""

import itertools

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client._http.connections.http11 import HTTP11
from conversations_client._http.connections.route import Route

ROUTE = Route(host="h", port=80)
ANSWER = (
    b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
    b"HTTP/1.1 201 Made\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\none\r\n2\r\ntw\r\n0\r\n\r\n"
)


def request(
    method: str = "POST",
    target: bytes = b"/all?limit=1",
    header: tuple[bytes, bytes] = (b"X", b"caf\xe9 \t!"),
    body: bytes = b"",
) -> httpcore.Request:
    url = httpcore.URL(scheme=b"http", host=b"h", port=80, target=target)
    return httpcore.Request(method, url, headers=[(b"Host", b"h"), header], content=body)


def read(http: HTTP11, pieces: list[bytes]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
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


def asked(method: str = "POST") -> HTTP11:
    http = HTTP11(ROUTE)
    http.request(request(method))
    return http


def test_a_request_is_sent_as_it_is() -> None:
    sent = HTTP11(ROUTE).request(request(body=b"body"))
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
    with pytest.raises(httpcore.LocalProtocolError, match=r"^A header can't be sent\.$"):
        HTTP11(ROUTE).request(request(header=header))


@pytest.mark.parametrize("target", [b"/a b", b"/a\r\nX: b", b"/\n", b"/\xff", b"/\0"])
def test_a_target_that_would_be_more_than_one_is_refused(target: bytes) -> None:
    with pytest.raises(httpcore.LocalProtocolError):
        HTTP11(ROUTE).request(request(target=target))


@given(st.lists(st.integers(1, len(ANSWER) - 1), unique=True).map(sorted))
def test_an_answer_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    edges = [0, *cuts, len(ANSWER)]
    pieces = [ANSWER[start:end] for start, end in itertools.pairwise(edges)]
    http = asked()
    assert read(http, pieces) == (
        201,
        [(b"Content-Type", b"text/plain"), (b"Transfer-Encoding", b"chunked")],
        b"onetw",
    )
    assert http.renew()
    http.request(request())
    assert read(http, [ANSWER])[0] == 201


def test_what_an_answer_says_of_itself() -> None:
    http = asked()
    http.receive(b"HTTP/1.0 200 All right\r\n\r\n")
    head = http.head()
    assert head is not None
    extensions: object = head.extensions  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    assert extensions == {"http_version": b"HTTP/1.0", "reason_phrase": b"All right"}


def test_an_answer_to_a_head_request_has_no_body() -> None:
    http = asked("HEAD")
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
def test_a_connection_that_must_not_be_used_again(answer: bytes) -> None:
    http = asked()
    assert read(http, [answer])[2] == b"ok"
    assert not http.renew()


def test_an_answer_that_is_not_whole_is_not_followed_by_a_request() -> None:
    http = asked()
    http.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
    assert http.head() is not None
    assert not http.renew()


def test_an_end_before_the_answer() -> None:
    with pytest.raises(httpcore.RemoteProtocolError, match="without sending a response"):
        asked().receive(b"")


def test_an_end_within_the_body() -> None:
    http = asked()
    http.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
    http.head()
    assert http.chunk() == b"o"
    assert http.chunk() is None
    http.receive(b"")
    with pytest.raises(httpcore.RemoteProtocolError):
        http.chunk()

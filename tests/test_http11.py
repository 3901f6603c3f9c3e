"""The exact bytes that are sent and read over a connection."""

import contextlib
import itertools
import math
import re
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations_client._http.connections.common_parser import CommonParser
from conversations_client._http.connections.h11_parser import H11Parser
from conversations_client._http.connections.parser_protocol import ResponseParser
from conversations_client._http.connections.request_head import header_lines, request_bytes
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
    """The status, headers and body of a response that arrives in these pieces."""
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


PARSERS: list[Callable[[], ResponseParser]] = [H11Parser, CommonParser]


@pytest.fixture(params=PARSERS)
def new(request: pytest.FixtureRequest) -> Callable[[], ResponseParser]:
    found: Callable[[], ResponseParser] = request.param
    return found


def asked(new: Callable[[], ResponseParser], method: bytes = b"POST") -> ResponseParser:
    parser = new()
    parser.start(method)
    return parser


def test_a_request_is_sent_unchanged() -> None:
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
def test_header_injection_is_rejected(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(LocalProtocolError, match=r"^A header can\'t be sent\.$"):
        header_lines([(b"Host", b"h"), header])


@pytest.mark.parametrize("target", [b"/a b", b"/a\r\nX: b", b"/\n", b"/\xff", b"/\0"])
def test_target_injection_is_rejected(target: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        request_bytes(request(target=target), ROUTE)


@pytest.mark.parametrize("new", PARSERS)
@given(st.lists(st.integers(1, len(ANSWER) - 1), unique=True).map(sorted))
def test_a_response_is_the_same_in_any_chunks(
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


def test_what_a_response_reports(new: Callable[[], ResponseParser]) -> None:
    http = asked(new)
    http.receive(b"HTTP/1.0 200 All right\r\n\r\n")
    head = http.head()
    assert head is not None
    assert (head.version, head.reason) == (b"1.0", b"All right")


def test_a_response_to_a_head_request_has_no_body(new: Callable[[], ResponseParser]) -> None:
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


def test_no_request_follows_an_incomplete_response(
    new: Callable[[], ResponseParser],
) -> None:
    http = asked(new)
    http.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
    assert http.head() is not None
    assert not http.renew()


def test_an_end_before_the_response(new: Callable[[], ResponseParser]) -> None:
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


PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 201 \r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204 No\r\n",
        b"HTTP/1.1 100 Go on\r\n\r\n", b"HTTP/1.1 200\r\n", b"HTTP/1.1  200 OK\r\n", b"HTTP/1.1 200 OK\n",
        b"Content-Length: 3\r\n", b"content-length:3\r\n", b"Content-Length: 3, 3\r\n", b"Content-Length: +3\r\n",
        b"Content-Length: 03\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: Chunked\r\n",
        b"Transfer-Encoding: gzip\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Connection: x\r\n",
        b"X: y\r\n", b"X:  y \r\n", b"X:\r\n", b"X: \xe9\r\n", b" folded\r\n", b"X : y\r\n", b"X: a\tb\r\n", b"X: y\n",
        b"Upgrade: h2c\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\n\n", b"abc", b"3\r\nabc\r\n", b"3;x=1\r\nabc\r\n", b"3 \r\nabc\r\n",
        b"3\r\nabcX", b"3\nabc\n", b"03\r\nabc\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"00\r\n\r\n", b"x\r\n", b"-1\r\n", b"\x16\x03\x01",
        b"FFFFFFFFF\r\n", b"0" * 30 + b"\r\n", b"3" * 30, b"",
    ]
)  # fmt: skip
COMMON = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nX: a b\r\nContent-Length: 0\r\n\r\n",
        ANSWER,
    ]
)


def parsed(parser: ResponseParser, pieces: list[bytes]) -> list[object]:
    """Everything that a parser reports about a response that arrives in these pieces."""
    found: list[object] = []
    head, body = None, b""
    try:
        for piece in pieces:
            parser.receive(piece)
            if head is None and (head := parser.head()) is not None:
                found += [head.status, head.headers, head.version, head.reason]
            while head is not None and (chunk := parser.chunk()) is not None:
                body += chunk
                if not chunk:
                    return [*found, body, parser.renew()]
    except RemoteProtocolError as error:
        problem = re.sub(r"[:(].*", "", str(error))
        # Within the size of a chunk, h11's message has less detail.
        found.append("peer closed connection" if "closed connection" in problem else problem)
    return [*found, body]


@given(
    st.tuples(COMMON | st.just(b""), st.lists(PIECES, max_size=6)).map(
        lambda drawn: drawn[0] + b"".join(drawn[1])
    ),
    st.lists(st.integers(0, 200), max_size=4),
    st.booleans(),
)
def test_both_parsers_read_the_same(response: bytes, cuts: list[int], ends: bool) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(response)), len(response)]
    pieces = [response[a:b] for a, b in itertools.pairwise(edges) if a < b] + [b""] * ends
    both = H11Parser(), CommonParser()
    for parser in both:
        parser.start(b"POST")
    assert parsed(both[1], pieces) == parsed(both[0], pieces)


def test_h11_parses_only_as_long_as_necessary() -> None:
    parser = asked(CommonParser)
    close = b"HTTP/1.1 200 OK\r\nX:\r\nContent-Length: 2\r\n\r\nok"
    assert read(parser, [close])[2] == b"ok"
    assert parser.renew()
    parser.start(b"POST")
    assert read(parser, [ANSWER[ANSWER.index(b"HTTP/1.1 201") :]])[2] == b"onetw"
    assert parser.renew()


def test_no_response_yet() -> None:
    parser = asked(CommonParser)
    assert not parser.renew()
    assert parser.head() is None


STATUS = b"HTTP/1.1 200 OK\r\n"
SIZED = STATUS + b"Content-Length: %b\r\n\r\n"
CHUNKS = STATUS + b"Transfer-Encoding: chunked\r\n\r\n"
WITHOUT_H11: dict[str, tuple[bytes, bytes]] = {
    "a length": (SIZED % b"3" + b"abc", b"abc"),
    "a length of 0": (SIZED % b"0", b""),
    "a length of 18 digits": (SIZED % (b"0" * 17 + b"3") + b"abc", b"abc"),
    "a status that has a body": (SIZED.replace(b"200", b"205") % b"3" + b"abc", b"abc"),
    "keep-alive": (STATUS + b"Connection: keep-alive\r\nContent-Length: 1\r\n\r\na", b"a"),
    "chunks": (CHUNKS + b"3\r\nabc\r\n1f\r\n" + b"d" * 31 + b"\r\n0\r\n\r\n", b"abc" + b"d" * 31),
    "no chunks": (CHUNKS + b"0\r\n\r\n", b""),
    "a size of 8 digits": (CHUNKS + 2 * b"00000001\r\na\r\n" + b"0\r\n\r\n", b"aa"),
}
WITH_H11 = {
    "a length of 19 digits": SIZED % (b"0" * 18 + b"1") + b"a",
    "a length that is no number": SIZED % b"+1" + b"a",
    "two lengths": STATUS + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "a status without a body": SIZED.replace(b"200", b"204") % b"0",
    "a cached response": SIZED.replace(b"200", b"304") % b"1",
    "the last": STATUS + b"Connection: close\r\nContent-Length: 1\r\n\r\na",
    "a length that nothing has": STATUS + b"\r\na",
    "a chunk with an extension": CHUNKS + b"1;x=1\r\na\r\n0\r\n\r\n",
    "a trailer": CHUNKS + b"1\r\na\r\n0\r\nX: y\r\n\r\n",
    "a size of 9 digits": CHUNKS + b"000000001\r\na\r\n0\r\n\r\n",
    "a chunk without a line end": CHUNKS + b"1\r\naX",
    "half a line end": CHUNKS + b"1\r\na\rX",
    "a size without a carriage return": CHUNKS + b"1\na\r\n0\r\n\r\n",
    "a head without carriage returns": b"HTTP/1.1 200 OK\n\n",
    "a head with one carriage return": b"HTTP/1.1 200 OK\n\r\n",
    "another protocol": b"SSH-2.0",
    "a large head": STATUS + b"X: " + b"y" * (16 * 2**10 + 1 - len(STATUS) - 3),
}


def feed(parser: CommonParser, pieces: Iterable[bytes]) -> tuple[bytes, bool]:
    """The body of a response that arrives in these pieces, and whether it is complete."""
    head, body, ended = None, b"", False
    for piece in pieces:
        parser.receive(piece)
        head = head or parser.head()
        while head is not None and (chunk := parser.chunk()) is not None:
            body += chunk
            if not chunk:
                ended = True
                break
    return body, ended


@pytest.mark.parametrize(("response", "body"), WITHOUT_H11.values(), ids=WITHOUT_H11)
def test_a_common_response_in_any_chunks_needs_no_h11(response: bytes, body: bytes) -> None:
    ways = [[response], [response[at : at + 1] for at in range(len(response))]]
    ways += [[response[:at], response[at:]] for at in range(1, len(response))]
    for pieces in ways:
        parser = CommonParser()
        assert feed(parser, pieces) == (body, True)
        assert parser.renew()
        assert parser._h11 is None


@pytest.mark.parametrize("response", WITH_H11.values(), ids=WITH_H11)
def test_h11_parses_every_other_response(response: bytes) -> None:
    for pieces in ([response], [response[at : at + 1] for at in range(len(response))]):
        parser = asked(CommonParser)
        assert isinstance(parser, CommonParser)
        with contextlib.suppress(RemoteProtocolError):
            feed(parser, pieces)
        assert parser._h11 is not None


@pytest.mark.parametrize(
    "rest", [b"", b"3", b"3\r", b"3\r\n", b"3\r\nab", b"3\r\nabc", b"3\r\nabc\r", b"3\r\nabc\r\n"]
)
@pytest.mark.parametrize("more", [b"", b"4", b"\x16\x03\x01"])
def test_a_body_that_ends_too_early_is_the_same_error(rest: bytes, more: bytes) -> None:
    both = H11Parser(), CommonParser()
    for parser in both:
        parser.start(b"POST")
    pieces = [CHUNKS + rest + more, b""]
    assert parsed(both[1], pieces) == parsed(both[0], pieces)


@pytest.mark.parametrize("rest", [b"3;x=1\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n0\r\nX: y\r\n\r\n"])
def test_h11_continues_a_body_after_a_common_chunk(rest: bytes) -> None:
    response = CHUNKS + b"2\r\nde\r\n" + rest
    for pieces in ([response], [response[at : at + 1] for at in range(len(response))]):
        parser = CommonParser()
        assert feed(parser, pieces) == (b"deabc", True)
        assert parser._h11 is not None
        assert parser.renew()


def test_a_body_is_known_to_be_complete() -> None:
    parser = CommonParser()
    parser.receive(SIZED % b"3" + b"ab")
    assert parser.head() is not None
    assert (parser.chunk(), parser.is_complete) == (b"ab", False)
    parser.receive(b"c")
    assert (parser.chunk(), parser.is_complete) == (b"c", True)


@pytest.mark.parametrize("response", [CHUNKS + b"1\r\na\r\n", WITH_H11["the last"]])
def test_a_body_is_not_known_to_be_complete(
    response: bytes, new: Callable[[], ResponseParser]
) -> None:
    parser = asked(new)
    parser.receive(response)
    assert parser.head() is not None
    assert (parser.chunk(), parser.is_complete) == (b"a", False)


@pytest.mark.parametrize("size", [1, 16 * 2**10])
def test_an_incomplete_head_of_a_common_response_is_waited_for(size: int) -> None:
    parser = CommonParser()
    parser.receive((STATUS + b"X: ").ljust(16 * 2**10, b"y")[:size])
    assert (parser.head(), parser._h11) == (None, None)


def test_no_request_follows_a_body_that_was_not_read_completely() -> None:
    for begun in (SIZED % b"2" + b"a", CHUNKS, CHUNKS + b"1\r\na", CHUNKS + b"2\r\na"):
        parser = CommonParser()
        feed(parser, [begun])
        assert not parser.renew()
    parser = CommonParser()
    parser.receive(SIZED % b"0")
    assert parser.head() is not None
    assert parser.renew()


@pytest.mark.parametrize(
    ("begun", "reason"),
    [
        (SIZED % b"3" + b"a", "received 1 bytes, expected 3"),
        (CHUNKS + b"3\r\na", "incomplete chunked read"),
        (CHUNKS, "incomplete chunked read"),
        (CHUNKS + b"3", "incomplete chunked read"),
        (CHUNKS + b"1\r\na", "incomplete chunked read"),
        (CHUNKS + b"1\r\na\r\n", "incomplete chunked read"),
        (CHUNKS + b"1\r\na\r\n0\r\n", "incomplete chunked read"),
    ],
)
def test_an_incomplete_body_is_described(begun: bytes, reason: str) -> None:
    parser = CommonParser()
    feed(parser, [begun])
    parser.receive(b"")
    assert parser._h11 is None
    with pytest.raises(RemoteProtocolError, match=re.escape(f"message body ({reason})")):
        parser.chunk()


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n|1;%b\r\n \r\n" % (b"x" * 999),
        b"HTTP/1.1 200 OK\r\n|X: x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX: |x",
    ],
)
def test_data_outside_the_body_is_limited(
    new: Callable[[], ResponseParser], endless: bytes
) -> None:
    first, _, again = endless.rpartition(b"|")
    with pytest.raises(RemoteProtocolError, match=r"is longer than 102400 bytes|too much data"):
        read(asked(new), [first] * bool(first) + [again * 100] * 10_000)


def test_a_body_can_have_one_byte_chunks_with_long_lines(
    new: Callable[[], ResponseParser],
) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [b"1;name=value\r\nx\r\n"] * 50_000
    assert read(asked(new), [head, *pieces, b"0\r\n\r\n"])[2] == b"x" * 50_000

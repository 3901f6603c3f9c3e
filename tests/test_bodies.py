"""Undecodable bodies and undocumented successes, in every variant."""

import gzip
import json
import os
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from injected import STACKS, made, run
from scripted import CONVERSATION, ScriptedServer, answer
from streaming import WHOLE, head, streamed
from variants import KEY, Variant, World, everything

from conversations_client import (
    BadRequestError,
    ConversationsError,
    DecodeError,
    Delivery,
    NotFoundError,
    RateLimitError,
    ResponseTooLargeError,
    Retry,
    StreamTruncatedError,
    Timeout,
)
from conversations_client._http.content_decoding import BodyDecoder

JSON = json.dumps(CONVERSATION).encode()
PAGE: dict[str, Any] = {"object": "list", "data": [], "has_more": False}
HTML = b"<html>Please log in to this network.</html>"


def create(client: Any) -> Any:
    return client.conversations.create()


def delete(client: Any) -> Any:
    return client.conversations.delete("conv_1")


def failure(
    variant: Variant, call: Callable[[Any], Any], script: list[Any], **options: Any
) -> ConversationsError:
    world = options.pop("world", World())
    with ScriptedServer(script) as server, pytest.raises(ConversationsError) as raised:
        variant.run(call, world=world, api_key=KEY, base_url=server.url, **options)
    assert len(server.seen) == raised.value.attempts
    return raised.value


@pytest.mark.parametrize("limit", [sys.maxsize, 10**30])
def test_any_limit_can_be_used_for_no_limit(variant: Variant, limit: int) -> None:
    body = gzip.compress(json.dumps(CONVERSATION).encode())
    with ScriptedServer([answer(201, body, Content_Encoding="gzip")]) as server:
        created = variant.run(
            lambda client: client.conversations.create(),
            api_key=KEY,
            base_url=server.url,
            max_response_bytes=limit,
        )
    assert created.id == CONVERSATION["_id"]


# The status of an error doesn't depend on its body.

UNREADABLE: dict[str, tuple[bytes, str]] = {
    "brotli": (b"\x8b\x02\x80", "br"),
    "zstd": (b"\x28\xb5\x2f\xfd", "zstd"),
    "several": (gzip.compress(b"{}"), "gzip, gzip"),
    "no gzip": (b'{"message": "no"}', "gzip"),
    "half a gzip": (gzip.compress(b'{"message": "no"}')[:-6], "gzip"),
    "garbage after gzip": (gzip.compress(b"{}") + b"garbage", "gzip"),
    "a damaged gzip": (gzip.compress(b"{}" * 99)[:-8] + b"12345678", "gzip"),
    "deflate": (b"garbage", "deflate"),
    "real deflate": (zlib.compress(b"{}"), "deflate"),
}


@pytest.mark.parametrize(("body", "encoding"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_status_error_is_raised_even_if_its_body_cannot_be_decoded(
    variant: Variant, body: bytes, encoding: str
) -> None:
    refused = answer(429, body, Retry_After="0", Content_Encoding=encoding)
    with ScriptedServer([refused, answer()]) as server:
        assert variant.run(create, api_key=KEY, base_url=server.url).id == CONVERSATION["_id"]
    assert len(server.seen) == 2
    error = failure(variant, create, [refused] * 3)
    assert isinstance(error, RateLimitError)
    assert (error.delivery, error.body, error.service_message) == (Delivery.REFUSED, b"", None)
    assert error.headers["content-encoding"] == encoding


@pytest.mark.parametrize(
    "reply",
    [
        answer(400, b'{"message": "\xe9"}', Content_Type="application/json; charset=latin-1"),
        answer(400, b'{"message": "x"}', Content_Type="text/plain; charset=klingon"),
        answer(400, gzip.compress(bytes(10**7)), Content_Encoding="gzip"),
        answer(400, b"x" * 2000),
        answer(400, b"{}", Content_Length="99") + b"",
        b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["latin-1", "klingon", "bomb", "large", "cut off", "bad chunk"],
)
def test_an_error_with_any_body_keeps_its_status(variant: Variant, reply: bytes) -> None:
    error = failure(variant, create, [[reply]], max_response_bytes=1000, timeout=Timeout(idle=0.5))
    assert type(error) is BadRequestError
    assert (error.delivery, error.attempts) == (Delivery.REFUSED, 1)


def test_an_error_whose_body_ends_at_the_deadline_keeps_its_status(variant: Variant) -> None:
    reply = b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n{"
    with ScriptedServer([[reply]]) as server, pytest.raises(NotFoundError) as raised:
        variant.run(delete, api_key=KEY, base_url=server.url, timeout=1)
    assert raised.value.delivery is Delivery.REFUSED


def respond(client: Any) -> Any:
    return client.conversations.responses.create("conv_1", message="x", model="a/b")


def run_over(variant: Variant, stack: Any, url: str) -> None:
    if stack is None:
        variant.run(respond, api_key=KEY, base_url=url)
    else:
        run(variant, made(stack), respond, base_url=url)


@pytest.mark.parametrize("stack", [None, *STACKS])
def test_an_error_of_a_stream_keeps_its_status(variant: Variant, stack: Any) -> None:
    reply = answer(429, b"?", Retry_After="99", Content_Encoding="br")
    with ScriptedServer([reply]) as server, pytest.raises(RateLimitError) as raised:
        run_over(variant, stack, server.url)
    assert (raised.value.retry_after, raised.value.delivery) == (99.0, Delivery.REFUSED)


@pytest.mark.parametrize(("body", "encoding"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_success_that_cannot_be_decoded_may_have_acted(
    variant: Variant, body: bytes, encoding: str
) -> None:
    error = failure(variant, create, [answer(201, body, Content_Encoding=encoding)])
    assert isinstance(error, DecodeError)
    assert (error.status, error.delivery, error.is_temporary) == (201, Delivery.UNKNOWN, False)


# The success of each operation.


def calls() -> dict[str, tuple[Callable[[Any], Any], set[int], Any]]:
    """Each operation with its successful statuses and its body."""
    return {
        "create": (create, {200, 201}, CONVERSATION),
        "list": (lambda c: everything(c.conversations.list()), {200, 201}, PAGE),
        "retrieve": (lambda c: c.conversations.retrieve("conv_1"), {200, 201}, CONVERSATION),
        "update": (
            lambda c: c.conversations.update("conv_1", display_name="x"),
            {200, 201},
            CONVERSATION,
        ),
        "delete": (delete, {204}, b""),
        "generate name": (
            lambda c: c.conversations.generate_name("conv_1", context="x"),
            {200, 201},
            CONVERSATION,
        ),
    }


@pytest.mark.parametrize("name", calls())
def test_a_success_of_an_operation(variant: Variant, name: str) -> None:
    call, statuses, body = calls()[name]
    for status in statuses:
        with ScriptedServer([answer(status, body)]) as server:
            variant.run(call, api_key=KEY, base_url=server.url)


@pytest.mark.parametrize("name", calls())
def test_any_other_success_is_an_error_that_may_have_acted(variant: Variant, name: str) -> None:
    call, statuses, body = calls()[name]
    replies = {status: answer(status, body) for status in {200, 201, 202, 203, 206, 226} - statuses}
    pages = [answer(status, HTML, Content_Type="text/html") for status in (200, 201, 202)]
    empty = [
        answer(200, b""),
        answer(202, b""),
        *([answer(204, b"")] if 204 not in statuses else []),
    ]
    for reply in [*replies.values(), *pages, *empty]:
        error = failure(variant, call, [reply])
        assert isinstance(error, DecodeError), reply
        assert (error.delivery, error.attempts) == (Delivery.UNKNOWN, 1)


def test_a_stream_with_another_status(variant: Variant) -> None:
    for reply in (
        streamed(WHOLE).replace(b"200 OK", b"202 Accepted", 1),
        answer(204, b"", Content_Type="text/event-stream"),
        answer(200, HTML, Content_Type="text/html"),
    ):
        for make in map(made, STACKS):
            with ScriptedServer([reply]) as server, pytest.raises(StreamTruncatedError) as raised:
                run(variant, make, respond, base_url=server.url)
            assert (raised.value.may_have_acted, raised.value.is_temporary) == (True, False)
    assert head().startswith(b"HTTP/1.1 200")


def test_a_body_is_an_error_where_none_is_expected(variant: Variant) -> None:
    def ask(client: Any) -> Any:
        return client.request("DELETE", "/v2/tags/1", returns=type(None))

    for status in (200, 202, 204):
        with ScriptedServer([answer(status, b"")]) as server:
            variant.run(ask, api_key=KEY, base_url=server.url)
    error = failure(variant, ask, [answer(200, HTML, Content_Type="text/html")])
    assert "expected no body" in str(error)


# Decompression.

GOOD: dict[str, bytes] = {
    "one member": gzip.compress(JSON),
    "two members": gzip.compress(JSON[:9]) + gzip.compress(JSON[9:]),
    "an empty member": gzip.compress(b"") + gzip.compress(JSON) + gzip.compress(b""),
    "many members": b"".join(gzip.compress(JSON[i : i + 1]) for i in range(len(JSON))),
    "zeros at the end": gzip.compress(JSON) + bytes(1000),
    "zeros between members": gzip.compress(JSON[:9]) + bytes(9) + gzip.compress(JSON[9:]),
}


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_gzip_with_several_members_is_read(variant: Variant, body: bytes) -> None:
    with ScriptedServer([answer(201, body, Content_Encoding="gzip")]) as server:
        assert variant.run(create, api_key=KEY, base_url=server.url).id == CONVERSATION["_id"]


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 40), st.integers(0, 9))
def test_members_are_decompressed_unchanged(parts: list[bytes], size: int, zeros: int) -> None:
    body = b"".join(map(gzip.compress, parts)) + (bytes(zeros) if parts else b"")
    decoder = BodyDecoder("x-gzip", limit=1000)
    assert all(decoder.feed(body[at : at + size]) for at in range(0, len(body), size))
    assert (decoder.finish(), decoder.problem) == (b"".join(parts), None)


@given(st.binary(min_size=1, max_size=40), st.integers(1, 40))
def test_only_members_and_zeros_can_follow_a_member(garbage: bytes, size: int) -> None:
    body = gzip.compress(b"{}") + garbage
    decoder = BodyDecoder("gzip", limit=1000)
    for at in range(0, len(body), size):
        decoder.feed(body[at : at + size])
    is_padding = not garbage.strip(b"\0")
    assert (decoder.finish() == b"{}") is is_padding
    assert (decoder.problem is None) is is_padding


def test_decompression_is_limited() -> None:
    for limit in (0, 1, 999, 1000):
        for encoding, body in (("", b"x" * 1000), ("gzip", gzip.compress(b"x" * 1000))):
            decoder = BodyDecoder(encoding, limit=limit)
            assert decoder.feed(body) is (limit == 1000)
            assert decoder.is_too_large is (limit < 1000)
            assert decoder.finish() == (b"x" * 1000 if limit == 1000 else b"")


def test_a_chunk_of_any_size_is_read_in_slices() -> None:
    whole = bytes(range(256)) * 2000
    for body in (gzip.compress(whole, 0), b"".join(gzip.compress(whole[:1]) for _ in range(9000))):
        decoder = BodyDecoder("gzip", limit=10**6)
        assert decoder.feed(body)
        assert decoder.finish() in {whole, whole[:1] * 9000}
    broken = BodyDecoder("gzip", limit=10**6)
    assert not broken.feed(gzip.compress(b"{}") + b"garbage" * 10**5)
    assert not broken.feed(b"more")
    assert (broken.finish(), broken.problem) == (b"", "the body could not be decompressed")


EMPTY = gzip.compress(b"")
BOMB = gzip.compress(bytes(10**8))


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        gzip.compress(bytes(10**5 + 1)) + BOMB,
        EMPTY + gzip.compress(bytes(10**5)) * 500,
    ],
    ids=["one member", "a member after the limit", "many members"],
)
def test_memory_use_is_limited(body: bytes) -> None:
    tracemalloc.start()
    try:
        decoder = BodyDecoder("gzip", limit=10**5)
        assert not decoder.feed(body)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_earlier_data_counts_toward_the_memory_limit() -> None:
    decoder = BodyDecoder("gzip", limit=10**6)
    assert decoder.feed(gzip.compress(bytes(10**6)))
    tracemalloc.start()
    try:
        assert not decoder.feed(BOMB)
        assert tracemalloc.get_traced_memory()[1] < 5 * 10**5
    finally:
        tracemalloc.stop()


def test_a_member_after_a_body_of_the_maximum_size_is_read() -> None:
    full = gzip.compress(b"abcd")
    for more, problem in (
        (EMPTY, None),
        (gzip.compress(b"e"), "the body is larger than max_response_bytes=4"),
        (b"garbage", "the body could not be decompressed"),
        (EMPTY[:5], "the compressed body is incomplete"),
    ):
        decoder = BodyDecoder("gzip", limit=4)
        decoder.feed(full + more)
        assert decoder.finish() == (b"" if problem else b"abcd")
        assert decoder.problem == problem


def test_only_gzip_is_decompressed_and_with_the_largest_window() -> None:
    decoder = BodyDecoder("gzip", limit=10)
    assert not decoder.feed(zlib.compress(b"{}"))
    assert decoder.problem == "the body could not be decompressed"
    far_apart = os.urandom(20_000) * 2
    decoder = BodyDecoder("gzip", limit=10**5)
    assert decoder.feed(gzip.compress(far_apart))
    assert decoder.finish() == far_apart


@pytest.mark.parametrize("endless", [EMPTY, bytes(20)], ids=["empty", "zeros"])
def test_a_body_that_decompresses_to_nothing_ends(endless: bytes) -> None:
    decoder = BodyDecoder("gzip", limit=10_000)
    decoder.feed(gzip.compress(b"{}"))
    fed = 0
    while decoder.feed(endless * 100):
        fed += len(endless) * 100
        assert fed < 20_000
    assert decoder.is_too_large


@pytest.mark.parametrize("encoding", ["", "identity", " Identity ", ",", "identity, "])
def test_a_body_without_encoding_is_unchanged(encoding: str) -> None:
    decoder = BodyDecoder(encoding, limit=4)
    assert (decoder.feed(b"{}"), decoder.feed(b"  "), decoder.finish()) == (True, True, b"{}  ")


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZip,", ",gzip", "identity, gzip"])
def test_a_list_with_one_encoding_is_that_encoding(encoding: str) -> None:
    decoder = BodyDecoder(encoding, limit=4)
    assert (decoder.feed(gzip.compress(b"{}")), decoder.finish()) == (True, b"{}")


@pytest.mark.parametrize(
    "encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip, br", "gzip;q=1"]
)
def test_an_encoding_that_was_not_requested_is_rejected(encoding: str) -> None:
    decoder = BodyDecoder(encoding, limit=4)
    assert (decoder.feed(b"{}"), decoder.finish()) == (False, b"")
    assert decoder.problem == "the content encoding was not requested"
    assert not decoder.is_too_large


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_decodable_body_is_recognized_by_its_first_bytes(size: int) -> None:
    for text in (b'{"a": 1}', b"\x1f{}" if size > 1 else b"{}"):
        for body in (text, gzip.compress(text)):
            decoder = BodyDecoder(" GZIP ", limit=100, may_be_decoded=True)
            assert decoder.feed(b"")
            for at in range(0, len(body), size):
                assert decoder.feed(body[at : at + size])
            assert decoder.finish() == text
    strict = BodyDecoder("gzip", limit=100)
    assert (strict.feed(b"{}"), strict.finish()) == (False, b"")


def test_a_truncated_compressed_body_is_incomplete() -> None:
    whole = gzip.compress(b"{}")
    for end in range(1, len(whole)):
        decoder = BodyDecoder("gzip", limit=100)
        assert decoder.feed(whole[:end])
        assert decoder.finish() == b""
        assert decoder.problem == "the compressed body is incomplete"
    assert BodyDecoder("gzip", limit=100).finish() == b""


def test_a_compressed_body_may_be_a_little_larger_than_the_limit() -> None:
    # The limit is 6400 bytes minus 100 (one in 64) and 1024.
    decoder = BodyDecoder("gzip", limit=5276)
    assert decoder.feed(EMPTY.ljust(6400, b"\0"))
    seen = [decoder.is_too_large, decoder.problem]
    assert not decoder.feed(b"\0")
    assert [*seen, decoder.is_too_large, decoder.problem] == [
        False,
        None,
        True,
        "the body is larger than max_response_bytes=5276",
    ]
    assert decoder._parts == []


def test_the_limit_applies_to_the_decompressed_size(variant: Variant) -> None:
    reply = answer(201, gzip.compress(bytes(10**7)), Content_Encoding="gzip")
    error = failure(variant, create, [reply], max_response_bytes=1000, retry=Retry(attempts=1))
    assert isinstance(error, ResponseTooLargeError)
    assert (error.may_have_acted, error.is_temporary) == (True, False)


def test_nothing_is_read_after_the_limit(variant: Variant) -> None:
    endless = b"HTTP/1.1 201 Created\r\nContent-Length: 99999\r\n\r\n" + b"x" * 1001
    timeout = Timeout(total=20)  # the rest never comes
    error = failure(variant, create, [[endless]], max_response_bytes=1000, timeout=timeout)
    assert isinstance(error, ResponseTooLargeError)


@pytest.mark.parametrize("stack", STACKS)
def test_the_limit_applies_to_what_a_hook_has_read(variant: Variant, stack: Any) -> None:
    def make(name: str) -> Any:
        def read(response: Any) -> None:
            response.read()

        async def read_async(response: Any) -> None:
            await response.aread()

        hook = read if name == "Client" else read_async
        return getattr(stack, name)(event_hooks={"response": [hook]})

    for size in (1000, 1001):
        reply = answer(400, json.dumps("x" * (size - 2)).encode())
        with ScriptedServer([reply]) as server, pytest.raises(BadRequestError) as raised:
            run(variant, make, create, base_url=server.url, max_response_bytes=1000)
        assert len(raised.value.body) == (size if size == 1000 else 0)
    reply = answer(201, b"x" * 1001)
    with ScriptedServer([reply]) as server, pytest.raises(ResponseTooLargeError):
        run(variant, make, create, base_url=server.url, max_response_bytes=1000)

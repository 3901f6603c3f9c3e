"""Messages of connection errors, independent of the libraries' messages."""

from typing import Any

import httpx
import pytest
from faulty import FaultyServer, Step, receive, reset
from injected import made, run
from scripted import ScriptedServer, answer
from variants import KEY, Variant

from conversations_client import (
    BadRequestError,
    ConversationsError,
    Delivery,
    DisconnectError,
    StatusError,
)


async def create(client: Any) -> Any:
    return await client.conversations.create()


def failure(variant: Variant, way: str, steps: list[Step]) -> ConversationsError:
    """The error of a call over the client's own connections, or through an injected client."""
    with FaultyServer(steps) as server, pytest.raises(ConversationsError) as raised:
        call(variant, way, server.url)
    return raised.value


def call(variant: Variant, way: str, url: str) -> None:
    if way == "injected":
        run(variant, made(httpx, verify=False), create, base_url=url)
    else:
        variant.run(lambda c: c.conversations.create(), api_key=KEY, base_url=url)


WAYS = pytest.mark.parametrize("way", ["own", "injected"])


@WAYS
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"\x16\x03\x01\x00\x02", "(the response is not HTTP)"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "(the server switched to a protocol that"),
        (b"HTTP/1.1 099 ?\r\n\r\n", "(the response has an invalid status)"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "(illegal status line"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "(illegal header line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n", "(bad Content-Length)"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "(illegal chunk header"),
    ],
)
def test_an_invalid_response_is_explained_without_the_parsers_message(
    variant: Variant, way: str, reply: bytes, words: str
) -> None:
    error = failure(variant, way, [receive, reply])
    assert type(error) is DisconnectError
    assert words in str(error)
    for word in ("bytearray", "b'", "_SWITCH", "InformationalResponse", "request line"):
        assert word not in str(error)


@WAYS
def test_a_reset_is_named(variant: Variant, way: str) -> None:
    error = failure(variant, way, [receive, answer(200)[:40], reset])
    assert type(error) is DisconnectError
    assert "Connection reset by peer" in str(error)


def test_a_response_that_ends_in_its_headers_is_not_reported_as_missing(variant: Variant) -> None:
    error = failure(variant, "own", [receive, b"220 mail.example ESMTP\r\n"])
    assert "disconnected before the end of the head" in str(error)


def test_304_is_not_a_redirect(variant: Variant) -> None:
    reply = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"
    with ScriptedServer([reply]) as server, pytest.raises(StatusError) as raised:
        variant.run(lambda c: c.conversations.create(), api_key=KEY, base_url=server.url)
    error = raised.value
    assert (type(error), error.status, error.delivery) == (StatusError, 304, Delivery.UNKNOWN)
    assert "redirect" not in str(error)


@pytest.mark.parametrize("message", ["Wrong.", "Wrong", "Wrong!", "Wait …", "a. b."])
def test_the_services_message_keeps_its_last_character(variant: Variant, message: str) -> None:
    reply = answer(400, {"message": message})
    with ScriptedServer([reply]) as server, pytest.raises(BadRequestError) as raised:
        variant.run(lambda c: c.conversations.create(), api_key=KEY, base_url=server.url)
    assert raised.value.service_message == message
    assert f": {message}" in str(raised.value)
    assert ".." not in str(raised.value)

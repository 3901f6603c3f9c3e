"""TLS over another stream: data, ends and errors."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Generator

import pytest
import trustme
from certificates import client_context, server_context

from conversations_client._http.streams.errors import ReadError
from conversations_client._http.streams.sync_stream import SocketStream
from conversations_client._http.streams.tls_stream import TLSStream

HOST = "api.invalid"
SECONDS = 10.0


@contextlib.contextmanager
def connected(
    authority: trustme.CA, then: Callable[[ssl.SSLSocket], None]
) -> Generator[TLSStream, None, None]:
    """A stream to a peer that sends a byte and then runs `then`."""

    def serve() -> None:
        theirs.settimeout(SECONDS)
        with tls.wrap_socket(theirs, server_side=True) as peer:
            peer.sendall(b"x")
            then(peer)

    tls = server_context(authority, HOST)
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve)
    thread.start()
    outer = SocketStream(ours)
    try:
        stream = TLSStream.open(outer, client_context(authority), HOST, SECONDS)
        assert stream.read(10, SECONDS) == b"x"
        yield stream
    finally:
        outer.close()
        thread.join(SECONDS)


def hang_up(peer: ssl.SSLSocket) -> None:
    socket.socket.shutdown(peer, socket.SHUT_RDWR)


def send_garbage(peer: ssl.SSLSocket) -> None:
    socket.socket.sendall(peer, b"\x17\x03\x03\x00\x20" + b"x" * 32)


def test_a_peer_that_hangs_up_ends_the_data(authority: trustme.CA) -> None:
    with connected(authority, hang_up) as stream:
        assert stream.read(10, SECONDS) == b""


def test_data_that_cannot_be_decrypted_is_an_error(authority: trustme.CA) -> None:
    with (
        connected(authority, send_garbage) as stream,
        pytest.raises(ReadError, match=r"(?i)mac|record layer"),
    ):
        stream.read(10, SECONDS)


def test_what_a_stream_reports_about_its_connection(authority: trustme.CA) -> None:
    with connected(authority, hang_up) as stream:
        assert stream.get_extra_info("ssl_object").version() == "TLSv1.3"
        assert stream.get_extra_info("socket").fileno() > 0
        assert stream.get_extra_info("is_readable") is stream.is_readable()
        assert stream.read(10, SECONDS) == b""
        assert stream.get_extra_info("is_readable") is True


def test_a_connection_that_cannot_be_encrypted_is_closed(authority: trustme.CA) -> None:
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(ValueError, match="server_hostname"):
        SocketStream(ours).start_tls(client_context(authority), "")
    assert ours.fileno() == -1

"""TLS: names, client certificates, and the variables for certificates."""

import os
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from certificates import client_context, server_context
from faulty import FaultyServer, receive
from injected import STACKS, made
from injected import run as run_injected
from scripted import ScriptedServer, answer
from variants import KEY, Variant

from conversations_client import ConfigurationError, Delivery, DisconnectError, TLSError
from conversations_client._base.causes import causes
from conversations_client._base.secret import Secret
from conversations_client._http.httpx_clients.progress import Progress
from conversations_client._http.network.tls import shared_tls
from conversations_client._http.streams.errors import ConnectError
from conversations_client._http.streams.tls_errors import is_tls
from conversations_client._http.transport_errors import transport_error


def alert(visit: Any) -> None:
    # An unencrypted alert is an error of the record layer, not a rejection.
    raw = socket.socket(fileno=socket.dup(visit.connection.fileno()))
    with raw:
        raw.sendall(b"\x15\x03\x03\x00\x02\x02\x74")


def create(client: Any) -> Any:
    return client.conversations.create()


# Client certificates.


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("has_certificate", [False, True])
def test_a_service_that_requires_another_certificate(
    variant: Variant, authority: trustme.CA, version: ssl.TLSVersion, has_certificate: bool
) -> None:
    context = client_context(authority)
    context.maximum_version = version
    if has_certificate:
        trustme.CA().issue_cert("client.example").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    with ScriptedServer(
        [answer()], tls=server_context(authority, "127.0.0.1", asks=True)
    ) as server:
        with pytest.raises(TLSError) as raised:
            variant.run(create, api_key=KEY, base_url=server.url, ssl_context=context)
        assert server.seen == []
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 1)
    assert "alert" in str(raised.value)
    assert "pass an ssl_context with one" in str(raised.value)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_injected_client_without_the_certificate_that_the_service_requires(
    variant: Variant, authority: trustme.CA, version: ssl.TLSVersion, stack: Any
) -> None:
    context = client_context(authority)
    context.maximum_version = version

    async def scenario(client: Any) -> None:
        with pytest.raises(TLSError) as raised:
            await client.conversations.create()
        assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 1)
        assert "pass an ssl_context with one" in str(raised.value)

    def reject(visit: Any) -> None:
        # Closing at once would reset the connection, perhaps before the client reads the alert.
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server_side = server_context(authority, "127.0.0.1", asks=True)
        tls = server_side.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                visit.connection.sendall(outgoing.read())
                incoming.write(visit.connection.recv(2**16))
            except ssl.SSLError:
                break
        visit.connection.sendall(outgoing.read())
        visit.connection.shutdown(socket.SHUT_WR)
        while visit.connection.recv(2**16):
            pass

    with FaultyServer([reject]) as server:
        make = made(stack, verify=context, trust_env=False)
        url = server.url.replace("http://", "https://")
        run_injected(variant, make, scenario, base_url=url)


def test_a_rejected_certificate_after_the_request_was_sent_proves_nothing() -> None:
    def progress(*events: str) -> Progress:
        request = httpx.Request("POST", "https://x")
        recorded = Progress(request)
        for event in events:
            recorded.report(event, {"request": request})
        return recorded

    request = httpx.Request("POST", "https://x")
    error = httpx.ReadError("", request=request)
    error.__cause__ = ssl.SSLError(1, "")
    error.__cause__.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    opened, sent = "connection.start_tls.complete", "http11.send_request_headers.started"
    assert progress(opened, sent).rejected_certificate(error) is not None
    assert progress(opened, sent, opened, sent).rejected_certificate(error) is None


@pytest.mark.parametrize("stack", STACKS)
def test_an_alert_on_a_used_connection_of_an_injected_client_may_be_too_late(
    variant: Variant, authority: trustme.CA, stack: Any
) -> None:
    async def scenario(client: Any) -> None:
        await client.conversations.create()
        with pytest.raises(DisconnectError) as raised:
            await client.conversations.create()
        assert raised.value.delivery is Delivery.UNKNOWN

    with FaultyServer(
        [receive, answer(), receive, alert], tls=server_context(authority, "127.0.0.1")
    ) as server:
        make = made(stack, verify=client_context(authority), trust_env=False)
        run_injected(variant, make, scenario, base_url=server.url)


def test_a_service_that_accepts_the_certificate(variant: Variant, authority: trustme.CA) -> None:
    context = client_context(authority)
    authority.issue_cert("client.example").configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    with ScriptedServer(
        [answer()], tls=server_context(authority, "127.0.0.1", asks=True)
    ) as server:
        assert variant.run(create, api_key=KEY, base_url=server.url, ssl_context=context).id


def test_a_large_request_to_a_service_that_requires_a_certificate(
    variant: Variant, authority: trustme.CA
) -> None:
    with ScriptedServer(
        [answer()], tls=server_context(authority, "127.0.0.1", asks=True)
    ) as server:
        with pytest.raises(TLSError) as raised:
            variant.run(
                lambda client: client.request("POST", "/x", returns=dict, body="x" * 9_000_000),
                api_key=KEY,
                base_url=server.url,
                ssl_context=client_context(authority),
            )
        assert server.seen == []
    assert raised.value.delivery is Delivery.UNSENT


def test_an_alert_after_the_start_of_the_response_may_be_too_late(
    variant: Variant, authority: trustme.CA
) -> None:
    with (
        FaultyServer(
            [receive, b"HTTP/1.1 201 Created\r\n", alert],
            tls=server_context(authority, "127.0.0.1"),
        ) as server,
        pytest.raises(DisconnectError) as raised,
    ):
        variant.run(create, api_key=KEY, base_url=server.url, ssl_context=client_context(authority))
    assert raised.value.delivery is Delivery.UNKNOWN


# Names.


def test_a_host_with_a_trailing_dot(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> None:
    with ScriptedServer([answer()], tls=server_context(authority, "api.example")) as server:
        look_up = socket.getaddrinfo

        def to_this_machine(_: str, *details: Any, **options: Any) -> Any:
            return look_up("127.0.0.1", *details, **options)

        monkeypatch.setattr(socket, "getaddrinfo", to_this_machine)
        url = f"https://api.example.:{urlsplit(server.url).port}"
        assert variant.run(
            create, api_key=KEY, base_url=url, ssl_context=client_context(authority)
        ).id


@pytest.mark.parametrize("scheme", ["HTTP", "Http"])
def test_a_scheme_and_a_host_in_upper_case(variant: Variant, scheme: str) -> None:
    with ScriptedServer([answer()]) as server:
        url = server.url.replace("http", scheme).replace("127.0.0.1", "LocalHost")
        assert variant.run(create, api_key=KEY, base_url=url).id


# The environment.


def unusable(variant: Variant) -> str:
    with pytest.raises(ConfigurationError) as raised:
        variant.run(create, api_key=KEY, base_url="https://127.0.0.1:1")
    return str(raised.value)


@pytest.mark.parametrize("certificates", ["SSL_CERT_FILE", "SSL_CERT_DIR", None])
def test_an_unwritable_key_log(
    variant: Variant,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    authority: trustme.CA,
    certificates: str | None,
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    if certificates is not None:
        found = tmp_path / "ca.pem" if certificates == "SSL_CERT_FILE" else tmp_path
        monkeypatch.setenv(certificates, str(found))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "missing" / "keys.log"))
    words = unusable(variant)
    assert "SSLKEYLOGFILE" in words
    assert "SSL_CERT" not in words


@pytest.mark.parametrize("content", [None, b"", b"no certificate", "folder"])
def test_unreadable_certificates(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | str | None
) -> None:
    path = tmp_path / "ca.pem"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    words = unusable(variant)
    assert "SSL_CERT_FILE" in words
    assert "SSL_CERT_DIR" not in words


def test_a_missing_folder_of_certificates(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    words = unusable(variant)
    assert "SSL_CERT_DIR" in words
    assert "SSL_CERT_FILE" not in words
    folders = f"{tmp_path / 'missing'}{os.pathsep}{tmp_path}"
    assert shared_tls("", folders, "").verify_mode is ssl.CERT_REQUIRED


def test_an_exception_that_is_its_own_cause_is_classified() -> None:
    first, second = OSError("first"), ConnectError("")
    first.__context__, second.__cause__ = second, first
    assert list(causes(second)) == [second, first]
    assert not is_tls(second)
    assert "(first)" in str(transport_error(second, Secret("a-long-enough-key")))

"""The proxy that a client uses, and the requests through each kind of proxy."""

import base64
import contextlib
import os
import socket
import ssl
import threading
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from certificates import client_context, server_context
from faulty import FaultyServer, Step, Visit, receive, reset, silence
from hypothesis import given
from hypothesis import strategies as st
from pools import either, run_client
from scripted import ScriptedServer, always, answer
from variants import KEY, Variant, World

from conversations_client import (
    AsyncClient,
    Client,
    ConfigurationError,
    ConnectTimeoutError,
    Delivery,
    ProxyError,
    StatusError,
    Timeout,
    TLSError,
)
from conversations_client._http.connections.route import Proxy
from conversations_client._http.network import variables as network
from conversations_client._http.network.proxies import environment_variables, proxy_for

PROXY = "http://proxy.example:3128"


def create(client: Any) -> Any:
    return client.conversations.create()


# Which proxy.


@pytest.mark.parametrize(
    ("environ", "proxies"),
    [
        ({"http_proxy": PROXY, "NO_PROXY": "a"}, {"http_proxy": PROXY, "NO_PROXY": "a"}),
        ({"HTTP_PROXY": "http://upper", "http_proxy": PROXY}, {"http_proxy": PROXY}),
        ({"http_proxy": "", "HTTP_PROXY": PROXY}, {}),
        ({"HTTP_PROXY": PROXY, "https_proxy": "", "OTHER": "x"}, {"HTTP_PROXY": PROXY}),
        # In a CGI program, a client can set HTTP_PROXY with a header named Proxy.
        (
            {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"},
            {"HTTPS_PROXY": PROXY},
        ),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, {"http_proxy": PROXY}),
    ],
)
def test_the_variables_that_name_proxies(environ: dict[str, str], proxies: dict[str, str]) -> None:
    assert environment_variables(environ) == proxies


def is_direct(url: str, no_proxy: str) -> bool:
    return proxy_for(url, {"ALL_PROXY": PROXY, "NO_PROXY": no_proxy}) is None


@pytest.mark.parametrize(
    ("entry", "url", "matches"),
    [
        ("*", "https://api.example", True),
        ("a.example, *", "https://api.example", True),
        ("api.example", "https://api.example", True),
        ("API.Example", "https://api.example", True),
        ("api.example", "https://API.EXAMPLE", True),
        ("api.example.", "https://api.example", True),
        ("api.example", "https://api.example.", True),
        ("example", "https://api.example", True),
        (".example", "https://api.example", True),
        (".api.example", "https://api.example", True),
        ("*.example", "https://api.example", True),
        ("*.api.example", "https://api.example", False),
        ("ample", "https://api.example", False),
        ("api.example.org", "https://api.example", False),
        ("other,api.example", "https://api.example", True),
        (" other , api.example ", "https://api.example", True),
        ("other api.example", "https://api.example", True),
        (",,", "https://api.example", False),
        ("bücher.example", "https://xn--bcher-kva.example", True),
        ("api.example:443", "https://api.example", True),
        ("api.example:80", "http://api.example", True),
        ("api.example:8443", "https://api.example", False),
        ("api.example:8443", "https://api.example:8443", True),
        ("api.example:1", "https://api.example:1", True),
        ("api.example:65535", "https://api.example:65535", True),
        (".example:8443", "https://api.example:8443", True),
        ("https://api.example", "https://api.example", True),
        ("https://api.example/", "https://api.example", True),
        ("http://api.example", "https://api.example", False),
        ("all://api.example:443", "https://api.example", True),
        ("192.0.2.1", "https://192.0.2.1", True),
        ("192.0.2.1:443", "https://192.0.2.1", True),
        ("0.2.1", "https://192.0.2.1", False),
        ("192.0.2.0/24", "https://192.0.2.1", True),
        ("192.0.2.9/24", "https://192.0.2.1", True),
        ("192.0.3.0/24", "https://192.0.2.1", False),
        ("192.0.2.0/24", "https://api.example", False),
        ("192.0.2.*", "https://192.0.2.1", True),
        ("192.0.2.1", "https://[::ffff:192.0.2.1]", True),
        ("::ffff:192.0.2.0/120", "https://192.0.2.1", True),
        ("::ffff:192.0.2.0/120", "https://192.0.2.255", True),
        ("::ffff:192.0.2.0/120", "https://192.0.3.0", False),
        ("::ffff:192.0.2.1/128", "https://192.0.2.1", True),
        ("::ffff:0:0/96", "https://192.0.2.1", True),
        ("2001:db8::1", "https://[2001:db8::1]", True),
        ("[2001:db8::1]", "https://[2001:db8::1]", True),
        ("2001:DB8:0::1", "https://[2001:db8::1]", True),
        ("[2001:db8::1]:443", "https://[2001:db8::1]", True),
        ("[2001:db8::1]:80", "https://[2001:db8::1]", False),
        ("2001:db8::/32", "https://[2001:db8::1]", True),
        ("[2001:db8::]/32", "https://[2001:db8::1]", True),
        ("[2001:db8::/32]:443", "https://[2001:db8::1]", True),
        ("[2001:db8::]/32:443", "https://[2001:db8::1]", True),
        ("[2001:db8::]/32:80", "https://[2001:db8::1]", False),
        ("2001:db9::/32", "https://[2001:db8::1]", False),
        ("192.0/16", "https://192.0.2.1", True),
        ("192/8", "https://192.0.2.1", True),
        ("192.1/16", "https://192.0.2.1", False),
        ("192.0.0.0/255.255.0.0", "https://192.0.2.1", True),
        ("::/0", "https://192.0.2.1", False),
    ],
)
def test_an_entry_of_no_proxy(entry: str, url: str, matches: bool) -> None:
    assert is_direct(url, entry) is matches


@pytest.mark.parametrize(
    "entry",
    [
        "api.example:port",
        "api.example:",
        "api.example:999999",
        "api.example:65536",
        "[2001:db8::1]:0",
        "ftp://api.example",
        "192.0.2.0/33",
        "192.0.2.1/x",
        "api.example/24",
        "[2001:db8::1",
        "[2001:db8::1]x",
        "[2001:db8::1]:x",
        "2001:db8::1::2",
        "<local>",
        "a..b",
        "10.0.0.0/99",
        "10.0.0.0/8/8",
        "10.0.0.0.0/8",
        "10/33",
        "10.0.0.256",
        "10.0.0.1.5",
        "/8",
        "10.0.0.0/-8",
        "[::1",
        "::1]",
        "[::1]:8080:1",
        "[::1]8080",
        "[]",
        "[]:80",
        "[api.example]:80",
        "[192.0.2.1]",
        "2001:db8::/200",
        "[2001:db8::]/200",
        "[2001:db8::/32]/32",
        "::g",
        ":80",
        "http://",
        "http:///",
        "https://",
        "://api.example",
        "http://10.0.0.0/99",
        "http://http://api.example",
        "http://api.example/path",
        "api.example:443/path",
        "http://~",
        "api.example:8o",
        '"api.example',
        ".",
        "x" * 64,
        "~api.example",
    ],
)
@pytest.mark.parametrize(
    "url", ["https://api.example", "https://192.0.2.1", "http://[2001:db8::1]"]
)
@pytest.mark.parametrize("before", ["other.example", "*"])
def test_an_invalid_entry_of_no_proxy(entry: str, url: str, before: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        is_direct(url, f"{before},{entry}")
    assert str(raised.value).startswith("Entry 2 in NO_PROXY is invalid: use a host")
    # It is not parsed without a proxy.
    assert proxy_for(url, {"NO_PROXY": entry}) is None


@pytest.mark.parametrize(
    "exclusions",
    [
        "localhost,127.0.0.1,::1,::ffff:127.0.0.1,.local,host.docker.internal",
        "localhost, 127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, .svc, .cluster.local",
        "*.local, 169.254/16",
        ".example.com *.example.com example.com:8443 1.2.3.4:80 [::1]:8080 [fe80::]/10 fe80::/10",
        "0.0.0.0,10.*,192.168.*,_srv.example.com,http://example.com/,https://10.0.0.0/8",
        ",localhost,,  ,\n ,.muc,",
    ],
)
def test_entries_of_no_proxy_that_are_common(exclusions: str) -> None:
    assert not is_direct("https://my.orq.ai", exclusions)
    assert is_direct("https://my.orq.ai", f"{exclusions},.orq.ai")


def test_possible_passwords_are_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="Entry 1 in NO_PROXY") as raised:
        is_direct("https://api.example", "user:secret@api.example")
    assert "secret" not in str(raised.value)


@given(st.text(max_size=30))
def test_no_proxy_is_parsed_or_rejected(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        assert is_direct("https://api.example:8443", text) in {True, False}


LOOPBACK = [
    "http://localhost",
    "http://LOCALHOST.:8000",
    "https://api.localhost",
    "http://127.0.0.1",
    "http://127.255.0.9:1",
    "https://[::1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
]


@pytest.mark.parametrize("url", LOOPBACK)
def test_this_machine_is_reached_directly(url: str) -> None:
    assert proxy_for(url, {"http": PROXY, "https": PROXY, "all": PROXY}) is None


@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        ("http://p.example", Proxy(scheme="http", host="p.example", port=80)),
        ("p.example:3128", Proxy(scheme="http", host="p.example", port=3128)),
        (" P.example:3128/ ", Proxy(scheme="http", host="p.example", port=3128)),
        ("https://p.example", Proxy(scheme="https", host="p.example", port=443)),
        ("HTTPS://p.example", Proxy(scheme="https", host="p.example", port=443)),
        ("socks5://p.example", Proxy(scheme="socks5", host="p.example", port=1080)),
        ("socks5h://p.example:1", Proxy(scheme="socks5h", host="p.example", port=1)),
        ("socks://p.example", Proxy(scheme="socks5h", host="p.example", port=1080)),
        ("http://[::1]:3128", Proxy(scheme="http", host="::1", port=3128)),
        (
            "http://us%65r:p%40ss@p.example",
            Proxy(scheme="http", host="p.example", port=80, credentials=(b"user", b"p@ss")),
        ),
        (
            "socks://user@p.example",
            Proxy(scheme="socks5h", host="p.example", port=1080, credentials=(b"user", b"")),
        ),
        (
            f"http://{'x' * 255}:{'y' * 255}@p.example",
            Proxy(scheme="http", host="p.example", port=80, credentials=(b"x" * 255, b"y" * 255)),
        ),
    ],
)
def test_a_proxy_url(value: str, proxy: Proxy) -> None:
    assert proxy_for("https://api.example", {"https": value}) == proxy
    assert proxy_for("https://api.example", {"all": value}) == proxy
    assert proxy_for("https://api.example", {"http": value}) is None
    assert "p@ss" not in repr(proxy) + proxy.url


@pytest.mark.parametrize(
    "value",
    [
        "http://",
        "http://p.example:port",
        "http://p.example:0",
        "http://p.example:65536",
        "http://a b",
        "http://p.exa\nmple",
        "http://*.example",
        "http://[::1",
        "http://:3128",
        "socks4://p.example",
        "socks4a://p.example",
        "ftp://p.example",
        f"http://{'x' * 256}@p.example",
        "http://user%3Aname:secret@p.example",
    ],
)
def test_an_unusable_proxy_setting(value: str) -> None:
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as raised:
        proxy_for("https://api.example", {"HTTPS_PROXY": value, "ALL_PROXY": PROXY})
    assert "example" not in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("variables", "source"),
    [
        ({"HTTPS_PROXY": PROXY, "all_proxy": "http://a"}, "HTTPS_PROXY"),
        ({"https_proxy": PROXY, "ALL_PROXY": "http://a"}, "https_proxy"),
        ({"http_proxy": "http://a", "ALL_PROXY": PROXY}, "ALL_PROXY"),
        ({"https": PROXY}, "the system's proxy settings"),
    ],
)
def test_a_proxy_names_the_setting_that_it_comes_from(
    variables: dict[str, str], source: str
) -> None:
    proxy = proxy_for("https://api.example", variables)
    assert proxy is not None
    assert (proxy.url, proxy.source) == (PROXY, source)
    invalid = {name: "ftp://a" for name, value in variables.items() if value == PROXY}
    with pytest.raises(ConfigurationError, match=f"The proxy in {source} has an unknown"):
        proxy_for("https://api.example", invalid)


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_an_invalid_exclusion_names_its_variable(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^Entry 1 in {name} is invalid"):
        proxy_for("https://api.example", {"ALL_PROXY": PROXY, name: "a..b"})


REFUSED = "the proxy http://127.0.0.1:1 failed ([Errno "
VARIABLES = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_proxy_error_names_the_proxy_and_the_variable(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://me:secret@127.0.0.1:1")
    with pytest.raises(ProxyError) as raised:
        variant.run(create, world=World(), api_key=KEY, base_url="https://api.invalid")
    assert f": {REFUSED}" in str(raised.value)
    assert f": check {variable} and NO_PROXY." in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_timeout_names_the_proxy_and_the_variable(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyServer([receive, silence]) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("//", "//me:secret@"))
        with pytest.raises(ConnectTimeoutError) as raised:
            variant.run(
                create,
                world=World(),
                api_key=KEY,
                base_url="https://api.invalid",
                timeout=Timeout(connect=0.1),
            )
    assert (
        f": connecting to https://api.invalid through the proxy {proxy.url} took too long: check "
        "base_url and ALL_PROXY, or increase Timeout(connect=…)."
    ) in str(raised.value)


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ("", "it requires a user and password in its URL, or a different authentication method"),
        ("me:secret@", "it rejected the user and password"),
    ],
)
def test_a_proxy_that_requires_a_login(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, user: str, problem: str
) -> None:
    with FaultyServer([receive, answer(407, b"")]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", f"//{user}"))
        with pytest.raises(ProxyError) as raised:
            variant.run(create, world=World(), api_key=KEY, base_url="https://api.invalid")
    assert f"the proxy {proxy.url} failed ({problem}): check HTTPS_PROXY" in str(raised.value)


def test_a_forwarding_proxy_that_requires_a_login(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyServer([receive, answer(407, b"")]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(StatusError, match="requires a user and password: put them in its URL"):
            variant.run(create, api_key=KEY, base_url="http://api.invalid", allow_plain_http=True)


def test_a_proxy_without_tls(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer([b"HTTP/1.1 400 Bad Request\r\n\r\n", silence]) as proxy:
        url = proxy.url.replace("http", "https")
        monkeypatch.setenv("HTTPS_PROXY", url)
        with pytest.raises(TLSError) as raised:
            variant.run(create, world=World(), api_key=KEY, base_url="https://api.invalid")
    assert f"to https://api.invalid through the proxy {url} could not be" in str(raised.value)
    assert "correct the scheme or port in base_url or HTTPS_PROXY." in str(raised.value)


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_system_settings_apply_without_variables(
    cls: type[Client] | type[AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"https": PROXY}
    monkeypatch.setattr(network, "_HAS_SYSTEM_PROXY_SETTINGS", True)
    monkeypatch.setattr("urllib.request.getproxies", lambda: settings)
    monkeypatch.setattr("urllib.request.proxy_bypass", "intern.example".__eq__)
    assert cls(KEY, base_url="https://intern.example").proxy is None
    assert cls(KEY).proxy == PROXY
    settings["https"] = "ftp://a"
    with pytest.raises(ConfigurationError, match="the system's proxy settings"):
        _ = cls(KEY).proxy
    monkeypatch.setenv("https_proxy", "http://other")
    assert cls(KEY, base_url="https://intern.example").proxy == "http://other:80"
    monkeypatch.setenv("no_proxy", "my.orq.ai")
    assert cls(KEY).proxy is None


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_a_client_shows_its_proxy(
    cls: type[Client] | type[AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cls(KEY).proxy is None
    monkeypatch.setenv("https_proxy", "http://user:secret@[::1]:3128")
    client = cls(KEY)
    assert client.proxy == client.with_options().proxy == "http://[::1]:3128"
    assert cls(KEY, base_url="https://127.0.0.1").proxy is None
    monkeypatch.setenv("https_proxy", "ftp://p.example")
    with pytest.raises(ConfigurationError, match="unknown scheme"):
        cls(KEY)
    assert client.proxy == "http://[::1]:3128"


def test_an_injected_client_has_its_own_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    with httpx.Client(proxy=PROXY, trust_env=False) as own:
        assert Client(KEY, http_client=own).proxy is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "a.localhost", "[::ffff:127.0.0.1]"])
def test_requests_to_this_machine_bypass_proxies(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with ScriptedServer([answer()]) as server, ScriptedServer([]) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        variant.run(create, api_key=KEY, base_url=server.url.replace("127.0.0.1", host))
    assert (len(server.seen), proxy.connections) == (1, 0)


def test_plain_http_to_a_proxy_is_rejected(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer([answer()]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with pytest.raises(ConfigurationError, match="allow_plain_http=True"):
            variant.run(create, api_key=KEY, base_url="http://api.invalid")
    assert proxy.connections == 0


# Over a proxy.


def relay(connection: Any, port: int) -> None:
    """Copy bytes between a client and a server in both directions until one of them disconnects."""

    def copy(source: Any, target: Any) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                target.sendall(data)
        with contextlib.suppress(
            OSError
        ):  # even after an error, because the other end would wait forever
            target.shutdown(socket.SHUT_WR)

    with socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=copy, args=(server, connection))
        back.start()
        copy(connection, server)
        back.join()


class Tunnelling(ScriptedServer):
    """A loopback HTTP proxy that opens every tunnel to one server."""

    def __init__(self, server: ScriptedServer, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__([], tls=tls)
        self._port = urlsplit(server.url).port or 0

    def _converse(self, connection: socket.socket, stream: Any) -> None:
        if self._listen(stream):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            relay(connection, self._port)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_tunnel(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, scheme: str
) -> None:
    async def scenario(client: Any) -> None:
        for _ in range(2):
            await either(create(client))

    proxy_tls = server_context(authority, "127.0.0.1") if scheme == "https" else None
    with (
        ScriptedServer(always(), tls=server_context(authority, "api.invalid")) as server,
        Tunnelling(server, tls=proxy_tls) as proxy,
    ):
        monkeypatch.setenv("https_proxy", proxy.url.replace("://", "://user:secret@"))
        run_client(
            variant,
            scenario,
            api_key=KEY,
            base_url="https://api.invalid",
            ssl_context=client_context(authority),
            extra_headers={"X-Team": "support", "User-Agent": "app/1"},
        )
    assert (server.connections, proxy.connections, len(server.seen)) == (1, 1, 2)
    (tunnel,) = proxy.seen
    assert (tunnel.method, tunnel.target) == ("CONNECT", "api.invalid:443")
    assert tunnel.headers["host"] == "api.invalid:443"
    credentials = base64.b64encode(b"user:secret").decode()
    assert tunnel.headers["proxy-authorization"] == f"Basic {credentials}"
    assert KEY not in str(tunnel)
    assert tunnel.headers.keys().isdisjoint({"x-team", "user-agent"})
    for seen in server.seen:
        assert (seen.headers["x-team"], seen.headers["user-agent"]) == ("support", "app/1")
    assert "proxy-authorization" not in server.seen[0].headers


def test_a_large_request_through_two_layers_of_tls(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> None:
    with (
        ScriptedServer([answer(200, {})], tls=server_context(authority, "api.invalid")) as server,
        Tunnelling(server, tls=server_context(authority, "127.0.0.1")) as proxy,
    ):
        monkeypatch.setenv("https_proxy", proxy.url)
        variant.run(
            lambda client: client.request("POST", "/v2/x", returns=dict, body={"x": "y" * 300_000}),
            api_key=KEY,
            base_url="https://api.invalid",
            ssl_context=client_context(authority),
        )
    assert len(server.seen[0].body) > 300_000


def test_an_https_proxy_with_an_untrusted_certificate(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> None:
    with ScriptedServer([], tls=server_context(authority, "127.0.0.1")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(TLSError) as raised:
            variant.run(
                create,
                api_key=KEY,
                base_url="https://api.invalid",
                ssl_context=ssl.create_default_context(),
            )
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 1)


def test_an_untrusted_certificate_within_a_tunnel(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> None:
    with (
        ScriptedServer([], tls=server_context(trustme.CA(), "api.invalid")) as server,
        Tunnelling(server, tls=server_context(authority, "127.0.0.1")) as proxy,
    ):
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(TLSError, match="certificate") as raised:
            variant.run(
                create,
                api_key=KEY,
                base_url="https://api.invalid",
                ssl_context=client_context(authority),
            )
    assert raised.value.delivery is Delivery.UNSENT


def test_a_request_that_a_proxy_forwards(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer([answer()]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("://", "://user:secret@"))
        variant.run(create, api_key=KEY, base_url="http://api.invalid:81/x", allow_plain_http=True)
    (seen,) = proxy.seen
    assert seen.target == "http://api.invalid:81/x/v2/conversations"
    assert seen.headers["proxy-authorization"].startswith("Basic ")


# SOCKS.

OPENED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


class Socks(ScriptedServer):
    """A loopback SOCKS 5 proxy that opens every tunnel to one server, one byte at a time."""

    def __init__(
        self, server: ScriptedServer, *, password: bool = False, opened: bytes = OPENED
    ) -> None:
        super().__init__([])
        self._port = urlsplit(server.url).port or 0
        self._password = password
        self._opened = opened
        self.logins: list[bytes] = []
        self.addresses: list[bytes] = []
        self.url = self.url.replace("http:", "socks5h:")

    def _converse(self, connection: socket.socket, stream: Any) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _, count = stream.read(2)
        stream.read(count)
        self._send(connection, bytes([5, 2 if self._password else 0]))
        if self._password:
            self.logins.append(b":".join([self._field(stream, skip=1), self._field(stream)]))
            self._send(connection, b"\x01\x00")
        kind = stream.read(4)[3]
        length = stream.read(1)[0] if kind == 3 else {1: 4, 4: 16}[kind]
        self.addresses.append(stream.read(length + 2))
        self._send(connection, self._opened)
        relay(connection, self._port)

    def _send(self, connection: socket.socket, data: bytes) -> None:
        for number in range(len(data)):
            connection.sendall(data[number : number + 1])

    def _field(self, stream: Any, skip: int = 0) -> bytes:
        stream.read(skip)
        found: bytes = stream.read(stream.read(1)[0])
        return found


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://api.invalid", b"api.invalid\x00\x50"),
        ("http://192.0.2.1:81", b"\xc0\x00\x02\x01\x00\x51"),
        ("http://[2001:db8::1]:256", b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01\x01\x00"),
    ],
)
@pytest.mark.parametrize(
    "opened", [OPENED, b"\x05\x00\x00\x03\x02hi\x00\x00", b"\x05\x00\x00\x04" + bytes(18)]
)
def test_a_socks_proxy(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, url: str, address: bytes, opened: bytes
) -> None:
    with ScriptedServer([answer()]) as server, Socks(server, opened=opened) as proxy:
        monkeypatch.setenv("all_proxy", proxy.url)
        variant.run(create, api_key=KEY, base_url=url, allow_plain_http=True)
    assert proxy.addresses == [address]
    assert server.seen[0].target == "/v2/conversations"


def test_a_socks_proxy_with_a_password_and_tls(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> None:
    with (
        ScriptedServer([answer()], tls=server_context(authority, "api.invalid")) as server,
        Socks(server, password=True) as proxy,
    ):
        monkeypatch.setenv("all_proxy", proxy.url.replace("socks5h://", "socks://us%65r:p%40ss@"))
        variant.run(
            create,
            api_key=KEY,
            base_url="https://api.invalid",
            ssl_context=client_context(authority),
        )
    assert proxy.logins == [b"user:p@ss"]


def greeted(visit: Visit) -> None:
    """Read the first message of a client with a password."""
    visit.stream.read(4)


def logged_in(visit: Visit) -> None:
    visit.stream.read(len(b"\x01\x04user\x06secret"))


def connected(visit: Visit) -> None:
    visit.stream.read(5 + len("api.invalid") + 2)


SOCKS_FAULTS: dict[str, tuple[list[Step], str]] = {
    "hangs up": ([greeted], "closed the connection"),
    "hangs up at once": ([], "the proxy socks5://127.0.0.1:[0-9]+ failed"),
    "resets": ([greeted, reset], "the proxy socks5://127.0.0.1:[0-9]+ failed"),
    "is none": ([greeted, b"HTTP/1.1 400 Bad Request\r\n\r\n"], "not SOCKS 5"),
    "is older": ([greeted, b"\x00\x5b"], "not SOCKS 5"),
    "takes no method": ([greeted, b"\x05\xff"], "requires a user and password"),
    "takes another method": ([greeted, b"\x05\x01"], "requires a user and password"),
    "rejects the password": ([greeted, b"\x05\x02", logged_in, b"\x01\x01"], "rejected the user"),
    "hangs up in its response": ([greeted, b"\x05"], "closed the connection"),
    "refuses": ([greeted, b"\x05\x00", connected, b"\x05\x05\x00\x01" + bytes(6)], "refused"),
    "fails": ([greeted, b"\x05\x00", connected, b"\x05\x63\x00\x01" + bytes(6)], "failure 99"),
    "changes": ([greeted, b"\x05\x00", connected, b"\x04\x00\x00\x01" + bytes(6)], "not SOCKS 5"),
    "talks ahead": ([greeted, b"\x05\x00", connected, OPENED + b"!"], "sent data before"),
}


@pytest.mark.parametrize(("steps", "words"), SOCKS_FAULTS.values(), ids=SOCKS_FAULTS)
def test_a_socks_proxy_that_fails(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, steps: list[Step], words: str
) -> None:
    with FaultyServer(steps) as proxy:
        url = proxy.url.replace("http://", "socks5://user:secret@")
        monkeypatch.setenv("https_proxy", url)
        with pytest.raises(ProxyError, match=words) as raised:
            variant.run(create, world=World(), api_key=KEY, base_url="https://api.invalid")
    assert (raised.value.delivery, raised.value.attempts) == (Delivery.UNSENT, 3)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("steps", [[silence], [greeted, b"\x05", silence]])
def test_a_silent_socks_proxy(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, steps: list[Step]
) -> None:
    with FaultyServer(steps) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("http://", "socks5://user:secret@"))
        with pytest.raises(ConnectTimeoutError) as raised:
            variant.run(
                create,
                world=World(),
                api_key=KEY,
                base_url="https://api.invalid",
                timeout=Timeout(connect=0.1),
            )
    assert raised.value.delivery is Delivery.UNSENT


EARLY: dict[str, Step] = {
    "with its response": b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "after an interim response": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n!",
}


@pytest.mark.parametrize("step", EARLY.values(), ids=EARLY)
def test_a_proxy_that_sends_data_into_the_tunnel(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    with FaultyServer([receive, step, silence]) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(ProxyError, match="sent data before the service"):
            variant.run(create, world=World(), api_key=KEY, base_url="https://api.invalid")


@pytest.mark.skipif(os.name == "nt", reason="the registry has its own rules")
@given(st.sampled_from(["api.example", ".example", "*", "other", "a.api.example", ""]))
def test_host_names_match_as_in_urllib(entry: str) -> None:
    bypass = vars(urllib.request)["proxy_bypass_environment"]
    assert is_direct("https://api.example", entry) is bypass("api.example", {"no": entry})

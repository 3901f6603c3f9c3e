"""Access to a sandbox: API key, Host header, listening address and files."""

import hmac
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conversations_client import Client
from conversations_client.sandbox import Sandbox
from conversations_client.sandbox._server import authentication
from conversations_client.sandbox._server.allowed_hosts import (
    AllowedHosts,
    is_loopback,
    normalized,
)
from conversations_client.sandbox._server.authentication import BearerAuth
from conversations_client.sandbox._storage.private_file import make_private

KEY = "Sandbox-key_0123456789"
Status = Callable[..., int]
Header = tuple[bytes, bytes]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(api_key=KEY, allowed_hosts=["Sandbox.Test"]) as running:
        yield running


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@pytest.fixture(scope="module")
def status(sandbox: Sandbox, http: httpx.Client) -> Status:
    """Send a request with these headers and return the status."""
    return lambda *headers: (
        http.get(f"{sandbox.url}/v2/conversations", headers=list(headers)).status_code
    )


@pytest.mark.parametrize(
    "value", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY}", f"Bearer \t {KEY}"]
)
def test_the_right_key_is_accepted(status: Status, value: str) -> None:
    assert status((b"Authorization", value.encode())) == 200


@pytest.mark.parametrize(
    "key",
    [
        KEY[:-1], KEY[:1], KEY[1:], KEY + "x", KEY + KEY, KEY + "\x80", f"{KEY} x", f"x {KEY}",
        KEY.upper(), KEY.lower(), KEY.swapcase(), KEY[::-1], KEY.replace("0", "O"), "é", f"{KEY},",
    ],
)  # fmt: skip
def test_every_other_key_is_rejected(status: Status, key: str) -> None:
    assert status((b"Authorization", f"Bearer {key}".encode("latin-1"))) == 401


@given(added=st.text("ab19_-~! \x80\xff", min_size=1, max_size=30))
def test_the_right_key_with_anything_added_is_rejected(status: Status, added: str) -> None:
    for key in (f"{KEY}{added}", f"{added}{KEY}", f"{KEY[:10]}{added}{KEY[10:]}"):
        if key.strip() != KEY:
            value = f"Bearer {key}".strip().encode("latin-1")
            assert status((b"Authorization", value)) == 401


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"Authorization", b"")],
        [(b"Authorization", b"Bearer")],
        [(b"Authorization", KEY.encode())],
        [(b"Authorization", f"Basic {KEY}".encode())],
        [(b"Authorization", f"Bearer {KEY}".encode()), (b"Authorization", b"Bearer x")],
        [(b"Authorization", b"Bearer x"), (b"Authorization", f"Bearer {KEY}".encode())],
    ],
)
def test_anything_but_one_bearer_key_is_rejected(
    status: Status, headers: list[tuple[bytes, bytes]]
) -> None:
    assert status(*headers) == 401


def reaches(middleware: Callable[[ASGIApp], ASGIApp], path: str, *headers: Header) -> bool:
    """Whether a request passes a middleware."""
    reached: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(True)

    async def receive() -> Message:
        raise AssertionError("nothing is to be received")

    async def send(_: Message) -> None:
        """Ignore the response."""

    scope: Scope = {"type": "http", "method": "GET", "path": path, "headers": list(headers)}
    anyio.run(middleware(app), scope, receive, send)
    return reached == [True]


@pytest.mark.parametrize("path", ["/health", "/openapi.json"])
def test_only_the_open_paths_need_no_key(path: str) -> None:
    auth = partial(BearerAuth, api_key=KEY)
    assert reaches(auth, path)
    for other in (path + "/", path + "x", path + "/../v2/conversations", path.upper(), path[:-1]):
        assert not reaches(auth, other)
        assert reaches(auth, other, (b"authorization", f"Bearer {KEY}".encode()))


def test_a_request_with_several_hosts_is_rejected() -> None:
    hosts = partial(AllowedHosts, names=[])
    local, other = (b"host", b"localhost"), (b"host", b"example.com")
    assert reaches(hosts, "/", local)
    for headers in ((local, other), (other, local), (local, local), ()):
        assert not reaches(hosts, "/", *headers)


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(found: bytes, wanted: bytes) -> bool:
        compared.append((found, wanted))
        return hmac.compare_digest(found, wanted)

    monkeypatch.setattr(authentication, "hmac", SimpleNamespace(compare_digest=compare))
    auth = partial(BearerAuth, api_key=KEY)
    assert not reaches(auth, "/", (b"authorization", b"Bearer x"))
    assert reaches(auth, "/", (b"authorization", f"Bearer {KEY}".encode()))
    assert compared == [(b"x", KEY.encode()), (KEY.encode(), KEY.encode())]


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "ä", "\x7f"])
def test_a_key_that_cannot_be_sent_is_rejected(key: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII"):
        Sandbox(api_key=key)


def test_a_key_is_generated_by_default() -> None:
    keys = set[str]()
    for _ in range(2):
        sandbox = Sandbox()
        sandbox.stop()
        keys.add(sandbox.api_key)
    assert len(keys) == 2
    assert min(map(len, keys)) > 40


def status_of_host(
    http: httpx.Client, sandbox: Sandbox, host: str, path: str = "/v2/conversations"
) -> int:
    headers = {"Host": host, "Authorization": f"Bearer {KEY}"}
    return http.get(f"{sandbox.url}{path}", headers=headers).status_code


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LocalHost:1", "localhost.", "localhost:", "a.localhost:8765", "127.0.0.1",
        "127.0.0.1:80", "127.1.2.3:99999", "[::1]", "[::1]:8765", "sandbox.test", "SANDBOX.TEST:80",
    ],
)  # fmt: skip
def test_loopback_and_allowed_names_are_accepted(
    http: httpx.Client, sandbox: Sandbox, host: str
) -> None:
    assert status_of_host(http, sandbox, host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.com", "example.com:8765", "localhost.example.com", "notlocalhost", "a.sandbox.test",
        "127.0.0.1.example.com", "127.0.0.1@example.com", "example.com:127.0.0.1", "0.0.0.0:8765",
        "192.168.0.1", "[fe80::1]", "[::]", "::1", "", "127.1", "2130706433", "localhost:8765:1",
        "localhost, example.com", "[localhost]x", "localhost/x", "my.orq.ai",
    ],
)  # fmt: skip
def test_other_names_are_rejected(http: httpx.Client, sandbox: Sandbox, host: str) -> None:
    for path in ("/v2/conversations", "/health", "/openapi.json"):
        assert status_of_host(http, sandbox, host, path) == 421


def test_a_request_without_a_host_is_rejected_with_advice(
    sandbox: Sandbox,
) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        with connection.makefile("rb") as response:
            head, _, body = response.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 421 ")
    assert b"--allow-host" in body


def test_a_rejected_host_is_not_logged_and_gets_no_fault(
    http: httpx.Client, sandbox: Sandbox
) -> None:
    before = sandbox.requests
    sandbox.fail_next()
    assert status_of_host(http, sandbox, "example.com") == 421
    assert len(sandbox.disruptions) == 1
    assert sandbox.requests == before
    sandbox.clear_disruptions()


@pytest.mark.parametrize(
    "name",
    [
        "http://myhost", "myhost:80", "myhost/", "abc:80", "[::1", "[::1]:80", "fe80::1%eth0", "*",
        "*.example.com", "bücher.example", " myhost", "myhost ", "", "a,b", "user@myhost", "[myhost]",
    ],
)  # fmt: skip
def test_an_allowed_name_that_no_request_can_have_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="must be host names or addresses in ASCII"):
        Sandbox(allowed_hosts=["sandbox.test", name])


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("my_service", "my_service:8765"), ("Example.com.", "example.com"), ("10.1.2.3", "10.1.2.3"),
        ("FE80::1", "[fe80::1]"), ("[fe80::1]", "[fe80::1]:80"), ("xn--bcher-kva.de", "xn--bcher-kva.de"),
    ],
)  # fmt: skip
def test_every_form_of_an_allowed_name_works(http: httpx.Client, name: str, header: str) -> None:
    with Sandbox(api_key=KEY, allowed_hosts=[name]) as sandbox:
        assert status_of_host(http, sandbox, header) == 200


@given(st.text(max_size=20))
def test_any_text_can_be_compared(text: str) -> None:
    assert is_loopback(normalized(text)) in {True, False}


@pytest.mark.parametrize(
    ("host", "url", "allowed"),
    [
        ("127.0.0.1", "http://127.0.0.1:", "127.0.0.1"),
        ("localhost", "http://127.0.0.1:", "localhost"),
        ("127.0.0.2", "http://127.0.0.2:", "127.0.0.2"),
        ("::1", "http://[::1]:", "[::1]"),
        ("0.0.0.0", "http://127.0.0.1:", "127.0.0.1"),
    ],
)
def test_the_listening_address_can_be_chosen(
    http: httpx.Client, host: str, url: str, allowed: str
) -> None:
    with Sandbox(api_key=KEY, host=host) as sandbox:
        if host != "localhost":
            assert sandbox.url.startswith(url)
        assert status_of_host(http, sandbox, allowed) == 200
        with Client(KEY, base_url=sandbox.url) as client:
            assert list(client.conversations.list()) == []


@pytest.mark.parametrize("every", ["0.0.0.0", "::"])
def test_the_wildcard_address_is_not_an_allowed_name(http: httpx.Client, every: str) -> None:
    with Sandbox(api_key=KEY, host=every) as sandbox:
        assert status_of_host(http, sandbox, f"[{every}]" if ":" in every else every) == 421


def test_an_address_of_another_machine_is_rejected() -> None:
    with pytest.raises(OSError, match=r"Cannot listen on port 0 of 192\.0\.2\.1"):
        Sandbox(host="192.0.2.1")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


FILES = ("db", "db-shm", "db-wal")


@pytest.mark.parametrize("existing", [None, 0o644, 0o666, 0o660, 0o777, 0o600])
def test_only_the_owner_can_read_the_files(tmp_path: Path, existing: int | None) -> None:
    path = tmp_path / "db"
    if existing is not None:
        Sandbox(db=path).stop()
        path.chmod(existing)
    with Sandbox(db=path, api_key=KEY) as sandbox, Client(KEY, base_url=sandbox.url) as client:
        client.conversations.create()
        assert sorted(each.name for each in tmp_path.iterdir()) == sorted(FILES)
        assert {mode(tmp_path / name) for name in FILES} == {0o600}


def test_files_left_by_a_kill_are_made_private(tmp_path: Path) -> None:
    with Sandbox(db=tmp_path / "db", api_key=KEY) as killed:
        httpx.post(
            f"{killed.url}/v2/conversations", json={}, headers={"Authorization": f"Bearer {KEY}"}
        )
        for name in FILES:
            (tmp_path / "copy").mkdir(exist_ok=True)
            copy = tmp_path / "copy" / name
            copy.write_bytes((tmp_path / name).read_bytes())
            copy.chmod(0o644)
    with Sandbox(db=tmp_path / "copy" / "db"):
        assert {mode(tmp_path / "copy" / name) for name in FILES} == {0o600}


def test_a_stricter_mode_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.touch(0o400)
    make_private(path)
    assert mode(path) == 0o400


def test_a_file_that_is_not_a_database_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no database of anything at all, just some words" * 50)
    path.chmod(0o644)
    with pytest.raises(OSError, match="text"):
        Sandbox(db=path)
    other = tmp_path / "other"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (a)")
    database.close()
    other.chmod(0o644)
    with pytest.raises(OSError, match="doesn't support the file"):
        Sandbox(db=other)
    assert (mode(path), mode(other)) == (0o644, 0o644)


@pytest.mark.parametrize("name", [":memory:", "file:db?mode=memory"])
def test_names_that_sqlite_treats_specially_are_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Sandbox(db=name).stop()
    assert mode(tmp_path / name) == 0o600


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"models": "openai/gpt-4o"}, "models must be a list"),
        ({"models": ["gpt-4o"]}, "provider/model_id"),
        ({"allowed_hosts": "sandbox.test"}, "allowed_hosts must be a list"),
        ({"revision": 3}, "revision must be 1 or 2"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sandbox(**settings)

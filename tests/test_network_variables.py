"""The variables for proxies and certificates, which a client reads when it is created."""

import os
import pickle
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import httpx
import pytest
import trustme
from certificates import server_context
from scripted import ScriptedServer, always
from variants import KEY, Variant

from conversations_client import AsyncClient, Client, ConfigurationError, TLSError
from conversations_client._http.network.tls import shared_tls
from conversations_client._http.transport import AsyncConnections

CLASSES = pytest.mark.parametrize("cls", [Client, AsyncClient])
Class: TypeAlias = type[Client] | type[AsyncClient]
PROXY = "http://proxy.example:3128"
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which is fast to create


def create(client: Any) -> Any:
    return client.conversations.create()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA) -> Path:
    """The working directory, with valid and invalid files."""
    (tmp_path / "empty.pem").write_bytes(b"")
    (tmp_path / "text.pem").write_bytes(b"no certificate")
    (tmp_path / "damaged.pem").write_bytes(authority.cert_pem.bytes().replace(b"MII", b"XXX"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.chdir(tmp_path)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def set_variables(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


# What is checked.

INVALID: list[dict[str, str]] = [
    {"HTTPS_PROXY": "ftp://x"},
    {"https_proxy": "::::"},
    {"HTTPS_PROXY": "http://u:secret@[x"},
    {"ALL_PROXY": "socks4://u:secret@x"},
    {"NO_PROXY": "foo://x", "HTTPS_PROXY": PROXY},
    {"no_proxy": "10.0.0.0/99", "all_proxy": PROXY},
    {"SSL_CERT_FILE": "/nope"},
    {"SSL_CERT_FILE": "empty.pem"},
    {"SSL_CERT_FILE": "text.pem"},
    {"SSL_CERT_FILE": "damaged.pem"},
    {"SSL_CERT_FILE": "."},
    {"SSL_CERT_DIR": "/nope"},
    {"SSL_CERT_DIR": "ca.pem"},
    {"SSLKEYLOGFILE": "nope/keys.log"},
]


@CLASSES
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("variables", INVALID, ids=str)
def test_an_invalid_variable_is_an_error_at_creation(
    monkeypatch: pytest.MonkeyPatch, cls: Class, variables: dict[str, str]
) -> None:
    existing = cls(KEY)
    set_variables(monkeypatch, variables)
    with pytest.raises(ConfigurationError, match=rf"\b{next(iter(variables))}\b") as raised:
        cls(KEY)
    assert "secret" not in str(raised.value)
    unused = cls(KEY, base_url="http://localhost", pickle_key=True)
    pickled = pickle.dumps(unused).replace(b"http://localhost", b"https://orq.test")
    with pytest.raises(ConfigurationError):
        pickle.loads(pickled)
    # A copy shares the connections, whose settings don't change.
    assert existing.with_options(timeout=5).proxy is None


@pytest.mark.parametrize("variables", INVALID[:1], ids=str)
def test_a_client_with_an_invalid_variable_is_not_entered(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    def unused(_: Any) -> None:
        raise AssertionError("the client was created")

    set_variables(monkeypatch, variables)
    with pytest.raises(ConfigurationError):
        variant.run(unused, api_key=KEY)


@CLASSES
@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({"HTTPS_PROXY": "ftp://x", "NO_PROXY": "orq.ai"}, {}),
        ({"HTTP_PROXY": "ftp://x"}, {}),
        ({"NO_PROXY": "foo://x"}, {}),
        ({"HTTPS_PROXY": "", "SSL_CERT_FILE": ""}, {}),
        ({"ALL_PROXY": "ftp://x", "SSL_CERT_FILE": "/nope"}, {"base_url": "http://localhost"}),
        ({"ALL_PROXY": "ftp://x"}, {"base_url": "https://localhost"}),
        ({"SSL_CERT_FILE": "/nope", "SSLKEYLOGFILE": "nope/keys"}, {"ssl_context": TLS}),
        ({"SSL_CERT_FILE": "ca.pem", "SSL_CERT_DIR": "/nope"}, {}),
        ({"SSL_CERT_DIR": f"/nope{os.pathsep}."}, {}),
    ],
    ids=" ".join,
)
def test_an_unused_variable_is_not_checked(
    monkeypatch: pytest.MonkeyPatch, cls: Class, variables: dict[str, str], options: dict[str, Any]
) -> None:
    set_variables(monkeypatch, variables)
    assert cls(KEY, **options).proxy is None


def test_the_certificates_of_an_https_proxy_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, {"HTTP_PROXY": "https://p.example", "SSL_CERT_FILE": "/nope"})
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        Client(KEY, base_url="http://api.example", allow_plain_http=True)


def test_an_injected_client_has_its_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    own = httpx.Client(verify=TLS, trust_env=False)
    set_variables(monkeypatch, {"ALL_PROXY": "ftp://x", "SSL_CERT_FILE": "/nope"})
    with own, Client(KEY, http_client=own) as client:
        assert client.with_options().proxy is None


IMPORTS = """
import sys
from conversations_client import AsyncClient, Client
before = set(sys.modules)
Client("k"), AsyncClient("k")
new = set(sys.modules) - before
print(len(new), *{"ssl", "httpx", "asyncio", "urllib.request"} & set(sys.modules))
"""


@pytest.mark.parametrize(
    ("variables", "imports_nothing", "libraries"),
    [
        ({}, True, set[str]()),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "localhost"}, False, set[str]()),
        ({"SSL_CERT_FILE": "ca.pem"}, False, {"ssl"}),
    ],
    ids=str,
)
def test_creating_a_client_imports_little(
    folder: Path, variables: dict[str, str], imports_nothing: bool, libraries: set[str]
) -> None:
    printed = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", IMPORTS],
        env={"SYSTEMROOT": os.environ.get("SYSTEMROOT", ""), **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    new, *found = printed.split()
    assert (new == "0", set(found)) == (imports_nothing, libraries)


# What a client trusts.


def trusts(variant: Variant, url: str) -> bool:
    """Whether a new client trusts a server."""
    try:
        variant.run(create, api_key=KEY, base_url=url)
    except TLSError:
        return False
    return True


def test_a_new_client_reads_the_variable_again(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, folder: Path, authority: trustme.CA
) -> None:
    with ScriptedServer(always(), tls=server_context(authority, "127.0.0.1")) as server:
        assert not trusts(variant, server.url)
        monkeypatch.setenv("SSL_CERT_FILE", "ca.pem")
        assert trusts(variant, server.url)
        monkeypatch.delenv("SSL_CERT_FILE")
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))  # without the names that OpenSSL requires
        assert not trusts(variant, server.url)
        monkeypatch.setenv("SSL_CERT_FILE", "ca.pem")
        assert trusts(variant, server.url)
        monkeypatch.setenv("SSL_CERT_FILE", "/nope")
        with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
            trusts(variant, server.url)


def test_a_new_client_reads_a_replaced_file(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, folder: Path, authority: trustme.CA
) -> None:
    trustme.CA().cert_pem.write_to_path(str(folder / "current.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", "current.pem")
    with ScriptedServer(always(), tls=server_context(authority, "127.0.0.1")) as server:
        assert not trusts(variant, server.url)
        (folder / "ca.pem").replace("current.pem")
        assert trusts(variant, server.url)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.usefixtures("folder")
def test_an_existing_client_keeps_its_certificates(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, backend: str
) -> None:
    async def use(client: AsyncClient, is_trusted: bool) -> None:
        if is_trusted:
            await client.with_options().conversations.create()
        else:
            with pytest.raises(TLSError):
                await client.with_options().conversations.create()
        assert isinstance(client._connections, AsyncConnections)
        await client._connections._pool().aclose()

    with ScriptedServer(always(), tls=server_context(authority, "127.0.0.1")) as server:
        default = AsyncClient(KEY, base_url=server.url)
        monkeypatch.setenv("SSL_CERT_FILE", "ca.pem")
        trusting = AsyncClient(KEY, base_url=server.url)
        for change in ("ca.pem", "/nope"):
            monkeypatch.setenv("SSL_CERT_FILE", change)
            # Each event loop has its own connections.
            for client, is_trusted in ((default, False), (trusting, True)):
                anyio.run(use, client, is_trusted, backend=backend)


def test_a_new_client_uses_the_new_key_log(
    variant: Variant, monkeypatch: pytest.MonkeyPatch, folder: Path, authority: trustme.CA
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "ca.pem")
    with ScriptedServer(always(), tls=server_context(authority, "127.0.0.1")) as server:
        assert trusts(variant, server.url)
        monkeypatch.setenv("SSLKEYLOGFILE", "keys.log")
        assert trusts(variant, server.url)
    assert b"CLIENT" in (folder / "keys.log").read_bytes()


@pytest.mark.usefixtures("folder")
def test_unchanged_variables_share_one_context() -> None:
    for settings in (("ca.pem", "", ""), ("", "", ""), ("", f"/nope{os.pathsep}.", "")):
        assert shared_tls(*settings) is shared_tls(*settings)


def test_a_changed_folder_is_a_new_context(folder: Path) -> None:
    os.utime(folder, (1, 1))
    before = shared_tls("", str(folder), "")
    assert shared_tls("", str(folder), "") is before
    (folder / "added.pem").touch()
    assert shared_tls("", str(folder), "") is not before

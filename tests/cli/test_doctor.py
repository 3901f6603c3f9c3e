"""The doctor's checks with fake probes, and its real probes."""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from command_line import Command
from scripted import ScriptedServer, answer, refused_url

from conversations_client import (
    ConfigurationError,
    ConnectError,
    ConversationPage,
    ConversationsError,
    Headers,
    RawResponse,
    TLSError,
)
from conversations_client.cli._commands import doctor_probes
from conversations_client.cli._commands.doctor_checks import Finding, Probes, Verdict, diagnose
from conversations_client.sandbox import Sandbox

pytest_plugins = ["command_line_fixtures"]

Probe = Callable[..., Any]
Found = list[tuple[str, str]]
NOW = 1_734_789_600.0
DATE = "Sat, 21 Dec 2024 14:00:00 GMT"
URL = "https://api.test"


def response(date: str | None = DATE) -> RawResponse[ConversationPage]:
    return RawResponse(
        parsed=ConversationPage(data=(), has_more=False),
        status=200,
        headers=Headers([("date", date)] if date is not None else []),
        request_id=None,
        attempts=1,
        elapsed=0.123,
    )


def raising(error: Exception) -> Probe:
    def probe(*_arguments: object) -> Any:
        raise error

    return probe


def giving(value: object) -> Probe:
    return lambda *_arguments: value


def findings(*, api_key: str | None = "k", base_url: str | None = URL, **overrides: Probe) -> Found:
    found = all_findings(api_key=api_key, base_url=base_url, **overrides)
    return [(finding.check, f"{finding.verdict} {finding.found}") for finding in found]


def all_findings(
    *, api_key: str | None = "k", base_url: str | None = URL, **overrides: Probe
) -> list[Finding]:
    world = {
        "proxy_for": giving(None),
        "resolve": giving(["192.0.2.1"]),
        "connect": giving(None),
        "certificate_end": giving(NOW + 90 * 86_400),
        "ask": giving(response()),
        "now": giving(NOW),
    }
    found = diagnose(api_key=api_key, base_url=base_url, probes=Probes(**world | overrides))
    assert all(finding.advice for finding in found if finding.verdict is Verdict.FAIL)
    return found


@pytest.mark.parametrize(
    ("variable", "value"), [("ORQ_PROJECT_ID", " prj_1"), ("ORQ_LOG", "verbose")]
)
def test_an_invalid_variable_is_neither_the_key_nor_the_url(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    (finding,) = all_findings()
    assert (finding.check, finding.verdict) == ("Environment", Verdict.FAIL)
    assert variable.removeprefix("ORQ_").partition("_")[0] in str(finding.advice).upper()


WORKING = [
    ("API key", "ok set"),
    ("URL", "ok https://api.test"),
    ("Proxy", "ok none"),
    ("DNS", "ok api.test resolves to 192.0.2.1"),
    ("TCP", "ok api.test:443 accepts connections"),
    ("TLS", "ok the certificate is trusted and expires in 90 days"),
    ("Service", "ok responded in 0.12 s"),
    ("Clock", "ok matches the service's"),
]


def test_everything_works() -> None:
    assert findings() == WORKING


CERTIFICATE = ssl.SSLCertVerificationError(1, "verify failed")
CERTIFICATE.verify_message = "certificate has expired"


@pytest.mark.parametrize(
    ("override", "end"),
    [
        (("resolve", raising(socket.gaierror(-2, "Name or service not known"))), ("DNS", "fail api.test: Name or service not known")),
        (("resolve", raising(UnicodeError("label too long."))), ("DNS", "fail api.test: label too long")),
        (("connect", raising(TimeoutError("timed out"))), ("TCP", "fail api.test:443: timed out")),
        (("connect", raising(OSError())), ("TCP", "fail api.test:443: OSError")),
        (("certificate_end", raising(CERTIFICATE)), ("TLS", "fail certificate has expired")),
        (("proxy_for", raising(ConfigurationError("HTTPS_PROXY is not a URL."))), ("Proxy", "fail invalid")),
    ],
)  # fmt: skip
def test_checks_stop_at_a_failure_that_others_depend_on(
    override: tuple[str, Probe], end: tuple[str, str]
) -> None:
    before = [check for check, _ in WORKING].index(end[0])
    assert findings(api_key="k", base_url=URL, **dict([override])) == [*WORKING[:before], end]


def test_an_invalid_url_stops_the_checks() -> None:
    assert findings(base_url="api.test") == [WORKING[0], ("URL", "fail invalid")]


def test_the_network_is_checked_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings(api_key=None) == [("API key", "fail missing or invalid"), *WORKING[1:6]]
    monkeypatch.setenv("ORQ_API_KEY", "k")
    monkeypatch.setenv("ORQ_BASE_URL", URL)
    assert findings(api_key=None, base_url=None) == WORKING


def test_the_proxy_is_checked_instead_of_the_service() -> None:
    found = findings(proxy_for=giving("http://proxy.test:3128"))
    assert found[2:5] == [
        ("Proxy", "ok proxy.test:3128"),
        ("Proxy DNS", "ok proxy.test resolves to 192.0.2.1"),
        ("Proxy TCP", "ok proxy.test:3128 accepts connections"),
    ]
    assert [check for check, _ in found[5:]] == ["Service", "Clock"]


@pytest.mark.parametrize(
    ("override", "check"),
    [
        (("resolve", raising(socket.gaierror(-2, "Name or service not known"))), "Proxy DNS"),
        (("connect", raising(ConnectionRefusedError(111, "Connection refused"))), "Proxy TCP"),
    ],
)
def test_a_dead_proxy_is_named_as_the_cause(override: tuple[str, Probe], check: str) -> None:
    world = dict([override, ("proxy_for", giving("http://proxy.test:3128"))])
    found = all_findings(api_key="k", base_url=URL, **world)
    assert (found[-1].check, found[-1].verdict) == (check, Verdict.FAIL)
    assert "This proxy comes from HTTPS_PROXY" in str(found[-1].advice)
    assert "if you need a proxy" not in str(found[-1].advice)


def test_an_address_needs_no_dns() -> None:
    found = findings(base_url="http://127.0.0.1:1", resolve=giving(["127.0.0.1"]))
    assert found[3] == ("DNS", "ok not needed: 127.0.0.1 is an IP address")


def test_a_tls_failure_has_the_explanation_of_a_call() -> None:
    broken = raising(ssl.SSLError(1, "wrong version number"))
    explanation = "the server doesn't use encryption; correct the port in base_url."
    for error in (TLSError(f"GET /v2/conversations: {explanation}"), ConnectError("no.")):
        found = all_findings(certificate_end=broken, ask=giving(error))
        assert (found[-1].check, found[-1].verdict) == ("TLS", Verdict.FAIL)
        is_explained = "The server doesn't use encryption" in str(found[-1].advice)
        assert is_explained is isinstance(error, TLSError)
        assert "SSL_CERT_FILE" in str(found[-1].advice)


def test_an_invalid_certificate_variable_is_explained() -> None:
    error = ConfigurationError("SSL_CERT_FILE can't be used.")
    missing = raising(FileNotFoundError(2, "No such file or directory"))
    found = all_findings(certificate_end=missing, ask=giving(error))
    assert (found[-1].check, found[-1].found) == ("TLS", "No such file or directory")
    assert found[-1].advice == "SSL_CERT_FILE can't be used."
    assert findings(ask=giving(error))[-2] == ("Service", "fail was not called")


def test_invalid_network_variables_are_not_a_problem_of_the_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    assert doctor_probes.proxy_for(URL) is None
    monkeypatch.setenv("HTTPS_PROXY", "ftp://x")
    found = findings(proxy_for=doctor_probes.proxy_for)
    assert found == [*WORKING[:2], ("Proxy", "fail invalid")]


def test_plain_http_behind_an_https_url(piped: Command, sandbox: Sandbox) -> None:
    ended = piped("doctor", "--base-url", sandbox.url.replace("http:", "https:"))
    last = json.loads(ended.out)[-1]
    assert (ended.code, last["check"]) == (1, "TLS")
    assert "the server doesn't use encryption; correct the port in --base-url" in last["advice"]


@pytest.mark.parametrize(
    ("reply", "found", "words"),
    [
        (answer(500, {}), "responded with status 500", "The service returned 500"),
        (
            answer(200, b"<p>", Content_Type="text/html; charset=utf-8"),
            "sent a response that doesn't match the API's documentation",
            "This looks like a web page, perhaps a login page: check --base-url.",
        ),
    ],
)
def test_a_service_that_is_not_the_api(
    piped: Command, reply: bytes, found: str, words: str
) -> None:
    with ScriptedServer([reply] * 3) as server:
        ended = piped("doctor", "--base-url", server.url)
    service = json.loads(ended.out)[-2]
    assert (ended.code, service["check"], service["found"]) == (1, "Service", found)
    assert words in service["advice"]
    assert "Error" not in service["found"]


def test_tls_is_skipped_for_plain_http() -> None:
    found = findings(base_url="http://localhost")
    assert found[4:6] == [("TCP", "ok localhost:80 accepts connections"), WORKING[6]]


def test_a_certificate_that_expires_soon() -> None:
    found = findings(certificate_end=giving(NOW + 3 * 86_400))
    assert found[5] == ("TLS", "warn the certificate is trusted and expires in 3 days")
    assert found[6:] == WORKING[6:]


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York"])
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("Sat, 21 Dec 2024 13:59:00 GMT", "ok matches the service's"),
        ("Saturday, 21-Dec-24 14:00:30 GMT", "ok matches the service's"),
        ("Sat Dec 21 14:00:30 2024", "ok matches the service's"),
        ("Sat, 21 Dec 2024 14:00:30 -0000", "ok matches the service's"),
        ("Sat, 21 Dec 2024 13:50:00 GMT", "warn 600 s ahead of the service's"),
        ("Sat, 21 Dec 2024 14:10:00 GMT", "warn 600 s behind the service's"),
        ("yesterday", "warn not checked: the service didn't send its time"),
        (None, "warn not checked: the service didn't send its time"),
    ],
)
@pytest.mark.usefixtures("zone")
def test_the_clock(date: str | None, words: str) -> None:
    assert findings(ask=giving(response(date)))[-1] == ("Clock", words)


@pytest.mark.parametrize("error", [ConnectError("no connection: check base_url.")])
def test_a_service_that_does_not_respond(error: ConversationsError) -> None:
    assert findings(ask=giving(error))[-2:] == [
        ("Service", "fail sent no complete response"),
        ("Clock", "warn not checked: the service didn't send its time"),
    ]


def test_the_command(piped: Command, shown: Command) -> None:
    ended = piped("doctor")
    assert ended.code == 0
    assert [finding["check"] for finding in json.loads(ended.out)] == [
        "API key", "URL", "Proxy", "DNS", "TCP", "Service", "Clock",
    ]  # fmt: skip
    wrong = shown("doctor", "--api-key", "wrong")
    assert wrong.code == 1
    assert "responded with status 401" in " ".join(wrong.out.split())
    assert "--api-key" in wrong.out
    assert "Clock" in wrong.out


def test_the_clock_is_checked_with_an_error_response(piped: Command) -> None:
    with ScriptedServer([answer(403, {"message": "no"}, Date=DATE)]) as server:
        found = json.loads(
            piped("doctor", "--base-url", server.url, "--jsonl").out.splitlines()[-1]
        )
    assert found["check"] == "Clock"
    assert "ahead of the service's" in found["found"]


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, URL, None),
        ({"https_proxy": "http://p.test:1"}, URL, "http://p.test:1"),
        ({"https_proxy": "p.test:1"}, URL, "http://p.test:1"),
        ({"https_proxy": "http://user:secret@p.test"}, URL, "http://p.test:80"),
        ({"https_proxy": "socks://p.test"}, URL, "socks5h://p.test:1080"),
        ({"https_proxy": "http://p.test:1"}, "https://localhost", None),
        ({"https_proxy": "http://p.test:1", "no_proxy": "api.test:443"}, URL, None),
        ({"http_proxy": "http://p.test:1"}, URL, None),
        ({"all_proxy": "http://p.test:1"}, URL, "http://p.test:1"),
        ({"all_proxy": "http://p.test:1", "no_proxy": "api.test"}, URL, None),
    ],
)
def test_a_proxy_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxy: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert doctor_probes.proxy_for(url) == proxy


def test_the_network_probes() -> None:
    with ScriptedServer([]) as server:
        port = int(server.url.rsplit(":", 1)[1])
        assert doctor_probes.resolve("127.0.0.1", port) == ["127.0.0.1"]
        doctor_probes.connect("127.0.0.1", port)
    with refused_url() as url, pytest.raises(OSError, match="refused"):
        doctor_probes.connect("127.0.0.1", int(url.rsplit(":", 1)[1]))


def test_the_certificate_probe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)  # pyright: ignore[reportUnknownMemberType]
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with ScriptedServer([], tls=serving) as server:
        port = int(server.url.rsplit(":", 1)[1])
        with pytest.raises(ssl.SSLCertVerificationError):
            doctor_probes.certificate_end("127.0.0.1", port)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert doctor_probes.certificate_end("127.0.0.1", port) > NOW

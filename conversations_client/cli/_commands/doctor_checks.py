"""The checks of `conversations doctor`. No I/O."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import httpx
from attrs import frozen

from conversations_client import (
    Client,
    ConfigurationError,
    ConversationPage,
    ConversationsError,
    DecodeError,
    Headers,
    RawResponse,
    StatusError,
    TLSError,
)
from conversations_client.cli._option_names import describe

MAX_CLOCK_SKEW: Final = 60.0
EXPIRES_SOON: Final = 14 * 86_400.0
_PORTS: Final = {"http": 80, "https": 443}

_PROXY_ADVICE: Final = (
    "This proxy comes from HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: correct or unset the variable, or "
    "add the service's host to NO_PROXY."
)

AnyResponse = RawResponse[ConversationPage] | ConversationsError


class Verdict(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@frozen
class Finding:
    """The result of one check.

    Attributes:
        check: The name of the check.
        verdict: The result.
        found: The details.
        advice: What the user can do; None if nothing is wrong.
    """

    check: str
    verdict: Verdict
    found: str
    advice: str | None = None


@frozen(kw_only=True)
class Probes:
    """The I/O of the checks.

    Attributes:
        proxy_for: Returns the proxy for a URL, or None; raises ConfigurationError.
        resolve: Returns the addresses of a host; raises OSError or UnicodeError.
        connect: Opens and closes a connection to a host and port; raises OSError.
        certificate_end: Returns the expiry time of the certificate for a host and port, in Unix
            seconds; raises OSError, such as ssl.SSLError.
        ask: Lists one conversation; returns the response or the error.
        now: Returns the Unix time in seconds.
    """

    proxy_for: Callable[[str], str | None]
    resolve: Callable[[str, int], Sequence[str]]
    connect: Callable[[str, int], None]
    certificate_end: Callable[[str, int], float]
    ask: Callable[[], AnyResponse]
    now: Callable[[], float]


@frozen(kw_only=True)
class Route:
    """The first hop to the service.

    Attributes:
        host: The host to resolve and connect to.
        port: The port to connect to.
        is_proxied: Whether this host is a proxy.
        has_tls: Whether the connection to this host uses TLS.
    """

    def check(self, name: str) -> str:
        """The name of a check on this hop."""
        return f"Proxy {name}" if self.is_proxied else name

    def advice(self, otherwise: str) -> str:
        """What to do if this hop can't be reached."""
        return _PROXY_ADVICE if self.is_proxied else otherwise

    host: str
    port: int
    is_proxied: bool
    has_tls: bool


def diagnose(*, api_key: str | None, base_url: str | None, probes: Probes) -> list[Finding]:
    """Run the checks, stopping if one fails that the remaining checks depend on.

    Args:
        api_key: The API key; None for the one in the environment.
        base_url: The URL of the service; None for the one in the environment.
        probes: The I/O.

    Returns:
        The findings, in the order of the checks.
    """
    problem = check_environment()
    if problem is not None:
        return [problem]
    findings = [check_key(api_key), check_url(base_url)]
    if findings[-1].verdict is Verdict.FAIL:
        return findings
    url = findings[-1].found
    try:
        route = route_to(url, probes.proxy_for(url))
    except ConfigurationError as error:
        return [*findings, Finding("Proxy", Verdict.FAIL, "invalid", describe(error))]
    findings += [check_proxy(route), *check_network(route, probes)]
    if all(finding.verdict is not Verdict.FAIL for finding in findings):
        response = probes.ask()
        findings += [check_service(response), check_clock(response, now=probes.now())]
    return findings


def check_environment() -> Finding | None:
    """Find a variable that makes every client fail, whatever its key and URL are."""
    try:
        _resolve_url("http://localhost")
    except ConfigurationError as error:
        return Finding("Environment", Verdict.FAIL, "invalid", describe(error))
    return None


def check_key(api_key: str | None) -> Finding:
    """Check that there is a valid API key."""
    try:
        Client(api_key, base_url="http://localhost").close()
    except ConfigurationError as error:
        return Finding("API key", Verdict.FAIL, "missing or invalid", describe(error))
    return Finding("API key", Verdict.OK, "set")


def check_url(base_url: str | None) -> Finding:
    """Check the URL of the service; `found` is the URL if it is valid."""
    try:
        return Finding("URL", Verdict.OK, _resolve_url(base_url))
    except ConfigurationError as error:
        return Finding("URL", Verdict.FAIL, "invalid", describe(error))


def _resolve_url(base_url: str | None) -> str:
    """The URL that a client uses; raises ConfigurationError."""
    with (
        # Proxies and certificates don't apply to an injected client; `Probes` report them.
        httpx.Client(transport=httpx.BaseTransport(), trust_env=False) as unused,
        Client("any", base_url=base_url, http_client=unused) as client,
    ):
        return client.base_url


def route_to(url: str, proxy: str | None) -> Route:
    """The first hop to a service."""
    hop = urlsplit(proxy or url)
    return Route(
        host=hop.hostname or "",
        port=hop.port or _PORTS[hop.scheme],
        is_proxied=proxy is not None,
        has_tls=proxy is None and hop.scheme == "https",
    )


def check_proxy(route: Route) -> Finding:
    """Report the proxy."""
    return Finding(
        "Proxy", Verdict.OK, f"{route.host}:{route.port}" if route.is_proxied else "none"
    )


def check_network(route: Route, probes: Probes) -> list[Finding]:
    """Check the connection to the first hop, up to the first failure."""
    steps = [check_dns, check_tcp, *([check_tls] if route.has_tls else [])]
    findings: list[Finding] = []
    for step in steps:
        findings.append(step(route, probes))
        if findings[-1].verdict is Verdict.FAIL:
            break
    return findings


def check_dns(route: Route, probes: Probes) -> Finding:
    """Check that the host name resolves."""
    try:
        addresses = probes.resolve(route.host, route.port)
    except (OSError, UnicodeError) as error:
        return Finding(
            route.check("DNS"),
            Verdict.FAIL,
            f"{route.host}: {_reason(error)}",
            route.advice(
                "Check the spelling of the host name, the network, and whether you need a VPN."
            ),
        )
    found = f"{route.host} resolves to {', '.join(addresses)}"
    if list(addresses) == [route.host]:
        found = f"not needed: {route.host} is an IP address"
    return Finding(route.check("DNS"), Verdict.OK, found)


def check_tcp(route: Route, probes: Probes) -> Finding:
    """Check that the host accepts connections."""
    try:
        probes.connect(route.host, route.port)
    except OSError as error:
        return Finding(
            route.check("TCP"),
            Verdict.FAIL,
            f"{route.host}:{route.port}: {_reason(error)}",
            route.advice("Check the port and the firewall; if you need a proxy, set HTTPS_PROXY."),
        )
    return Finding(route.check("TCP"), Verdict.OK, f"{route.host}:{route.port} accepts connections")


def check_tls(route: Route, probes: Probes) -> Finding:
    """Check the certificate and its expiry."""
    try:
        left = probes.certificate_end(route.host, route.port) - probes.now()
    except OSError as error:
        return Finding("TLS", Verdict.FAIL, _reason(error), _tls_advice(probes.ask()))
    found = f"the certificate is trusted and expires in {left / 86_400:.0f} days"
    if left < EXPIRES_SOON:
        return Finding("TLS", Verdict.WARN, found, "Notify the operator of the service.")
    return Finding("TLS", Verdict.OK, found)


def _tls_advice(response: AnyResponse) -> str:
    """The explanation of a call that fails in the same way, and other possible causes."""
    if isinstance(response, ConfigurationError):
        return describe(response)
    explanation = f"{describe(response)} " if isinstance(response, TLSError) else ""
    return (
        f"{explanation}Check the URL and this machine's clock. If your network uses its own "
        "certificate authority, set SSL_CERT_FILE to that authority's certificate file."
    )


def check_service(response: AnyResponse) -> Finding:
    """Check that the service accepts the key."""
    if isinstance(response, ConversationsError):
        return Finding("Service", Verdict.FAIL, _outcome(response), describe(response))
    return Finding("Service", Verdict.OK, f"responded in {response.elapsed:.2f} s")


def _outcome(error: ConversationsError) -> str:
    match error:
        case StatusError(status=status):
            return f"responded with status {status}"
        case DecodeError():
            return "sent a response that doesn't match the API's documentation"
        case ConfigurationError():
            return "was not called"
        case _:
            return "sent no complete response"


def check_clock(response: AnyResponse, *, now: float) -> Finding:
    """Compare this machine's clock with the service's."""
    skew = _skew(response, now=now)
    if skew is None:
        return Finding("Clock", Verdict.WARN, "not checked: the service didn't send its time")
    if abs(skew) > MAX_CLOCK_SKEW:
        return Finding(
            "Clock",
            Verdict.WARN,
            f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the service's",
            "Set this machine's clock: certificates and Retry-After depend on it.",
        )
    return Finding("Clock", Verdict.OK, "matches the service's")


def _skew(response: AnyResponse, *, now: float) -> float | None:
    headers = response.headers if isinstance(response, RawResponse | StatusError) else Headers(())
    date = headers.get_date("date")
    return None if date is None else now - date.timestamp()


def _reason(error: Exception) -> str:
    verification = getattr(error, "verify_message", None)
    strerror = getattr(error, "strerror", None)
    return str(verification or strerror or error).rstrip(".") or type(error).__name__

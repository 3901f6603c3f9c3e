"""What may keep the client from working: the checks, told apart from the network they look at."""

import math
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from conversations_client import (
    Client,
    ConfigurationError,
    ConversationPage,
    ConversationsError,
    Headers,
    RawResponse,
    StatusError,
)
from conversations_client.cli._words import in_words

MOST_CLOCK_SKEW: Final = 60.0
SOON: Final = 14 * 86_400.0
_PORTS: Final = {"http": 80, "https": 443}

Answer = RawResponse[ConversationPage] | ConversationsError


class Verdict(StrEnum):
    """What a check comes to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@frozen
class Finding:
    """The result of one check.

    Attributes:
        check: What was looked at.
        verdict: How it is.
        found: What was seen.
        advice: What to do about it; None where nothing is to be done.
    """

    check: str
    verdict: Verdict
    found: str
    advice: str | None = None


@frozen(kw_only=True)
class Probes:
    """The looks at the world that the checks need.

    Attributes:
        proxy_for: The proxy for a URL, None without one; raises ConfigurationError.
        resolve: The addresses of a host; raises OSError or UnicodeError.
        connect: Opens a connection to a host and port and closes it; raises OSError.
        certificate_end: When the certificate of a host and port ends, in Unix seconds; raises
            OSError, of which ssl.SSLError is one.
        ask: The shortest listing there is, or the error that it ended in.
        now: Unix time in seconds.
    """

    proxy_for: Callable[[str], str | None]
    resolve: Callable[[str, int], Sequence[str]]
    connect: Callable[[str, int], None]
    certificate_end: Callable[[str, int], float]
    ask: Callable[[], Answer]
    now: Callable[[], float]


@frozen(kw_only=True)
class Route:
    """The first hop to the service.

    Attributes:
        host: Whose name is looked up.
        port: Which port is connected to.
        is_proxied: Whether that is a proxy.
        has_tls: Whether this connection itself is encrypted up to the service.
    """

    host: str
    port: int
    is_proxied: bool
    has_tls: bool


def diagnose(*, api_key: str | None, base_url: str | None, probes: Probes) -> list[Finding]:
    """Check everything, up to where the rest can't work.

    Args:
        api_key: The API key; the environment's if None.
        base_url: Where the service is; the environment's if None.
        probes: The looks at the world.

    Returns:
        The findings, in the order of the checks.
    """
    findings = [check_key(api_key), check_url(base_url)]
    if findings[-1].verdict is Verdict.FAIL:
        return findings
    url = findings[-1].found
    try:
        route = route_to(url, probes.proxy_for(url))
    except ConfigurationError as error:
        return [*findings, Finding("Proxy", Verdict.FAIL, "unusable", in_words(error))]
    findings += [check_proxy(route), *check_network(route, probes)]
    if all(finding.verdict is not Verdict.FAIL for finding in findings):
        answer = probes.ask()
        findings += [check_service(answer), check_clock(answer, now=probes.now())]
    return findings


def check_key(api_key: str | None) -> Finding:
    """Whether there is an API key that can be sent."""
    try:
        Client(api_key, base_url="http://localhost").close()
    except ConfigurationError as error:
        return Finding("API key", Verdict.FAIL, "missing or unusable", in_words(error))
    return Finding("API key", Verdict.OK, "there")


def check_url(base_url: str | None) -> Finding:
    """Whether the service's URL is one; `found` is the URL then."""
    try:
        with Client("any", base_url=base_url) as client:
            return Finding("URL", Verdict.OK, client.base_url)
    except ConfigurationError as error:
        return Finding("URL", Verdict.FAIL, "unusable", in_words(error))


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
    """Which proxy is used."""
    return Finding(
        "Proxy", Verdict.OK, f"{route.host}:{route.port}" if route.is_proxied else "none"
    )


def check_network(route: Route, probes: Probes) -> list[Finding]:
    """Whether the first hop can be reached; the steps after one that fails are left out."""
    steps = [check_dns, check_tcp, *([check_tls] if route.has_tls else [])]
    findings: list[Finding] = []
    for step in steps:
        findings.append(step(route, probes))
        if findings[-1].verdict is Verdict.FAIL:
            break
    return findings


def check_dns(route: Route, probes: Probes) -> Finding:
    """Whether the host's name is known."""
    try:
        addresses = probes.resolve(route.host, route.port)
    except (OSError, UnicodeError) as error:
        return Finding(
            "DNS",
            Verdict.FAIL,
            f"{route.host}: {_words(error)}",
            "Check the spelling of the host, the network, and whether a VPN is needed.",
        )
    return Finding("DNS", Verdict.OK, f"{route.host} is {', '.join(addresses)}")


def check_tcp(route: Route, probes: Probes) -> Finding:
    """Whether the host takes connections."""
    try:
        probes.connect(route.host, route.port)
    except OSError as error:
        return Finding(
            "TCP",
            Verdict.FAIL,
            f"{route.host}:{route.port}: {_words(error)}",
            "Check the port, and whether a firewall is in between; "
            "where a proxy is needed, set HTTPS_PROXY.",
        )
    return Finding("TCP", Verdict.OK, f"{route.host}:{route.port} takes connections")


def check_tls(route: Route, probes: Probes) -> Finding:
    """Whether the connection can be encrypted, and how long the certificate lasts."""
    try:
        left = probes.certificate_end(route.host, route.port) - probes.now()
    except OSError as error:
        return Finding(
            "TLS",
            Verdict.FAIL,
            _words(error),
            "Check the URL and this machine's clock. Where the network signs certificates itself, "
            "set SSL_CERT_FILE to the file of its certificate authority.",
        )
    found = f"the certificate is trusted, and lasts {left / 86_400:.0f} more days"
    if left < SOON:
        return Finding("TLS", Verdict.WARN, found, "Tell whoever runs the service.")
    return Finding("TLS", Verdict.OK, found)


def check_service(answer: Answer) -> Finding:
    """Whether the service answers this key."""
    if isinstance(answer, ConversationsError):
        return Finding("Service", Verdict.FAIL, type(answer).__name__, in_words(answer))
    return Finding("Service", Verdict.OK, f"answered in {answer.elapsed:.2f} s")


def check_clock(answer: Answer, *, now: float) -> Finding:
    """Whether this machine's clock agrees with the service's."""
    skew = _skew(answer, now=now)
    if skew is None:
        return Finding("Clock", Verdict.WARN, "not checked: the service didn't tell its time")
    if abs(skew) > MOST_CLOCK_SKEW:
        return Finding(
            "Clock",
            Verdict.WARN,
            f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the service's",
            "Set this machine's clock: certificates and Retry-After depend on it.",
        )
    return Finding("Clock", Verdict.OK, "agrees with the service's")


def _skew(answer: Answer, *, now: float) -> float | None:
    headers = answer.headers if isinstance(answer, RawResponse | StatusError) else Headers(())
    try:
        skew = now - parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    return skew if math.isfinite(skew) else None


def _words(error: Exception) -> str:
    verification = getattr(error, "verify_message", None)
    strerror = getattr(error, "strerror", None)
    return str(verification or strerror or error).rstrip(".") or type(error).__name__

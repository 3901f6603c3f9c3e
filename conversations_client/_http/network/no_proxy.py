"""Parses NO_PROXY. No I/O."""

import re
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, NamedTuple

from conversations_client._base.hosts import ip_address
from conversations_client._base.lazy_imports import lazy_import
from conversations_client.errors import ConfigurationError

NAME: Final = re.compile(r"[A-Za-z0-9*_-]+(\.[A-Za-z0-9*_-]+)*")
_SCHEMES: Final = frozenset({"all", "http", "https"})
_BRACKETED: Final = re.compile(r"\[([^]]*:[^]]*)\](/[^:]*)?(.*)")
_SHORT_RANGE: Final = re.compile(r"([0-9]+(?:\.[0-9]+){0,2})(/[0-9]+)")
_NUMBERS: Final = re.compile(r"[0-9]+(\.[0-9]+){3,}")
_MAPPED_BITS: Final = 96  # the bits before the IPv4 address in an IPv4-mapped IPv6 address


class _Entry(NamedTuple):
    scheme: str
    """`http` or `https`; empty for both."""
    host: str | IPv4Network | IPv6Network
    """A domain, which includes its subdomains; a pattern with `*`; or a range of addresses."""
    port: int | None
    """None for every port."""

    def matches(self, scheme: str, host: str, port: int) -> bool:
        if self.scheme not in {"", scheme} or self.port not in {None, port}:
            return False
        address = ip_address(host)
        if not isinstance(self.host, str):
            return address is not None and address in self.host
        if "*" in self.host:
            lazy_import("fnmatch")
            from fnmatch import fnmatchcase

            return fnmatchcase(host, self.host)
        return host == self.host or (address is None and host.endswith(f".{self.host}"))


def is_excluded(scheme: str, host: str, port: int, *, exclusions: str, variable: str) -> bool:
    """Whether NO_PROXY excludes a URL, by the rules of httpx, requests and curl.

    Args:
        scheme: The scheme of the URL.
        host: The host of the URL, in lower case and without brackets.
        port: The port of the URL.
        exclusions: The value of the variable.
        variable: The name of the variable, for error messages.

    Raises:
        ConfigurationError: An entry is invalid, even if another entry matches.
    """
    texts = filter(None, re.split(r"[,\s]+", exclusions.lower()))
    entries = [_parsed(text, f"Entry {n} in {variable}") for n, text in enumerate(texts, start=1)]
    return any(entry.matches(scheme, host.removesuffix("."), port) for entry in entries)


def _parsed(text: str, name: str) -> _Entry:
    with suppress(ValueError):  # whose message may contain the text
        return _entry(text)
    raise ConfigurationError(
        f"{name} is invalid: use a host, .domain, host:port, an address, a range such as "
        "10.0.0.0/8, or *."
    )


def _entry(text: str) -> _Entry:
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme not in _SCHEMES:
        raise ValueError
    host, port = _split_port(rest.removesuffix("/"))
    return _Entry("" if scheme == "all" else scheme, _host(host), port)


def _split_port(text: str) -> tuple[str, int | None]:
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed is not None:
        address, prefix, rest = bracketed.groups("")
        host, separator, port = address + prefix, rest[:1], rest[1:]
    elif text.count(":") == 1:
        host, separator, port = text.partition(":")
    else:
        host, separator, port = text, "", ""
    if not separator:
        return host, None
    if separator != ":" or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 2**16:
        raise ValueError
    return host, int(port)


def _host(text: str) -> str | IPv4Network | IPv6Network:
    if "/" in text or ":" in text or ip_address(text) is not None:
        return _network(text)
    lazy_import("encodings.idna")
    # With or without a leading dot, an entry matches the domain and its subdomains.
    name = text.removeprefix(".").removesuffix(".").encode("idna").decode("ascii")
    if not NAME.fullmatch(name) or _NUMBERS.fullmatch(name):
        raise ValueError
    return name


def _network(text: str) -> IPv4Network | IPv6Network:
    short = _SHORT_RANGE.fullmatch(text)
    if short is not None:  # macOS writes 169.254/16
        text = f"{short[1]}{'.0' * (3 - short[1].count('.'))}{short[2]}"
    network = ip_network(text, strict=False)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ip_network(f"{mapped}/{network.prefixlen - _MAPPED_BITS}")

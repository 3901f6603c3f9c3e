"""Selects the proxy for a URL from the environment variables. No I/O."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from conversations_client._base.hosts import ip_address, is_loopback
from conversations_client._base.lazy_imports import lazy_import
from conversations_client.errors import ConfigurationError

from .connections.route import Proxy

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_ALIASES: Final = {"socks": "socks5h"}
_NAME: Final = re.compile(r"[A-Za-z0-9*_-]+(\.[A-Za-z0-9*_-]+)*")
_BRACKETED: Final = re.compile(r"\[([^]]*)\](.*)")
_SYSTEM: Final = "the system's proxy settings"
_MAX_CREDENTIAL_LENGTH: Final = 255
_MAPPED_BITS: Final = 96  # the bits before the IPv4 address in an IPv4-mapped IPv6 address


def proxy_for(url: str, variables: Mapping[str, str]) -> Proxy | None:
    """The proxy for a URL; None for a direct connection.

    Args:
        url: The URL of the service.
        variables: The proxy variables, as `environment_variables` returns them, or the system's
            settings, as `urllib.request.getproxies()` returns them.

    Raises:
        ConfigurationError: A variable is invalid.
    """
    target = urlsplit(url)
    names = {name.lower().removesuffix("_proxy"): name for name in variables}
    name = names.get(target.scheme) or names.get("all", "")
    value = variables.get(name, "").strip()
    if not value or is_loopback(target.hostname or ""):
        return None
    if "no" in names and _is_excluded(target, variables[names["no"]], names["no"]):
        return None
    return _parsed(value, name if name.lower().endswith("_proxy") else _SYSTEM)


def environment_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables of the environment, for `proxy_for`; lower case takes precedence."""
    variables: dict[str, str] = {}
    for is_lower in (False, True):
        for variable in environ:
            name = variable.lower()
            if name.endswith("_proxy") and (variable == name) == is_lower:
                variables[name] = variable
    # In a CGI program, HTTP_PROXY is the Proxy header of the request.
    if "REQUEST_METHOD" in environ and not environ.get("http_proxy"):
        variables.pop("http_proxy", None)
    return {name: value for name in variables.values() if (value := environ[name])}


def _parsed(value: str, variable: str) -> Proxy:
    parts = _split(value)
    # The value may contain a password, so no message shows it.
    if parts is None:
        raise ConfigurationError(f"The proxy in {variable} must be a URL such as http://host:port.")
    scheme = _ALIASES.get(parts.scheme, parts.scheme)
    if scheme not in _PORTS:
        raise ConfigurationError(
            f"The proxy in {variable} has an unknown scheme: use http, https, socks5 or socks5h."
        )
    return Proxy(
        scheme=scheme,
        host=parts.hostname or "",
        port=parts.port or _PORTS[scheme],
        credentials=_credentials(parts, variable),
        source=variable,
    )


def _split(value: str) -> SplitResult | None:
    # urlsplit() silently removes line breaks.
    if not value.isprintable():
        return None
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_host = ip_address(host) is not None or _NAME.fullmatch(host.removesuffix("."))
    return parts if is_host and port != 0 and "*" not in host else None


def _credentials(parts: SplitResult, variable: str) -> tuple[bytes, bytes] | None:
    if parts.username is None:
        return None
    user, password = unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")
    if max(len(user), len(password)) > _MAX_CREDENTIAL_LENGTH or b":" in user:
        raise ConfigurationError(
            f"The proxy in {variable} has an invalid user or password: use at most "
            f"{_MAX_CREDENTIAL_LENGTH} bytes for each, and no colon in the user."
        )
    return user, password


def _is_excluded(target: SplitResult, exclusions: str, variable: str) -> bool:
    host, port = (target.hostname or "").removesuffix("."), target.port
    port = port or _PORTS[target.scheme]
    try:
        return any(
            _matches(entry.lower(), host, port, target.scheme)
            for entry in re.split(r"[,\s]+", exclusions)
            if entry
        )
    except _InvalidEntryError as error:
        raise _invalid_exclusion(error.entry, variable) from None


def _matches(entry: str, host: str, port: int, scheme: str) -> bool:
    """Whether a NO_PROXY entry matches a URL, by the rules of httpx, requests and curl."""
    entry_scheme, separator, rest = entry.rpartition("://")
    if separator and entry_scheme not in {"all", "http", "https"}:
        raise _InvalidEntryError(entry)
    pattern, entry_port = _split_port(rest.removesuffix("/"), entry)
    if entry_scheme not in {"", "all", scheme} or entry_port not in {None, port}:
        return False
    return _host_matches(pattern, host, entry)


def _split_port(text: str, entry: str) -> tuple[str, int | None]:
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed is not None:
        host, rest = bracketed.groups()
        if rest.startswith("/"):
            return host + rest, None
        separator, port = rest[:1], rest[1:]
    elif text.count(":") == 1:
        host, separator, port = text.partition(":")
    else:
        return text, None
    if not separator and not port:
        return host, None
    is_port = bool(re.fullmatch("[0-9]{1,5}", port)) and 0 < int(port) < 2**16
    if separator != ":" or not is_port:
        raise _InvalidEntryError(entry)
    return host, int(port)


def _host_matches(pattern: str, host: str, entry: str) -> bool:
    address = ip_address(host)
    if "/" in pattern or ":" in pattern or ip_address(pattern) is not None:
        return address is not None and address in _network(pattern, entry)
    # With or without a leading dot, an entry matches the domain and its subdomains.
    name = _ascii(pattern.removeprefix(".").removesuffix("."))
    if not _NAME.fullmatch(name):
        raise _InvalidEntryError(entry)
    if "*" in name:
        lazy_import("fnmatch")
        from fnmatch import fnmatchcase

        return fnmatchcase(host, name)
    return host == name or (address is None and host.endswith(f".{name}"))


def _network(pattern: str, entry: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(pattern, strict=False)
    except ValueError:
        raise _InvalidEntryError(entry) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ip_network(f"{mapped}/{network.prefixlen - _MAPPED_BITS}")


def _ascii(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


class _InvalidEntryError(Exception):
    def __init__(self, entry: str) -> None:
        super().__init__()
        self.entry = entry


def _invalid_exclusion(entry: str, variable: str) -> ConfigurationError:
    shown = "an entry with '@' in it" if "@" in entry else repr(entry)
    return ConfigurationError(
        f"{variable} contains {shown}, which is invalid: use a host, .domain, host:port, an "
        "address, a range such as 10.0.0.0/8, or *."
    )

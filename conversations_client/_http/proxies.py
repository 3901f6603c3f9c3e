"""Which proxy leads to a URL, by the variables of the environment. No I/O."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from conversations_client._base.hosts import ip_address, is_loopback
from conversations_client.errors import ConfigurationError

from .connections.route import Proxy

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_ALIASES: Final = {"socks": "socks5h"}
_NAME: Final = re.compile(r"[A-Za-z0-9*_-]+(\.[A-Za-z0-9*_-]+)*")
_BRACKETED: Final = re.compile(r"\[([^]]*)\](.*)")
_LONGEST_CREDENTIAL: Final = 255
_MAPPED_BITS: Final = 96  # of an IPv6 address before the IPv4 address that it maps


def proxy_for(url: str, variables: Mapping[str, str]) -> Proxy | None:
    """The proxy that leads to a URL; None for a direct connection.

    Args:
        url: The service's URL.
        variables: The proxies by what they are for: `http`, `https`, `all`; and `no`, the hosts to
            reach directly. These are the names of `urllib.request.getproxies()`.

    Raises:
        ConfigurationError: A variable can't be understood.
    """
    target = urlsplit(url)
    host = target.hostname or ""
    name = target.scheme if variables.get(target.scheme) else "all"
    value = variables.get(name, "").strip()
    if not value or is_loopback(host) or _is_excluded(target, variables.get("no", "")):
        return None
    return _parsed(value, f"{name.upper()}_PROXY")


def environment_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxies that the environment names, as `proxy_for` takes them; lower case wins."""
    found: dict[str, str] = {}
    for is_lower in (False, True):
        for variable, value in environ.items():
            name = variable.lower()
            if name.endswith("_proxy") and (variable == name) == is_lower:
                found[name.removesuffix("_proxy")] = value
    # A web server sets HTTP_PROXY for a CGI program from a header of the request.
    if "REQUEST_METHOD" in environ and not environ.get("http_proxy"):
        found.pop("http", None)
    return {name: value for name, value in found.items() if value}


def _parsed(value: str, variable: str) -> Proxy:
    parts = _split(value)
    # The value may hold a password, so no message shows it.
    if parts is None:
        raise ConfigurationError(
            f"The proxy in {variable} is not a URL such as http://host:port: correct it."
        )
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
    found = unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")
    if not all(len(each) <= _LONGEST_CREDENTIAL for each in found) or b":" in found[0]:
        raise ConfigurationError(
            f"The proxy in {variable} has a user or password that can't be sent."
        )
    return found


def _is_excluded(target: SplitResult, exclusions: str) -> bool:
    host, port = (target.hostname or "").removesuffix("."), target.port
    port = port or _PORTS[target.scheme]
    return any(
        _matches(entry.lower(), host, port, target.scheme)
        for entry in re.split(r"[,\s]+", exclusions)
        if entry
    )


def _matches(entry: str, host: str, port: int, scheme: str) -> bool:
    """Whether a URL is meant by an entry of NO_PROXY, as httpx, requests and curl understand it."""
    wanted_scheme, separator, rest = entry.rpartition("://")
    if separator and wanted_scheme not in {"all", "http", "https"}:
        raise _unknown(entry)
    pattern, wanted_port = _split_port(rest.removesuffix("/"), entry)
    if wanted_scheme not in {"", "all", scheme} or wanted_port not in {None, port}:
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
    if separator != ":" or not re.fullmatch("[0-9]{1,5}", port):
        raise _unknown(entry)
    return host, int(port)


def _host_matches(pattern: str, host: str, entry: str) -> bool:
    address = ip_address(host)
    if "/" in pattern or ":" in pattern or ip_address(pattern) is not None:
        return address is not None and address in _network(pattern, entry)
    # A leading dot is ignored: the entry stands for the domain and for every name below it.
    name = _ascii(pattern.removeprefix(".").removesuffix("."))
    if not _NAME.fullmatch(name):
        raise _unknown(entry)
    if "*" in name:
        from fnmatch import fnmatchcase

        return fnmatchcase(host, name)
    return host == name or (address is None and host.endswith(f".{name}"))


def _network(pattern: str, entry: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(pattern, strict=False)
    except ValueError:
        raise _unknown(entry) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ip_network(f"{mapped}/{network.prefixlen - _MAPPED_BITS}")


def _ascii(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _unknown(entry: str) -> ConfigurationError:
    shown = "an entry with '@' in it" if "@" in entry else repr(entry)
    return ConfigurationError(
        f"NO_PROXY has {shown}, which can't be understood: use a host, .domain, host:port, an "
        "address, a range such as 10.0.0.0/8, or *."
    )

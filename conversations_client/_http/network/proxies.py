"""Selects the proxy for a URL from the environment variables. No I/O."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from conversations_client._base.hosts import ip_address, is_loopback
from conversations_client._http.connections.route import Proxy
from conversations_client.errors import ConfigurationError

from .no_proxy import NAME, is_excluded

_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_ALIASES: Final = {"socks": "socks5h"}
_SYSTEM: Final = "the system's proxy settings"
_MAX_CREDENTIAL_LENGTH: Final = 255


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
    host = target.hostname or ""
    names = {name.lower().removesuffix("_proxy"): name for name in variables}
    name = names.get(target.scheme) or names.get("all", "")
    value = variables.get(name, "").strip()
    if not value or is_loopback(host):
        return None
    no_proxy = names.get("no", "")
    exclusions, port = variables.get(no_proxy, ""), target.port or _PORTS[target.scheme]
    if is_excluded(target.scheme, host, port, exclusions=exclusions, variable=no_proxy):
        return None
    return _parsed(value, name if name.lower().endswith("_proxy") else _SYSTEM)


def environment_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxy variables of the environment, for `proxy_for`; lower case takes precedence."""
    names = [name for name in environ if name[-6:].lower() == "_proxy"]
    variables = {name.lower(): name for name in sorted(names, key=str.islower)}
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
    is_host = ip_address(host) is not None or NAME.fullmatch(host.removesuffix("."))
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

"""Checks the arguments and attributes of a client."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.secret import Secret
from conversations_client._base.unset import UNSET, Unset
from conversations_client._calls.retry import Retry
from conversations_client._calls.settings import (
    Settings,
    Timeout,
    checked_api_key,
    checked_retry,
    chosen_base_url,
    chosen_log_level,
    chosen_project_id,
    chosen_timeout,
)
from conversations_client.errors import ConfigurationError

if TYPE_CHECKING:
    from ssl import SSLContext

    from conversations_client._http.connections.route import Proxy
    from conversations_client._http.network.variables import Network


def checked_settings(
    *,
    api_key: str | None,
    base_url: str | None,
    project_id: str | None,
    timeout: Timeout | float | None,
    retry: Retry,
    extra_headers: Mapping[str, str] | None,
    max_connections: int,
    max_response_bytes: int,
    max_event_bytes: int,
    allow_plain_http: bool,
    pickle_key: bool,
) -> Settings:
    """The settings of a new client: from its arguments, then the environment, then the defaults."""
    _set_up_log(chosen_log_level(os.environ))
    return Settings(
        api_key=checked_api_key(api_key, os.environ),
        base_url=chosen_base_url(base_url, os.environ, allow_plain_http=allow_plain_http),
        project_id=chosen_project_id(project_id, os.environ),
        timeout=chosen_timeout(timeout),
        retry=checked_retry(retry),
        extra_headers=checked_extra_headers(extra_headers),
        max_connections=max_connections,
        max_response_bytes=max_response_bytes,
        max_event_bytes=max_event_bytes,
        allow_plain_http=allow_plain_http,
        pickle_key=pickle_key,
    )


def _set_up_log(level: str | None) -> None:
    if level is not None:
        lazy_import("conversations_client._engine.stderr_log")
        from conversations_client._engine.stderr_log import log_to_stderr

        log_to_stderr(level)


def checked_extra_headers(argument: object) -> tuple[tuple[str, str], ...]:
    """The names and values of the headers; raises ConfigurationError."""
    if argument is None:
        return ()
    lazy_import("conversations_client._calls.call_options")
    from conversations_client._calls.call_options import checked_headers

    return checked_headers(argument)


def overrides(**options: object) -> tuple[str, ...]:
    """The names of the options that are not None."""
    return tuple(name for name, option in options.items() if option is not None)


def replaced_api_key(argument: object) -> Secret:
    """The key of a copy, which never comes from the environment; raises ConfigurationError."""
    if argument is None or argument == "":
        raise ConfigurationError(
            "with_options(api_key=…) needs a key: omit api_key to keep the client's key."
        )
    return checked_api_key(argument, {})


def replaced_project_id(argument: object) -> str | None:
    """The project of a copy, which never comes from the environment; raises ConfigurationError."""
    return chosen_project_id(argument, {})


def checked_network(
    settings: Settings,
    ssl_context: "SSLContext | None",
    http_client: Any | None,  # noqa: ANN401 - checked here
    expected: str,
) -> "Network":
    """The proxy and the TLS settings of a new client: from its arguments, then the environment.

    Args:
        settings: The other settings.
        ssl_context: The argument.
        http_client: The argument; the settings of an injected client apply instead.
        expected: The name of the class of an injected client.

    Raises:
        ConfigurationError: An argument or a variable is invalid.
    """
    _check_ssl_context(ssl_context)
    if http_client is not None:
        _check_injected(settings, http_client, ssl_context, expected)
        return None, None
    # Without such a variable, no import is needed.
    names = " ".join(os.environ).upper()
    if any(part in names for part in _NETWORK_VARIABLES):
        lazy_import("conversations_client._http.network.variables")
        from conversations_client._http.network.variables import environment_network

        network = environment_network(settings.base_url, ssl_context, os.environ)
        _check_proxy(network[0], settings.api_key)
        return network
    return UNSET, ssl_context


def _check_proxy(proxy: "Proxy | Unset | None", api_key: Secret) -> None:
    if proxy and api_key.is_in(proxy.host):
        raise ConfigurationError(
            f"The proxy in {proxy.source} contains the API key: correct the variable."
        )


_NETWORK_VARIABLES: Final = ("_PROXY", "SSL_CERT_", "SSLKEYLOGFILE")


def _check_ssl_context(context: object) -> None:
    # A caller that passes a context has already imported the module.
    ssl = sys.modules.get("ssl")
    if context is not None and (ssl is None or not isinstance(context, ssl.SSLContext)):
        raise ConfigurationError(
            f"ssl_context must be an ssl.SSLContext, not {type(context).__name__}."
        )


def check_hooks(hooks: object, expected: type) -> None:
    """Check that hooks have the expected class; raises ConfigurationError."""
    if hooks is not None and not isinstance(hooks, expected):
        raise ConfigurationError(
            f"hooks must be {expected.__name__}(…), not {type(hooks).__name__}."
        )


def _check_injected(
    settings: Settings,
    client: Any,  # noqa: ANN401 - checked here
    ssl_context: object,
    expected: str,
) -> None:
    from conversations_client._http.client_protocols import classes

    if not isinstance(client, classes(expected)):
        raise ConfigurationError(
            f"http_client must be an httpx.{expected} or an httpx2.{expected}, "
            f"not {type(client).__name__}."
        )
    if ssl_context is not None:
        raise ConfigurationError(
            "ssl_context has no effect on an http_client: pass it to your HTTP client instead, as "
            "verify=…."
        )
    if not settings.allow_plain_http:
        lazy_import("conversations_client._http.httpx_clients.injected_proxies")
        from conversations_client._http.httpx_clients.injected_proxies import check_plain_http

        check_plain_http(client, settings.base_url)


_CHANGEABLE: Final = frozenset(
    {
        "api_key",
        "extra_headers",
        "hooks",
        "max_event_bytes",
        "max_response_bytes",
        "project_id",
        "retry",
        "timeout",
    }
)
"""The settings that `with_options` changes."""

_FIXED: Final = frozenset(
    {
        "allow_plain_http",
        "base_url",
        "http_client",
        "max_connections",
        "pickle_key",
        "ssl_context",
    }
)
"""The settings that only a new client can change."""


def check_assignable(cls: type, base: type, name: str) -> None:
    """Raise AttributeError if setting an attribute of a client would have no effect.

    Args:
        cls: The class of the client.
        base: The base class of the clients.
        name: The name of the attribute.
    """
    declared = getattr(cls, name, UNSET)
    if declared is not getattr(base, name, UNSET):
        return  # a subclass may declare an attribute of this name, for example in its __slots__
    is_subclass = "_initialize" not in vars(cls)  # which Client and AsyncClient define
    if declared is UNSET and is_subclass:
        return
    if name in _CHANGEABLE or name in _FIXED:
        advice = (
            f"use client.with_options({name}=…), which returns a copy"
            if name in _CHANGEABLE
            else f"create a new client with {cls.__name__}({name}=…)"
        )
        raise AttributeError(f"{cls.__name__}.{name} can't be set: {advice}.")
    if declared is UNSET:
        raise AttributeError(
            f"{cls.__name__} has no attribute {name!r}: pass settings to {cls.__name__}(…) or to "
            "client.with_options(…), and use a subclass for attributes of your own."
        )

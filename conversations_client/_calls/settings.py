"""What a client is set up with: arguments, else the environment, else defaults."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from attrs import field, frozen

from conversations_client._base.secret import Secret
from conversations_client._fields import validators
from conversations_client.errors import ConfigurationError

from .retry import Retry

DEFAULT_BASE_URL: Final = "https://my.orq.ai"

# Python's parser reads the URL here, and httpx's later: of this both take the same for the host.
_HOST_AND_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(:[0-9]+)?")
_LONGEST_URL: Final = 2000


@frozen(kw_only=True)
class Timeout:
    """How long a call may take.

    Attributes:
        total: Seconds for the whole call: every attempt, the pauses between them and the reading
            of the answer, of a stream only up to its first byte. None for no limit. Default 60.
        connect: Seconds to make one connection, encryption included; None for no limit. Default 5.
        idle: Seconds without a byte moving either way; None for no limit. Default 30.

    Raises:
        ConfigurationError: A value makes no sense.
    """

    total: float | None = field(default=60.0, validator=validators.seconds_or_none)
    connect: float | None = field(default=5.0, validator=validators.seconds_or_none)
    idle: float | None = field(default=30.0, validator=validators.seconds_or_none)


@frozen(kw_only=True)
class Settings:
    """The settings of a client, checked.

    Attributes:
        api_key: What the service knows the caller by.
        base_url: Where the service is, without a slash at the end.
        project_id: The project that conversations are created in, if a call names none.
        timeout: How long a call may take.
        retry: How often a request is sent again.
        max_connections: How many connections are open at once at most.
        max_response_bytes: How large an answer may be, in bytes after decompression.
        max_event_bytes: How large one event of a stream may be.
        allow_plain_http: Whether the key may cross a network unencrypted.
        pickle_key: Whether the key goes with a client that is pickled.
    """

    api_key: Secret
    base_url: str
    project_id: str | None
    timeout: Timeout
    retry: Retry
    max_connections: int = field(validator=validators.count)
    max_response_bytes: int = field(validator=validators.count)
    max_event_bytes: int = field(validator=validators.count)
    allow_plain_http: bool = field(validator=validators.flag)
    pickle_key: bool = field(validator=validators.flag)

    def __attrs_post_init__(self) -> None:
        _check_base_url(self.base_url, allow_plain_http=self.allow_plain_http)


def checked_api_key(argument: object, environ: Mapping[str, str]) -> Secret:
    """The key that was given, or else the environment's ORQ_API_KEY; raises ConfigurationError."""
    key: object = environ.get("ORQ_API_KEY") if argument is None else argument
    if key is None or key == "":
        raise ConfigurationError(
            "No API key: pass api_key=… or set the ORQ_API_KEY environment variable."
        )
    if not isinstance(key, str):
        raise ConfigurationError(f"The API key must be a string, not {type(key).__name__}.")
    if not all("!" <= character <= "~" for character in key):
        raise ConfigurationError(
            "The API key holds a space, a line break or another character that no key has: "
            "copy it again, and strip() it if it comes from a file."
        )
    return Secret(key)


def chosen_base_url(argument: object, environ: Mapping[str, str]) -> str:
    """The URL that was given, or else ORQ_BASE_URL, or else orq.ai's; not yet checked."""
    url: object = argument if argument is not None else environ.get("ORQ_BASE_URL")
    if url is not None and not isinstance(url, str):
        raise ConfigurationError(f"base_url must be a string, not {type(url).__name__}.")
    if argument == "":
        raise ConfigurationError(f"base_url is empty: leave it out for {DEFAULT_BASE_URL}.")
    return (url or DEFAULT_BASE_URL).rstrip("/")


def chosen_project_id(argument: object, environ: Mapping[str, str]) -> str | None:
    """The project that was given, or else ORQ_PROJECT_ID; None if neither is there."""
    found: object = (environ.get("ORQ_PROJECT_ID") or None) if argument is None else argument
    if found is None:
        return None
    if not isinstance(found, str) or not found.strip():
        raise ConfigurationError("project_id must be a string such as 'prj_…', or left out.")
    if found != found.strip() or not found.isprintable():
        raise ConfigurationError(
            "The project id begins or ends with a space, or holds a line break: copy it again, "
            "to project_id or the ORQ_PROJECT_ID environment variable."
        )
    return found


def chosen_timeout(argument: Timeout | float | None) -> Timeout:
    """A number stands for `Timeout(total=…)`, None for no limit on the whole call."""
    return argument if isinstance(argument, Timeout) else Timeout(total=argument)


def checked_retry(argument: object) -> Retry:
    """The same; raises ConfigurationError if it is no Retry."""
    if isinstance(argument, Retry):
        return argument
    raise ConfigurationError(
        f"retry must be a Retry such as Retry(attempts=1), not {type(argument).__name__}."
    )


def _check_base_url(url: str, *, allow_plain_http: bool) -> None:
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"base_url needs a scheme and a host, as in {DEFAULT_BASE_URL!r}: got {_shown(url)}."
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("base_url must not hold a user or password; use api_key.")
    if not _HOST_AND_PORT.fullmatch(parts.netloc):
        raise ConfigurationError("base_url has a host or port that is none.")
    if "?" in url or "#" in url:
        raise ConfigurationError("base_url must have no query (?…) and no fragment (#…).")
    if parts.scheme == "http" and not (allow_plain_http or _is_loopback(parts.hostname)):
        raise ConfigurationError(
            f"base_url {_shown(url)} would send the API key unencrypted: use https://, or pass "
            "allow_plain_http=True if the network in between is yours."
        )


def _split(url: str) -> SplitResult:
    # urlsplit() silently drops some of these, and a host outside ASCII needs its xn-- form.
    if not all("!" <= character <= "~" for character in url) or "\\" in url:
        raise ConfigurationError(
            "base_url holds a space, a backslash, a control character or one outside ASCII."
        )
    if len(url) > _LONGEST_URL:
        raise ConfigurationError(f"base_url has more than {_LONGEST_URL} characters.")
    try:
        parts = urlsplit(url)
        _ = parts.port
        if parts.netloc.startswith("["):
            ipaddress.IPv6Address(parts.hostname or "")
    except ValueError as error:
        raise ConfigurationError(f"base_url is no URL: {error}.") from None
    if {".", ".."} & set(parts.path.split("/")):
        raise ConfigurationError("base_url must have no '.' or '..' in its path.")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(url: str) -> str:
    # Whoever pastes a URL without a scheme may have pasted a password with it.
    return repr(url) if "@" not in url else "a URL with '@' in it"

"""The settings of a client: from arguments, or else the environment, or else the defaults."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from attrs import field, frozen

from conversations_client._base.hosts import is_loopback
from conversations_client._base.secret import Secret
from conversations_client._base.unset import UNSET, Unset
from conversations_client._fields import validators
from conversations_client.errors import ConfigurationError

from .retry import Retry

DEFAULT_BASE_URL: Final = "https://my.orq.ai"

DEFAULT_TOTAL: Final = 60.0
"""The seconds for a call whose `Timeout.total` is unset."""

# Python parses the URL here, and httpx parses it later. Both find the same host if it matches this
# pattern.
_HOST: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*\.?")
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+")
_MAX_URL_LENGTH: Final = 2000
_MAX_HOST_LENGTH: Final = 253

# Every path that the client appends begins with this.
_VERSION: Final = re.compile(r"/v2(/conversations)?$", re.IGNORECASE)


@frozen(kw_only=True)
class Timeout:
    """How long a call may take.

    Attributes:
        total: Seconds for the whole call: all attempts and the pauses between them, up to the last
            byte of the response, or up to the first byte for `responses.stream`. None for no limit.
            Default: 60, but only up to the first byte for `responses.create`, so that a model may
            take longer to complete its response. With an injected sync HTTP client, response
            headers that arrive in many small parts may exceed this limit, because httpx limits only
            individual reads.
        connect: Seconds to open one connection, including the DNS lookup, TCP, any proxy and TLS.
            None for no limit. Default: 5.
        idle: Seconds that may pass without a byte being sent or received; None for no limit.
            Default: 30.

    Raises:
        ConfigurationError: A value is not a positive number of seconds.

    Example:
        impatient = client.with_options(timeout=Timeout(total=5, connect=1))
        impatient.conversations.retrieve(conversation_id)
    """

    total: float | Unset | None = field(default=UNSET, validator=validators.seconds_or_unset)
    connect: float | None = field(default=5.0, validator=validators.seconds_or_none)
    idle: float | None = field(default=30.0, validator=validators.seconds_or_none)


@frozen(kw_only=True)
class Settings:
    """The checked settings of a client.

    Attributes:
        api_key: The key that authenticates the caller.
        base_url: The service's URL, without a slash at the end.
        project_id: The default project to create conversations in; None for no default.
        timeout: How long a call may take.
        retry: The retry settings.
        extra_headers: The names and values of headers to add to each request.
        max_connections: The maximum number of connections that are open at once.
        max_response_bytes: The maximum size of a response, in bytes after decompression.
        max_event_bytes: The maximum size of an event in a stream, in bytes.
        allow_plain_http: Whether the key may cross a network unencrypted.
        pickle_key: Whether a pickled client contains the key.
    """

    api_key: Secret
    base_url: str
    project_id: str | None
    timeout: Timeout
    retry: Retry
    extra_headers: tuple[tuple[str, str], ...] = field(repr=False)
    max_connections: int = field(validator=validators.count)
    max_response_bytes: int = field(validator=validators.count)
    max_event_bytes: int = field(validator=validators.count)
    allow_plain_http: bool = field(validator=validators.flag)
    pickle_key: bool = field(validator=validators.flag)

    def __attrs_post_init__(self) -> None:
        _check_base_url(self.base_url, allow_plain_http=self.allow_plain_http)
        if self.api_key.is_in(self.base_url):
            raise ConfigurationError(
                "The URL of the service contains the API key: correct base_url or the ORQ_BASE_URL "
                "environment variable."
            )
        if self.project_id is not None and self.api_key.is_in(self.project_id):
            raise ConfigurationError(
                "The project ID contains the API key: correct project_id or the ORQ_PROJECT_ID "
                "environment variable."
            )


def checked_api_key(argument: object, environ: Mapping[str, str]) -> Secret:
    """The argument, or else the ORQ_API_KEY variable; raises ConfigurationError."""
    key: object = environ.get("ORQ_API_KEY") if argument is None else argument
    if key is None or key == "":
        raise ConfigurationError(
            "No API key: pass api_key=… or set the ORQ_API_KEY environment variable."
        )
    if not isinstance(key, str):
        raise ConfigurationError(f"The API key must be a string, not {type(key).__name__}.")
    if _is_quoted(key):
        raise ConfigurationError(
            "The API key (api_key or the ORQ_API_KEY environment variable) begins or ends with a "
            "quotation mark: remove the quotation marks."
        )
    if "://" in key:
        raise ConfigurationError(
            "The API key (api_key or the ORQ_API_KEY environment variable) is a URL, which belongs "
            "in base_url or the ORQ_BASE_URL environment variable: pass the key instead."
        )
    if key[:7].lower() == "bearer ":
        raise ConfigurationError("Pass the API key without 'Bearer', which the client adds.")
    if not all("!" <= character <= "~" for character in key):
        raise ConfigurationError(
            "The API key (api_key or the ORQ_API_KEY environment variable) contains a space, a "
            "line break or another character that is not allowed in a key: copy it again, and "
            "strip() it if you read it from a file."
        )
    return Secret(str.__str__(key))  # the text of an enum's member, whose str() is its name


def chosen_base_url(argument: object, environ: Mapping[str, str], *, allow_plain_http: bool) -> str:
    """The argument, or else the ORQ_BASE_URL variable, or else orq.ai's URL.

    `Settings` checks an argument. A variable is checked here, so that the error can mention it.
    """
    url: object = argument if argument is not None else environ.get("ORQ_BASE_URL")
    if url is not None and not isinstance(url, str):
        raise ConfigurationError(f"base_url must be a string, not {type(url).__name__}.")
    if argument == "":
        raise ConfigurationError(f"base_url is empty: omit it for {DEFAULT_BASE_URL}.")
    chosen = (url or DEFAULT_BASE_URL).rstrip("/")
    if argument is None:
        try:
            _check_base_url(chosen, allow_plain_http=allow_plain_http)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"The ORQ_BASE_URL environment variable is invalid: {error}"
            ) from None
    return chosen


def chosen_project_id(argument: object, environ: Mapping[str, str]) -> str | None:
    """The argument, or else the ORQ_PROJECT_ID variable, or else None."""
    project: object = (environ.get("ORQ_PROJECT_ID") or None) if argument is None else argument
    if project is None:
        return None
    if not isinstance(project, str) or not project.strip():
        raise ConfigurationError("project_id must be a string such as 'prj_…', or omitted.")
    if project != project.strip() or not project.isprintable() or _is_quoted(project):
        raise ConfigurationError(
            "The project ID begins or ends with a space or a quotation mark, or contains a line "
            "break: copy it again to project_id or the ORQ_PROJECT_ID environment variable."
        )
    return project


def chosen_log_level(environ: Mapping[str, str]) -> str | None:
    """The level in the ORQ_LOG variable; None if it isn't set. Raises ConfigurationError."""
    level = environ.get("ORQ_LOG", "").strip().upper()
    if level not in {"", "DEBUG", "INFO"}:
        raise ConfigurationError(
            "The ORQ_LOG environment variable must be debug or info: debug logs every attempt, "
            "info only failed ones."
        )
    return level or None


def chosen_timeout(argument: object) -> Timeout:
    """Convert a number to `Timeout(total=…)`; None means no limit on the whole call.

    Raises ConfigurationError.
    """
    if isinstance(argument, Timeout):
        return argument
    if argument is None or validators.is_duration(argument):
        return Timeout(total=argument)
    from conversations_client._base.text import shown

    kind = type(argument)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    problem = f"got {shown(argument)}" if kind in {int, float} else f"not {name}"
    raise ConfigurationError(
        "timeout must be a conversations_client.Timeout, a positive number of seconds, at most "
        f"{validators.MAX_SECONDS}, or None for no limit, {problem}."
    )


def checked_retry(argument: object) -> Retry:
    """The argument; raises ConfigurationError if it isn't a Retry."""
    if isinstance(argument, Retry):
        return argument
    raise ConfigurationError(
        "retry must be a Retry, such as Retry(attempts=1) to disable retries, not "
        f"{type(argument).__name__}."
    )


_QUOTES: Final = "\"'`"


def _is_quoted(text: str) -> bool:
    """Whether a text has a quotation mark at an end, as if it was copied from a .env file."""
    return text != text.strip(_QUOTES)


# No message repeats the URL, because the setting may contain an API key by mistake.
def _check_base_url(url: str, *, allow_plain_http: bool) -> None:
    if _is_quoted(url):
        raise ConfigurationError(
            "base_url begins or ends with a quotation mark: remove the quotation marks."
        )
    parts = _split(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        begins = parts.scheme in {"http", "https"}
        problem = "has no host" if begins else "doesn't begin with https:// or http://"
        raise ConfigurationError(
            f"base_url needs a scheme and a host, as in {DEFAULT_BASE_URL!r}: it {problem}."
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("base_url must not contain a user or password: use api_key.")
    _check_host(parts)
    if "?" in url or "#" in url:
        raise ConfigurationError("base_url must have no query (?…) and no fragment (#…).")
    _check_path(parts)
    if parts.scheme == "http" and not (allow_plain_http or is_loopback(parts.hostname)):
        raise ConfigurationError(
            "base_url begins with http://, which would send the API key unencrypted: use https://, "
            "or pass allow_plain_http=True on a network that you trust."
        )


_INVALID_PORT: Final = "base_url has an invalid port: use 1 to 65535, or omit it."


def _split(url: str) -> SplitResult:
    # urlsplit() silently removes some of these characters.
    if not all("!" <= character <= "~" for character in url) or "\\" in url:
        raise ConfigurationError(
            "base_url contains a space, a backslash, a control character or a non-ASCII character: "
            "write a non-ASCII host in its xn-- form, and percent-encode other characters."
        )
    if len(url) > _MAX_URL_LENGTH:
        raise ConfigurationError(f"base_url has more than {_MAX_URL_LENGTH} characters.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(
            "base_url is not a URL: check the brackets around its host."
        ) from None
    try:
        _ = parts.port
    except ValueError:
        raise ConfigurationError(_INVALID_PORT) from None
    return parts


def _check_host(parts: SplitResult) -> None:
    host, separator, port = parts.netloc.rpartition(":")
    if not separator or port.endswith("]"):
        host, port = parts.netloc, "1"
    if not _HOST.fullmatch(host) or len(host) > _MAX_HOST_LENGTH or not _is_name_or_address(host):
        raise ConfigurationError(
            "base_url has an invalid host: use a name, a full IPv4 address, or an IPv6 address in "
            "brackets without a zone."
        )
    if not port.isdecimal() or int(port) == 0:
        raise ConfigurationError(_INVALID_PORT)


def _is_name_or_address(host: str) -> bool:
    """Whether a host is a name or a valid address."""
    # Systems also accept 127.1 and 0x7f000001, but don't agree on their meaning.
    last = host.removesuffix(".").rpartition(".")[2]
    if not host.startswith("[") and not _NUMBER.fullmatch(last):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _check_path(parts: SplitResult) -> None:
    if {".", ".."} & set(parts.path.split("/")):
        raise ConfigurationError("base_url must have no '.' or '..' in its path.")
    version = _VERSION.search(parts.path)
    if version is not None:
        raise ConfigurationError(
            f"base_url must not end with {version[0]!r}, which the client adds: remove it."
        )

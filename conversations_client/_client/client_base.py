"""The settings and connections of a client, sync or async."""

import os
import sys
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar

from attrs import asdict, evolve

from conversations_client._base.lazy_imports import begin_import
from conversations_client._base.public_dir import PublicDir
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

from .forks import import_for_calls

if TYPE_CHECKING:
    from conversations_client._engine.environment import Environment

    from .many.shared_backoff import SharedBackoff


class _Closable(Protocol):
    is_closed: bool


ConnectionsT = TypeVar("ConnectionsT", bound=_Closable)


_OWN: Final = frozenset(
    {
        "_engine",
        "_environment",
        "_hooks",
        "_not_pickled",
        "_owner",
        "_settings",
        "_shared",
        "conversations",
    }
)
"""The attributes of a client; all others belong to a subclass."""


class ClientBase(PublicDir):
    """The settings of both clients, and how they are copied and pickled."""

    if TYPE_CHECKING:
        _hooks_class: ClassVar[type]
        _initialize: Callable[..., None]
        _settings: Settings
        _shared: "SharedConnections[Any]"
        _hooks: Any
        _owner: bool
        _environment: Environment | None
        _not_pickled: tuple[str, ...]

    def _set_up(
        self,
        settings: Settings,
        shared: "SharedConnections[Any]",
        hooks: object,
        *,
        owner: bool,
        environment: "Environment | None" = None,
        not_pickled: tuple[str, ...] = (),
    ) -> None:
        check_hooks(hooks, self._hooks_class)
        self._settings = settings
        self._shared = shared
        self._hooks = hooks
        self._owner = owner
        self._environment = environment
        self._not_pickled = not_pickled

    @property
    def base_url(self) -> str:
        """Where the service is, without a slash at the end."""
        return self._settings.base_url

    @property
    def proxy(self) -> str | None:
        """The URL of the proxy that requests go through, without credentials; None without one.

        It is chosen once, by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY. None too if you pass
        an `http_client`, which has proxies of its own.

        Raises:
            ConfigurationError: One of the variables can't be understood.
        """
        proxy: str | None = self._shared.get().proxy
        return proxy

    @property
    def project_id(self) -> str | None:
        """The project that conversations are created in where a call names none."""
        return self._settings.project_id

    @property
    def timeout(self) -> Timeout:
        """How long a call may take."""
        return self._settings.timeout

    @property
    def retry(self) -> Retry:
        """How often a request is sent again."""
        return self._settings.retry

    def key_digest(self, salt: str) -> str:
        """A digest that differs between API keys, so that a record of a key needn't contain it.

        Args:
            salt: A text of yours. Digests with different salts can't be compared.

        Returns:
            16 hexadecimal digits.

        Example:
            >>> Client("key-1").key_digest("a") == Client("key-2").key_digest("a")
            False
        """
        import hmac

        key = self._settings.api_key.reveal().encode()
        return hmac.new(key, salt.encode(), "sha256").hexdigest()[:16]

    def __repr__(self) -> str:
        project = "" if self.project_id is None else f", project_id={self.project_id!r}"
        return f"{type(self).__name__}(base_url={self.base_url!r}{project}, timeout={self.timeout})"

    def __copy__(self) -> Self:
        return self.with_options()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Who copies something that refers to a client wants no second set of connections.
        return self.with_options()

    def __getstate__(self) -> dict[str, Any]:
        """The attributes of a subclass, to be pickled beside the settings."""
        return {name: value for name, value in vars(self).items() if name not in _OWN}

    def __reduce__(self) -> tuple[Any, ...]:
        if self._not_pickled:
            raise TypeError(
                f"A {type(self).__name__} with {' and '.join(self._not_pickled)} can't be pickled: "
                "make it where it is used."
            )
        settings = asdict(self._settings, recurse=False)
        key = self._settings.api_key.reveal() if self._settings.pickle_key else None
        arguments = ({**settings, "api_key": key}, self._hooks)
        return self._unpickled, arguments, self.__getstate__() or None

    @classmethod
    def _unpickled(cls, settings: dict[str, Any], hooks: object) -> Self:
        if settings["api_key"] is None and not os.environ.get("ORQ_API_KEY"):
            raise ConfigurationError(
                f"The {cls.__name__} was pickled without its API key: set the ORQ_API_KEY "
                "environment variable where it is unpickled, or make it with pickle_key=True."
            )
        # Without the __init__ of a subclass, which may have other arguments.
        client = cls.__new__(cls)
        client._initialize(hooks=hooks, **settings)  # noqa: SLF001 - of its own class
        # A client without a project has none elsewhere either.
        client._settings = evolve(client._settings, project_id=settings["project_id"])  # noqa: SLF001
        return client

    @property
    def _pause(self) -> "SharedBackoff":
        from .many.shared_backoff import shared_backoff

        # An injected HTTP client may send to another service than the URL names.
        is_injected = "http_client" in self._not_pickled
        service = self._shared if is_injected else self.base_url
        return shared_backoff(service, self._settings.api_key)

    @abstractmethod
    def with_options(self) -> Self:
        """A client with some settings changed, over the same connections."""

    def _copy(self, settings: Settings, hooks: object) -> Self:
        # Without __init__, which may be a subclass's and have other arguments.
        copy = type(self).__new__(type(self))
        vars(copy).update((key, value) for key, value in vars(self).items() if key not in _OWN)
        copy._set_up(  # noqa: SLF001 - a copy of itself
            settings,
            self._shared,
            self._hooks if hooks is UNSET else hooks,
            owner=False,
            environment=self._environment,
            not_pickled=self._not_pickled,
        )
        return copy

    def _changed(
        self,
        *,
        api_key: str | None,
        project_id: str | Unset | None,
        timeout: Timeout | float | Unset | None,
        retry: Retry | None,
        max_response_bytes: int | None,
        max_event_bytes: int | None,
    ) -> Settings:
        changes: dict[str, Any] = {}
        if api_key is not None:
            changes["api_key"] = checked_api_key(api_key, {})
        if project_id is not UNSET:
            changes["project_id"] = chosen_project_id(project_id, {})
        if timeout is not UNSET:
            changes["timeout"] = chosen_timeout(timeout)
        if retry is not None:
            changes["retry"] = checked_retry(retry)
        if max_response_bytes is not None:
            changes["max_response_bytes"] = max_response_bytes
        if max_event_bytes is not None:
            changes["max_event_bytes"] = max_event_bytes
        return evolve(self._settings, **changes)


def checked_settings(
    *,
    api_key: str | None,
    base_url: str | None,
    project_id: str | None,
    timeout: Timeout | float | None,
    retry: Retry,
    max_connections: int,
    max_response_bytes: int,
    max_event_bytes: int,
    allow_plain_http: bool,
    pickle_key: bool,
) -> Settings:
    """The settings of a new client: arguments, else the environment, else defaults."""
    _set_up_log(chosen_log_level(os.environ))
    return Settings(
        api_key=checked_api_key(api_key, os.environ),
        base_url=chosen_base_url(base_url, os.environ),
        project_id=chosen_project_id(project_id, os.environ),
        timeout=chosen_timeout(timeout),
        retry=checked_retry(retry),
        max_connections=max_connections,
        max_response_bytes=max_response_bytes,
        max_event_bytes=max_event_bytes,
        allow_plain_http=allow_plain_http,
        pickle_key=pickle_key,
    )


def _set_up_log(level: str | None) -> None:
    if level is not None:
        begin_import("conversations_client._engine.stderr_log")
        from conversations_client._engine.stderr_log import log_to_stderr

        log_to_stderr(level)


class SharedConnections(Generic[ConnectionsT]):
    """The connections of a client and its copies, made when the first of them sends.

    Args:
        make: Makes them; opens nothing, because two threads that race may call it once each.
    """

    def __init__(self, make: Callable[[], ConnectionsT]) -> None:
        self._make = make
        self._made: dict[str, ConnectionsT] = {}
        self._is_closed = False

    def get(self) -> ConnectionsT:
        """The connections, the same ones for all."""
        import_for_calls()
        made = self._made.get("") or self._made.setdefault("", self._make())
        made.is_closed = made.is_closed or self._is_closed
        return made

    def close(self) -> ConnectionsT | None:
        """Send nothing more; returns the connections to close, None if none were made."""
        self._is_closed = True
        return self._made.get("")


def overrides(**options: object) -> tuple[str, ...]:
    """The names of the options that are not None."""
    return tuple(name for name, option in options.items() if option is not None)


def check_ssl_context(context: object) -> None:
    """Check that this is an SSLContext or None; raises ConfigurationError."""
    # If there is one, its module is imported.
    ssl = sys.modules.get("ssl")
    if context is not None and (ssl is None or not isinstance(context, ssl.SSLContext)):
        raise ConfigurationError(
            f"ssl_context must be an ssl.SSLContext, not {type(context).__name__}."
        )


def check_hooks(hooks: object, expected: type) -> None:
    """Check that hooks suit the client, sync or async; raises ConfigurationError."""
    if hooks is not None and not isinstance(hooks, expected):
        raise ConfigurationError(
            f"hooks must be {expected.__name__}(…), not {type(hooks).__name__}."
        )


def check_injected(client: object, expected: str) -> None:
    """Check that an HTTP client suits the client, sync or async; raises ConfigurationError."""
    if client is None:
        return
    from conversations_client._http.client_protocols import classes

    if not isinstance(client, classes(expected)):
        raise ConfigurationError(
            f"http_client must be an httpx.{expected} or an httpx2.{expected}, "
            f"not {type(client).__name__}."
        )

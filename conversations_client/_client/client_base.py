"""The base class of the sync and async clients: settings, copies, pickles, connections."""

import os
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, cast

from attrs import asdict, evolve

from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.public_dir import PublicDir
from conversations_client._base.unset import UNSET
from conversations_client._calls.retry import Retry
from conversations_client._calls.settings import (
    Settings,
    Timeout,
    checked_retry,
    chosen_timeout,
)
from conversations_client.errors import ConfigurationError

from .client_settings import (
    check_assignable,
    check_hooks,
    checked_extra_headers,
    replaced_api_key,
    replaced_project_id,
)

if TYPE_CHECKING:
    from conversations_client._engine.environment import Environment
    from conversations_client._http.connections.route import Proxy

    from .many.shared_backoff import SharedBackoff
    from .shared_connections import SharedConnections


_BASE_ATTRIBUTES: Final = frozenset(
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


_CHECKS: Final[dict[str, Callable[[object], object]]] = {
    "api_key": replaced_api_key,
    "extra_headers": checked_extra_headers,
    "project_id": replaced_project_id,
    "retry": checked_retry,
    "timeout": chosen_timeout,
}
"""The checks of `with_options`; `Settings` checks the other options."""


class _NotSetUp:
    """An attribute that `__init__` has not set yet."""

    def __get__(self, client: object | None, cls: type) -> Self:
        if client is None:
            return self
        raise ConfigurationError(
            f"The {cls.__name__} is not set up: call super().__init__(…) first in its __init__."
        )


def _subclass_attributes(client: "ClientBase") -> tuple[dict[str, Any], dict[str, Any]]:
    """The attributes of a subclass: those in its `__dict__`, and those in `__slots__`."""
    state: Any = object.__getstate__(client)
    # A pair if the class or one of its bases has slots.
    pair = cast(
        "tuple[dict[str, Any], dict[str, Any]]", state if type(state) is tuple else (state, {})
    )
    attributes, slots = pair
    own = {name: value for name, value in attributes.items() if name not in _BASE_ATTRIBUTES}
    return own, slots


class ClientBase(PublicDir):
    """The settings of a client, and how it is copied and pickled."""

    if TYPE_CHECKING:
        _hooks_class: ClassVar[type]
        _initialize: Callable[..., None]
        _settings: Settings
        _shared: "SharedConnections[Any]"
        _hooks: Any
        _owner: bool
        _environment: Environment | None
        _not_pickled: tuple[str, ...]
    else:
        # The attributes of an instance take precedence.
        _settings = _shared = _hooks = _owner = _environment = _not_pickled = _NotSetUp()

        # Not for type checkers: with this method, they would accept any name.
        def __setattr__(self, name: str, value: object) -> None:
            if name[:1] != "_":
                check_assignable(type(self), ClientBase, name)
            super().__setattr__(name, value)

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
        # Not with __setattr__(), which is slower, and which a subclass may disable.
        vars(self).update(
            _settings=settings,
            _shared=shared,
            _hooks=hooks,
            _owner=owner,
            _environment=environment,
            _not_pickled=not_pickled,
        )

    @property
    def base_url(self) -> str:
        """The URL of the service, without a trailing slash."""
        return self._settings.base_url

    @property
    def proxy(self) -> str | None:
        """The URL of the proxy in use, without credentials; None if there is none.

        The client reads HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY when you create it. If you
        pass an `http_client`, this is None even if the `http_client` has a proxy of its own.

        Raises:
            ConfigurationError: No variable is set, and the proxy settings of macOS or Windows are
                invalid.
        """
        proxy: Proxy | None = self._shared.get().proxy
        return None if proxy is None else proxy.url

    @property
    def project_id(self) -> str | None:
        """The default project for new conversations; None if there is none."""
        return self._settings.project_id

    @property
    def timeout(self) -> Timeout:
        """How long a call may take."""
        return self._settings.timeout

    @property
    def retry(self) -> Retry:
        """The retry settings."""
        return self._settings.retry

    @property
    def is_closed(self) -> bool:
        """Whether the client is closed. If it is, calls raise ClientClosedError.

        A copy made by `with_options` is closed when the client that it was copied from is closed;
        closing the copy has no effect.
        """
        return self._shared.is_closed

    def key_digest(self, salt: str) -> str:
        """A digest that identifies the API key in records without revealing it.

        Args:
            salt: Any text. Digests with different salts can't be compared.

        Returns:
            16 hexadecimal digits.

        Example:
            >>> Client("key-1").key_digest("a") == Client("key-2").key_digest("a")
            False
        """
        lazy_import("hmac")
        import hmac

        key = self._settings.api_key.reveal().encode()
        return hmac.new(key, salt.encode(), "sha256").hexdigest()[:16]

    def __repr__(self) -> str:
        project = "" if self.project_id is None else f", project_id={self.project_id!r}"
        closed = ", is_closed=True" if self.is_closed else ""
        return (
            f"{type(self).__name__}(base_url={self.base_url!r}{project}, timeout={self.timeout}"
            f"{closed})"
        )

    def __copy__(self) -> Self:
        return self.with_options()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # A copy of an object that refers to a client needs no second set of connections.
        return self.with_options()

    def __getstate__(self) -> object:
        """The attributes of a subclass, which are pickled in addition to the settings."""
        attributes, slots = _subclass_attributes(self)
        return (attributes, slots) if slots else attributes

    def __reduce__(self) -> tuple[Any, ...]:
        if self._not_pickled:
            raise TypeError(
                f"A {type(self).__name__} with {' and '.join(self._not_pickled)} can't be pickled: "
                "create it in the process that uses it."
            )
        settings = asdict(self._settings, recurse=False)
        key = self._settings.api_key.reveal() if self._settings.pickle_key else None
        headers = dict(self._settings.extra_headers)
        arguments = ({**settings, "api_key": key, "extra_headers": headers}, self._hooks)
        return self._unpickled, arguments, self.__getstate__() or None

    @classmethod
    def _unpickled(cls, settings: dict[str, Any], hooks: object) -> Self:
        if settings["api_key"] is None and not os.environ.get("ORQ_API_KEY"):
            raise ConfigurationError(
                f"The {cls.__name__} was pickled without its API key: set the ORQ_API_KEY "
                "environment variable in this process, or create the client with pickle_key=True."
            )
        # Not __init__(), because a subclass may have different arguments.
        client = cls.__new__(cls)
        client._initialize(hooks=hooks, **settings)  # noqa: SLF001 - its own class
        # A client without a project must not get this process's ORQ_PROJECT_ID.
        vars(client)["_settings"] = evolve(client._settings, project_id=settings["project_id"])  # noqa: SLF001
        return client

    @property
    def _backoff(self) -> "SharedBackoff":
        lazy_import("conversations_client._client.many.shared_backoff")
        from .many.shared_backoff import shared_backoff

        # An injected HTTP client may send requests to a service other than the one in base_url.
        is_injected = "http_client" in self._not_pickled
        service = self._shared if is_injected else self.base_url
        return shared_backoff(service, self._settings.api_key)

    @abstractmethod
    def with_options(self) -> Self:
        """Return a copy of the client that has different settings and shares its connections."""

    def _copy(self, settings: Settings, hooks: object) -> Self:
        # Not __init__(), because a subclass may have different arguments.
        copy = type(self).__new__(type(self))
        attributes, slots = _subclass_attributes(self)
        vars(copy).update(attributes)
        for name, value in slots.items():
            object.__setattr__(copy, name, value)
        copy._set_up(  # noqa: SLF001 - a copy of itself
            settings,
            self._shared,
            self._hooks if hooks is UNSET else hooks,
            owner=False,
            environment=self._environment,
            not_pickled=self._not_pickled,
        )
        return copy

    def _changed(self, **options: object) -> Settings:
        changes: dict[str, Any] = {
            name: _CHECKS[name](option) if name in _CHECKS else option
            for name, option in options.items()
            if option is not UNSET
        }
        return evolve(self._settings, **changes)

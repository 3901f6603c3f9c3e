"""The clients: settings and connections put together."""

import os
import ssl
from types import TracebackType
from typing import Any, Final, Self

import httpx
from attrs import evolve

from ._config import (
    Settings,
    Timeout,
    checked_api_key,
    checked_retry,
    chosen_base_url,
    chosen_project_id,
    chosen_timeout,
)
from ._conversations import AsyncConversations, Conversations
from ._engine import AsyncEngine, Effects, Engine
from ._retry import Retry
from ._transport import (
    AsyncConnections,
    Connections,
    InjectedAsyncConnections,
    InjectedConnections,
    Origin,
)
from ._unset import UNSET, Unset
from .errors import ConfigurationError

MAX_RESPONSE_BYTES: Final = 64 * 2**20


class _Configured:
    """What both clients are set up with."""

    _settings: Settings

    @property
    def base_url(self) -> str:
        """Where the service is, without a slash at the end."""
        return self._settings.base_url

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

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    def _changed(
        self,
        *,
        api_key: str | None,
        project_id: str | Unset | None,
        timeout: Timeout | float | Unset | None,
        retry: Retry | None,
        max_response_bytes: int | None,
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
        return evolve(self._settings, **changes)


def _settings(  # noqa: PLR0913 - the settings
    *,
    api_key: str | None,
    base_url: str | None,
    project_id: str | None,
    timeout: Timeout | float | None,
    retry: Retry,
    max_connections: int,
    max_response_bytes: int,
    allow_plain_http: bool,
) -> Settings:
    return Settings(
        api_key=checked_api_key(api_key, os.environ),
        base_url=chosen_base_url(base_url, os.environ),
        project_id=chosen_project_id(project_id, os.environ),
        timeout=chosen_timeout(timeout),
        retry=checked_retry(retry),
        max_connections=max_connections,
        max_response_bytes=max_response_bytes,
        allow_plain_http=allow_plain_http,
    )


def _origin(settings: Settings, ssl_context: ssl.SSLContext | None) -> Origin:
    return Origin(
        base_url=settings.base_url,
        max_connections=settings.max_connections,
        ssl_context=ssl_context,
    )


def _check_injected(client: object, expected: type) -> None:
    if not isinstance(client, expected):
        raise ConfigurationError(
            f"http_client must be an httpx.{expected.__name__}, not {type(client).__name__}."
        )


class Client(_Configured):
    """A client of the Conversations API.

    Make one and share it: it may be used by many threads at once, and it keeps its connections
    open from call to call. `close()` it at the end, or use it as a context manager.

    Args:
        api_key: The API key; the environment's ORQ_API_KEY if left out.
        base_url: Where the service is; ORQ_BASE_URL if left out, or else https://my.orq.ai.
        project_id: The project (`prj_…`) to create conversations in where a call names none;
            ORQ_PROJECT_ID if left out, or else none.
        timeout: How long a call may take: a `Timeout`, or the seconds for the whole of it, or None
            for no limit on the whole. Default `Timeout(total=60, connect=5, idle=30)`.
        retry: How often a request is sent again; `Retry(attempts=1)` for never.
        max_connections: How many connections are open at once at most. Default 100.
        max_response_bytes: How large an answer may be after decompression. Default 64 MiB.
        allow_plain_http: Whether the key may be sent over http:// to other machines. Default False.
        ssl_context: What decides which certificates are trusted; those of certifi if left out.
        http_client: An httpx client to send through instead of own connections; it is never
            closed, and its redirects and auth are not used.

    Raises:
        ConfigurationError: A setting is missing or unusable.
    """

    conversations: Conversations
    """The operations on conversations."""

    def __init__(  # noqa: PLR0913 - the settings
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        project_id: str | None = None,
        timeout: Timeout | float | None = Timeout(),  # noqa: B008 - frozen
        retry: Retry = Retry(),  # noqa: B008 - frozen
        max_connections: int = 100,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        allow_plain_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        settings = _settings(
            api_key=api_key,
            base_url=base_url,
            project_id=project_id,
            timeout=timeout,
            retry=retry,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            allow_plain_http=allow_plain_http,
        )
        if http_client is None:
            connections: Connections | InjectedConnections = Connections(
                _origin(settings, ssl_context)
            )
        else:
            _check_injected(http_client, httpx.Client)
            connections = InjectedConnections(http_client)
        self._set_up(settings, connections, Effects(), owner=True)

    def _set_up(
        self,
        settings: Settings,
        connections: Connections | InjectedConnections,
        effects: Effects,
        *,
        owner: bool,
    ) -> None:
        self._settings = settings
        self._connections = connections
        self._effects = effects
        self._owner = owner
        engine = Engine(settings, connections, effects)
        self.conversations = Conversations(engine, project_id=settings.project_id)

    def with_options(
        self,
        *,
        api_key: str | None = None,
        project_id: str | Unset | None = UNSET,
        timeout: Timeout | float | Unset | None = UNSET,
        retry: Retry | None = None,
        max_response_bytes: int | None = None,
    ) -> Self:
        """A client with some settings changed, over the same connections.

        What is left out stays as it is. Closing the copy closes nothing; closing this client
        ends the copy too.

        Raises:
            ConfigurationError: A setting is unusable.
        """
        settings = self._changed(
            api_key=api_key,
            project_id=project_id,
            timeout=timeout,
            retry=retry,
            max_response_bytes=max_response_bytes,
        )
        copy = type(self).__new__(type(self))
        copy._set_up(settings, self._connections, self._effects, owner=False)  # noqa: SLF001 - a copy of itself
        return copy

    def close(self) -> None:
        """Close the connections; calls after it raise ClientClosedError."""
        if self._owner:
            self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient(_Configured):
    """A client of the Conversations API for asyncio and trio.

    Make one and share it: it may be used by many tasks at once, and it keeps its connections
    open from call to call. `aclose()` it at the end, or use it as an async context manager.

    Args:
        api_key: The API key; the environment's ORQ_API_KEY if left out.
        base_url: Where the service is; ORQ_BASE_URL if left out, or else https://my.orq.ai.
        project_id: The project (`prj_…`) to create conversations in where a call names none;
            ORQ_PROJECT_ID if left out, or else none.
        timeout: How long a call may take: a `Timeout`, or the seconds for the whole of it, or None
            for no limit on the whole. Default `Timeout(total=60, connect=5, idle=30)`.
        retry: How often a request is sent again; `Retry(attempts=1)` for never.
        max_connections: How many connections are open at once at most. Default 100.
        max_response_bytes: How large an answer may be after decompression. Default 64 MiB.
        allow_plain_http: Whether the key may be sent over http:// to other machines. Default False.
        ssl_context: What decides which certificates are trusted; those of certifi if left out.
        http_client: An httpx client to send through instead of own connections; it is never
            closed, and its redirects and auth are not used.

    Raises:
        ConfigurationError: A setting is missing or unusable.
    """

    conversations: AsyncConversations
    """The operations on conversations."""

    def __init__(  # noqa: PLR0913 - the settings
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        project_id: str | None = None,
        timeout: Timeout | float | None = Timeout(),  # noqa: B008 - frozen
        retry: Retry = Retry(),  # noqa: B008 - frozen
        max_connections: int = 100,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        allow_plain_http: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        settings = _settings(
            api_key=api_key,
            base_url=base_url,
            project_id=project_id,
            timeout=timeout,
            retry=retry,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            allow_plain_http=allow_plain_http,
        )
        if http_client is None:
            connections: AsyncConnections | InjectedAsyncConnections = AsyncConnections(
                _origin(settings, ssl_context)
            )
        else:
            _check_injected(http_client, httpx.AsyncClient)
            connections = InjectedAsyncConnections(http_client)
        self._set_up(settings, connections, Effects(), owner=True)

    def _set_up(
        self,
        settings: Settings,
        connections: AsyncConnections | InjectedAsyncConnections,
        effects: Effects,
        *,
        owner: bool,
    ) -> None:
        self._settings = settings
        self._connections = connections
        self._effects = effects
        self._owner = owner
        engine = AsyncEngine(settings, connections, effects)
        self.conversations = AsyncConversations(engine, project_id=settings.project_id)

    def with_options(
        self,
        *,
        api_key: str | None = None,
        project_id: str | Unset | None = UNSET,
        timeout: Timeout | float | Unset | None = UNSET,
        retry: Retry | None = None,
        max_response_bytes: int | None = None,
    ) -> Self:
        """A client with some settings changed, over the same connections.

        What is left out stays as it is. Closing the copy closes nothing; closing this client
        ends the copy too.

        Raises:
            ConfigurationError: A setting is unusable.
        """
        settings = self._changed(
            api_key=api_key,
            project_id=project_id,
            timeout=timeout,
            retry=retry,
            max_response_bytes=max_response_bytes,
        )
        copy = type(self).__new__(type(self))
        copy._set_up(settings, self._connections, self._effects, owner=False)  # noqa: SLF001 - a copy of itself
        return copy

    async def aclose(self) -> None:
        """Close the connections; calls after it raise ClientClosedError."""
        if self._owner:
            await self._connections.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

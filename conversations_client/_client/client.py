"""The sync client: its settings and connections."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from conversations_client._base.cached_attribute import cached_attribute
from conversations_client._base.lazy_annotations import import_for_annotations
from conversations_client._base.lazy_imports import lazy_import
from conversations_client._base.unset import UNSET, Unset
from conversations_client._calls.retry import Retry
from conversations_client._calls.settings import Timeout
from conversations_client.hooks import Hooks

from .client_base import ClientBase
from .client_settings import checked_network, checked_settings, overrides
from .fork_safety import import_for_calls
from .shared_connections import SharedConnections

if TYPE_CHECKING:
    import ssl

    from conversations_client._calls.call import RawResponse
    from conversations_client._engine.engine import Engine
    from conversations_client._http.client_protocols import HTTPClient
    from conversations_client._http.httpx_clients.injected_clients import InjectedConnections
    from conversations_client._http.transport import Connections

    from .conversations import Conversations

T = TypeVar("T")


class Client(ClientBase):
    """A client for the Conversations API.

    Create one client and share it: it is thread-safe and keeps its connections open between calls.
    Use it as a context manager, or call `close()` when you are done.

    Args:
        api_key: The API key. Default: the ORQ_API_KEY environment variable.
        base_url: The URL of the service. Default: ORQ_BASE_URL if set, otherwise https://my.orq.ai.
        project_id: The project (`prj_…`) for new conversations, unless a call specifies a different
            one. Default: ORQ_PROJECT_ID if set, otherwise none.
        timeout: How long a call may take: a `Timeout`, a number of seconds for the whole call, or
            None for no limit on the whole call. Default: `Timeout(connect=5.0, idle=30.0)`, whose
            `total` is 60 s, except for a response that `responses.create` waits for.
        retry: The retry settings; `Retry(attempts=1)` disables retries.
        extra_headers: Headers to add to every request. The `extra_headers` of a call are added to
            these, and replace those with the same name. `User-Agent` replaces the client's own,
            which is `f"conversations-client/{__version__}"`. Default: none.
        max_connections: The maximum number of connections open at once. Default: 100.
        max_response_bytes: The maximum size of a response, after decompression. Default: 64 MiB.
        max_event_bytes: The maximum size of an event in a streamed response. Default: 16 MiB.
        allow_plain_http: Whether the key may be sent to other machines over plain HTTP. Default:
            False.
        pickle_key: Whether a pickle of the client contains the key. Default: False, so an unpickled
            client uses the ORQ_API_KEY of its own process.
        ssl_context: The trusted certificates and other TLS settings; can't be combined with
            `http_client`, which has its own. Default: the certificates in SSL_CERT_FILE or
            SSL_CERT_DIR if set, otherwise certifi's CA bundle.
        http_client: An `httpx.Client` or `httpx2.Client` to send requests through. It is never
            closed, and its timeout, base URL, auth and redirect settings are ignored.
        hooks: Functions to call before and after each attempt.

    Raises:
        ConfigurationError: A setting is missing or invalid.

    Example:
        with Client() as client:
            conversation = client.conversations.create(display_name="Refunds")
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        project_id: str | None = None,
        timeout: Timeout | float | None = Timeout(connect=5.0, idle=30.0),  # noqa: B008 - frozen
        retry: Retry = Retry(attempts=3, wait_initial=0.5, wait_max=8.0, retry_after_max=60.0),  # noqa: B008 - frozen
        extra_headers: Mapping[str, str] | None = None,
        max_connections: int = 100,
        max_response_bytes: int = 67_108_864,
        max_event_bytes: int = 16_777_216,
        allow_plain_http: bool = False,
        pickle_key: bool = False,
        ssl_context: "ssl.SSLContext | None" = None,
        http_client: "HTTPClient | None" = None,
        hooks: Hooks | None = None,
    ) -> None:
        settings = checked_settings(
            api_key=api_key,
            base_url=base_url,
            project_id=project_id,
            timeout=timeout,
            retry=retry,
            extra_headers=extra_headers,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            max_event_bytes=max_event_bytes,
            allow_plain_http=allow_plain_http,
            pickle_key=pickle_key,
        )
        network = checked_network(settings, ssl_context, http_client, "Client")

        def connect() -> "Connections | InjectedConnections":
            from conversations_client._http.transport import connections

            return connections(settings, network, http_client)

        self._set_up(
            settings,
            SharedConnections(connect),
            hooks,
            owner=True,
            not_pickled=overrides(ssl_context=ssl_context, http_client=http_client),
        )

    _initialize = __init__
    _hooks_class = Hooks
    if TYPE_CHECKING:
        _shared: SharedConnections[Connections | InjectedConnections]

    @cached_attribute
    def conversations(self) -> "Conversations":
        """The operations on conversations."""
        import_for_calls()
        lazy_import("conversations_client._client.conversations")
        from .conversations import Conversations

        return Conversations(
            self._engine, project_id=self._settings.project_id, backoff=self._backoff
        )

    @property
    def _connections(self) -> "Connections | InjectedConnections":
        return self._shared.get()

    @cached_attribute
    def _engine(self) -> "Engine":
        import_for_calls()
        from conversations_client._engine.engine import Engine

        return Engine(self._settings, self._connections, self._environment, self._hooks)

    def request(
        self,
        method: str,
        path: str,
        *,
        returns: type[T],
        query: Mapping[str, str | int] | None = None,
        body: object = UNSET,
        idempotency_key: str | None = None,
        timeout: Timeout | float | Unset | None = UNSET,
        extra_headers: Mapping[str, str] | None = None,
    ) -> "RawResponse[T]":
        """Call an endpoint that this client has no method for.

        Args:
            method: The HTTP method. A POST or PATCH is retried only if
                repeating it is safe.
            path: The path relative to `base_url`, including `/v2`, percent-encoded where necessary.
            returns: The class of the response: an attrs class of your own, `dict[str, Any]`, or
                `NoneType` if a successful response has no body.
            query: The names and values of the query parameters. Pass any value that is not a whole
                number as a string, in the format that the API expects.
            body: JSON, or an object to serialize. Sets, and dict keys that are not strings, are
                rejected. Default: no body.
            idempotency_key: A key that lets the service recognize a repeat of this request.
                Default: a random one for a POST.
            timeout: How long this call may take: a `Timeout`, a number of seconds for the whole
                call, or None for no limit on the whole call. Default: the client's timeout.
            extra_headers: Headers to add to the request. Default: none.

        Returns:
            The parsed response with its status and headers.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            TransportError: No complete response arrived.
            StatusError: The service rejected the request or failed.
            DecodeError: The response does not match the class.
            ClientClosedError: The client is closed.

        Example:
            from typing import Any

            path = f"/v2/conversations/{conversation_id}"
            response = client.request("GET", path, returns=dict[str, Any])
            assert response.parsed["displayName"] == "Refunds"
        """
        lazy_import(
            "conversations_client._calls.call_options", "conversations_client._calls.endpoints"
        )
        from conversations_client._calls.call_options import with_options
        from conversations_client._calls.endpoints import any_endpoint

        return self._engine.send(
            with_options(
                any_endpoint(
                    method,
                    path,
                    returns=returns,
                    query={} if query is None else query,
                    body=body,
                    idempotency_key=idempotency_key,
                ),
                timeout=timeout,
                extra_headers=extra_headers,
            )
        )

    def with_options(
        self,
        *,
        api_key: str | Unset = UNSET,
        project_id: str | Unset | None = UNSET,
        timeout: Timeout | float | Unset | None = UNSET,
        retry: Retry | Unset = UNSET,
        extra_headers: Mapping[str, str] | Unset | None = UNSET,
        max_response_bytes: int | Unset = UNSET,
        max_event_bytes: int | Unset = UNSET,
        hooks: Hooks | Unset | None = UNSET,
    ) -> Self:
        """Return a copy of the client that has different settings and shares its connections.

        Settings that you omit don't change. `timeout=None` removes the limit on the whole call, and
        `project_id=None`, `extra_headers=None` and `hooks=None` remove the project, the headers and
        the hooks. `extra_headers` replaces all of the client's headers. The connections can't be
        changed: for a different `base_url` or `http_client`, create a new client.

        Closing the copy has no effect; closing this client closes the copy too. A copy of a
        subclass instance has the same attributes, but `__init__` is not called.

        Raises:
            ConfigurationError: A setting is invalid.

        Example:
            patient = client.with_options(timeout=300, retry=Retry(attempts=5))
            patient.conversations.retrieve(conversation_id)

            traced = client.with_options(extra_headers={"X-Trace": "checkout-17"})
            traced.conversations.create()
        """
        settings = self._changed(
            api_key=api_key,
            project_id=project_id,
            timeout=timeout,
            retry=retry,
            extra_headers=extra_headers,
            max_response_bytes=max_response_bytes,
            max_event_bytes=max_event_bytes,
        )
        return self._copy(settings, hooks)

    def close(self) -> None:
        """Close the connections; later calls raise ClientClosedError.

        Another thread or task can call this method while calls are running. Requests in flight are
        not interrupted, but a call that waits for another attempt raises ClientClosedError at once.

        Example:
            client = Client()
            try:
                client.conversations.create(display_name="Refunds")
            finally:
                client.close()
        """
        connections = self._shared.close() if self._owner else None
        if connections is not None:
            connections.close()

    def __enter__(self) -> Self:
        self._shared.check_open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


import_for_annotations(
    globals(),
    {
        "ssl": (),
        "conversations_client._calls.call": ("RawResponse",),
        "conversations_client._engine.engine": ("Engine",),
        "conversations_client._http.client_protocols": ("HTTPClient",),
        "conversations_client._client.conversations": ("Conversations",),
    },
)

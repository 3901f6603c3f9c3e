"""Clients for a running sandbox; the only module here that imports the client."""

from collections.abc import Mapping

from conversations_client import (
    AsyncClient,
    AsyncHooks,
    Client,
    Hooks,
    Retry,
    Timeout,
)


class Clients:
    """Creates clients that send their requests to this sandbox.

    Attributes:
        api_key: The key that callers must send.
        url: The URL of the sandbox.
    """

    api_key: str
    url: str

    def client(
        self,
        *,
        project_id: str | None = None,
        timeout: Timeout | float | None = Timeout(),  # noqa: B008 - frozen
        retry: Retry = Retry(),  # noqa: B008 - frozen
        extra_headers: Mapping[str, str] | None = None,
        max_connections: int = 100,
        max_response_bytes: int = 67_108_864,
        max_event_bytes: int = 16_777_216,
        pickle_key: bool = False,
        hooks: Hooks | None = None,
    ) -> Client:
        """Create a client for this sandbox.

        Args:
            project_id: The project for calls that don't specify one. Default: ORQ_PROJECT_ID,
                otherwise none.
            timeout: How long a call may take. Default: as in `Client`.
            retry: When to retry a request. Default: as in `Client`. The pauses between attempts are
                real; with `Retry(wait_initial=0)`, there are none, except after a `Retry-After`.
            extra_headers: As in `Client`.
            max_connections: As in `Client`.
            max_response_bytes: As in `Client`.
            max_event_bytes: As in `Client`.
            pickle_key: As in `Client`.
            hooks: As in `Client`.

        Returns:
            The client; close it, or use it as a context manager.

        Example:
            with sandbox.client(retry=Retry(attempts=1)) as client:
                sandbox.fail_next(503)
                try:
                    client.conversations.create()
                except ServerError as error:
                    assert error.attempts == 1
        """
        return Client(
            self.api_key,
            base_url=self.url,
            project_id=project_id,
            timeout=timeout,
            retry=retry,
            extra_headers=extra_headers,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            max_event_bytes=max_event_bytes,
            allow_plain_http=True,
            pickle_key=pickle_key,
            hooks=hooks,
        )

    def async_client(
        self,
        *,
        project_id: str | None = None,
        timeout: Timeout | float | None = Timeout(),  # noqa: B008 - frozen
        retry: Retry = Retry(),  # noqa: B008 - frozen
        extra_headers: Mapping[str, str] | None = None,
        max_connections: int = 100,
        max_response_bytes: int = 67_108_864,
        max_event_bytes: int = 16_777_216,
        pickle_key: bool = False,
        hooks: AsyncHooks | None = None,
    ) -> AsyncClient:
        """Create an async client for this sandbox.

        Args:
            project_id: The project for calls that don't specify one. Default: ORQ_PROJECT_ID,
                otherwise none.
            timeout: How long a call may take. Default: as in `AsyncClient`.
            retry: When to retry a request. Default: as in `AsyncClient`. The pauses between
                attempts are real; with `Retry(wait_initial=0)`, there are none, except after a
                `Retry-After`.
            extra_headers: As in `AsyncClient`.
            max_connections: As in `AsyncClient`.
            max_response_bytes: As in `AsyncClient`.
            max_event_bytes: As in `AsyncClient`.
            pickle_key: As in `AsyncClient`.
            hooks: As in `AsyncClient`.

        Returns:
            The client; close it, or use it as a context manager.

        Example:
            async with sandbox.async_client() as client:
                await client.conversations.create()
            assert sandbox.requests[-1].method == "POST"
        """
        return AsyncClient(
            self.api_key,
            base_url=self.url,
            project_id=project_id,
            timeout=timeout,
            retry=retry,
            extra_headers=extra_headers,
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            max_event_bytes=max_event_bytes,
            allow_plain_http=True,
            pickle_key=pickle_key,
            hooks=hooks,
        )

"""Clients of a running sandbox; the only module here that imports the client."""

from conversations_client import AsyncClient, Client, Retry, Timeout


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
    ) -> Client:
        """Create a client for this sandbox.

        Args:
            project_id: The project for calls that don't specify one. Default: ORQ_PROJECT_ID,
                otherwise none.
            timeout: How long a call may take. Default: the default of `Client`.
            retry: When to retry a request. Default: the default of `Client`. The pauses
                between attempts are real; with `Retry(wait_initial=0)`, there are none, except
                after a `Retry-After`.

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
            allow_plain_http=True,
        )

    def async_client(
        self,
        *,
        project_id: str | None = None,
        timeout: Timeout | float | None = Timeout(),  # noqa: B008 - frozen
        retry: Retry = Retry(),  # noqa: B008 - frozen
    ) -> AsyncClient:
        """Create an async client for this sandbox.

        Args:
            project_id: The project for calls that don't specify one. Default: ORQ_PROJECT_ID,
                otherwise none.
            timeout: How long a call may take. Default: the default of `AsyncClient`.
            retry: When to retry a request. Default: the default of `AsyncClient`. The pauses
                between attempts are real; with `Retry(wait_initial=0)`, there are none, except
                after a `Retry-After`.

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
            allow_plain_http=True,
        )

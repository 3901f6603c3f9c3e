"""Creates real clients whose requests go to an httpx client instead of the network."""

from typing import Any, Final

import httpx

from conversations_client import AsyncClient, Client, Retry

BASE_URL: Final = "https://service.invalid"  # a name that never resolves (RFC 6761)
_KEY: Final = "in-memory"
_ONCE: Final = Retry(attempts=1)


def mock_client(
    http_client: httpx.Client,
    *,
    project_id: str | None = None,
    retry: Retry = _ONCE,
    **settings: Any,  # noqa: ANN401 - the settings of Client
) -> Client:
    """Create a client with these settings whose requests go to the httpx client."""
    client = Client(
        _KEY,
        base_url=BASE_URL,
        retry=retry,
        http_client=http_client,
        **settings,
    )
    # The project is set explicitly, so that the one in the environment isn't used.
    return client.with_options(project_id=project_id)


def mock_async_client(
    http_client: httpx.AsyncClient,
    *,
    project_id: str | None = None,
    retry: Retry = _ONCE,
    **settings: Any,  # noqa: ANN401 - the settings of AsyncClient
) -> AsyncClient:
    """Create an async client with these settings whose requests go to the httpx client."""
    client = AsyncClient(
        _KEY,
        base_url=BASE_URL,
        retry=retry,
        http_client=http_client,
        **settings,
    )
    return client.with_options(project_id=project_id)

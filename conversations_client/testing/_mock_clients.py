"""Creates real clients whose requests go to a function instead of the network."""

from collections.abc import Callable
from typing import Any, Final

import httpx

from conversations_client import AsyncClient, Client, Retry

Handler = Callable[[httpx.Request], httpx.Response]
"""Returns the response to a request, or raises an exception."""

BASE_URL: Final = "https://service.invalid"  # a name that never resolves (RFC 6761)
_KEY: Final = "in-memory"
_ONCE: Final = Retry(attempts=1)


def mock_client(
    handler: Handler,
    *,
    project_id: str | None = None,
    retry: Retry = _ONCE,
    **settings: Any,  # noqa: ANN401 - the settings of Client
) -> Client:
    """Create a client with these settings whose requests go to the handler."""
    transport = httpx.MockTransport(handler)
    client = Client(
        _KEY,
        base_url=BASE_URL,
        retry=retry,
        http_client=httpx.Client(transport=transport),
        **settings,
    )
    # The project is set explicitly, so that the one in the environment isn't used.
    return client.with_options(project_id=project_id)


def mock_async_client(
    handler: Handler,
    *,
    project_id: str | None = None,
    retry: Retry = _ONCE,
    **settings: Any,  # noqa: ANN401 - the settings of AsyncClient
) -> AsyncClient:
    """Create an async client with these settings whose requests go to the handler."""
    transport = httpx.MockTransport(handler)
    client = AsyncClient(
        _KEY,
        base_url=BASE_URL,
        retry=retry,
        http_client=httpx.AsyncClient(transport=transport),
        **settings,
    )
    return client.with_options(project_id=project_id)

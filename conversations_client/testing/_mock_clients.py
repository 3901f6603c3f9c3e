"""Creates real clients whose requests go to an httpx client instead of the network."""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from conversations_client import AsyncClient, Client, Retry

BASE_URL: Final = "https://service.invalid"  # a name that never resolves (RFC 6761)
_KEY: Final = "in-memory"
# Passed first, so that the project in the environment isn't even validated.
_ANY_PROJECT: Final = "replaced"
_ONCE: Final = Retry(attempts=1)
_OF_THE_ENCODED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def error_response(status: int, headers: Mapping[str, str], body: bytes) -> httpx.Response:
    """Create a response with a body that is already decoded, whatever its headers say."""
    sent = {name: value for name, value in headers.items() if name.lower() not in _OF_THE_ENCODED}
    return httpx.Response(status, headers=sent, content=body)


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
        project_id=_ANY_PROJECT,
        retry=retry,
        http_client=http_client,
        **settings,
    )
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
        project_id=_ANY_PROJECT,
        retry=retry,
        http_client=http_client,
        **settings,
    )
    return client.with_options(project_id=project_id)

"""Real clients of a service that is a function: nothing of theirs is replaced but the network."""

from collections.abc import Callable
from typing import Final

import httpx

from conversations_client import AsyncClient, Client, Retry

Handler = Callable[[httpx.Request], httpx.Response]
"""Gives the answer to a request, or raises in its place."""

BASE_URL: Final = "https://service.invalid"  # a name that never leads anywhere (RFC 6761)
_KEY: Final = "in-memory"
_ONCE: Final = Retry(attempts=1)


def client_of(handler: Handler, *, project_id: str | None = None, retry: Retry = _ONCE) -> Client:
    """A client that the handler answers."""
    transport = httpx.MockTransport(handler)
    client = Client(
        _KEY, base_url=BASE_URL, retry=retry, http_client=httpx.Client(transport=transport)
    )
    # Said now, the project is not that of the environment.
    return client.with_options(project_id=project_id)


def async_client_of(
    handler: Handler, *, project_id: str | None = None, retry: Retry = _ONCE
) -> AsyncClient:
    """An async client that the handler answers."""
    transport = httpx.MockTransport(handler)
    client = AsyncClient(
        _KEY, base_url=BASE_URL, retry=retry, http_client=httpx.AsyncClient(transport=transport)
    )
    return client.with_options(project_id=project_id)

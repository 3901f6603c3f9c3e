"""Sends through httpx's own client in programs that patch its `send`, as Sentry's SDK does."""

from typing import Final

from .failure_origin import FailureOrigin
from .injected import without_body
from .library import httpx, unpatched

_send: Final = unpatched(httpx.Client, "send")
_send_async: Final = unpatched(httpx.AsyncClient, "send")


def is_send_patched() -> bool:
    """Whether something watches the `send` of httpx's clients, which the package doesn't use."""
    return httpx.Client.send is not _send or httpx.AsyncClient.send is not _send_async


def send(transport: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
    """Send over a transport, through the patched `send` of a client."""
    # Made for one request, so that it keeps no cookies; closing it would close the transport.
    client = httpx.Client(transport=transport, trust_env=False)
    try:
        return client.send(request, stream=True, auth=None, follow_redirects=False)
    except Exception as error:
        response = _response_despite(error, request)
        if response is None:
            raise
        return response


async def send_async(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    """Send over a transport, through the patched `send` of an async client."""
    client = httpx.AsyncClient(transport=transport, trust_env=False)
    try:
        return await client.send(request, stream=True, auth=None, follow_redirects=False)
    except Exception as error:
        response = _response_despite(error, request)
        if response is None:
            raise
        return response


def _response_despite(error: Exception, request: httpx.Request) -> httpx.Response | None:
    """The response of a redirect that httpx can't prepare to follow; None for other failures."""
    origin = FailureOrigin(error, request)
    if origin.is_exchange or not origin.is_library or origin.response is None:
        return None
    return without_body(origin.response)

"""Paths and routes of the operations."""

from collections.abc import Awaitable, Callable
from typing import Final, Never, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Handler = Callable[[Request], Awaitable[Response]]

CONVERSATIONS: Final = "/v2/conversations"
CONVERSATION: Final = "/v2/conversations/{conversation_id}"
OPEN_PATHS: Final = frozenset({"/health", "/openapi.json"})
"""The sandbox's own paths, which need no API key and get no faults."""


def route(path: str, **handlers: Handler) -> Route:
    """Serve all methods of a path with one route, so that it can list them in `Allow`.

    Args:
        path: The path, with its parameters in braces.
        **handlers: The handler of each method.

    Returns:
        The route.
    """

    async def endpoint(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, endpoint, methods=list(handlers))


def conversation_id(request: Request) -> str:
    """Return the conversation ID in the path.

    Args:
        request: A request with an ID in its path.

    Returns:
        The ID; the conversation may not exist.
    """
    return cast("str", request.path_params["conversation_id"])


def not_found() -> Never:
    """Report that the conversation doesn't exist.

    Raises:
        HTTPException: 404.
    """
    raise HTTPException(404, "The conversation doesn't exist.")

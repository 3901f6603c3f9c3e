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
"""The sandbox's own paths that need no API key."""
CONTROLS: Final = "/sandbox/"
"""The prefix of the sandbox's own paths for tests, which need the API key."""


def is_own_path(path: str) -> bool:
    """Check whether a path is the sandbox's own and not part of the API.

    Args:
        path: The decoded path of a request.

    Returns:
        Whether the path gets no faults and its requests are not logged.
    """
    return path in OPEN_PATHS or path.startswith(CONTROLS)


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

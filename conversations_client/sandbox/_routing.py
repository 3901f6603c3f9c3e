"""What the operations share: routes, the id in the path, and its not being there."""

from collections.abc import Awaitable, Callable
from typing import Final, Never, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Handler = Callable[[Request], Awaitable[Response]]

CONVERSATIONS: Final = "/v2/conversations"
CONVERSATION: Final = "/v2/conversations/{conversation_id}"


def route(path: str, **handlers: Handler) -> Route:
    """Serve all of a path's methods by one route, which so knows what to say in `Allow`.

    Args:
        path: The path, with its parameters in braces.
        **handlers: What answers, by method.

    Returns:
        The route.
    """

    async def endpoint(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, endpoint, methods=list(handlers))


def conversation_id(request: Request) -> str:
    """Take the conversation's id out of the path.

    Args:
        request: A request of a path that has one.

    Returns:
        The id, of a conversation or not.
    """
    return cast("str", request.path_params["conversation_id"])


def not_found() -> Never:
    """Give up on a conversation that doesn't exist.

    Raises:
        HTTPException: 404.
    """
    raise HTTPException(404, "There is no such conversation.")

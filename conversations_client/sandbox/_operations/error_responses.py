"""Error responses: JSON `{"message": string}`."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from .json_responses import json_response


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Build an error response.

    Args:
        status: The HTTP status.
        message: The human-readable error message.
        headers: Additional headers.

    Returns:
        The response.
    """
    return json_response({"message": message}, status=status, headers=headers)


def on_http_exception(_request: Request, error: Exception) -> Response:
    """Respond with an error that a handler or the router raised.

    Args:
        _request: Unused.
        error: The `HTTPException`.

    Returns:
        The response.
    """
    assert isinstance(error, HTTPException)  # noqa: S101 - registered only for this class
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    return error_response(error.status_code, error.detail, headers)


def on_disconnect(_request: Request, _error: Exception) -> Response:
    """Respond to a client that disconnected before its request was complete.

    Args:
        _request: Unused.
        _error: Unused.

    Returns:
        The response.
    """
    return error_response(400, "The request ended before its body was complete.")


def on_crash(_request: Request, _error: Exception) -> Response:
    """Respond after a bug in the sandbox; the traceback is logged.

    Args:
        _request: Unused.
        _error: Unused.

    Returns:
        The response.
    """
    return error_response(500, "The sandbox failed; see its log.")

"""Every answer that isn't a success: `{"message": string}`."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from conversations_client.sandbox._rendering import render


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Make the answer to a request that failed.

    Args:
        status: The HTTP status.
        message: What was wrong, for people.
        headers: What to send besides.

    Returns:
        The response.
    """
    return render({"message": message}, status=status, headers=headers)


def on_http_exception(_request: Request, error: Exception) -> Response:
    """Answer with what a handler, or the router, raised.

    Args:
        _request: Not looked at.
        error: The `HTTPException`.

    Returns:
        The response.
    """
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    return error_response(error.status_code, error.detail, headers)


def on_disconnect(_request: Request, _error: Exception) -> Response:
    """Answer a client that left before its request was complete, though it won't read this.

    Args:
        _request: Not looked at.
        _error: Not looked at.

    Returns:
        The response.
    """
    return error_response(400, "The request ended before its body did.")


def on_crash(_request: Request, _error: Exception) -> Response:
    """Answer when the sandbox itself is at fault; the traceback goes to the log.

    Args:
        _request: Not looked at.
        _error: Not looked at.

    Returns:
        The response.
    """
    return error_response(500, "The sandbox failed; see its log.")

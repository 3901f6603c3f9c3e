"""Creates the errors that calls raise."""

import json
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import httpx

from conversations_client import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectError,
    ConnectTimeoutError,
    DeadlineError,
    DecodeError,
    Delivery,
    DisconnectError,
    IdleTimeoutError,
    NotFoundError,
    PermissionDeniedError,
    PoolTimeoutError,
    ProxyError,
    RateLimitError,
    ResponseTooLargeError,
    ServerError,
    StatusError,
    TLSError,
    TransportError,
    TransportTimeoutError,
    UnprocessableEntityError,
)
from conversations_client.testing._mock_clients import error_response, mock_client
from conversations_client.testing.factories._defaults import CONVERSATION_ID

E = TypeVar("E", bound=StatusError)
T = TypeVar("T", bound=TransportError)

_UNSENT: Final = (ConnectError, ConnectTimeoutError, PoolTimeoutError)

_STATUS: Final[Mapping[type[StatusError], int]] = {
    StatusError: 418,
    BadRequestError: 400,
    AuthenticationError: 401,
    PermissionDeniedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    UnprocessableEntityError: 422,
    RateLimitError: 429,
    ServerError: 500,
}


_MESSAGES: Final[Mapping[type, str]] = {
    TransportError: "no complete response arrived.",
    ConnectError: "no connection: the network is down.",
    TLSError: "the connection could not be encrypted: the certificate has expired.",
    ProxyError: "the proxy failed: it refused the connection.",
    DisconnectError: "the connection broke.",
    ResponseTooLargeError: "the response is larger than max_response_bytes.",
    TransportTimeoutError: "a step took too long.",
    ConnectTimeoutError: "connecting took too long.",
    PoolTimeoutError: "no connection became free in time.",
    IdleTimeoutError: "nothing was received in time.",
    DeadlineError: "the call took longer than Timeout.total allows.",
}


def status_error(
    cls: type[E],
    *,
    status: int | None = None,
    message: str = "The service refused the request.",
    retry_after: float | None = None,
    request_id: str | None = "req_1",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> E:
    """Create the error that `retrieve` raises for a response with an error status.

    For an error from another method, set its `method` and `template`.

    Args:
        cls: The class of the error.
        status: The HTTP status. Default: the status of the class, which is 500 for `ServerError`.
        message: The service's error message.
        retry_after: The value of the `Retry-After` header, in seconds. Default: no header.
        request_id: The request ID; None for no ID.
        headers: Additional headers.
        body: The response's body. Default: JSON with the message.

    Raises:
        TypeError: The class is not one of the client's `StatusError` classes.
        ValueError: The status belongs to a different class.

    Example:
        error = factories.status_error(RateLimitError, retry_after=30)
        assert (error.status, error.retry_after) == (429, 30)
    """
    if cls not in _STATUS:
        raise TypeError(
            f"status_error takes one of {_names(_STATUS)}, not {_name(cls)}; transport_error takes "
            "the others."
        )
    response = error_response(
        _STATUS[cls] if status is None else status,
        {
            **({} if request_id is None else {"X-Request-Id": request_id}),
            **({} if retry_after is None else {"Retry-After": f"{retry_after:.15g}"}),
            **(headers or {}),
        },
        json.dumps({"message": message}).encode() if body is None else body,
    )
    error = _error_of(response)
    if type(error) is not cls:
        raise ValueError(f"Status {response.status_code} doesn't belong to {cls.__name__}.")
    return error


def transport_error(
    cls: type[T], *, message: str | None = None, delivery: Delivery | None = None
) -> T:
    """Create the error that `retrieve` raises if no complete response arrives.

    For an error from another method, set its `method` and `template`.

    Args:
        cls: The class.
        message: The error message. Default: one that suits the class.
        delivery: Whether the request was delivered. Default: UNSENT if the class implies that
            there was no connection, UNKNOWN otherwise.

    Raises:
        TypeError: The class is not a TransportError.

    Example:
        error = factories.transport_error(ConnectError)
        assert not error.may_have_acted
    """
    if not _is_transport_error(cls):
        raise TypeError(
            f"transport_error takes one of {_names(_MESSAGES)}, not {_name(cls)}; status_error "
            "takes the others."
        )
    if message is None:
        message = next(_MESSAGES[each] for each in cls.__mro__ if each in _MESSAGES)
    if delivery is None:
        delivery = Delivery.UNSENT if issubclass(cls, _UNSENT) else Delivery.UNKNOWN
    error = cls(message, delivery=delivery, attempts=1)
    error.method, error.template = "GET", "/v2/conversations/{conversation_id}"
    return error


def _is_transport_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, TransportError)


def _names(classes: Iterable[type]) -> str:
    return ", ".join(cls.__name__ for cls in classes)


def _name(value: object) -> str:
    return value.__name__ if isinstance(value, type) else f"an instance of {type(value).__name__}"


def _error_of(response: httpx.Response) -> StatusError | None:
    transport = httpx.MockTransport(lambda _: response)
    try:
        mock_client(httpx.Client(transport=transport)).conversations.retrieve(CONVERSATION_ID)
    except StatusError as error:
        return error.with_traceback(None)
    except DecodeError:
        pass
    return None

"""The errors that a call can end in."""

import json
from collections.abc import Mapping
from types import NoneType
from typing import Final, TypeVar

import httpx

from conversations_client import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectError,
    ConnectTimeoutError,
    DecodeError,
    Delivery,
    NotFoundError,
    PermissionDeniedError,
    PoolTimeoutError,
    RateLimitError,
    ServerError,
    StatusError,
    TransportError,
    UnprocessableEntityError,
)
from conversations_client.testing._in_memory import client_of
from conversations_client.testing.factories._defaults import CONVERSATION_ID

E = TypeVar("E", bound=StatusError)
T = TypeVar("T", bound=TransportError)

_UNSENT: Final = (ConnectError, ConnectTimeoutError, PoolTimeoutError)

_PATH: Final = f"/v2/conversations/{CONVERSATION_ID}"

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


def status_error(
    cls: type[E],
    *,
    status: int | None = None,
    message: str = "The service says no.",
    retry_after: float | None = None,
    request_id: str | None = "req_1",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> E:
    """An error as the client raises it for a status, from an answer that a real client has read.

    Args:
        cls: The class.
        status: The HTTP status; that of the class if left out, and 500 for `ServerError`.
        message: What the service says.
        retry_after: Seconds in the `Retry-After` header; None sends none.
        request_id: What the service calls the exchange; None if it doesn't say.
        headers: More headers.
        body: The answer's body, in place of JSON with the message.

    Raises:
        ValueError: The status is another class's.
    """
    answer = httpx.Response(
        _STATUS[cls] if status is None else status,
        headers={
            **({} if request_id is None else {"X-Request-Id": request_id}),
            **({} if retry_after is None else {"Retry-After": f"{retry_after:g}"}),
            **(headers or {}),
        },
        content=json.dumps({"message": message}).encode() if body is None else body,
    )
    error = _raised_for(answer)
    if type(error) is not cls:
        raise ValueError(f"{answer.status_code} is no status of {cls.__name__}.")
    return error


def transport_error(
    cls: type[T], *, message: str = "the network is down.", delivery: Delivery | None = None
) -> T:
    """An error as the client raises it where no complete answer came.

    Args:
        cls: The class.
        message: What is wrong.
        delivery: What is known of the request; what the class stands for, if left out: UNSENT
            where there was no connection, UNKNOWN otherwise.
    """
    if delivery is None:
        delivery = Delivery.UNSENT if issubclass(cls, _UNSENT) else Delivery.UNKNOWN
    return cls(message, delivery=delivery, attempts=1)


def _raised_for(answer: httpx.Response) -> StatusError | None:
    try:
        client_of(lambda _: answer).request("GET", _PATH, returns=NoneType)
    except StatusError as error:
        return error.with_traceback(None)
    except DecodeError:
        pass
    return None

"""`Idempotency-Key`: a repeated POST takes effect once."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Final

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from conversations_client.sandbox._schemas.requests import IDEMPOTENCY_HEADER, IDEMPOTENCY_KEY
from conversations_client.sandbox._storage.idempotency_store import StoredResponse
from conversations_client.sandbox._storage.json_encoding import encode
from conversations_client.sandbox._storage.store import Store

REPLAYED: Final = "Idempotency-Replayed"


@frozen(kw_only=True)
class Key:
    """An idempotency key and the fingerprint of its request."""

    value: str
    fingerprint: str


def read_key(request: Request, body: object) -> Key | None:
    """Read a request's key.

    Args:
        request: The request.
        body: Its parsed JSON.

    Returns:
        The key; None if the request has none.

    Raises:
        HTTPException: 400 for a malformed key.
    """
    keys = request.headers.getlist(IDEMPOTENCY_HEADER)
    if not keys:
        return None
    if len(keys) > 1 or not re.fullmatch(IDEMPOTENCY_KEY, keys[0]):
        raise HTTPException(
            400, f"{IDEMPOTENCY_HEADER} must be one value of 1 to 255 visible ASCII characters."
        )
    return Key(value=keys[0], fingerprint=_fingerprint(request.url.path, body))


def first_response(store: Store, key: Key) -> StoredResponse | None:
    """Look up the first response for a key.

    Args:
        store: The store of responses.
        key: The key.

    Returns:
        The response; None if the key is new.

    Raises:
        HTTPException: 422 if the key was used for a different request.
    """
    stored = store.idempotency.find(key.value)
    if stored is not None and stored.fingerprint != key.fingerprint:
        raise HTTPException(422, f"This {IDEMPOTENCY_HEADER} was used for a different request.")
    return stored


def act_once(
    store: Store, request: Request, body: object, act: Callable[[], object], *, status: int
) -> Response:
    """Carry out a POST, or repeat the first response if its key is known.

    Args:
        store: The store of responses; the response is stored in the transaction of the change.
        request: The request; it may have a key.
        body: Its parsed JSON.
        act: Makes the change and returns the JSON of the response; its errors aren't stored.
        status: The status of a successful response.

    Returns:
        The response.

    Raises:
        HTTPException: 400 for a malformed key, 422 if the key was used for a different request,
            and the errors of `act`.
    """
    key = read_key(request, body)
    if key is None:
        return _respond(status, encode(act()))
    with store.transaction():
        stored = first_response(store, key)
        if stored is not None:
            return _respond(stored.status, stored.body, {REPLAYED: "true"})
        response = StoredResponse(fingerprint=key.fingerprint, status=status, body=encode(act()))
        store.idempotency.save(key.value, response)
    return _respond(status, response.body)


def _respond(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")


def _fingerprint(path: str, body: object) -> str:
    """Hash a request, ignoring whitespace and field order."""
    canonical = json.dumps([path, body], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()

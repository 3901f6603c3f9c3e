"""`Idempotency-Key`: the same POST twice is done once."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Final

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from conversations_client.sandbox._kept_answers import KeptAnswer
from conversations_client.sandbox._rendering import encode
from conversations_client.sandbox._store import Store

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEY: Final = "^[!-~]{1,255}$"


@frozen(kw_only=True)
class Key:
    """An idempotency key, and the fingerprint of the request that it came with."""

    value: str
    fingerprint: str


def read_key(request: Request, body: object) -> Key | None:
    """Take a request's key.

    Args:
        request: The request.
        body: Its parsed JSON.

    Returns:
        The key, None if there is none.

    Raises:
        HTTPException: 400 for a malformed one.
    """
    keys = request.headers.getlist(HEADER)
    if not keys:
        return None
    if len(keys) > 1 or not re.fullmatch(KEY, keys[0]):
        raise HTTPException(400, f"{HEADER} must be one value of 1 to 255 visible ASCII letters.")
    return Key(value=keys[0], fingerprint=_fingerprint(request.url.path, body))


def first_answer(store: Store, key: Key) -> KeptAnswer | None:
    """Look up what was answered under a key.

    Args:
        store: Where answers are kept.
        key: The key.

    Returns:
        The answer, None if the key is new.

    Raises:
        HTTPException: 422 for a key that was used for another request.
    """
    kept = store.kept_answers.find(key.value)
    if kept is not None and kept.fingerprint != key.fingerprint:
        raise HTTPException(422, f"This {HEADER} was used for another request.")
    return kept


def once(
    store: Store, request: Request, body: object, act: Callable[[], object], *, status: int
) -> Response:
    """Do what a POST asks for, or, where its key has been seen, give the first answer again.

    Args:
        store: Where answers are kept, in the same transaction as what was done.
        request: The request, perhaps with a key.
        body: Its parsed JSON.
        act: Does it and returns the JSON to answer with; what it raises isn't kept.
        status: The status of success.

    Returns:
        The response.

    Raises:
        HTTPException: 400 for a malformed key, 422 for one that was used for another request;
            and whatever `act` raises.
    """
    key = read_key(request, body)
    if key is None:
        return _respond(status, encode(act()))
    with store.transaction():
        kept = first_answer(store, key)
        if kept is not None:
            return _respond(kept.status, kept.body, {REPLAYED: "true"})
        answer = KeptAnswer(fingerprint=key.fingerprint, status=status, body=encode(act()))
        store.kept_answers.keep(key.value, answer)
    return _respond(status, answer.body)


def _respond(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that is written already."""
    return Response(body, status, headers, media_type="application/json")


def _fingerprint(path: str, body: object) -> str:
    """Sum a request up, so that neither spacing nor the order of its fields matters."""
    canonical = json.dumps([path, body], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()

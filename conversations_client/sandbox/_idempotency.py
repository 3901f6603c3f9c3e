"""`Idempotency-Key`: the same POST twice is done once."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from conversations_client.sandbox._kept_answers import KeptAnswer
from conversations_client.sandbox._rendering import encode
from conversations_client.sandbox._store import Store

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEY: Final = "^[!-~]{1,255}$"


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
    key = _key(request)
    if key is None:
        return _respond(status, encode(act()))
    fingerprint = _fingerprint(request.url.path, body)
    with store.transaction():
        kept = store.kept_answers.find(key)
        if kept is None:
            answer = encode(act())
            kept = KeptAnswer(fingerprint=fingerprint, status=status, body=answer)
            store.kept_answers.keep(key, kept)
            return _respond(status, answer)
    if kept.fingerprint != fingerprint:
        raise HTTPException(422, f"This {HEADER} was used for another request.")
    return _respond(kept.status, kept.body, {REPLAYED: "true"})


def _respond(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON that is written already."""
    return Response(body, status, headers, media_type="application/json")


def _key(request: Request) -> str | None:
    """Take the key, if there is one."""
    keys = request.headers.getlist(HEADER)
    if not keys:
        return None
    if len(keys) > 1 or not re.fullmatch(KEY, keys[0]):
        raise HTTPException(400, f"{HEADER} must be one value of 1 to 255 visible ASCII letters.")
    return keys[0]


def _fingerprint(path: str, body: object) -> str:
    """Sum a request up, so that neither spacing nor the order of its fields matters."""
    canonical = json.dumps([path, body], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()

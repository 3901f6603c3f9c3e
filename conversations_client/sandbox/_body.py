"""Request bodies: from bytes to JSON that is known to be valid."""

import json
from typing import Final, Never, cast

from jsonschema import Draft202012Validator
from starlette.exceptions import HTTPException
from starlette.requests import Request

from conversations_client.sandbox._faults import faults

LIMIT: Final = 1024 * 1024
DEPTH: Final = 64


async def read_body(request: Request, check: Draft202012Validator) -> dict[str, object]:
    """Read a request's body.

    Args:
        request: The request.
        check: What the body must satisfy, that it is an object among it.

    Returns:
        The JSON object.

    Raises:
        HTTPException: 400 for what isn't JSON, 413 for more than 1 MiB, 415 for another media
            type, 422 for JSON that doesn't satisfy, with the path of each fault.
    """
    raw = await _receive(request)
    if not raw:
        raise HTTPException(400, "The body is empty; it must be a JSON object.")
    if not _is_json(request.headers.get("content-type", "")):
        raise HTTPException(415, "The body must be sent as Content-Type: application/json.")
    body = _parse(raw)
    found = list(faults(body, check))
    if found:
        raise HTTPException(422, f"The body is invalid: {'; '.join(found)}.")
    return cast("dict[str, object]", body)


async def _receive(request: Request) -> bytes:
    """Collect the body as it comes, and no more of it than the limit."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LIMIT:
            raise HTTPException(413, f"The body is larger than {LIMIT} bytes.")
    return bytes(raw)


def _is_json(content_type: str) -> bool:
    """Tell JSON's media types from others; parameters don't matter, as JSON is always UTF-8."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _parse(raw: bytes) -> object:
    """Parse JSON by the letter, where Python's parser takes more than that."""
    try:
        text = raw.decode()
        value: object = json.loads(text, parse_constant=_refuse_constant)
        # A lone surrogate can be spelt in JSON but not in UTF-8, so it could never be sent back.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The body is not valid JSON in UTF-8.") from error
    if _deeper_than(DEPTH, value):
        raise HTTPException(400, f"The body is nested more than {DEPTH} levels deep.")
    return value


def _refuse_constant(name: str) -> Never:
    """Refuse NaN and the infinities, which aren't JSON."""
    raise ValueError(name)


def _deeper_than(levels: int, value: object) -> bool:
    """Measure nesting level by level, so that depth can't exhaust the stack."""
    level = [value]
    for _ in range(levels + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return False
    return True


def _children(value: object) -> list[object]:
    """List what an array or object holds."""
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []

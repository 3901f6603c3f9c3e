"""Reads and validates request bodies."""

from typing import Final, cast

from jsonschema import Draft202012Validator
from starlette.exceptions import HTTPException
from starlette.requests import Request

from conversations_client.sandbox._storage.store import Store

from .routes import conversation_id, not_found
from .strict_json import parse
from .validation_messages import validation_messages

LIMIT: Final = 32 * 1024 * 1024
"""The maximum number of bytes of a body; it limits the memory that a request can use."""


async def read_body(request: Request, validator: Draft202012Validator) -> dict[str, object]:
    """Read a request's body.

    Args:
        request: The request.
        validator: The validator of the body's schema; the schema requires an object.

    Returns:
        The JSON object.

    Raises:
        HTTPException: 400 for invalid JSON, 413 for more than 32 MiB, 415 for a media type other
            than JSON, 422 for JSON that doesn't match the schema, with the path of each problem.
    """
    raw = await _receive(request)
    if not raw:
        raise HTTPException(400, "The body is empty; it must be a JSON object.")
    if not _is_json(request.headers.get("content-type", "")):
        raise HTTPException(415, "The body must be sent as Content-Type: application/json.")
    try:
        body = parse(raw)
    except ValueError as error:
        raise HTTPException(400, str(error)) from None
    problems = validation_messages(body, validator)
    if problems:
        raise HTTPException(422, f"The body is invalid: {'; '.join(problems)}.")
    return cast("dict[str, object]", body)


async def read_conversation_body(
    request: Request, validator: Draft202012Validator, store: Store
) -> dict[str, object]:
    """Read the body of a request for one conversation.

    Args:
        request: The request, with a conversation's ID in its path.
        validator: The validator of the body's schema.
        store: The store of conversations.

    Returns:
        The JSON object; the conversation may not exist.

    Raises:
        HTTPException: As in `read_body`; or 404 if the body is invalid and the conversation
            doesn't exist.
    """
    try:
        return await read_body(request, validator)
    except HTTPException:
        if store.conversations.find(conversation_id(request)) is None:
            not_found()
        raise


async def _receive(request: Request) -> bytes:
    """Read the body up to the limit."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LIMIT:
            raise HTTPException(413, f"The body is larger than {LIMIT} bytes.")
    return bytes(raw)


def _is_json(content_type: str) -> bool:
    """Recognize the media types of JSON; the parameters are irrelevant, as JSON is always UTF-8."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )

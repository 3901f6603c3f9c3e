"""Parses the query of a listing."""

import re

from attrs import frozen
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from conversations_client.sandbox._schemas.requests import (
    CONVERSATION_ID,
    DEFAULT_LIMIT,
    MAXIMUM_LIMIT,
)


@frozen(kw_only=True)
class ListingQuery:
    """The cursor, size and entity of the requested page."""

    limit: int
    after: str | None
    before: str | None
    entity_id: str | None


def read_listing_query(query: QueryParams) -> ListingQuery:
    """Parse the query of a listing; unknown parameters are ignored.

    Args:
        query: The query's parameters.

    Returns:
        The requested page.

    Raises:
        HTTPException: 400 with the name of a malformed or repeated parameter.
    """
    after, before = _cursor(query, "startingAfter"), _cursor(query, "endingBefore")
    if after is not None and before is not None:
        raise HTTPException(400, "startingAfter and endingBefore can't be used together.")
    return ListingQuery(
        limit=_limit(_single(query, "limit")),
        after=after,
        before=before,
        entity_id=_single(query, "entityId"),
    )


def _single(query: QueryParams, name: str) -> str | None:
    values = query.getlist(name)
    if len(values) > 1:
        raise HTTPException(400, f"{name} can be used only once.")
    return values[0] if values else None


def _cursor(query: QueryParams, name: str) -> str | None:
    """Parse a cursor. IDs sort by time, so the ID of a deleted conversation is a valid cursor."""
    cursor = _single(query, name)
    if cursor is not None and not re.fullmatch(CONVERSATION_ID, cursor):
        raise HTTPException(400, f"{name} must be the ID of a conversation.")
    return cursor


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    # int() alone accepts signs, spaces, underscores and the digits of other scripts.
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAXIMUM_LIMIT:
        raise HTTPException(400, f"limit must be an integer from 1 to {MAXIMUM_LIMIT}.")
    return int(text)

"""The query of a listing: which page is asked for."""

import re
from typing import Final

from attrs import frozen
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException

from conversations_client.sandbox._schemas import CONVERSATION_ID

DEFAULT_LIMIT: Final = 10
MAXIMUM_LIMIT: Final = 100


@frozen(kw_only=True)
class Page:
    """Which conversations, and how many at most."""

    limit: int
    after: str | None
    before: str | None
    entity_id: str | None


def read_page(query: QueryParams) -> Page:
    """Read a listing's query; parameters it doesn't know are ignored.

    Args:
        query: The query's parameters.

    Returns:
        The page asked for.

    Raises:
        HTTPException: 400, naming the parameter that is malformed or given twice.
    """
    after, before = _cursor(query, "startingAfter"), _cursor(query, "endingBefore")
    if after is not None and before is not None:
        raise HTTPException(400, "startingAfter and endingBefore exclude each other.")
    return Page(
        limit=_limit(_single(query, "limit")),
        after=after,
        before=before,
        entity_id=_single(query, "entityId"),
    )


def _single(query: QueryParams, name: str) -> str | None:
    """Take a parameter that may be given once."""
    values = query.getlist(name)
    if len(values) > 1:
        raise HTTPException(400, f"{name} is given more than once.")
    return values[0] if values else None


def _cursor(query: QueryParams, name: str) -> str | None:
    """Take a conversation's id; as ids sort, one that is gone still marks a place."""
    cursor = _single(query, name)
    if cursor is not None and not re.fullmatch(CONVERSATION_ID, cursor):
        raise HTTPException(400, f"{name} must be the id of a conversation.")
    return cursor


def _limit(text: str | None) -> int:
    """Take the page's size."""
    if text is None:
        return DEFAULT_LIMIT
    # int() alone would take signs, spaces, underscores and the digits of other scripts.
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAXIMUM_LIMIT:
        raise HTTPException(400, f"limit must be an integer from 1 to {MAXIMUM_LIMIT}.")
    return int(text)

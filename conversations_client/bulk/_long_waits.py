"""Recognizes that the service asks for a longer wait than the client allows."""

from conversations_client import ConversationsError, Retry, StatusError


def asks_for_long_wait(error: ConversationsError, retry: Retry) -> bool:
    """Whether an error has a `Retry-After` that is longer than `retry_after_max`.

    Every other request would fail for the same reason.
    """
    if not isinstance(error, StatusError) or not error.is_temporary:
        return False
    return error.retry_after is not None and error.retry_after > retry.retry_after_max

"""Recognizes that the service asks for a longer wait than the command allows."""

from conversations_client import ConversationsError, Retry, StatusError


def asks_for_long_wait(error: ConversationsError, retry: Retry) -> bool:
    """Whether the service asks for a longer wait than allowed, so that nothing more is sent."""
    return long_wait(error, retry) is not None


def long_wait(error: ConversationsError, retry: Retry) -> float | None:
    """The seconds that the service asks to wait, if they are more than allowed."""
    if not isinstance(error, StatusError) or not error.is_temporary:
        return None
    seconds = error.retry_after
    return None if seconds is None or seconds <= retry.retry_after_max else seconds

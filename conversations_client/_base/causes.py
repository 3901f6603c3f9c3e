"""The causes of an exception."""

from collections.abc import Iterator


def causes(error: BaseException | None, *, has_context: bool = True) -> Iterator[BaseException]:
    """An exception, its cause, the cause's cause, and so on.

    Args:
        error: The exception.
        has_context: Whether an exception that was being handled counts as a cause.
    """
    # An exception that was raised twice may be its own cause.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (error.__context__ if has_context else None)

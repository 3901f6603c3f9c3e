"""The error of imports and exports."""

from conversations_client import InvalidArgumentError


class BulkError(InvalidArgumentError):
    """A file or a journal can't be used. Nothing that is recorded is lost."""

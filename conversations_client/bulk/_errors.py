"""What can be wrong with a file or its journal, as a whole."""

from conversations_client import InvalidArgumentError


class BulkError(InvalidArgumentError):
    """A file or a journal can't be used; nothing of what is recorded is lost."""

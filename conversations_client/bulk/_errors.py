"""The error class for imports and exports."""

from conversations_client import InvalidArgumentError


class BulkError(InvalidArgumentError):
    """A file or journal can't be used. The journal's data is safe.

    Example:
        try:
            check_file("conversations.xlsx")
        except BulkError as error:
            print(error)
    """

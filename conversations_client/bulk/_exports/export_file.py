"""Conversations without their messages, from any iterable to a file."""

import os
from collections.abc import Callable, Iterable, Iterator

from conversations_client import Conversation, unstructure
from conversations_client.bulk._files.atomic_file import atomic_file
from conversations_client.bulk._files.formats import format_of
from conversations_client.bulk._files.rows import Fields
from conversations_client.bulk._files.writers import writer


def export_file(
    conversations: Iterable[Conversation],
    path: str | os.PathLike[str],
    *,
    escape_formulas: bool = False,
    on_row: Callable[[Conversation], object] | None = None,
) -> int:
    """Write conversations to a file, which appears when it is complete.

    JSON Lines have every field that the service sends. CSV and Parquet have a column for each field
    that this version knows. Any of them can be imported. Messages are not written:
    `export_with_messages` writes them.

    Example:
        with Client() as client:
            export_file(client.conversations.list(limit=100), "conversations.csv")

    Args:
        conversations: What to write, such as `client.conversations.list()`, which lists the
            conversations without an agent or deployment, or `list(entity_id=…)`.
        path: The file: JSON Lines, CSV or Parquet, according to its extension. An existing file is
            replaced and keeps its mode; a symbolic link stays one.
        escape_formulas: Whether to escape, in a CSV, each text that a spreadsheet would take for a
            formula: it gets an apostrophe in front if it begins with `=`, `+`, `-`, `@`, a tab or a
            carriage return. An import undoes it. Default False.
        on_row: Called with each conversation.

    Returns:
        The number of conversations.

    Raises:
        BulkError: The kind of file is unknown, can't have its formulas escaped, or needs an extra
            that is not installed.
        OSError: The file can't be written.
        ConversationsError: Raised by the iterable.
    """
    write = writer(format_of(path), escape=escape_formulas)
    count = 0

    def rows() -> Iterator[Fields]:
        nonlocal count
        for conversation in conversations:
            count += 1
            yield unstructure(conversation)
            if on_row is not None:
                on_row(conversation)

    with atomic_file(path) as temporary:
        write(temporary, rows())
    return count

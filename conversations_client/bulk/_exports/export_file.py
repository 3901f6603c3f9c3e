"""Writes conversations from any iterable to a file."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from conversations_client import Conversation, unstructure
from conversations_client.bulk._arguments import check_item, check_iterable
from conversations_client.bulk._files.atomic_file import atomic_file
from conversations_client.bulk._files.formats import export_format
from conversations_client.bulk._files.rows import Fields
from conversations_client.bulk._files.writers import writer

_REQUIREMENT: Final = (
    "conversations must be an iterable of Conversation objects, such as client.conversations.list()"
)


def export_file(
    conversations: Iterable[Conversation],
    path: str | os.PathLike[str],
    *,
    escape_formulas: bool = False,
    on_row: Callable[[Conversation], object] | None = None,
) -> int:
    """Write conversations to a file, which appears only when it is complete.

    A JSON Lines file has every field that the service sends. A CSV or Parquet file has a column for
    each field that this version of the client knows. `import_file` reads all three. Listings don't
    include messages; to export messages, use `export_with_messages`. If you pass retrieved
    conversations, a JSON Lines file includes their `messages`.

    Example:
        with Client() as client:
            export_file(client.conversations.list(limit=100), "conversations.csv")

    Args:
        conversations: The conversations, such as `client.conversations.list()`, which lists those
            without an agent or deployment, or `client.conversations.list(entity_id=…)`.
        path: The file: JSON Lines, CSV or Parquet, according to its extension. An existing file is
            replaced, and its file mode is kept. If `path` is a symbolic link, its target is
            replaced.
        escape_formulas: In a CSV file, whether to escape text that a spreadsheet would run as a
            formula. Text that starts with `=`, `+`, `-`, `@`, a tab or a carriage return gets a
            leading apostrophe, which `import_file` removes. Default: False.
        on_row: Called with each conversation.

    Returns:
        The number of conversations written.

    Raises:
        BulkError: The file format is unknown, doesn't support `escape_formulas`, or needs an extra
            that is not installed.
        InvalidArgumentError: `conversations` is not an iterable of conversations.
        OSError: The file can't be written.
        ConversationsError: Raised by the iterable.
    """
    write = writer(export_format(path, escape=escape_formulas), escape=escape_formulas)
    check_iterable(conversations, _REQUIREMENT)
    count = 0

    def rows() -> Iterator[Fields]:
        nonlocal count
        for conversation in conversations:
            check_item(conversation, Conversation, _REQUIREMENT)
            count += 1
            yield unstructure(conversation)
            if on_row is not None:
                on_row(conversation)

    with atomic_file(path) as temporary:
        write(temporary, rows())
    return count

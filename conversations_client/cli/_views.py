"""What people see of the API's objects: tables and panels."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from conversations_client import (
    Conversation,
    ConversationWithMessages,
    ErrorPart,
    FilePart,
    Message,
    Part,
    TextPart,
    ToolResultPart,
)
from conversations_client.cli._printable import one_line, printable
from conversations_client.cli._relative_time import relative_time

NO_ID = "(no id)"


def conversation_table(conversations: Sequence[Conversation], now: float) -> RenderableType:
    """Conversations, one a line."""
    if not conversations:
        return "No conversations: `conversations create` makes one."
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("Id", no_wrap=True)
    table.add_column("Name")
    table.add_column("Updated", no_wrap=True, style="dim")
    for conversation in conversations:
        table.add_row(
            one_line(conversation.id or NO_ID),
            Text(one_line(conversation.display_name), no_wrap=True, overflow="ellipsis"),
            relative_time(conversation.updated_at, now=now),
        )
    return table


def conversation_panel(conversation: Conversation, now: float) -> RenderableType:
    """All there is to know of a conversation."""
    fields = Table.grid(padding=(0, 2))
    fields.add_column(style="dim", no_wrap=True)
    fields.add_column(overflow="fold")
    for name, value in _fields(conversation, now):
        fields.add_row(name, one_line(value))
    return Panel(
        fields, title=Text(one_line(conversation.display_name), "bold"), title_align="left"
    )


def conversation_and_messages(conversation: ConversationWithMessages, now: float) -> RenderableType:
    """A conversation, and what was said in it."""
    messages = conversation.messages or ()
    return Group(
        conversation_panel(conversation, now), *(_message(message, now) for message in messages)
    )


def _fields(conversation: Conversation, now: float) -> list[tuple[str, str]]:
    metadata = conversation.metadata
    found = [
        ("Id", conversation.id or NO_ID),
        ("Created", relative_time(conversation.created_at, now=now)),
        ("Updated", relative_time(conversation.updated_at, now=now)),
        ("Created by", conversation.created_by_id),
        ("Updated by", conversation.updated_by_id),
        ("Entity", conversation.entity_id),
        ("Model", metadata and metadata.model),
        ("Name", "being made up" if metadata and metadata.generating_title else None),
    ]
    return [(name, value) for name, value in found if isinstance(value, str)]


def _message(message: Message, now: float) -> RenderableType:
    head = Text(f"\n{one_line(message.role)}", "bold")
    head.append(f"  {relative_time(message.created_at, now=now)}", "not bold dim")
    return Group(head, *(printable(_part(part)) for part in message.parts))


def _part(part: Part) -> str:
    match part:
        case TextPart():
            return part.text
        case FilePart():
            return f"[file {part.file.name or part.file.uri or part.file.mime_type or ''}]"
        case ToolResultPart():
            return f"[result of the tool call {part.tool_call_id}]"
        case ErrorPart():
            return f"[error: {part.error}]"
        case _:
            return f"[{part.kind}]"

"""Shows conversations as tables and panels, in terminals of any width."""

import json
from collections.abc import Sequence
from typing import Final

from attrs import frozen
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from conversations_client import (
    UNSET,
    Conversation,
    ConversationWithMessages,
    ErrorPart,
    FilePart,
    Message,
    Part,
    TextPart,
    ToolResultPart,
)
from conversations_client.cli._display.printable import one_line, printable
from conversations_client.cli._display.relative_time import relative_time

NO_ID: Final = "(no ID)"
_NO_PARTS: Final = "[no content]"
_MIN_NAME_WIDTH: Final = 12
_GAP_WIDTH: Final = 3
_BORDER_WIDTH: Final = 4
_TITLE_EDGES: Final = 6  # the corners and spaces beside the title of a panel
_MAX_RESULT_LENGTH: Final = 200


def conversation_table(conversations: Sequence[Conversation], now: float) -> RenderableType:
    """A table of conversations, with three lines per row in narrow terminals. IDs are complete."""
    if not conversations:
        return "No conversations. `conversations create` creates one."
    return _Conversations(
        [
            (
                one_line(conversation.id or NO_ID),
                _title(conversation),
                relative_time(conversation.updated_at, now=now),
            )
            for conversation in conversations
        ]
    )


@frozen
class _Conversations:
    rows: list[tuple[str, str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ids, _, times = zip(*self.rows, strict=True)
        id_width, time_width = max(map(cell_len, ids)), max(map(cell_len, times))
        needed = id_width + _MIN_NAME_WIDTH + time_width + 2 * _GAP_WIDTH
        if needed <= options.max_width:
            yield self._table(id_width, time_width)
        else:
            yield Group(*(line for row in self.rows for line in self._lines(*row)))

    def _table(self, id_width: int, time_width: int) -> Table:
        table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
        table.add_column("ID", no_wrap=True, min_width=id_width)
        table.add_column("Name")
        table.add_column("Updated", no_wrap=True, min_width=time_width, style="dim")
        for conversation_id, name, updated in self.rows:
            table.add_row(conversation_id, _Truncated(name), updated)
        return table

    def _lines(self, conversation_id: str, name: str, updated: str) -> tuple[RenderableType, ...]:
        return (
            Text(conversation_id, overflow="fold"),
            _Truncated(f"  {name}"),
            Text(f"  {updated}", "dim"),
        )


def conversation_panel(conversation: Conversation, now: float) -> RenderableType:
    """All details of a conversation."""
    return _Fields(_title(conversation), _fields(conversation, now))


@frozen
class _Fields:
    title: str
    fields: list[tuple[str, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names, values = zip(*self.fields, strict=True)
        needed = max(map(cell_len, names)) + 2 + max(map(cell_len, values)) + _BORDER_WIDTH
        title = _Truncated(self.title, "bold")
        if needed <= options.max_width:
            yield Panel(
                self._grid(),
                title=title.within(options.max_width - _TITLE_EDGES),
                title_align="left",
            )
        else:
            yield Group(title, *(line for field in self.fields for line in self._lines(*field)))

    def _grid(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column()
        for name, value in self.fields:
            grid.add_row(name, value)
        return grid

    def _lines(self, name: str, value: str) -> tuple[Text, ...]:
        return Text(name, "dim"), Text(f"  {value}", overflow="fold")


def conversation_and_messages(conversation: ConversationWithMessages, now: float) -> RenderableType:
    """A conversation and its messages."""
    messages = conversation.messages or ()
    return Group(
        conversation_panel(conversation, now), *(_message(message, now) for message in messages)
    )


def _title(conversation: Conversation) -> str:
    name = conversation.display_name
    return one_line(name) or ("“ ”" if name else "(empty)")


@frozen
class _Truncated:
    """A line that is truncated with "…" at the edge of the terminal."""

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.within(options.max_width)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = cell_len(self.text)
        return Measurement(min(width, _MIN_NAME_WIDTH), width)

    def within(self, width: int) -> Text:
        """The line, truncated to a number of cells."""
        text = self.text
        if cell_len(text) > width:
            # If a wide character doesn't fit, rich replaces it with a space.
            text = f"{set_cell_size(text, max(width - 1, 0)).rstrip()}…"
        return Text(text, self.style, no_wrap=True, overflow="crop")


def _fields(conversation: Conversation, now: float) -> list[tuple[str, str]]:
    metadata = conversation.metadata
    fields = [
        ("ID", conversation.id or NO_ID),
        ("Created", relative_time(conversation.created_at, now=now)),
        ("Updated", relative_time(conversation.updated_at, now=now)),
        ("Created by", conversation.created_by_id),
        ("Updated by", conversation.updated_by_id),
        ("Entity", conversation.entity_id),
        ("Model", metadata and metadata.model),
        ("Name", "being generated" if metadata and metadata.generating_title else None),
    ]
    return [(name, one_line(value)) for name, value in fields if isinstance(value, str)]


def _message(message: Message, now: float) -> RenderableType:
    head = Text(f"\n{one_line(message.role)}", "bold")
    head.append(f"  {relative_time(message.created_at, now=now)}", "not bold dim")
    return Group(head, *(map(_part, message.parts) if message.parts else [_NO_PARTS]))


def _tool_of(part: ToolResultPart) -> str:
    """The name of the tool if the service sent it, and the ID of the call."""
    name = (part.metadata or {}).get("toolName")
    call = f"tool call {part.tool_call_id}"
    return f"{name} ({call})" if isinstance(name, str) else call


def _result_of(part: ToolResultPart) -> str:
    if part.result is UNSET:
        return "nothing"
    text = json.dumps(part.result, ensure_ascii=False)
    return text if len(text) <= _MAX_RESULT_LENGTH else f"{text[: _MAX_RESULT_LENGTH - 1]}…"


def _part(part: Part) -> str:
    match part:
        case TextPart():
            return printable(part.text)
        case FilePart():
            name = part.file.name or part.file.uri or part.file.mime_type or ""
            return one_line(f"[file {name}]")
        case ToolResultPart():
            return one_line(f"[{_tool_of(part)} returned {_result_of(part)}]")
        case ErrorPart():
            return one_line(f"[error: {part.error}]")
        case _:
            return one_line(f"[{part.kind}]")

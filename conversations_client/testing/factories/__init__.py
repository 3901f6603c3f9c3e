"""Functions that create objects for tests, with defaults for omitted arguments.

There is a function for each class, with the class's attributes as keyword-only arguments. The same
arguments always create equal objects.

Example:
    factories.conversation(display_name="Refunds")
    factories.page(*factories.conversations(3), has_more=True)
    factories.status_error(RateLimitError, retry_after=2)
"""

from conversations_client.testing.factories._conversations import (
    conversation,
    conversation_with_messages,
    conversations,
    metadata,
    page,
    raw_response,
)
from conversations_client.testing.factories._errors import status_error, transport_error
from conversations_client.testing.factories._events import (
    part_delta,
    part_done,
    response_done,
    response_failed,
    response_started,
    tool_call,
    tool_done,
    tool_failed,
    tool_review_done,
    tool_review_requested,
    tool_started,
    unknown_event,
    usage,
)
from conversations_client.testing.factories._messages import (
    data_part,
    error_part,
    exchange,
    file_content,
    file_part,
    message,
    reasoning_part,
    text_part,
    tool_result_part,
    unknown_part,
    user_message,
)
from conversations_client.testing.factories._responses import (
    events_of,
    partial_response,
    response,
)

__all__ = [
    "conversation",
    "conversation_with_messages",
    "conversations",
    "data_part",
    "error_part",
    "events_of",
    "exchange",
    "file_content",
    "file_part",
    "message",
    "metadata",
    "page",
    "part_delta",
    "part_done",
    "partial_response",
    "raw_response",
    "reasoning_part",
    "response",
    "response_done",
    "response_failed",
    "response_started",
    "status_error",
    "text_part",
    "tool_call",
    "tool_done",
    "tool_failed",
    "tool_result_part",
    "tool_review_done",
    "tool_review_requested",
    "tool_started",
    "transport_error",
    "unknown_event",
    "unknown_part",
    "usage",
    "user_message",
]

"""Payloads. Contenders import this module before the measurement, like `measuring`."""

from typing import Any, Final

PATH = "/v2/conversations"
HEADERS = {"Authorization": "Bearer key"}
PROJECT_ID = "prj_01jj1hdhn79xas7a01wb3hysdb"
DISPLAY_NAME = "Product Feature Discussion"
BODY = {"displayName": DISPLAY_NAME, "projectId": PROJECT_ID}
MESSAGE = {"role": "user", "parts": [{"kind": "text", "text": "Hello"}]}
RESPONSES_PATH = "/v2/conversations/conv_00000000000000000000000000/responses"
PAGE_SIZE = 100
CONNECTIONS = 1024
TIMEOUT = 120.0  # seconds
KEEP_ALIVE = 120.0  # seconds; connections that are opened for a burst must stay open
LIMITS: Final[dict[str, Any]] = {  # of httpx and related libraries
    "max_connections": CONNECTIONS,
    "max_keepalive_connections": CONNECTIONS,
    "keepalive_expiry": KEEP_ALIVE,
}

_CONVERSATION = (
    '{"_id":"%s","kind":"conversation","displayName":"Product Feature Discussion",'
    '"createdAt":1734789600000,"updatedAt":1734793200000,'
    '"createdById":"user_01jj1hdhn79xas7a01wb3hysdb",'
    '"updatedById":"user_01jj1hdhn79xas7a01wb3hysdb",'
    '"metadata":{"generatingTitle":false,"entityId":"agent_support","model":"openai/gpt-4o"}}'
)
_MESSAGE = (
    '{"_id":"msg_01jj1hdhn79xas7a01wb3hysdb","conversationId":"%s","createdAt":1734789600000,'
    '"createdById":"user_01jj1hdhn79xas7a01wb3hysdb","role":"%s",'
    '"parts":[{"kind":"text","text":"Which features does the product have?"}]}'
)
_EVENT = 'data: {"type":"%s","timestamp":"2024-12-21T14:00:00.000Z","data":%s}\n\n'
_STARTED_DATA = (
    '{"responseId":"resp_01jj1hdhn79xas7a01wb3hysdb","taskId":"task_01jj1hdhn79xas7a01wb3hysdb",'
    '"model":"openai/gpt-4o","workflowRunId":"run_01jj1hdhn79xas7a01wb3hysdb"}'
)
_DELTA_DATA = (
    '{"partId":"text_01jj1hdhn79xas7a01wb3hysdb",'
    '"delta":{"_id":"text_01jj1hdhn79xas7a01wb3hysdb","kind":"text","text":" discussion"}}'
)
_DONE_DATA = (
    '{"finishReason":"stop",'
    '"usage":{"completion_tokens":128,"prompt_tokens":32,"total_tokens":160}}'
)
_STARTED = _EVENT % ("response.started", _STARTED_DATA)
_DELTA = _EVENT % ("part.delta", _DELTA_DATA)
_DONE = _EVENT % ("response.done", _DONE_DATA)


def conversation_id(number: int) -> str:
    """The ID of a conversation by number, with a realistic length."""
    return f"conv_{number:026d}"


def conversation(number: int) -> bytes:
    """The JSON of a conversation."""
    return (_CONVERSATION % conversation_id(number)).encode()


def with_messages(found: str) -> bytes:
    """The JSON of a conversation with two messages."""
    messages = ",".join(_MESSAGE % (found, role) for role in ("user", "assistant"))
    return f'{(_CONVERSATION % found)[:-1]},"messages":[{messages}]}}'.encode()


def page(first: int, total: int) -> bytes:
    """The JSON of the page that starts with conversation `first` of `total`."""
    end = min(first + PAGE_SIZE, total)
    data = b",".join(conversation(number) for number in range(first, end))
    has_more = b"true" if end < total else b"false"
    return b'{"object":"list","data":[%b],"has_more":%b}' % (data, has_more)


def listed(total: int) -> str:
    """The entity that has this number of conversations."""
    return f"agent_{total}"


def streamed(events: int, per_chunk: int) -> str:
    """The model whose reply has this number of events in total and per HTTP chunk."""
    return f"events/{events}x{per_chunk}"


def response_body(events: int, per_chunk: int) -> dict[str, object]:
    """The request body for a stream with these numbers of events."""
    return {"message": MESSAGE, "model": streamed(events, per_chunk)}


def chunks(events: int, per_chunk: int) -> list[tuple[bytes, int]]:
    """A stream as HTTP chunks, each with its number of repetitions."""
    full, rest = divmod(events - 2, per_chunk)
    return [
        (_chunk(_STARTED), 1),
        (_chunk(_DELTA * per_chunk), full),
        (_chunk(_DELTA * rest), 1 if rest else 0),
        (_chunk(_DONE) + b"0\r\n\r\n", 1),
    ]


def _chunk(text: str) -> bytes:
    return b"%x\r\n%b\r\n" % (len(text.encode()), text.encode())

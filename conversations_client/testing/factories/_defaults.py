"""The default values of the factories, which are constant and valid for the API."""

from typing import Final

CREATED_AT: Final = 1_734_789_600_000
UPDATED_AT: Final = 1_734_793_200_000
TIMESTAMP: Final = "2024-12-21T14:00:00.000Z"
USER_ID: Final = "user_01jj1hdhn79xas7a01wb3hysdb"
CONVERSATION_ID: Final = "conv_01jj1hdhn79xas7a01wb3hysdb"
NAME: Final = "Product Feature Discussion"
MODEL: Final = "openai/gpt-4o"
QUESTION: Final = "Which features come next?"
REPLY: Final = "Search, and then export."
TOOL: Final = "count_words"


def numbered(prefix: str, number: int) -> str:
    """Build an ID such as `conv_01jj1hdhn79xas7a01wb300001`; IDs sort by number."""
    return f"{prefix}_01jj1hdhn79xas7a01wb3{number:05}"


RESPONSE_ID: Final = numbered("resp", 1)
TASK_ID: Final = numbered("task", 1)
RUN_ID: Final = numbered("run", 1)
TOOL_ID: Final = numbered("tool", 1)
CALL_ID: Final = numbered("call", 1)
QUESTION_ID: Final = numbered("msg", 1)
REPLY_ID: Final = numbered("msg", 2)
"""The IDs of one exchange, which its events, response and messages share."""

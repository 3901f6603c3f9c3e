"""The defaults of the factories: always the same, and valid by the API's documentation."""

from typing import Final

CREATED_AT: Final = 1_734_789_600_000
UPDATED_AT: Final = 1_734_793_200_000
TIMESTAMP: Final = "2024-12-21T14:00:00.000Z"
USER_ID: Final = "user_01jj1hdhn79xas7a01wb3hysdb"
CONVERSATION_ID: Final = "conv_01jj1hdhn79xas7a01wb3hysdb"
NAME: Final = "Product Feature Discussion"
MODEL: Final = "openai/gpt-4o"
QUESTION: Final = "Which features come next?"
WORDS: Final = "Search, and then export."
TOOL: Final = "count_words"


def numbered(prefix: str, number: int) -> str:
    """Build an id such as `conv_01jj1hdhn79xas7a01wb300001`, which sorts by its number."""
    return f"{prefix}_01jj1hdhn79xas7a01wb3{number:05}"


RESPONSE_ID: Final = numbered("resp", 1)
TASK_ID: Final = numbered("task", 1)
RUN_ID: Final = numbered("run", 1)
TOOL_ID: Final = numbered("tool", 1)
CALL_ID: Final = numbered("call", 1)
QUESTION_ID: Final = numbered("msg", 1)
ANSWER_ID: Final = numbered("msg", 2)
"""The ids of one exchange: its events, its response and its messages refer to each other."""

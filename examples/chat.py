"""A chat in the terminal: set ORQ_API_KEY and run `python examples/chat.py openai/gpt-4o`."""

import sys
from collections.abc import Iterator

from conversations_client import Client, ConversationsError, StreamError


def questions() -> Iterator[str]:
    """Yield each line that the user types, until they press Ctrl-D or Ctrl-C."""
    try:
        while True:
            if line := input("> ").strip():
                yield line
    except (EOFError, KeyboardInterrupt):
        print()


def chat(model: str = "openai/gpt-4o") -> None:
    """Chat in one conversation, and print each reply as it arrives."""
    with Client() as client:
        conversation = client.conversations.create(display_name="Chat")
        stream_reply = client.conversations.responses.stream
        for question in questions():
            try:
                with stream_reply(conversation, message=question, model=model) as stream:
                    for words in stream.text_deltas():
                        print(words, end="", flush=True)
                print()
            except StreamError as error:  # the next reply may succeed
                print(f"…\n{error}")


try:
    chat(*sys.argv[1:])
except ConversationsError as error:
    sys.exit(f"Error: {error}")

"""A chat in the terminal: set ORQ_API_KEY and run `python examples/chat.py openai/gpt-4o`."""

import sys
from collections.abc import Iterator

from conversations_client import Client, ConversationsError, StreamError


def questions() -> Iterator[str]:
    """What is typed, line by line, until Ctrl-D or Ctrl-C."""
    try:
        while True:
            if line := input("> ").strip():
                yield line
    except (EOFError, KeyboardInterrupt):
        print()


def chat(model: str = "openai/gpt-4o") -> None:
    """Hold one conversation, and print each answer as it comes."""
    with Client() as client:
        conversation = client.conversations.create(display_name="Chat")
        if conversation.id is None:  # as the API allows
            sys.exit("Error: the service didn't say the conversation's id.")
        say = client.conversations.responses.stream
        for question in questions():
            try:
                with say(conversation.id, message=question, model=model) as stream:
                    for words in stream.text_deltas():
                        print(words, end="", flush=True)
                print()
            except StreamError as error:  # this answer broke off; the next may not
                print(f"…\n{error}")


try:
    chat(*sys.argv[1:])
except ConversationsError as error:
    sys.exit(f"Error: {error}")

"""A chat in the terminal: set ORQ_API_KEY and run `python examples/chat.py openai/gpt-4o`."""

import sys
from collections.abc import Iterator

from conversations_client import Client, StreamError


def questions() -> Iterator[str]:
    """What is typed, line by line, until Ctrl-D."""
    try:
        while True:
            if line := input("> ").strip():
                yield line
    except EOFError:
        print()


def chat(model: str = "openai/gpt-4o") -> None:
    """Hold one conversation, and print each answer as it comes."""
    with Client() as client:
        conversation_id = client.conversations.create(display_name="Chat").id or ""
        for question in questions():
            stream = client.conversations.responses.stream(
                conversation_id, message=question, model=model
            )
            try:
                with stream:
                    for words in stream.text_deltas():
                        print(words, end="", flush=True)
                print()
            except StreamError as error:
                print(f"…\n{error}")


chat(*sys.argv[1:])

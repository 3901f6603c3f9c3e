"""The loop of a chat, told apart from where the answers come from."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from conversations_client.cli._output import Output
from conversations_client.cli._printable import printable


class Answer(Protocol):
    """An answer that is being given."""

    def text_deltas(self) -> Iterable[str]:
        """Its words, as they come."""
        ...


Ask = Callable[[str], AbstractContextManager[Answer]]


def chat_through(messages: Iterable[str], ask: Ask, output: Output) -> None:
    """Send each message and print its answer: for people word by word, else as JSON.

    Args:
        messages: What to say; blank ones are left out.
        ask: Sends a message and gives its answer.
        output: Where to print.
    """
    for message in messages:
        if not message.strip():
            continue
        with ask(message) as answer:
            if output.is_for_people:
                _print_as_it_comes(answer.text_deltas())
            else:
                output.json({"message": message, "answer": "".join(answer.text_deltas())})


def messages_from_stdin(output: Output) -> Iterator[str]:
    """The lines of stdin, asked for one by one where somebody types them."""
    if not (output.is_for_people and sys.stdin.isatty()):
        yield from (line.rstrip("\r\n") for line in sys.stdin)
        return
    while True:
        try:
            yield input("> ")
        except EOFError:
            sys.stdout.write("\n")
            return


def _print_as_it_comes(texts: Iterable[str]) -> None:
    try:
        for text in texts:
            sys.stdout.write(printable(text))
            sys.stdout.flush()
    finally:
        # Whatever follows, an error too, begins on a line of its own.
        sys.stdout.write("\n")

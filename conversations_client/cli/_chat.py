"""`conversations chat`, its loop told apart from where the answers come from."""

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from typing import Final, Protocol

from conversations_client import Client, ConversationsError, StatusError
from conversations_client.cli._exit_codes import UsageError
from conversations_client.cli._output import Output, new_console
from conversations_client.cli._printable import one_line, printable
from conversations_client.cli._session import Injected

SANDBOX_MODEL: Final = "sandbox/echo"


class Answer(Protocol):
    """An answer that is being given."""

    def text_deltas(self) -> Iterable[str]:
        """Its words, as they come."""
        ...


Ask = Callable[[str], AbstractContextManager[Answer]]


def chat(
    conversation_id: str | None = None, /, *, model: str | None = None, session: Injected
) -> None:
    """Talk: each line is a message, answered as the words come; Ctrl-D ends it.

    Args:
        conversation_id: Its id, conv_…; a new conversation if left out.
        model: What is to answer, as provider/model_id; sandbox/echo for --sandbox if left out.
        session: What it is run with.
    """
    answering = model or (SANDBOX_MODEL if session.options.sandbox else None)
    if answering is None:
        raise UsageError("Say what is to answer: --model provider/model_id.")
    with session.client() as client:
        respond = partial(client.conversations.responses.stream, model=answering)
        # Sends nothing: a model that can't be right fails before there is a conversation for it.
        respond(conversation_id or "conv_…", message="?")
        with _conversation(client, conversation_id) as into:
            messages = messages_from_stdin(session.output)
            chat_through(messages, lambda message: respond(into, message=message), session.output)


@contextmanager
def _conversation(client: Client, conversation_id: str | None) -> Generator[str, None, None]:
    """The conversation to talk in; a new one goes again if the service refuses all that is said."""
    if conversation_id is not None:
        yield conversation_id
        return
    new = _new_conversation(client)
    try:
        yield new
    except StatusError:
        # Without an answer to this the line that told its id is all there is to say.
        with suppress(ConversationsError):
            if client.conversations.retrieve(new).messages == ():
                client.conversations.delete(new)
                _tell("Deleted it again: nothing was said in it.")
        raise


def _new_conversation(client: Client) -> str:
    conversation_id = client.conversations.create().id
    if conversation_id is None:
        raise UsageError("The service didn't say the new conversation's id: pass one of `list`.")
    _tell(f"Conversation {one_line(conversation_id)}")
    return conversation_id


def _tell(words: str) -> None:
    new_console(stderr=True).print(words, soft_wrap=True)


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

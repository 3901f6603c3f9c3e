"""`conversations chat`."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from attrs import define

from conversations_client import (
    AuthenticationError,
    Client,
    ConversationsError,
    Event,
    NotFoundError,
    PermissionDeniedError,
    StatusError,
)
from conversations_client.cli._chat.chat_input import messages_from_stdin
from conversations_client.cli._chat.chat_loop import run_chat
from conversations_client.cli._commands.id_file import ID_PREFIX
from conversations_client.cli._display.output import print_error, print_message, print_note
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._exit_codes import ADVICE, ExitCode, UsageError, exit_code
from conversations_client.cli._option_names import explain, may_have_changed_something
from conversations_client.cli._session import Injected
from conversations_client.cli._signals import stopped_by_signals

SANDBOX_MODEL: Final = "sandbox/echo"
_PERMANENT: Final = (AuthenticationError, NotFoundError, PermissionDeniedError)
_ABOUT_THE_ARGUMENT: Final = (
    "The argument of `chat` is the ID of a conversation, conv_…; messages come from stdin."
)


@stopped_by_signals()
def chat(
    conversation_id: str | None = None, /, *, model: str | None = None, session: Injected
) -> ExitCode:
    """Chat with a model. Each line is a message; Ctrl-D ends the chat.

    Args:
        conversation_id: The ID, conv_…; default: a new conversation.
        model: The model that replies, as provider/model_id; default with --sandbox: sandbox/echo.
        session: The common options and the output.
    """
    model = model or (SANDBOX_MODEL if session.options.sandbox else None)
    if model is None:
        raise UsageError("Choose a model: --model provider/model_id.")
    with session.client() as client:
        # Sends nothing; validates the model before creating a conversation.
        client.conversations.responses.stream("conv_…", message="?", model=model)
        is_typed = sys.stdin.isatty()
        command = f"conversations{' --sandbox' * session.options.sandbox}"
        conversation = _ChatConversation(client, conversation_id, model, command)
        if is_typed:
            conversation.check()
            print_note("Type a message and press Enter. Ctrl-D ends the chat.")
        elif conversation_id is not None:
            conversation.check()
        try:
            run_chat(
                messages_from_stdin(prompts=session.output.is_for_people and is_typed),
                conversation.ask,
                session.output,
                # Piped messages may depend on a reply that failed.
                lambda error: conversation.report(error, may_continue=is_typed),
                conversation_id=lambda: conversation.id,
            )
        except UsageError as error:
            print_error(str(error))
            conversation.worst = ExitCode.USAGE
            conversation.print_command()
        except KeyboardInterrupt:
            if not is_typed:
                conversation.print_command()
            raise
        finally:
            conversation.delete_if_empty()
    return conversation.worst


@define
class _ChatConversation:
    """The conversation of a chat; a new one is created with the first message."""

    client: Client
    id: str | None
    model: str
    command: str
    may_be_empty: bool = False
    worst: ExitCode = ExitCode.DONE

    def check(self) -> None:
        """Fail before the first input if the key or the ID is wrong or the network is down."""
        if self.id is None:
            next(iter(self.client.conversations.list(limit=1)), None)
        else:
            with _explain_argument(self.id):
                self.client.conversations.retrieve(self.id)

    @contextmanager
    def ask(self, message: str) -> Generator[Iterator[Event], None, None]:
        """Send a message and iterate over the events of the reply.

        If Ctrl-C stops the reply, print how to find out what was stored.
        """
        try:
            conversation_id = self.id or self._create()
            stream = self.client.conversations.responses.stream
            with stream(conversation_id, message=message, model=self.model) as events:
                self.may_be_empty = False  # the service has accepted the message
                yield iter(events)
        except KeyboardInterrupt:
            self.delete_if_empty()
            if self.id is not None:
                print_message(self._describe_incomplete(self.id))
            raise

    def report(self, error: ConversationsError, *, may_continue: bool) -> bool:
        """Print the error for a message or its reply; returns whether the chat continues."""
        continues = may_continue and not self._is_permanent(error)
        if error.may_have_acted and not isinstance(error, StatusError):
            self.may_be_empty = False  # the service may be about to store the message
        if not continues:
            self.delete_if_empty()
        print_error(explain(error, self._advice(error)))
        self.worst = max(self.worst, exit_code(error))
        if not continues:
            self.print_command()
        return continues

    def print_command(self) -> None:
        """Print the command that continues the chat, if there is a conversation."""
        if self.id is not None:
            arguments = f"{one_line(self.id)} --model {one_line(self.model)}"
            print_message(f"To continue: {self.command} chat {arguments}")

    def _is_permanent(self, error: ConversationsError) -> bool:
        """Whether every further message would fail too."""
        is_refused_at_once = self.may_be_empty and isinstance(error, StatusError)
        return isinstance(error, _PERMANENT) or (is_refused_at_once and not error.is_temporary)

    def _advice(self, error: ConversationsError) -> str:
        if self.id is None or not may_have_changed_something(error):
            return ADVICE.get(exit_code(error), "")
        return self._describe_incomplete(self.id)

    def _describe_incomplete(self, conversation_id: str) -> str:
        command = f"{self.command} show {one_line(conversation_id)}"
        return f"The reply may be incomplete; `{command}` shows what was stored."

    def _create(self) -> str:
        try:
            self.id = self.client.conversations.create().id
        except KeyboardInterrupt:
            print_message(f"A conversation may have been created. {ADVICE[ExitCode.UNKNOWN]}")
            raise
        if self.id is None:
            raise UsageError(
                "The service sent no ID for the new conversation. Pass the ID of an existing "
                "conversation."
            )
        self.may_be_empty = True
        print_message(f"Conversation {one_line(self.id)}")
        return self.id

    def delete_if_empty(self) -> None:
        """Delete a new conversation whose first message the service rejected."""
        if self.id is None or not self.may_be_empty:
            return
        self.may_be_empty = False
        # If this fails, the user still has the line with the ID.
        with suppress(ConversationsError):
            if self.client.conversations.retrieve(self.id).messages == ():
                self.client.conversations.delete(self.id)
                self.id = None
                print_message("Deleted the new conversation: it had no messages.")


@contextmanager
def _explain_argument(conversation_id: str) -> Generator[None, None, None]:
    """Explain the argument of `chat` if it isn't found and doesn't look like an ID."""
    try:
        yield
    except NotFoundError as error:
        if not conversation_id.startswith(ID_PREFIX):
            error.args = (f"{error} {_ABOUT_THE_ARGUMENT}",)
        raise

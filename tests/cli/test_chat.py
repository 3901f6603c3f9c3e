"""Chats: the loop with answers that are made up, and the command against a sandbox."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest
from attrs import frozen
from command_line import Command, Terminal
from scripted import CONVERSATION, ScriptedServer, answer

from conversations_client import Client, DisconnectError, NotFoundError, unstructure
from conversations_client.cli._chat import Ask, chat_through, messages_from_stdin
from conversations_client.cli._output import Format, Output
from conversations_client.testing import factories

pytest_plugins = ["command_line_fixtures"]

TypeIn = Callable[..., None]


@frozen
class Scripted:
    """An answer whose words are known."""

    words: Iterator[str]

    def text_deltas(self) -> Iterator[str]:
        return self.words


def echo(asked: list[str]) -> Ask:
    def ask(message: str) -> AbstractContextManager[Scripted]:
        asked.append(message)
        return nullcontext(Scripted(iter(["You said: ", message, "\x1b."])))

    return ask


def test_words_are_printed_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    seen: list[str] = []

    def words() -> Iterator[str]:
        for word in ("Hel", "lo"):
            seen.append(screen.getvalue())
            yield word

    def ask(_message: str) -> AbstractContextManager[Scripted]:
        return nullcontext(Scripted(words()))

    chat_through(["hi"], ask, Output(Format.PEOPLE))
    assert seen == ["", "Hel"]
    assert screen.getvalue() == "Hello\n"


def test_each_message_gets_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    chat_through(["one", " ", "", "two"], echo(asked), Output(Format.PEOPLE))
    assert asked == ["one", "two"]
    assert capsys.readouterr().out == "You said: one�.\nYou said: two�.\n"


def test_answers_as_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    chat_through(["one", "two"], echo([]), Output(Format.JSONL))
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"message": "one", "answer": "You said: one\x1b."},
        {"message": "two", "answer": "You said: two\x1b."},
    ]


def test_an_answer_that_breaks_off_ends_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    def words() -> Iterator[str]:
        yield "Hel"
        raise DisconnectError("it broke.")

    def ask(_message: str) -> AbstractContextManager[Scripted]:
        return nullcontext(Scripted(words()))

    with pytest.raises(DisconnectError):
        chat_through(["hi"], ask, Output(Format.PEOPLE))
    assert capsys.readouterr().out == "Hel\n"


@pytest.mark.parametrize(
    ("form", "is_terminal", "prompts"),
    [(Format.PEOPLE, True, "> > > \n"), (Format.PEOPLE, False, ""), (Format.JSONL, True, "")],
)
def test_messages_come_from_stdin(
    typed: TypeIn,
    capsys: pytest.CaptureFixture[str],
    form: Format,
    is_terminal: bool,
    prompts: str,
) -> None:
    typed("one\ntwo\n", is_terminal=is_terminal)
    assert list(messages_from_stdin(Output(form))) == ["one", "two"]
    assert capsys.readouterr().out == prompts


def test_a_chat_in_a_new_conversation(piped: Command, typed: TypeIn) -> None:
    typed("Hello\nthere\n")
    ended = piped("chat", "--sandbox", "--jsonl")
    assert ended.code == 0
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"message": "Hello", "answer": "Hello"},
        {"message": "there", "answer": "there"},
    ]
    conversation_id = ended.err.split()[-1]
    messages = json.loads(piped("show", "--sandbox", conversation_id).out)["messages"]
    assert [message["parts"][0]["text"] for message in messages] == [
        "Hello", "Hello", "there", "there",
    ]  # fmt: skip


def test_a_chat_goes_on_in_a_conversation(
    piped: Command, shown: Command, typed: TypeIn, client: Client
) -> None:
    conversation_id = client.conversations.create().id
    typed("Hello\n")
    ended = shown("chat", str(conversation_id), "--model", "sandbox/echo")
    assert (ended.code, ended.out, ended.err) == (0, "Hello\n", "")
    typed("Hello\n")
    failed = piped("chat", str(conversation_id), "--model", "sandbox/fails")
    assert failed.code == 5
    assert failed.err.startswith("Error: ")


def test_a_chat_that_cannot_begin(piped: Command) -> None:
    ended = piped("chat")
    assert (ended.code, "--model" in ended.err) == (2, True)
    with ScriptedServer([]) as server:
        ended = piped("chat", "--model", "nope", "--base-url", server.url)
    assert (ended.code, "--model must name its provider" in ended.err) == (2, True)
    assert server.connections == 0
    nameless = {name: value for name, value in CONVERSATION.items() if name != "_id"}
    with ScriptedServer([answer(body=nameless)]) as server:
        ended = piped("chat", "--model", "m/m", "--base-url", server.url)
    assert (ended.code, "id" in ended.err) == (2, True)


def test_a_new_conversation_for_a_model_that_is_refused_is_deleted(
    piped: Command, typed: TypeIn, client: Client
) -> None:
    typed("Hello\n")
    ended = piped("chat", "--model", "nobody/knows")
    told, deleted, error = ended.err.splitlines()
    assert (ended.code, deleted) == (1, "Deleted it again: nothing was said in it.")
    assert "422" in error
    with pytest.raises(NotFoundError):
        client.conversations.retrieve(told.removeprefix("Conversation "))


NO = answer(422, {"message": "no"})
WITHOUT_MESSAGES = answer(200, CONVERSATION)
WITH_A_MESSAGE = answer(200, {**CONVERSATION, "messages": [unstructure(factories.message())]})


@pytest.mark.parametrize("then", [[WITHOUT_MESSAGES], [WITH_A_MESSAGE], [answer(404, {})]])
def test_a_conversation_that_may_hold_something_stays(
    piped: Command, typed: TypeIn, then: list[bytes]
) -> None:
    typed("Hello\n")
    with ScriptedServer([answer(), NO, *then]) as server:
        ended = piped("chat", "--model", "m/m", "--base-url", server.url)
    assert (ended.code, ended.err.splitlines()[0]) == (1, f"Conversation {CONVERSATION['_id']}")
    assert [seen.method for seen in server.seen] == ["POST", "POST", "GET"]
    assert "422" in ended.err


@pytest.mark.usefixtures("environment")
def test_a_chat_at_the_terminal() -> None:
    with Terminal("chat", "--sandbox") as terminal:
        terminal.until("> ")
        terminal.press("Hello there\n")
        terminal.until("Hello there\r\nHello there\r\n> ")
        terminal.press("\x04")
        assert terminal.end() == 0

"""The chat loop with scripted events, and the command against a sandbox."""

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from command_line import LONGEST_WAIT, SCRIPT, WITH_CTRL_C, Command, Terminal, unmeasured
from scripted import CONVERSATION, HANG_UP, ScriptedServer, answer
from streaming import END, STARTED, event, streamed, word

from conversations_client import (
    Client,
    Conversations,
    ConversationsError,
    DisconnectError,
    Event,
    FinishReason,
    NotFoundError,
    PartDelta,
    PartDone,
    ReasoningPart,
    ResponseDone,
    Stream,
    TextPart,
    ToolCall,
    ToolDone,
    ToolFailed,
    ToolFunction,
    ToolReviewDone,
    ToolReviewRequested,
    ToolStarted,
    unstructure,
)
from conversations_client._client.responses_resource import Responses
from conversations_client.cli._chat import chat_loop
from conversations_client.cli._chat.chat_input import messages_from_stdin
from conversations_client.cli._chat.chat_loop import Ask, OnFailure, run_chat
from conversations_client.cli._display.output import Format, Output
from conversations_client.cli._exit_codes import UsageError
from conversations_client.sandbox import Sandbox
from conversations_client.testing import factories

pytest_plugins = ["command_line_fixtures"]

TypeIn = Callable[..., None]
CTRL_D = "\x04"
WHEN = "2024-12-21T14:00:00Z"


def delta(text: str, part_id: str = "text_1") -> PartDelta:
    return PartDelta(timestamp=WHEN, part_id=part_id, delta=TextPart(text=text))


def replying(*events: Event) -> Ask:
    return lambda _message: nullcontext(iter(events))


def end(_error: ConversationsError) -> bool:
    return False


def chat(messages: Iterable[str], ask: Ask, output: Format, on_failure: OnFailure = end) -> None:
    run_chat(messages, ask, Output(output), on_failure, conversation_id=lambda: "conv_1")


def echo(asked: list[str]) -> Ask:
    def ask(message: str) -> AbstractContextManager[Iterable[Event]]:
        asked.append(message)
        return nullcontext([delta("You said: "), delta(message), delta("\x1b.")])

    return ask


def test_text_is_printed_as_it_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    seen: list[str] = []

    def events() -> Iterator[Event]:
        for text in ("Hel", "lo"):
            seen.append(screen.getvalue())
            yield delta(text)

    chat(["hi"], lambda _message: nullcontext(events()), Format.PEOPLE)
    assert seen == ["", "Hel"]
    assert screen.getvalue() == "Hello\n"


def test_the_part_of_a_reply_before_ctrl_c_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    def events() -> Iterator[Event]:
        yield delta("Hel")
        raise KeyboardInterrupt

    for output, printed in ((Format.PEOPLE, "Hel\n"), (Format.JSONL, '"answer": "Hel", "error": ')):
        with pytest.raises(KeyboardInterrupt):
            chat(["hi"], lambda _message: nullcontext(events()), output)
        assert printed in capsys.readouterr().out


def test_each_message_gets_its_reply(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    chat(["one", " ", "", "two"], echo(asked), Format.PEOPLE)
    assert asked == ["one", "two"]
    assert capsys.readouterr().out == "You said: one�.\nYou said: two�.\n"


def test_replies_as_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    chat(["one", "two"], echo([]), Format.JSONL)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"conversationId": "conv_1", "message": "one", "answer": "You said: one\x1b."},
        {"conversationId": "conv_1", "message": "two", "answer": "You said: two\x1b."},
    ]


def test_the_part_of_a_reply_that_failed_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    def events() -> Iterator[Event]:
        yield delta("Hel")
        yield STARTED_SEARCH
        raise DisconnectError("POST /v2/x: it broke.")

    chat(["hi"], lambda _message: nullcontext(events()), Format.JSONL)
    assert json.loads(capsys.readouterr().out) == {
        "conversationId": "conv_1",
        "message": "hi",
        "answer": "Hel",
        "toolEvents": [unstructure(STARTED_SEARCH)],
        "error": "It broke.",
    }


def test_a_chat_continues_after_a_failure_if_it_may(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []

    def ask(message: str) -> AbstractContextManager[Iterable[Event]]:
        asked.append(message)
        raise DisconnectError("it broke.")

    for continues, expected in ((True, ["one", "two"]), (False, ["one"])):
        asked.clear()
        chat(["one", "two"], ask, Format.PEOPLE, lambda _error: continues)  # noqa: B023
        assert asked == expected
    assert capsys.readouterr().out == ""


def test_an_interrupted_reply_ends_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    def events() -> Iterator[Event]:
        yield delta("Hel")
        raise DisconnectError("it broke.")

    chat(["hi"], lambda _message: nullcontext(events()), Format.PEOPLE)
    assert capsys.readouterr().out == "Hel\n"


def test_a_part_without_deltas_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    events = (
        PartDelta(timestamp=WHEN, part_id="r", delta=ReasoningPart(reasoning="Hm.")),
        delta("One", "a"),
        PartDone(timestamp=WHEN, part_id="a", part=TextPart(text="One")),
        PartDone(timestamp=WHEN, part_id="b", part=TextPart(text=" two")),
        PartDone(timestamp=WHEN, part_id="r", part=ReasoningPart(reasoning="Hm.")),
    )
    chat(["hi"], replying(*events), Format.PEOPLE)
    assert capsys.readouterr().out == "One two\n"


def call_of(tool_call_id: str, name: str | None) -> ToolCall:
    return ToolCall(id=tool_call_id, type="function", function=ToolFunction(name=name))


STARTED_SEARCH = ToolStarted(
    timestamp=WHEN,
    tool_id="t",
    tool_call_id="c",
    tool_name="search",
    arguments={"q": "a\x1b\nb\u202e"},
)


@pytest.mark.parametrize(
    ("events", "printed"),
    [
        ((STARTED_SEARCH,), '[calls search with {"q": "a\\u001b\\nb�"}]\n'),
        (
            (
                delta("Wait"),
                STARTED_SEARCH,
                ToolDone(timestamp=WHEN, tool_id="t", tool_call_id="c", result=[1]),
                delta("So"),
            ),
            'Wait\n[calls search with {"q": "a\\u001b\\nb�"}]\n[search returned [1]]\nSo\n',
        ),
        (
            (ToolDone(timestamp=WHEN, tool_id="t", tool_call_id="?"),),
            "[t returned nothing]\n",
        ),
        (
            (ToolFailed(timestamp=WHEN, tool_id="t", tool_call_id="c", error="no\nway\x9b"),),
            "[t failed: no way�]\n",
        ),
        (
            (
                ToolReviewRequested(
                    timestamp=WHEN,
                    tool_id="t",
                    tool_call_id="c",
                    arguments={},
                    requires_approval=True,
                ),
                ToolReviewDone(timestamp=WHEN, tool_id="t", tool_call_id="c", review="approved"),
            ),
            "[asks for approval to call t with {} (`chat` can't give it)]\n[the call to t was approved]\n",
        ),
        (
            (
                ResponseDone(
                    timestamp=WHEN,
                    finish_reason=FinishReason.TOOL_CALLS,
                    pending_tool_calls=(call_of("c1", "search"), call_of("c2", None)),
                ),
            ),
            "[waiting for the results of search, c2 (`chat` can't send them)]\n",
        ),
        ((ResponseDone(timestamp=WHEN, finish_reason=FinishReason.STOP),), "\n"),
    ],
)
def test_tool_calls_are_shown(
    capsys: pytest.CaptureFixture[str], events: tuple[Event, ...], printed: str
) -> None:
    chat(["hi"], replying(*events), Format.PEOPLE)
    assert capsys.readouterr().out == printed


def test_long_arguments_are_truncated(capsys: pytest.CaptureFixture[str]) -> None:
    long = ToolDone(timestamp=WHEN, tool_id="t", tool_call_id="c", result="x" * 500)
    chat(["hi"], replying(long), Format.PEOPLE)
    printed = capsys.readouterr().out
    assert printed.endswith("x…]\n")
    assert len(printed) < 230


def test_tool_events_are_part_of_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    chat(["hi"], replying(STARTED_SEARCH, delta("Found.")), Format.JSONL)
    assert json.loads(capsys.readouterr().out) == {
        "conversationId": "conv_1",
        "message": "hi",
        "answer": "Found.",
        "toolEvents": [unstructure(STARTED_SEARCH)],
    }


def test_a_chat_ends_when_its_output_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(chat_loop, "output_is_lost", lambda: bool(asked))
    chat(["one", "two"], echo(asked), Format.JSONL)
    assert asked == ["one"]


@pytest.mark.parametrize(("prompts", "printed"), [(True, "> > > \n"), (False, "")])
def test_messages_come_from_stdin(
    typed: TypeIn, capsys: pytest.CaptureFixture[str], prompts: bool, printed: str
) -> None:
    typed("one\ntwo\n", is_terminal=prompts)
    assert list(messages_from_stdin(prompts=prompts)) == ["one", "two"]
    assert capsys.readouterr().out == printed


def test_piped_messages_are_utf_8(typed: TypeIn) -> None:
    typed(b"\xef\xbb\xbfF\xc3\xbc\xc3\x9fe\r\n\xe6\xbc\xa2")
    assert list(messages_from_stdin(prompts=False)) == ["Füße", "漢"]
    typed(b"one\n\xff\nthree\n")
    messages = messages_from_stdin(prompts=False)
    assert next(messages) == "one"
    with pytest.raises(UsageError, match="Line 2 of the input is not UTF-8"):
        next(messages)


@pytest.mark.parametrize("prompts", [True, False])
def test_a_last_line_without_a_line_feed_is_a_message(
    typed: TypeIn, monkeypatch: pytest.MonkeyPatch, prompts: bool
) -> None:
    monkeypatch.setitem(sys.modules, "readline", None)
    typed("one\ntwo", is_terminal=prompts)
    messages = messages_from_stdin(prompts=prompts)
    assert (next(messages), next(messages)) == ("one", "two")
    monkeypatch.setattr(sys, "stdin", None)  # nothing more is read
    assert next(messages, None) is None


def test_typed_messages_that_cannot_be_decoded(typed: TypeIn) -> None:
    typed(b"\xff\n", is_terminal=True)
    with pytest.raises(UsageError, match="input is not utf-8"):
        next(messages_from_stdin(prompts=True))


def test_a_chat_in_a_new_conversation(piped: Command, typed: TypeIn) -> None:
    typed("Hello\nthere\n")
    ended = piped("chat", "--sandbox", "--jsonl")
    assert ended.code == 0
    conversation_id = ended.err.split()[-1]
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"conversationId": conversation_id, "message": "Hello", "answer": "Hello"},
        {"conversationId": conversation_id, "message": "there", "answer": "there"},
    ]
    messages = json.loads(piped("show", "--sandbox", conversation_id).out)["messages"]
    assert [message["parts"][0]["text"] for message in messages] == [
        "Hello", "Hello", "there", "there",
    ]  # fmt: skip


def test_a_chat_continues_in_a_conversation(
    piped: Command, shown: Command, typed: TypeIn, client: Client
) -> None:
    conversation_id = client.conversations.create().id
    typed("Hello\n")
    ended = shown("chat", str(conversation_id), "--model", "sandbox/echo")
    assert (ended.code, ended.out, ended.err) == (0, "Hello\n", "")
    typed("Hello\n")
    failed = piped("chat", str(conversation_id), "--model", "sandbox/fails")
    assert failed.code == 5
    error, to_continue = failed.err.splitlines()
    assert error.startswith("Error: The response failed with code ")
    assert (
        f"The reply may be incomplete; `conversations show {conversation_id}` shows what was stored."
        in error
    )
    assert "Check whether the change was made" not in error
    assert to_continue == (
        f"To continue: conversations chat {conversation_id} --model sandbox/fails"
    )
    exchange = json.loads(failed.out)
    assert exchange["message"] == "Hello"
    assert exchange["error"].startswith("The response failed with code ")


def test_invalid_input_prints_how_to_continue(
    piped: Command, shown: Command, typed: TypeIn, client: Client
) -> None:
    for command, is_terminal in ((piped, False), (shown, True)):
        conversation_id = client.conversations.create().id
        typed(b"ok\nbad\xff\n", is_terminal=is_terminal)
        ended = command("chat", str(conversation_id), "--model", "sandbox/echo")
        assert ended.code == 2
        error, to_continue = ended.err.splitlines()[-2:]
        assert "is not utf-8" in error.lower()
        assert to_continue == (
            f"To continue: conversations chat {conversation_id} --model sandbox/echo"
        )


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_stopped_piped_chat_prints_how_to_continue(number: int, code: int) -> None:
    with Sandbox(pace=60) as slow, slow.client() as client:
        conversation_id = str(client.conversations.create().id)
        arguments = ("chat", conversation_id, "--model", "sandbox/echo", "--base-url", slow.url)
        with subprocess.Popen(  # noqa: S603
            [*WITH_CTRL_C, SCRIPT, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=unmeasured(ORQ_API_KEY=slow.api_key),
        ) as process:
            assert process.stdin is not None
            process.stdin.write(b"Hello\n")
            process.stdin.flush()
            deadline = time.monotonic() + LONGEST_WAIT
            while not client.conversations.retrieve(conversation_id).messages:
                assert time.monotonic() < deadline
            process.send_signal(number)
            out, err = process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == code
    assert json.loads(out)["conversationId"] == conversation_id
    assert json.loads(out)["error"] == "The chat was stopped."
    assert f"To continue: conversations chat {conversation_id} --model " in err.decode()


def test_tool_calls_of_the_sandbox(shown: Command, typed: TypeIn) -> None:
    typed("One two\n")
    ended = shown("chat", "--sandbox", "--model", "sandbox/tool")
    called, returned, said = ended.out.splitlines()
    assert (called.startswith("[calls "), returned.endswith("]")) == (True, True)
    assert said == "You said 2 words."


def test_a_chat_that_cannot_start(piped: Command) -> None:
    ended = piped("chat")
    assert (ended.code, "--model" in ended.err) == (2, True)
    with ScriptedServer([]) as server:
        ended = piped("chat", "--model", "nope", "--base-url", server.url)
    assert (ended.code, "--model must include its provider" in ended.err) == (2, True)
    assert server.connections == 0


def test_a_new_conversation_without_an_id(piped: Command, typed: TypeIn) -> None:
    typed("Hello\n")
    nameless = {name: value for name, value in CONVERSATION.items() if name != "_id"}
    with ScriptedServer([answer(body=nameless)]) as server:
        ended = piped("chat", "--model", "m/m", "--base-url", server.url)
    assert (ended.code, "no ID" in ended.err) == (2, True)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_missing_conversation_fails_before_the_first_input(
    shown: Command, typed: TypeIn, is_terminal: bool
) -> None:
    typed("Hello\n", is_terminal=is_terminal)
    ended = shown("chat", "conv_missing", "--model", "sandbox/echo")
    assert (ended.code, ended.out) == (3, "")
    assert sys.stdin.read() == "Hello\n"


def test_a_message_as_argument_is_explained(piped: Command, client: Client) -> None:
    for argument, is_explained in (("Hello", True), ("Hello, you!", True), ("conv_x", False)):
        ended = piped("chat", argument, "--model", "sandbox/echo")
        assert ended.code == 3
        assert (
            "The argument of `chat` is the ID of a conversation, conv_…; messages come from stdin. "
            "(GET /v2/" in ended.err
        ) is is_explained
    ended = piped("chat", "Hello", "--sandbox")
    assert "The argument of `chat` is the ID of a conversation" in ended.err


def test_an_interrupted_first_message_is_deleted(
    piped: Command, typed: TypeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("Hello\n")
    with ScriptedServer([answer(), EMPTY, answer(204, b"")]) as server:
        real = Responses.stream

        def interrupted(*arguments: Any, **options: Any) -> Any:
            if arguments[1] == "conv_…":  # the check of the arguments
                return real(*arguments, **options)
            raise KeyboardInterrupt

        monkeypatch.setattr(Responses, "stream", interrupted)
        ended = piped("chat", "--model", "m/m", "--base-url", server.url)
    assert ended.code == 130
    assert [seen.method for seen in server.seen] == ["POST", "GET", "DELETE"]
    assert json.loads(ended.out) == {
        "message": "Hello", "answer": "", "error": "The chat was stopped.",
    }  # fmt: skip
    assert "To continue" not in ended.err


def test_a_wrong_key_fails_before_the_first_prompt(shown: Command, typed: TypeIn) -> None:
    typed("Hello\n", is_terminal=True)
    ended = shown("chat", "--model", "sandbox/echo", "--api-key", "wrong")
    assert (ended.code, ended.out) == (1, "")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\n"])
def test_no_conversation_without_a_message(piped: Command, typed: TypeIn, content: bytes) -> None:
    typed(content)
    with ScriptedServer([]) as server:
        ended = piped("chat", "--model", "m/m", "--base-url", server.url)
    assert server.connections == 0
    assert ended.code == (2 if b"\xff" in content else 0)
    assert ("Line 1 of the input is not UTF-8" in ended.err) is (b"\xff" in content)


def test_a_new_conversation_for_an_unknown_model_is_deleted(
    piped: Command, typed: TypeIn, client: Client
) -> None:
    typed("Hello\n")
    ended = piped("chat", "--model", "sandbox/unknown")
    told, deleted, error = ended.err.splitlines()
    assert (ended.code, deleted) == (1, "Deleted the new conversation: it had no messages.")
    assert "422" in error
    with pytest.raises(NotFoundError):
        client.conversations.retrieve(told.removeprefix("Conversation "))


NO = answer(422, {"message": "no"})
WITHOUT_MESSAGES = answer(200, CONVERSATION)
EMPTY = answer(200, {**CONVERSATION, "messages": []})
WITH_A_MESSAGE = answer(200, {**CONVERSATION, "messages": [unstructure(factories.message())]})


def test_a_new_conversation_is_deleted_if_its_message_is_rejected(
    piped: Command, typed: TypeIn
) -> None:
    typed("Hello\n")
    with ScriptedServer([answer(), NO, EMPTY, answer(204, b"")]) as server:
        ended = piped("chat", "--model", "m/m", "--base-url", server.url)
    told, deleted, error = ended.err.splitlines()
    assert (ended.code, told) == (1, f"Conversation {CONVERSATION['_id']}")
    assert deleted == "Deleted the new conversation: it had no messages."
    assert "422" in error
    assert [seen.method for seen in server.seen] == ["POST", "POST", "GET", "DELETE"]


@pytest.mark.parametrize("then", [[WITHOUT_MESSAGES], [WITH_A_MESSAGE], [answer(404, {})]])
def test_a_conversation_that_may_have_messages_stays(
    piped: Command, typed: TypeIn, then: list[bytes]
) -> None:
    typed("Hello\n")
    with ScriptedServer([answer(), NO, *then]) as server:
        ended = piped("chat", "--model", "m/m", "--base-url", server.url)
    assert (ended.code, ended.err.splitlines()[0]) == (1, f"Conversation {CONVERSATION['_id']}")
    assert [seen.method for seen in server.seen] == ["POST", "POST", "GET"]
    assert "422" in ended.err


def test_a_conversation_with_a_reply_stays(piped: Command, typed: TypeIn) -> None:
    typed("Hello\nthere\n")
    with ScriptedServer([answer(), streamed(STARTED, word("Hi"), END), NO]) as server:
        ended = piped("chat", "--model", "m/m", "--base-url", server.url)
    assert [seen.method for seen in server.seen] == ["POST", "POST", "POST"]
    assert ended.code == 1


FAILED = event("response.failed", error="overloaded", code=500)


def test_a_typed_chat_continues_after_a_failed_reply(shown: Command, typed: TypeIn) -> None:
    typed("one\ntwo\nthree\n", is_terminal=True)
    script = [
        answer(200, {"object": "list", "data": [], "has_more": False}),
        answer(),
        streamed(STARTED, word("Hel"), FAILED),
        answer(422, {"message": "too long"}),
        streamed(STARTED, word("Hi"), END),
    ]
    with ScriptedServer(script) as server:
        ended = shown("chat", "--model", "m/m", "--base-url", server.url)
    assert (ended.code, ended.out) == (5, "> Hel\n> > Hi\n> \n")
    errors = [line for line in ended.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 2
    assert "The reply may be incomplete" in errors[0]
    assert "too long" in errors[1]
    assert "The reply may be" not in errors[1]
    assert "To continue" not in ended.err


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ([answer(), NO, EMPTY, answer(204, b"")], 1),
        ([answer(), answer(401)], 1),
        ([answer(), answer(503), EMPTY, answer(204, b"")], 5),
        ([answer(429)] * 3, 1),
    ],
)
def test_a_typed_chat_ends_if_no_message_can_work(
    shown: Command, typed: TypeIn, script: list[bytes], code: int
) -> None:
    typed("one\n", is_terminal=True)
    first = answer(200, {"object": "list", "data": [], "has_more": False})
    with ScriptedServer([first, *script]) as server:
        ended = shown("chat", "--model", "m/m", "--base-url", server.url)
    assert ended.code == code
    assert ended.err.count("Error: ") == 1


@pytest.mark.usefixtures("environment")
def test_a_failed_reply_at_the_terminal() -> None:
    with Terminal("chat", "--sandbox", "--model", "sandbox/fails") as terminal:
        terminal.until("> ")
        terminal.press("Hello\n")
        terminal.until("shows what was stored.")
        terminal.until("> ")
        terminal.press(CTRL_D)
        assert terminal.end() == 5


def keys(monkeypatch: pytest.MonkeyPatch, *, line_editing: bool) -> None:
    """Without line editing, the locale has another encoding than Python's UTF-8 mode."""
    if line_editing:
        pytest.importorskip("readline")
        monkeypatch.delenv("LC_ALL", raising=False)
        monkeypatch.setenv("LC_CTYPE", "C.UTF-8")
    else:
        monkeypatch.setenv("LC_ALL", "C")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("line_editing", [True, False])
def test_ctrl_d_within_a_line_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, line_editing: bool
) -> None:
    keys(monkeypatch, line_editing=line_editing)
    with Terminal("chat", "--sandbox") as terminal:
        terminal.until("> ")
        terminal.press(f"ab{CTRL_D}cd\n")
        terminal.until("\nabcd\r\n> ")
        terminal.press(f"é漢{CTRL_D}{CTRL_D}")
        if line_editing:
            terminal.press("x\n")
            terminal.until("\né漢x\r\n> ")
            terminal.press(CTRL_D)
        assert terminal.end() == 0
        assert "\né漢x\r\n> \r\n" in terminal.seen if line_editing else "\né漢\r\n" in terminal.seen


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("line_editing", [True, False])
def test_one_ctrl_d_during_a_reply_ends_the_chat(
    monkeypatch: pytest.MonkeyPatch, line_editing: bool
) -> None:
    keys(monkeypatch, line_editing=line_editing)
    with Terminal("chat", "--sandbox") as terminal:
        terminal.until("> ")
        terminal.press("Hello\n")
        terminal.until("Conversation conv_")
        terminal.press(CTRL_D)
        assert terminal.end() == 0
        assert terminal.seen.endswith("\nHello\r\n> \r\n")


@pytest.mark.usefixtures("environment")
def test_ctrl_d_ends_a_typed_chat_with_json() -> None:
    with Terminal("chat", "--sandbox", "--jsonl") as terminal:
        terminal.until("Ctrl-D ends the chat.")
        terminal.press(f"abc{CTRL_D}{CTRL_D}")
        assert terminal.end() == 0
        assert '"message": "abc", "answer": "abc"}' in terminal.seen


@pytest.mark.usefixtures("environment")
def test_arrow_up_recalls_the_last_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys(monkeypatch, line_editing=True)
    with Terminal("chat", "--sandbox", "--model", "sandbox/tool") as terminal:
        terminal.until("> ")
        terminal.press("one two\n")
        terminal.until("You said 2 words.\r\n> ")
        terminal.press("\x1b[A three\n")
        terminal.until("You said 3 words.\r\n> ")
        terminal.press(CTRL_D)
        assert terminal.end() == 0
    assert {each.name for each in tmp_path.iterdir()} == {"conversations-client"}  # no history


@pytest.mark.usefixtures("environment")
def test_ctrl_c_at_the_prompt() -> None:
    with Terminal("chat", "--sandbox") as terminal:
        terminal.until("> ")
        # The line feed ends a read that the signal doesn't interrupt.
        terminal.press("\x03\n")
        assert terminal.end() == 130
        assert "Traceback" not in terminal.seen


@pytest.mark.usefixtures("environment")
def test_a_chat_at_the_terminal() -> None:
    with Terminal("chat", "--sandbox") as terminal:
        terminal.until("Ctrl-D ends the chat.\r\n> ")
        terminal.press("Hello there\n")
        terminal.until("Hello there\r\nConversation conv_")
        terminal.until("\r\nHello there\r\n> ")
        terminal.press(CTRL_D)
        assert terminal.end() == 0


def test_events_on_the_wire_are_shown(shown: Command, typed: TypeIn) -> None:
    typed("Hello\n")
    done = event("response.done", finishReason="tool_calls", pendingToolCalls=[
        {"id": "c1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    ])  # fmt: skip
    with ScriptedServer([answer(), streamed(STARTED, word("Wait."), done)]) as server:
        ended = shown("chat", "--model", "m/m", "--base-url", server.url)
    assert ended.out == "Wait.\n[waiting for the results of search (`chat` can't send them)]\n"


def stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_during_a_reply_says_how_to_see_what_was_stored(
    piped: Command, typed: TypeIn, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = client.conversations.create().id

    def stream(*_: object, **__: object) -> AbstractContextManager[Iterable[None]]:
        return nullcontext(map(stopped, [1]))

    monkeypatch.setattr(Responses, "stream", stream)
    typed("Hello\n")
    ended = piped("chat", str(conversation_id), "--model", "sandbox/echo")
    advice = f"`conversations show {conversation_id}` shows what was stored."
    assert (ended.code, f"The reply may be incomplete; {advice}" in ended.err) == (130, True)


def test_ctrl_c_during_a_typed_message_prints_no_command(
    shown: Command, typed: TypeIn, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ID is on the screen already, and the user can look it up."""
    conversation_id = client.conversations.create().id
    monkeypatch.setattr(Stream, "__enter__", stopped)
    typed("Hello\n", is_terminal=True)
    ended = shown("chat", str(conversation_id), "--model", "sandbox/echo")
    assert (ended.code, "To continue" in ended.err) == (130, False)


def test_ctrl_c_during_the_first_message(
    piped: Command, typed: TypeIn, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("Hello\n")
    with monkeypatch.context() as patched:
        patched.setattr(Stream, "__enter__", stopped)
        ended = piped("chat", "--model", "sandbox/echo")
    created, deleted, _ = ended.err.splitlines()
    assert (ended.code, deleted) == (130, "Deleted the new conversation: it had no messages.")
    with pytest.raises(NotFoundError):
        client.conversations.retrieve(created.removeprefix("Conversation "))
    monkeypatch.setattr(Conversations, "create", stopped)
    typed("Hello\n")
    ended = piped("chat", "--model", "sandbox/echo")
    assert ended.code == 130
    assert ended.err == (
        "A conversation may have been created. Check whether the change was made before you "
        "repeat it.\n\n"
    )


def test_a_new_conversation_that_may_get_its_message_is_not_deleted(
    piped: Command, typed: TypeIn
) -> None:
    """The service may be about to store the message."""
    typed("Hello\n")
    with ScriptedServer([answer(), HANG_UP]) as server:
        ended = piped("chat", "--model", "m/m", "--jsonl", "--base-url", server.url)
    assert [seen.method for seen in server.seen] == ["POST", "POST"]
    assert "Deleted" not in ended.err
    assert f"To continue: conversations chat {CONVERSATION['_id']}" in ended.err
    assert json.loads(ended.out)["conversationId"] == CONVERSATION["_id"]
    assert ended.code == 5

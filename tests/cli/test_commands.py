"""The commands, in this process, against a sandbox."""

import inspect
import io
import json
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import fields_dict
from command_line import Command
from cyclopts.completion.detect import ShellDetectionError
from rich.cells import cell_len
from scripted import CONVERSATION, ScriptedServer, answer

from conversations_client import Client, ConversationMetadataParam, Conversations, unstructure
from conversations_client._sandbox_options import SandboxOptions
from conversations_client.cli._app import COMMANDS
from conversations_client.cli._commands.deletion_counts import Deletion
from conversations_client.cli._display.output import Output
from conversations_client.sandbox import Sandbox
from conversations_client.sandbox.__main__ import main as sandbox_command

pytest_plugins = ["command_line_fixtures"]

TypeIn = Callable[..., None]
MESSAGES = [
    {"kind": "text", "text": "Hello \x1b[31m[b]\nthere[/b]"},
    {"kind": "file", "file": {"uri": "https://x.test/a.pdf", "name": "a.pdf"}},
    {"kind": "file", "file": {"bytes": "aGk="}},
    {"kind": "tool_result", "tool_call_id": "call_1"},
    {
        "kind": "tool_result",
        "tool_call_id": "call_2",
        "result": {"a": [1, "x"]},
        "metadata": {"toolName": "search"},
    },
    {"kind": "tool_result", "tool_call_id": "call_3", "result": "y" * 300},
    {"kind": "error", "error": "it broke"},
    {"kind": "thought"},
]


def created(client: Client, name: str, **metadata: str) -> str:
    conversation = client.conversations.create(
        display_name=name, metadata=cast("ConversationMetadataParam", metadata)
    )
    assert conversation.id is not None
    return conversation.id


def test_create(piped: Command, client: Client) -> None:
    ended = piped(
        "create", "Feature talk", "--entity-id", "agent_create", "--model", "openai/gpt-4o"
    )
    made = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert made["displayName"] == "Feature talk"
    assert made["metadata"] == {"entityId": "agent_create", "model": "openai/gpt-4o"}
    assert client.conversations.retrieve(made["_id"]).display_name == "Feature talk"


def test_create_without_arguments_sends_an_empty_object(piped: Command) -> None:
    with ScriptedServer([answer()]) as server:
        ended = piped("create", "--base-url", server.url, "--api-key", "k")
        assert (ended.code, server.seen[0].body) == (0, b"{}")
    assert json.loads(ended.out) == CONVERSATION


def test_the_common_options_reach_the_client(piped: Command) -> None:
    with ScriptedServer([answer()]) as server:
        options = ("--base-url", server.url, "--api-key", "k", "--project-id", "prj_1")
        assert piped(*options, "--timeout", "9", "create").code == 0
        assert server.seen[0].headers["authorization"] == "Bearer k"
        assert json.loads(server.seen[0].body) == {"projectId": "prj_1"}


def test_list(piped: Command, client: Client) -> None:
    ids = [created(client, f"Talk {n}", entity_id="agent_list") for n in range(3)][::-1]

    def listed(*options: str) -> list[str]:
        ended = piped("list", "--entity-id", "agent_list", *options)
        assert ended.code == 0
        lines = [ended.out] if "--jsonl" not in options else ended.out.splitlines()
        values = [json.loads(line) for line in lines]
        return [value["_id"] for value in (values if "--jsonl" in options else values[0])]

    assert listed() == listed("--all") == listed("--all", "--jsonl") == ids
    assert listed("--limit", "2") == listed("--jsonl", "--limit", "2") == ids[:2]


def test_a_limit_beyond_a_page_requests_several(piped: Command) -> None:
    def page(first: int, count: int) -> bytes:
        data = [{**CONVERSATION, "_id": f"conv_{n}"} for n in range(first, first + count)]
        return answer(200, {"object": "list", "data": data, "has_more": True})

    with ScriptedServer([page(0, 100), page(100, 100)]) as server:
        ended = piped("list", "--limit", "150", "--jsonl", "--base-url", server.url)
        assert ended.code == 0
        assert [seen.target for seen in server.seen] == [
            "/v2/conversations/?limit=100",
            "/v2/conversations/?limit=100&startingAfter=conv_99",
        ]
    assert len(ended.out.splitlines()) == 150


def test_lists_for_people(shown: Command, client: Client) -> None:
    assert "No conversations" in shown("list", "--entity-id", "agent_none").out
    name = "[red]A name[/red] \x1b[31m" + "that is long enough to be cut off " * 2
    conversation_id = created(client, name, entity_id="agent_people")
    table = shown("list", "--entity-id", "agent_people").out
    assert conversation_id in table
    assert "[red]A name[/red] �[31m" in table
    assert "…" in table
    assert "just now" in table
    assert max(map(len, table.splitlines())) <= 80


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--limit", "0"), "--limit must be at least 1. See `conversations list --help`."),
        (("--limit", "9" * 20), "--limit must be at most 1000000000. See `conversations list --help`."),
        (("--limit", "3", "--all"), "Pass only one of --limit and --all. See `conversations list --help`."),
        (("--json", "--jsonl"), "Pass only one of --json and --jsonl."),
        (("--limit", "3", "--limit", "4"), "--limit can be used only once. See `conversations list --help`."),
        (("--limit", "secret"), "--limit must be a whole number. See `conversations list --help`."),
        (("--limit",), "--limit needs a value. See `conversations list --help`."),
        (("--timeout", "secret"), "--timeout must be a number. See `conversations --help`."),
        (("--sandbox=secret",), "--sandbox takes no value."),
        (("--timeout", "0"), "--timeout must be a positive number of seconds, at most 2592000, got 0.0."),
        (("--base-url", "ftp://x"), "--base-url needs a scheme"),
        (("--apikey=secret",), "Unknown option --apikey. Did you mean --api-key? See `conversations list --help`."),
        (("--apikey", "secret"), "Unknown option --apikey. Did you mean --api-key?"),
        (("--limi", "secret"), "Unknown option --limi. Did you mean --limit?"),
        (("-ksecret",), "Unknown option -k."),
        (("--sandbox", "--base-url", "http://127.0.0.1:1"), "--sandbox can't be used with --base-url, because it starts a sandbox with its own URL and key. Remove one of the options."),
        (("--project-id", "prj_1"), "`conversations list` doesn't use --project-id, which applies only to new conversations. Remove the option."),
        (("--api-key", "secret", "--sandbox"), "--sandbox can't be used with --api-key"),
        (("secret",), "`list` takes no arguments, but got 1. See `conversations list --help`."),
    ],
)  # fmt: skip
def test_wrong_usage(piped: Command, options: tuple[str, ...], words: str) -> None:
    ended = piped("list", *options)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "secret" not in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (("create", "--name", "Roadmap"), "--name. Pass NAME as an argument, without an option."),
        (("create", "--display-name=Roadmap"), "--display-name. Pass NAME as an argument,"),
        (("show", "--id", "conv_1"), "--id. Pass CONVERSATION_ID as an argument,"),
        (("delete", "--id", "conv_1"), "--id. Pass CONVERSATION_IDS as an argument,"),
        (("import", "--file", "a.csv"), "--file. Pass FILE as an argument,"),
        (("update", "conv_1", "--model", "a/b"), "--model. See `conversations update --help`."),
        (("doctor", "--name", "a"), "--name. See `conversations doctor --help`."),
    ],
)
def test_an_option_instead_of_an_argument(
    piped: Command, command: tuple[str, ...], advice: str
) -> None:
    ended = piped(*command)
    assert ended.code == 2
    assert f"Unknown option {advice}" in ended.err


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (("list", "--entity-id", "secret", "b"), "--entity-id"),
        (("list", "--entity-id=secret", "b"), "--entity-id"),
        (("--sandbox", "export", "a.jsonl", "--entity-id", "secret", "b"), "--entity-id"),
        (("import", "a.csv", "--map", "a=secret", "b=c"), "--map"),
        (("import", "a.csv", "--ignore", "secret", "b"), "--ignore"),
        (("sandbox", "--model", "a/b", "secret"), "--model"),
        (("sandbox", "--allow-host", "a", "secret"), "--allow-host"),
    ],
)
def test_an_option_that_can_be_repeated(
    piped: Command, command: tuple[str, ...], option: str
) -> None:
    ended = piped(*command)
    assert (ended.code, "secret" in ended.err) == (2, False)
    advice = f"For several values, repeat the option, as in {option} A {option} B."
    assert advice in ended.err
    assert "repeat" not in piped("import", "a", "b", "--rate", "5").err


@pytest.mark.parametrize(
    ("command", "has_advice"),
    [
        (("create", "--weird"), True),
        (("rename", "conv_1", "--weird"), True),
        (("create", "-w"), True),
        (("delete", "-w"), True),
        (("delete", "--weird"), False),
        (("list", "--weird"), False),
    ],
)
def test_names_that_begin_with_a_hyphen(
    piped: Command, command: tuple[str, ...], *, has_advice: bool
) -> None:
    ended = piped(*command)
    assert ended.code == 2
    assert ('To pass text that begins with "-", put -- before it.' in ended.err) == has_advice


@pytest.mark.parametrize(
    ("line", "is_after"),
    [
        (("create", "--", "-dash", "--json"), True),
        (("create", "--", "-dash", "--model=openai/gpt-4o"), True),
        (("create", "--", "-dash", "-x"), True),
        (("list", "--", "--json"), True),
        (("show", "--", "conv_1", "--json"), True),
        (("create", "--jsn", "--", "-dash"), False),
        (("create", "-x"), False),
    ],
)
def test_options_after_two_hyphens(
    piped: Command, line: tuple[str, ...], *, is_after: bool
) -> None:
    ended = piped(*line)
    advice = f"""Everything after "--" is an argument. Put options before "--". See \
`conversations {line[0]} --help`."""
    assert (ended.code, ended.err == f"Error: {advice}\n") == (2, is_after)
    assert ("Unknown option" in ended.err) != is_after


def test_a_name_after_two_hyphens(piped: Command) -> None:
    assert json.loads(piped("create", "--", "--weird").out)["displayName"] == "--weird"


def test_a_wrong_url_is_not_a_missing_conversation(piped: Command, sandbox: Sandbox) -> None:
    wrong = ("--base-url", f"{sandbox.url}/wrong")
    for command in (["list"], ["list", "--jsonl"], ["create", "a"]):
        ended = piped(*command, *wrong)
        assert (ended.code, "Check --base-url" in ended.err) == (1, True)
    assert piped("show", "conv_1", *wrong).code == 3


def test_a_conversation_that_has_a_name(piped: Command, client: Client) -> None:
    ended = piped("name", created(client, "Roadmap"), "--context", "x")
    assert ended.code == 1
    assert "already has a name. Use `conversations rename` to change it." in ended.err


def test_an_unknown_command_lists_every_command(piped: Command) -> None:
    ended = piped("frob")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        'Error: Unknown command "frob". The commands are create, list, show, rename, update, delete, '
        "name, import, export, chat, sandbox, doctor, completion. See `conversations --help`.\n"
    )
    for word, similar in {
        "get": "show",
        "retrieve": "show",
        "rm": "delete",
        "help": "--help",
        "completions": "completion",
        "udpate": "update",
    }.items():
        assert f"Did you mean {similar}? The commands are" in piped(word).err
    assert "Did you mean list? The commands are" in piped("lsit").err


def test_show(piped: Command, shown: Command, client: Client) -> None:
    conversation_id = created(client, "Feature talk", entity_id="agent_show", model="openai/gpt-4o")
    expected = unstructure(client.conversations.retrieve(conversation_id))
    assert json.loads(piped("show", conversation_id, "--json").out) == expected
    panel = shown("show", conversation_id).out
    for words in ("Feature talk", conversation_id, "just now", "agent_show", "openai/gpt-4o"):
        assert words in panel
    missing = shown("show", "conv_missing")
    assert (missing.code, missing.out) == (3, "")
    assert "404" in missing.err


def test_show_with_messages(shown: Command) -> None:
    message = {
        "_id": "msg_1",
        "conversationId": "conv_1",
        "createdAt": 0,
        "createdById": "user_1",
        "role": "user",
    }
    body = {**CONVERSATION, "_id": None, "metadata": {"generatingTitle": True}}
    del body["_id"]
    body["messages"] = [{**message, "parts": MESSAGES}, {**message, "parts": []}]
    with ScriptedServer([answer(200, body)]) as server:
        out = shown("show", "conv_1", "--base-url", server.url).out
    for words in (
        "(no ID)", "being generated", "user", "Hello �[31m[b]\nthere[/b]", "[file a.pdf]", "[file ]",
        "[tool call call_1 returned nothing]", '[search (tool call call_2) returned {"a": [1, "x"]}]', "[error: it broke]", "[thought]", "[no content]",
    ):  # fmt: skip
        assert words in out


def test_a_text_that_begins_with_a_dash_or_has_spaces(piped: Command, client: Client) -> None:
    ended = piped("create", "-dash")
    assert (ended.code, ended.err) == (
        2,
        (
            'Error: Unknown option -d. To pass text that begins with "-", put -- before it. '
            "See `conversations create --help`.\n"
        ),
    )
    made = json.loads(piped("create", "--", "-dash").out)
    assert client.conversations.retrieve(made["_id"]).display_name == "-dash"
    assert "put -- before it" not in piped("list", "-x").err
    ended = piped("create", "two", "words")
    assert (ended.code, ended.err) == (
        2,
        (
            "Error: `create` takes one argument, but got 2. Put a name with spaces in quotes. "
            "See `conversations create --help`.\n"
        ),
    )
    assert "quotes" not in piped("show", "a", "b").err


def test_update(piped: Command, client: Client) -> None:
    conversation_id = created(client, "Old", entity_id="agent_1")

    def changed(*options: str) -> tuple[str, str | None, bool | None]:
        ended = piped("update", conversation_id, *options)
        assert ended.code == 0
        found = client.conversations.retrieve(conversation_id)
        assert found.metadata is not None
        entity_id, title = found.metadata.entity_id, found.metadata.generating_title
        return found.display_name, entity_id, title

    assert changed("--entity-id", "agent_2")[:2] == ("Old", "agent_2")
    assert changed("--name", "New")[:2] == ("New", "agent_2")
    assert changed("--standalone")[1] is None
    assert changed("--generating-title")[2] is True
    assert changed("--no-generating-title", "--name", "Last") == ("Last", None, False)


def test_an_update_of_nothing(piped: Command) -> None:
    with ScriptedServer([]) as server:
        ended = piped("update", "conv_1", "--base-url", server.url)
        assert (ended.code, "Nothing to change. Pass --name, " in ended.err) == (2, True)
        ended = piped(
            *("update", "conv_1", "--base-url", server.url, "--entity-id", "a", "--standalone")
        )
        assert (ended.code, "Pass only one of" in ended.err) == (2, True)
    assert server.connections == 0


def test_the_results_of_tools_are_shown(shown: Command, client: Client) -> None:
    conversation_id = created(client, "Tools")
    client.conversations.responses.create(conversation_id, message="one two", model="sandbox/tool")
    assert 'returned {"words": 2}]' in " ".join(shown("show", conversation_id).out.split())


def test_rename_and_name(piped: Command, client: Client) -> None:
    conversation_id = created(client, "Old")
    assert json.loads(piped("rename", conversation_id, "New").out)["displayName"] == "New"
    assert client.conversations.retrieve(conversation_id).display_name == "New"
    assert piped("name", conversation_id, "--context", "A named one").code == 1
    unnamed = client.conversations.create(metadata={"generating_title": True}).id
    named = json.loads(piped("name", str(unnamed), "--context", "About the release").out)
    assert named["displayName"] == "About the release"


def test_delete(piped: Command, shown: Command, client: Client) -> None:
    first, second, third = (created(client, "Gone") for _ in range(3))
    ended = piped("delete", "--yes", first, "conv_missing", second, "--json")
    assert (ended.code, json.loads(ended.out)) == (3, [first, second])
    assert "conv_missing: " in ended.err
    ended = shown("delete", "-y", third, "conv_missing")
    assert (ended.code, ended.out) == (3, f"Deleted {third} “Gone”\n")
    assert shown("show", third).code == 3
    ended = shown("delete", "-y", "conv_missing")
    assert (ended.code, ended.out) == (3, "")
    assert piped("delete", "-y", "conv_missing").out == "[]\n"


YES_AND_NO = [(b"y\n", 0), (b"Yes\n", 0), (b"n\n", 1), (b"\n", 1), (b"", 1), (b"\xff\n", 1), (b"?\ny\n", 0), (b"?", 1), (b"what\nNO\n", 1)]  # fmt: skip


@pytest.mark.parametrize(("reply", "code"), YES_AND_NO)
def test_delete_asks_for_confirmation(
    shown: Command, client: Client, typed: TypeIn, reply: bytes, code: int
) -> None:
    names = ("First \x1b[31m\nline", "Second")
    ids = [created(client, name) for name in names]
    typed(reply, is_terminal=True)
    ended = shown("delete", *ids)
    assert ended.code == code
    assert ended.err.splitlines()[:2] == [f"{ids[0]} “First �[31m line”", f"{ids[1]} “Second”"]
    assert "Delete these 2 conversations permanently? [y/N] " in ended.err
    assert ended.err.endswith("Nothing was deleted.\n") is (code == 1)
    assert (
        ended.err.count('Answer "y" or "n".')
        == ended.err.count("[y/N] ") - 1
        == reply.count(b"\n") // 2
    )
    assert shown("show", ids[0]).code == (3 if code == 0 else 0)


def test_delete_shows_the_names_of_conversations(
    shown: Command, client: Client, typed: TypeIn
) -> None:
    conversation_id = created(client, "Roadmap")
    typed("n\n", is_terminal=True)
    assert shown("delete", conversation_id).err == (
        f"Delete {conversation_id} “Roadmap” permanently? [y/N] Nothing was deleted.\n"
    )
    typed("y\n", is_terminal=True)
    ended = shown("delete", "conv_missing", conversation_id)
    assert ended.code == 3
    missing, question = ended.err.splitlines()
    assert missing == "Error: conv_missing: not found"
    assert question == f"Delete {conversation_id} “Roadmap” permanently? [y/N] "
    assert ended.out == f"Deleted {conversation_id} “Roadmap”\n"


def test_delete_does_not_ask_about_missing_conversations(shown: Command, typed: TypeIn) -> None:
    typed("y\n", is_terminal=True)
    ended = shown("delete", "conv_missing")
    assert (ended.code, ended.out) == (3, "")
    assert "[y/N]" not in ended.err


def test_ctrl_c_reports_what_is_deleted(
    *, piped: Command, shown: Command, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Deletion.record

    def interrupted(deletion: Any, *attempt: Any) -> None:
        record(deletion, *attempt)
        raise KeyboardInterrupt

    monkeypatch.setattr(Deletion, "record", interrupted)
    for command, output in ((piped, '[\n  "{}"\n]\n'), (shown, "Deleted {} “Gone”\n")):
        ids = [created(client, "Gone") for _ in range(2)]
        ended = command("delete", "--yes", *ids)
        assert (ended.code, ended.err) == (130, "Stopped. 1 of 2 was deleted.\n\n")
        assert ended.out == output.format(ids[0])


CHANGES = {
    "create": ["a"],
    "update": ["conv_1", "--name", "a"],
    "rename": ["conv_1", "a"],
    "name": ["conv_1", "--context", "a"],
}


@pytest.mark.parametrize("command", CHANGES)
def test_ctrl_c_during_a_change(
    piped: Command, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for method in ("create", "update", "generate_name"):
        monkeypatch.setattr(Conversations, method, interrupted)
    ended = piped(command, *CHANGES[command])
    assert (ended.code, ended.out) == (130, "")
    assert ended.err == (
        "Stopped before the response arrived, so the change may have been made. Check whether the "
        "change was made before you repeat it.\n\n"
    )


def test_delete_without_the_name(shown: Command, typed: TypeIn) -> None:
    typed("y\n", is_terminal=True)
    with ScriptedServer([answer(500, {})] * 3 + [answer(204, b"")]) as server:
        ended = shown("delete", "conv_1", "--base-url", server.url)
    assert (ended.code, ended.out) == (0, "Deleted conv_1\n")
    assert ended.err == "Delete conv_1 permanently? [y/N] "


def test_delete_needs_yes_without_a_terminal(piped: Command, client: Client, typed: TypeIn) -> None:
    conversation_id = created(client, "Kept")
    typed("y\n")
    ended = piped("delete", conversation_id)
    assert ended.code == 2
    assert "--yes" in ended.err
    assert piped("show", conversation_id).code == 0


def test_an_unreachable_service_and_a_broken_connection(piped: Command) -> None:
    unreachable = piped("list", "--base-url", "http://127.0.0.1:1")
    assert unreachable.code == 4
    assert "doctor" in unreachable.err
    with ScriptedServer([]) as server:
        broken = piped("create", "--base-url", server.url)
    assert broken.code == 5
    assert broken.err.count("before you") == 1


SETTINGS = [
    ("ORQ_BASE_URL", "http://127.0.0.1:1", "check {} and the network"),
    ("ORQ_BASE_URL", "my.orq.ai", "{} needs a scheme and a host"),
    ("ORQ_API_KEY", "wrong", "Check {}. Request ID"),
    ("ORQ_API_KEY", "a b", "The API key ({}) contains a space"),
    ("ORQ_PROJECT_ID", " p", "copy it again to {}."),
]


@pytest.mark.parametrize(("variable", "value", "words"), SETTINGS)
def test_an_error_names_the_variable_or_option_that_a_setting_comes_from(
    piped: Command, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    option = variable.replace("ORQ_", "--").replace("_", "-").lower()
    by_option = piped("create", "A", option, value)
    assert words.format(option) in by_option.err
    assert variable not in by_option.err
    monkeypatch.setenv(variable, value)
    by_variable = piped("create", "A")
    assert words.format(variable) in by_variable.err
    assert option not in by_variable.err
    assert by_option.code == by_variable.code


def test_the_sandbox_takes_only_the_project_from_the_environment(
    piped: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("conv_1\n")
    deletion = ("delete", "--file", str(ids), "--yes")
    assert "the API key or ORQ_BASE_URL is wrong" in piped(*deletion).err
    assert "the API key or --base-url is wrong" in piped(*deletion, "--sandbox").err
    monkeypatch.setenv("ORQ_PROJECT_ID", " p")
    assert "copy it again to ORQ_PROJECT_ID." in piped("create", "A", "--sandbox").err


def test_the_key_is_never_printed(piped: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert piped("list", "--api-key", "wrong-key-123").code == 1
    monkeypatch.delenv("ORQ_API_KEY")
    ended = piped("list")
    assert ended.code == 2
    assert "ORQ_API_KEY" in ended.err
    assert "wrong-key-123" not in piped("doctor", "--api-key", "wrong-key-123").out


def test_without_a_key_the_sandbox_is_suggested(
    piped: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORQ_API_KEY")
    assert "add --sandbox" in piped("list").err
    assert piped("list", "--sandbox").code == 0


def test_the_local_sandbox_stores_its_data(piped: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    made = json.loads(piped("--sandbox", "create", "Kept").out)
    assert [found["_id"] for found in json.loads(piped("list", "--sandbox").out)] == [made["_id"]]
    assert piped("doctor", "--sandbox").code == 0


def test_a_sandbox_that_cannot_start(
    piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("no database at all, just some words" * 50)
    ended = piped("sandbox", "--db", str(tmp_path / "text"), "--port", "0")
    assert (ended.code, "text" in ended.err) == (2, True)
    monkeypatch.delitem(sys.modules, "conversations_client.sandbox")
    monkeypatch.setitem(sys.modules, "conversations_client.sandbox._sandbox", None)
    missing = piped("list", "--sandbox")
    assert (missing.code, "conversations-client[sandbox]" in missing.err) == (2, True)


def test_both_sandbox_commands_have_the_same_options(
    piped: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    here = piped("sandbox", "--help").out
    with pytest.raises(SystemExit):
        sandbox_command(["--help"])
    there = capsys.readouterr().out
    options = {f"--{name.replace('_', '-')}" for name in fields_dict(SandboxOptions)}
    assert set(re.findall(r"^│ (--[a-z-]+)", here, re.MULTILINE)) == options
    assert set(re.findall(r"^  (--[a-z-]+)", there, re.MULTILINE)) == {*options, "--api-key"}
    assert len(options) == len(inspect.signature(Sandbox).parameters) - 1  # the API key


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--pace", "-1"], "Error: --pace must be"),
        (
            ["--sandbox"],
            "`conversations sandbox` doesn't use --sandbox, because it is a sandbox itself. Remove the option.",
        ),
        (
            ["--base-url", "http://127.0.0.1:1"],
            "`conversations sandbox` doesn't use --base-url, because it runs the API on this machine.",
        ),
        (["--project-id", "prj_1"], "doesn't use --project-id"),
        (["--timeout", "3"], "doesn't use --timeout, because it makes no calls. Remove the"),
        (["--revision", "3"], "Error: --revision must be 1 or 2."),
        (["--model", "gpt-4o"], "Error: --model must have the form provider/model_id."),
        (["--host", "192.0.2.1"], "Choose an address of this machine with --host."),
    ],
)
def test_invalid_options_of_the_sandbox(piped: Command, options: list[str], words: str) -> None:
    ended = piped("sandbox", "--port", "0", *options)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


@pytest.mark.parametrize("command", [["list", "--sandbox"], ["sandbox", "--port", "0"]])
def test_a_sandbox_without_a_folder(
    piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    ended = piped(*command)
    assert (ended.code, ended.out) == (2, "")
    assert "/file: File exists. Set XDG_DATA_HOME to a folder" in ended.err


def test_stdout_can_be_replaced(piped: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    assert piped("list", "--limit", "1").code == 0
    assert isinstance(json.loads(stdout.getvalue()), list)


def test_help_and_version(piped: Command) -> None:
    assert "Exit codes" in piped("--help").out
    assert piped("--version").out.count(".") == 2
    assert "create" in piped().out


def test_common_options_are_listed_once(piped: Command) -> None:
    assert piped("--help").out.count("--base-url") == 1
    for command in COMMANDS:
        ended = piped(command, "--help")
        assert (ended.code, "Common options" in ended.out) == (0, False)
        assert "--base-url" not in ended.out
        assert "see conversations --help." in " ".join(ended.out.split())


def test_a_taken_port_is_described_in_a_sentence(piped: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = piped("sandbox", "--port", port)
    assert ended.code == 2
    assert ended.err == (
        f"Error: Cannot listen on port {port} of 127.0.0.1 (address already in use). "
        "Choose another one with --port, or 0 for a free one.\n"
    )
    assert "Errno" not in ended.err
    refused = piped("list", "--base-url", "http://127.0.0.1:1")
    assert "Errno" not in refused.err


def test_a_completion_that_cannot_be_installed(piped: Command, tmp_path: Path) -> None:
    ended = piped("--install-completion", "--shell", "tcsh")
    assert (ended.code, ended.out) == (2, "")
    for shell in ("bash", "fish", "zsh"):
        assert shell in ended.err
    ended = piped("--install-completion", "--shell", "bash", "--output", str(tmp_path))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith("Is a directory. Choose another file with --output.\n")


def test_zsh_loads_the_completion_script(piped: Command, tmp_path: Path) -> None:
    """It loads only files whose names begin with an underscore."""
    install = ("--install-completion", "--shell", "zsh")
    assert piped(*install).code == 0  # in HOME, which is the same folder
    (default,) = (tmp_path / ".zsh" / "completions").iterdir()
    assert default.name.startswith("_")
    assert default.read_text().startswith("#compdef conversations\n")
    assert f"fpath=({default.parent} $fpath)" in (tmp_path / ".zshrc").read_text()
    ended = piped(*install, "--output", str(tmp_path / "completion.zsh"))
    assert (ended.code, ended.out) == (2, "")
    advised = tmp_path / "_conversations"
    assert f"Pass --output {advised}, or omit --output." in ended.err
    assert piped(*install, "--output", str(advised)).code == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == [".zsh", ".zshrc", "_conversations"]


def test_a_missing_conversation_of_the_sandbox(piped: Command) -> None:
    ended = piped("--sandbox", "show", "conv_missing")
    assert ended.code == 3
    assert (
        "Check the ID: `conversations --sandbox list` shows the conversations in the sandbox. "
        "Request ID: " in ended.err
    )
    assert "--base-url" not in ended.err


def test_no_conversations_at_all(shown: Command) -> None:
    with ScriptedServer([answer(200, PAGE | {"data": []})]) as server:
        out = shown("list", "--base-url", server.url).out
    assert "No conversations. `conversations create` creates one." in " ".join(out.split())


def test_a_completion_needs_a_known_shell_and_no_other_options(piped: Command) -> None:
    ended = piped("completion", "tcsh")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: SHELL must be bash or fish or powershell or zsh.")
    for options in (["--sandbox"], ["--api-key", "KEY"], ["--json"]):
        ended = piped("completion", "bash", *options)
        assert (ended.code, ended.out) == (2, "")
        assert "doesn't use the common options" in ended.err
    assert piped("--quiet", "completion", "bash") == piped("completion", "bash")


@pytest.mark.parametrize(
    "options", [["--api-key", "list"], ["--quiet"], ["--timeout", "5"], ["--jsonl"], ["--sandbox"]]
)
def test_options_without_a_command_are_an_error(piped: Command, options: list[str]) -> None:
    ended = piped(*options)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: There is no command. If you passed a variable")


def test_a_line_without_anything_prints_help(piped: Command) -> None:
    ended = piped()
    assert (ended.code, ended.err, "Usage: conversations COMMAND" in ended.out) == (0, "", True)


def test_no_conversations_of_an_entity(shown: Command) -> None:
    out = " ".join(shown("list", "--entity-id", "nope").out.split())
    assert out == "No conversations. Check the IDs that you passed with --entity-id."


def test_a_shell_that_is_not_recognized(piped: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/odd")
    monkeypatch.setattr("cyclopts.completion.detect.detect_shell", no_shell)
    ended = piped("--install-completion")
    assert (ended.code, ended.out, "--shell" in ended.err) == (1, "", True)


def no_shell() -> None:
    raise ShellDetectionError


def test_a_key_passed_as_a_command_is_not_printed(piped: Command) -> None:
    for key in ("KEY-1", "sk_1"):
        ended = piped(key)
        assert (ended.code, key in ended.err) == (2, False)
    assert piped("--sk1").err.startswith("Error: Unknown option --sk1. ")


def test_a_bug_is_reported_as_an_unknown_outcome(
    piped: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(Output, "one", bug)
    ended = piped("create", "A")
    assert ended.code == 5
    assert ended.err.startswith("Traceback")
    assert ended.err.splitlines()[-1] == (
        "Error: This is a bug. Check whether the change was made before you repeat it."
    )


UNSAFE = "\x7f\x85\x9b31m\u202e\u2066\u2069\ud83d"
HUGE = 10**400


def unsafe_conversation(**more: object) -> dict[str, object]:
    """A conversation with unsafe text in all fields, and with large numbers."""
    metadata = {"entityId": UNSAFE, "model": UNSAFE}
    return {
        **CONVERSATION,
        "_id": f"conv_{UNSAFE}",
        "displayName": f"A{UNSAFE}",
        "createdAt": -HUGE,
        "updatedAt": HUGE,
        "createdById": UNSAFE,
        "updatedById": UNSAFE,
        "metadata": metadata,
        **more,
    }


def unsafe_message() -> dict[str, object]:
    parts = [
        {"kind": "text", "text": UNSAFE},
        {"kind": "file", "file": {"uri": UNSAFE, "name": UNSAFE}},
        {"kind": "tool_result", "tool_call_id": UNSAFE},
        {"kind": "error", "error": UNSAFE, "code": HUGE},
        {"kind": UNSAFE},
    ]
    ids = {"_id": UNSAFE, "conversationId": UNSAFE, "createdById": UNSAFE}
    return {**ids, "createdAt": HUGE, "role": UNSAFE, "parts": parts}


PAGE = {"object": "list", "data": [unsafe_conversation()], "has_more": False}
SHOWN = unsafe_conversation(messages=[unsafe_message()])


@pytest.mark.parametrize("form", [(), ("--json",), ("--jsonl",)])
@pytest.mark.parametrize(
    ("arguments", "script"),
    [
        (["list"], [answer(200, PAGE)]),
        (["show", "c"], [answer(200, SHOWN)]),
        (["create"], [answer(201, unsafe_conversation())]),
        (["rename", "c", "A"], [answer(200, unsafe_conversation())]),
        (["name", "c", "--context", "A"], [answer(200, unsafe_conversation())]),
        (["delete", UNSAFE, "-y"], [answer(200, SHOWN), answer(204, b"")]),
        (["list"], [answer(400, {"message": UNSAFE})]),
        (["doctor"], [answer(200, PAGE, Date=f"{'9' * 400}")]),
        (["doctor"], [answer(400, {"message": UNSAFE})]),
    ],
)
def test_text_from_the_service_cannot_control_the_terminal(
    shown: Command, form: tuple[str, ...], arguments: list[str], script: list[bytes]
) -> None:
    with ScriptedServer(script) as server:
        ended = shown(*arguments, *form, "--base-url", server.url)
    assert "Traceback" not in ended.err
    printed = ended.out + ended.err
    assert not any(character in printed for character in UNSAFE if not character.isascii())
    assert "\x7f" not in printed
    if form == ("--json",) and "Error" not in ended.err and arguments != ["doctor"]:
        assert UNSAFE in json.dumps(json.loads(ended.out), ensure_ascii=False)


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("command", ["list", "show", "delete"])
def test_ids_are_never_truncated(
    shown: Command, monkeypatch: pytest.MonkeyPatch, columns: int, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")  # a dumb terminal always has 80 columns
    ids = {"createdById": "user_01jj1hdhn79xas7a01wb3hysdb", "updatedById": "user_2"}
    found = {**CONVERSATION, **ids, "displayName": "A very long name " * 20}
    body: object = (
        {**PAGE, "data": [found]} if command == "list" else {**found, "messages": list[object]()}
    )
    given = () if command == "list" else ("c",) if command == "show" else ("c", "-y")
    with ScriptedServer([answer(200, body), answer(204, b"")]) as server:
        out = re.sub(r"\x1b\[[\d;]*m", "", shown(command, *given, "--base-url", server.url).out)
    if command == "delete":
        assert out == f"Deleted c “{('A very long name ' * 20)[:99]}…”\n"
        return
    lines = out.splitlines()
    assert max(map(len, lines)) <= columns
    assert str(CONVERSATION["_id"]) in (out if columns > 31 else "".join(lines))
    assert "…" in out
    assert "ago" in out


def test_a_line_of_json_is_not_split(piped: Command) -> None:
    body = {**CONVERSATION, "displayName": "a\x85b\u2028c\u2029d"}
    with ScriptedServer([answer(body=body)]) as server:
        ended = piped("create", "--base-url", server.url, "--jsonl")
    (line,) = ended.out.splitlines()
    assert json.loads(line)["displayName"] == "a\x85b\u2028c\u2029d"


def test_a_lone_surrogate_is_escaped(piped: Command) -> None:
    body = {**CONVERSATION, "displayName": "\ud83d é"}
    with ScriptedServer([answer(body=body)]) as server:
        ended = piped("create", "--base-url", server.url)
    assert json.loads(ended.out)["displayName"] == "\ud83d é"
    assert "é" in ended.out


WIDE = "漢字" * 40


@pytest.mark.parametrize("width", range(60, 66))
def test_a_wide_title_is_cut_without_a_gap(
    shown: Command, client: Client, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")  # a dumb one always has 80
    conversation_id = created(client, WIDE, entity_id=f"agent_wide_{width}")
    listed = shown("list", "--entity-id", f"agent_wide_{width}").out
    for printed in (listed, shown("show", conversation_id).out):
        out = re.sub(r"\x1b\[[\d;]*m", "", printed)
        assert re.search("[漢字]…", out)
        assert max(map(cell_len, out.splitlines())) <= width


def test_a_blank_name_is_visible(shown: Command, client: Client) -> None:
    for name, visible in {" \n": "“ ”", "": "(empty)"}.items():
        conversation_id = created(client, name)
        assert visible in shown("show", conversation_id).out


def test_a_service_that_requires_an_agent(piped: Command, tmp_path: Path, typed: TypeIn) -> None:
    advice = "This service requires an agent or deployment for each conversation: use"
    create = f"{advice} `conversations create --entity-id ID`."
    (tmp_path / "a.csv").write_text("displayName\na\n")
    typed("Hello\n")
    with Sandbox(revision=1) as sandbox:
        target = ("--base-url", sandbox.url, "--api-key", sandbox.api_key)
        assert create in piped("create", *target).err
        assert create in piped("create", "--model", "a/b", *target).err
        assert create in piped("chat", "--model", "a/b", *target).err
        assert advice not in piped("create", "--entity-id", "agent_1", *target).err
        piped("import", str(tmp_path / "a.csv"), *target)
        results = (tmp_path / "a.csv.results.jsonl").read_text()
        assert f"{advice} the column metadata.entityId." in results
        missing = piped("name", "conv_1", "--context", "a", *target).err
    assert "If the conversation exists, the service may not have this endpoint." in missing
    local = piped("--sandbox", "name", "conv_1", "--context", "a").err
    assert "Check the ID: `conversations --sandbox list` shows" in local
    assert "endpoint" not in local

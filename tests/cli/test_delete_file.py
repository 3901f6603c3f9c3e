"""`delete --file`, against a sandbox."""

import contextlib
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Command, Ended
from scripted import HANG_UP, ScriptedServer, answer

from conversations_client import (
    Client,
    ConnectError,
    ConversationsError,
    InvalidArgumentError,
    NotFoundError,
)
from conversations_client.cli._commands.deletion_counts import Deletion
from conversations_client.cli._commands.deletion_run import DeletionRun

pytest_plugins = ["command_line_fixtures"]

TypeIn = Callable[..., None]
GONE = answer(204, b"")


def create(client: Client, count: int) -> list[str]:
    return [str(client.conversations.create().id) for _ in range(count)]


def is_there(client: Client, conversation_id: str) -> bool:
    try:
        client.conversations.retrieve(conversation_id)
    except NotFoundError:
        return False
    return True


def test_the_confirmation_shows_the_number_of_conversations(
    shown: Command, client: Client, tmp_path: Path, typed: TypeIn
) -> None:
    ids = create(client, 3)
    file = tmp_path / "ids"
    file.write_bytes(f"\ufeff{ids[0]}\r\n\r\n {ids[1]} \n{ids[0]}".encode())
    typed("n\n", is_terminal=True)
    ended = shown("delete", "--file", str(file))
    assert (ended.code, ended.err, ended.out) == (
        1,
        "Delete 2 conversations permanently? [y/N] Nothing was deleted.\n",
        "",
    )
    assert all(is_there(client, one) for one in ids)
    typed("y\n", is_terminal=True)
    ended = shown("delete", "--file", str(file))
    assert (ended.code, ended.out) == (0, "Deleted 2 of 2 conversations.\n")
    assert [is_there(client, one) for one in ids] == [False, False, True]
    file.write_text(ids[2])
    typed("y\n", is_terminal=True)
    ended = shown("delete", "--file", str(file))
    assert ended.err.startswith("Delete 1 conversation permanently? [y/N] ")
    assert ended.out == "Deleted 1 of 1 conversation.\n"


def test_no_confirmation_without_a_terminal(
    piped: Command, client: Client, tmp_path: Path, typed: TypeIn
) -> None:
    (conversation_id,) = create(client, 1)
    file = tmp_path / "ids"
    file.write_text(conversation_id)
    typed("y\n")
    ended = piped("delete", "--file", str(file))
    assert (ended.code, "--yes" in ended.err) == (2, True)
    assert is_there(client, conversation_id)


def test_ids_on_the_command_line_are_deleted_too(
    piped: Command, client: Client, tmp_path: Path
) -> None:
    ids = create(client, 3)
    file = tmp_path / "ids"
    file.write_text(f"{ids[1]}\nconv_unknown\n")
    ended = piped("delete", "--yes", ids[0], "--file", str(file))
    assert (ended.code, ended.err) == (0, "1 was already gone.\n")
    assert set(json.loads(ended.out)) == set(ids[:2])
    assert is_there(client, ids[2])


def test_an_interrupted_deletion_can_be_repeated(
    piped: Command, client: Client, tmp_path: Path
) -> None:
    ids = create(client, 5)
    file = tmp_path / "ids"
    file.write_text("\n".join(ids))
    for conversation_id in ids[:3]:
        client.conversations.delete(conversation_id)
    ended = piped("delete", "-y", "--file", str(file))
    assert (ended.code, ended.err) == (0, "3 were already gone.\n")
    assert set(json.loads(ended.out)) == set(ids[3:])
    ended = piped("delete", "-y", "--file", str(file))
    assert (ended.code, json.loads(ended.out)) == (3, [])
    assert "None of the 5 conversations exist: they were already deleted, or" in ended.err


def test_an_exported_parquet_file_is_converted(
    piped: Command, client: Client, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    entity = tmp_path.name
    made = {client.conversations.create(metadata={"entity_id": entity}).id for _ in range(2)}
    file = tmp_path / "it's.parquet"
    assert piped("export", str(file), "--entity-id", entity).code == 0
    ended = piped("delete", "-y", "--file", str(file))
    assert ended.code == 2
    convert = ended.err.partition("for example with: ")[2].replace("python", sys.executable, 1)
    subprocess.run(["sh", "-c", convert], check=True, timeout=60)  # noqa: S603, S607
    ended = piped("delete", "-y", "--file", f"{file}.csv")
    assert set(json.loads(ended.out)) == made


@pytest.mark.parametrize("tool", ["gzip", "bzip2", "xz", "zstd"])
def test_a_compressed_file_is_unpacked(piped: Command, tmp_path: Path, tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"there is no {tool}")
    suffix = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".ZST"}[tool]
    file = tmp_path / f"some ids.jsonl{suffix}"
    text = '{"displayName": "a"}\n'

    def run(command: str) -> bytes:
        line = ["sh", "-c", command]
        ended = subprocess.run(  # noqa: S603
            line, input=text.encode(), stdout=subprocess.PIPE, cwd=tmp_path, check=True, timeout=60
        )
        return ended.stdout

    file.write_bytes(run(f"{tool} -c"))
    for command in (("import",), ("delete", "-y", "--file")):
        ended = piped(*command, str(file))
        assert ended.code == 2
        run(ended.err.partition("for example with: ")[2])
        unpacked = tmp_path / "unpacked-some ids.jsonl"
        assert unpacked.read_text() == text
        unpacked.unlink()
    # The content shows that it is compressed.
    file.rename(tmp_path / "a.jsonl")
    ended = piped("import", str(tmp_path / "a.jsonl"))
    assert ended.code == 2
    run(ended.err.partition("for example with: ")[2])
    assert (tmp_path / "unpacked-a.jsonl").read_text() == text


def test_ids_from_stdin(piped: Command, client: Client, typed: TypeIn) -> None:
    ids = create(client, 2)
    lines = f'{ids[0]}\n{{"_id": "{ids[1]}"}}\n'
    typed(lines)
    ended = piped("delete", "--file", "-")
    assert (ended.code, "it can't be used to confirm. Pass --yes." in ended.err) == (2, True)
    assert sys.stdin.read() == lines  # the command didn't wait for it
    typed(lines)
    ended = piped("delete", "--file", "-", "--yes")
    assert (ended.code, set(json.loads(ended.out))) == (0, set(ids))


@pytest.mark.parametrize(
    "content", ["", "\n \n", '{"row": 1, "status": "failed", "error": "no"}\n']
)
def test_nothing_to_delete_is_not_an_error(
    *, piped: Command, shown: Command, tmp_path: Path, typed: TypeIn, content: str
) -> None:
    typed(content)
    ended = piped("delete", "--file", "-", "--yes")
    assert (ended.code, ended.out, ended.err) == (0, "[]\n", "There are no IDs in stdin.\n")
    file = tmp_path / "ids"
    file.write_text(content)
    typed("", is_terminal=True)
    ended = shown("delete", "--file", str(file))
    assert (ended.code, ended.out) == (0, "Deleted 0 of 0 conversations.\n")
    assert f"There are no IDs in {file}.\n" in ended.err


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_listings_that_are_not_json_lines(
    *, piped: Command, shown: Command, client: Client, typed: TypeIn, options: tuple[str, ...]
) -> None:
    (conversation_id,) = create(client, 1)
    for output in (piped("list").out, shown("list", *options).out, "[]\n", '[{"_id": "a"}]\n'):
        typed(output)
        ended = piped("delete", "--file", "-", "--yes")
        assert ended.code == 2
        assert "If it comes from `conversations list`, add --jsonl to that command." in ended.err
    assert is_there(client, conversation_id)


UNREACHABLE = ConnectError("DELETE /v2/conversations/conv_1: no connection")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([UNREACHABLE, UNREACHABLE], 4),
        ([None, UNREACHABLE], 1),
        ([ConversationsError("else"), UNREACHABLE], 1),
        ([InvalidArgumentError("bad"), UNREACHABLE], 1),
        ([], 0),
    ],
)
def test_unreachable_means_that_nothing_was_done(
    outcomes: list[ConversationsError | None], code: int
) -> None:
    deletion = Deletion()
    for error in outcomes:
        deletion.record("conv_1", error)
    assert deletion.end() == code


def test_deletions_without_a_service(piped: Command, tmp_path: Path) -> None:
    file = tmp_path / "ids"
    file.write_text("conv_1\nconv_2\n")
    for arguments in (["conv_1", "conv_2"], ["--file", str(file)]):
        ended = piped("delete", "-y", *arguments, "--base-url", "http://127.0.0.1:1")
        assert (ended.code, ended.out) == (4, "[]\n")


def test_a_deletion_whose_first_response_was_lost(piped: Command, tmp_path: Path) -> None:
    def delete(*arguments: str, others: tuple[bytes, ...] = ()) -> Ended:
        with ScriptedServer([answer(502), answer(404), *others]) as server:
            return piped("delete", "-y", *arguments, "--base-url", server.url)

    ended = delete("conv_1")
    assert (ended.code, ended.err) == (
        5,
        "Error: conv_1: not found; an earlier attempt of this command may have deleted it\n",
    )
    file = tmp_path / "ids"
    file.write_text("conv_1\n")
    ended = delete("--file", str(file))
    assert (ended.code, ended.err) == (0, "1 was already gone.\n")


def test_an_empty_id(piped: Command) -> None:
    ended = piped("delete", "-y", "conv_1", "", "--base-url", "http://127.0.0.1:1")
    assert (ended.code, ended.out, ended.err) == (
        2,
        "",
        "Error: One of the IDs is empty. Pass the IDs that `conversations list` shows.\n",
    )


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["-", "ids.csv", "ids.tsv", "ids.txt"])
@pytest.mark.parametrize(
    "content",
    [
        "_id{0}name\nconv_1{0}a\nconv_2{0}b\n",
        '\ufeff"name, {0}";"id"\r\n"a{0}\r\n";"conv_1"\r\n;conv_2\r\n'.replace(";", "{0}"),
        'id{0}status{0}error\nconv_1{0}created{0}\n{0}failed{0}"a\nb"\nconv_2{0}created{0}\n',
        '\nname{0}_id\r"conv_3, conv_4"{0}conv_1\r5" disk{0}conv_2\r',
        '\r\nsep={0}\r\n\r\n"name,;|"{0}_id\r\na{0}conv_1\r\n{0}conv_2\r\n',
        '"SEP={0}"\n_id\nconv_1\nconv_2\n',
        "id\nconv_1\nconv_2\n",
        " id {0} name\n conv_1 {0} a\nconv_2 {0} b {0} \n",
    ],
)
def test_ids_in_csv_with_any_separator(
    *, piped: Command, tmp_path: Path, typed: TypeIn, separator: str, name: str, content: str
) -> None:
    written = content.format(separator).encode()
    if name == "ids.tsv" and separator != "\t" and "sep=" not in content.lower():
        written = content.format("\t").encode()
    file = tmp_path / name
    file.write_bytes(written)
    typed(written.decode())
    argument = name if name == "-" else str(file)
    with ScriptedServer(itertools.repeat(GONE)) as server:
        ended = piped("delete", "-y", "--file", argument, "--base-url", server.url)
    assert (ended.code, sorted(json.loads(ended.out))) == (0, ["conv_1", "conv_2"]), ended.err


def test_json_lines_with_the_name_of_a_field_in_a_list(piped: Command, tmp_path: Path) -> None:
    file = tmp_path / "ids"
    file.write_text('{"_id": "conv_1", "x": [1,"id",2]}\n')
    with ScriptedServer([GONE]) as server:
        ended = piped("delete", "-y", "--file", str(file), "--base-url", server.url)
    assert (ended.code, json.loads(ended.out)) == (0, ["conv_1"])


def test_json_lines_are_recognized_by_their_content(
    piped: Command, client: Client, tmp_path: Path
) -> None:
    ids = create(client, 2)
    file = tmp_path / "ids.txt"
    file.write_text("".join(f'{{"_id": "{one}"}}\n' for one in ids))
    ended = piped("delete", "-y", "--file", str(file))
    assert (ended.code, set(json.loads(ended.out))) == (0, set(ids))


def test_arguments_that_are_not_one_id_each(piped: Command) -> None:
    for argument in ("conv_a,conv_b", "conv_a conv_b", "'conv_a'", "-"):
        ended = piped("delete", "-y", argument, "--base-url", "http://127.0.0.1:1")
        assert ended.code == 2
        assert "An ID can't contain spaces, commas, quotes, slashes or brackets." in ended.err


def test_a_missing_file_is_reported_before_the_confirmation(piped: Command, typed: TypeIn) -> None:
    typed("")
    ended = piped("delete", "--file", "missing/ids")
    assert (ended.code, ended.err) == (
        2,
        "Error: missing/ids can't be read: No such file or directory.\n",
    )


def test_exports_and_import_results_work_as_files_of_ids(
    piped: Command, client: Client, tmp_path: Path
) -> None:
    rows = tmp_path / "a.jsonl"
    entity = tmp_path.name
    metadata = {"entityId": entity}
    rows.write_text(
        "".join(
            f"{json.dumps({'displayName': name, 'metadata': metadata})}\n"
            for name in ("a", "x" * 101, "c")
        )
    )
    assert piped("import", str(rows)).code == 1
    results = f"{rows}.results.jsonl"
    made = {one.id for one in client.conversations.list(entity_id=entity)}
    assert set(json.loads(piped("delete", "-y", "--file", results).out)) == made
    for name in ("b.csv", "b.jsonl"):
        made = {client.conversations.create(metadata={"entity_id": entity}).id for _ in range(3)}
        file = tmp_path / name
        assert piped("export", str(file), "--entity-id", entity).code == 0
        ended = piped("delete", "-y", "--file", str(file), "--jsonl")
        assert {json.loads(line) for line in ended.out.splitlines()} == made
    assert list(client.conversations.list(entity_id=entity)) == []


def test_many_failures_are_summarized(piped: Command, tmp_path: Path) -> None:
    file = tmp_path / "ids"
    file.write_text("".join(f"conv_{number}\n" for number in range(12)))
    with ScriptedServer([*[answer(400)] * 11, HANG_UP, HANG_UP, HANG_UP]) as server:
        ended = piped("delete", "-y", "--file", str(file), "--base-url", server.url)
    assert (ended.code, json.loads(ended.out)) == (5, [])
    assert ended.err.count("The service returned 400 Bad Request.") == 10
    assert "12 conversations could not be deleted; the first errors are above." in ended.err


@pytest.mark.parametrize("arguments", [True, False])
def test_deleting_stops_if_every_request_fails(
    *, piped: Command, tmp_path: Path, arguments: bool
) -> None:
    ids = [f"conv_{number}" for number in range(200)]
    file = tmp_path / "ids"
    file.write_text("\n".join(ids))
    line = ids if arguments else ["--file", str(file)]
    with ScriptedServer(itertools.repeat(answer(401))) as server:
        ended = piped("delete", "-y", *line, "--base-url", server.url)
        sent = len(server.seen)
    assert (ended.code, json.loads(ended.out)) == (1, [])
    assert 50 <= sent < 70
    assert (
        "The command stopped after 50 failures in a row, and didn't try to delete the other "
        f"{200 - sent}. Run it again to continue."
    ) in ended.err


@pytest.mark.parametrize("arguments", [True, False])
def test_deleting_stops_if_the_service_asks_for_too_long_a_wait(
    *, piped: Command, tmp_path: Path, arguments: bool
) -> None:
    ids = [f"conv_{number}" for number in range(200)]
    file = tmp_path / "ids"
    file.write_text("\n".join(ids))
    line = ids if arguments else ["--file", str(file)]
    script = itertools.chain([GONE], itertools.repeat(answer(429, {}, retry_after="120")))
    with ScriptedServer(script) as server:
        ended = piped("delete", "-y", *line, "--base-url", server.url)
        sent = len(server.seen)
    assert (ended.code, len(json.loads(ended.out))) == (1, 1)
    assert 2 <= sent <= 17
    assert ended.err == (
        "Error: The service returned 429 Too Many Requests. The service asks to wait 120 s, which "
        "is longer than --retry-after-max 60: run the same command again after that, or pass "
        "--retry-after-max 120. 199 of 200 were not deleted.\n"
    )


@pytest.mark.parametrize(
    ("retry_after", "attempts", "advice"),
    [
        ("120", "1", "longer than --retry-after-max 60: {again}120 and a higher --attempts."),
        # On the last attempt, the client wouldn't wait in any case.
        ("120", "2", "(--attempts). The service asks to wait 120 s, which is longer than {again}"),
        # The value that is passed must be long enough.
        ("60.04", "3", "The service asks to wait 61 s, which is longer than {again}61."),
    ],
)
def test_the_advice_after_a_long_wait_helps(
    piped: Command, retry_after: str, attempts: str, advice: str
) -> None:
    first = [answer(429, {}, retry_after="0")] * (attempts == "2")
    script = itertools.chain(first, itertools.repeat(answer(429, {}, retry_after=retry_after)))
    with ScriptedServer(script) as server:
        line = ("delete", "-y", "conv_1", "--attempts", attempts, "--base-url", server.url)
        ended = piped(*line)
    again = "run the same command again after that, or pass --retry-after-max "
    expected = advice.format(again=again).replace("than run", "than --retry-after-max 60: run")
    assert expected in ended.err
    assert "Wait " not in ended.err
    assert "pass a higher" not in ended.err


def test_a_long_wait_after_conversations_that_are_missing(piped: Command, tmp_path: Path) -> None:
    """Such as those that the same command deleted before it was throttled."""
    file = tmp_path / "ids"
    file.write_text("\n".join(f"conv_{number}" for number in range(40)))
    gone, throttled = [answer(404)] * 5, itertools.repeat(answer(429, {}, retry_after="120"))
    with ScriptedServer(itertools.chain(gone, throttled)) as server:
        ended = piped("delete", "-y", "--file", str(file), "--base-url", server.url)
    assert (ended.code, json.loads(ended.out)) == (1, [])
    assert ended.err.endswith("35 of 40 were not deleted.\n5 were already gone.\n")


def test_a_deletion_that_may_have_happened_before_a_long_wait(piped: Command) -> None:
    with ScriptedServer([answer(500, {}, retry_after="120")]) as server:
        ended = piped("delete", "-y", "conv_1", "--base-url", server.url)
    assert ended.code == 5
    assert ended.err.startswith("Error: conv_1: The service returned 500")
    assert ended.err.count("The service returned 500") == 1
    assert "were not deleted" not in ended.err


def test_a_long_wait_before_the_confirmation(piped: Command, typed: TypeIn) -> None:
    typed("y\n", is_terminal=True)
    with ScriptedServer([answer(429, {}, retry_after="120")] * 2) as server:
        ended = piped("delete", "conv_1", "conv_2", "--base-url", server.url)
        assert len(server.seen) == 1
    assert ended.code == 1
    assert "pass --retry-after-max 120. (GET /v2/conversations/conv_1)" in ended.err


@pytest.mark.parametrize("status", [400, 404])
def test_deleting_does_not_stop_because_of_the_ids(
    piped: Command, tmp_path: Path, status: int
) -> None:
    file = tmp_path / "ids"
    file.write_text("\n".join(f"conv_{number}" for number in range(200)))
    with ScriptedServer(itertools.repeat(answer(status))) as server:
        piped("delete", "-y", "--file", str(file), "--base-url", server.url)
        assert len(server.seen) == 200


def test_the_progress_bar_does_not_redirect_the_ids(
    piped: Command, client: Client, tmp_path: Path, typed: TypeIn
) -> None:
    ids = create(client, 3)
    file = tmp_path / "ids"
    file.write_text("\n".join(ids))
    typed("", is_terminal=True)
    ended = piped("delete", "-y", "--file", str(file), "--jsonl")
    assert {json.loads(line) for line in ended.out.splitlines()} == set(ids)


def test_an_id_on_the_command_line_must_exist(
    piped: Command, client: Client, tmp_path: Path
) -> None:
    (conversation_id,) = create(client, 1)
    file = tmp_path / "ids"
    file.write_text(f"{conversation_id}\nconv_gone\n")
    ended = piped("delete", "-y", "--file", str(file), "conv_missing")
    assert (ended.code, json.loads(ended.out)) == (3, [conversation_id])
    assert "conv_missing: not found" in ended.err
    assert "1 was already gone." in ended.err


def test_ctrl_c_reports_how_many_are_deleted(
    piped: Command, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    ids = create(client, 3)
    file = tmp_path / "ids"
    file.write_text("\n".join(ids))
    monkeypatch.setattr(Deletion, "record", stop)
    ended = piped("delete", "-y", "--file", str(file))
    assert ended.code == 130
    assert "Stopped. 0 of 3 were deleted." in ended.err


def test_ctrl_c_before_the_ids_are_printed(
    piped: Command, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = create(client, 3)
    print_all = DeletionRun._print_all
    calls = iter([KeyboardInterrupt])

    def print_after_ctrl_c(run: DeletionRun) -> None:
        for interrupt in calls:
            raise interrupt
        print_all(run)

    monkeypatch.setattr(DeletionRun, "_print_all", print_after_ctrl_c)
    ended = piped("delete", "-y", *ids)
    assert (ended.code, json.loads(ended.out)) == (130, ids)
    assert "Stopped. 3 of 3 were deleted." in ended.err


def test_ctrl_c_waits_for_the_requests_in_flight(
    piped: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ids"
    file.write_text("\n".join(f"conv_{number}" for number in range(100)))
    record = Deletion.record
    calls = iter([KeyboardInterrupt])

    def record_after_ctrl_c(deletion: Any, *attempt: Any) -> None:
        record(deletion, *attempt)
        for interrupt in calls:
            raise interrupt

    monkeypatch.setattr(Deletion, "record", record_after_ctrl_c)
    with ScriptedServer(itertools.repeat(GONE)) as server:
        ended = piped("delete", "-y", "--file", str(file), "--base-url", server.url)
        sent = len(server.seen)
    assert ended.code == 130
    assert 0 < sent < 50
    assert len(json.loads(ended.out)) == sent
    assert f"Stopped. {sent} of 100 were deleted." in ended.err


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("ids", b"\xff", "ids can't be read: it is not UTF-8."),
        ("ids.jsonl", b'{"_id": "conv_1"}\n[1]\n', "can't be read: line 2 has no _id or id."),
        ("ids.jsonl", b'{"_id": 5}\n', "can't be read: line 1 has no _id or id."),
        ("ids.jsonl", b'{"_id": ' + b"9" * 5_000 + b"}", "can't be read: line 1 has no _id or id."),
        ("ids", "conv_1\n".encode("utf-16-le"), "can't be read: line 1 is not an ID."),
        ("ids", "conv_1\u200b\n".encode(), "can't be read: line 1 is not an ID."),
        ("ids.jsonl", b'{"_id": "conv_\\u0000"}', "can't be read: line 1 is not an ID."),
        ("ids.ndjson", b"\n\nconv_1\n", "can't be read: line 3 is not JSON: Expecting value."),
        ("ids.jsonl", b"\n" + b"[" * 100_000, "can't be read: line 2 is nested too deeply."),
        ("ids.jsonl", b'{"_id": "a", "_id": "b"}', "can't be read: line 1 has _id twice."),
        (
            "ids.jsonl",
            b'{"id": "a", "_id": "b"}',
            "line 1 has both an _id and a different id: remove",
        ),
        ("ids.csv", b"name,id,id\na,b,c\n", "can't be read: the header has id twice."),
        ("ids.csv", b"name;id;id\na;b;c\n", "can't be read: the header has id twice."),
        ("ids", b"name;id\na;conv_1,conv_2\n", "can't be read: row 1 is not an ID."),
        ("ids", b"name;id\na;\n", "can't be read: row 1 has no _id or id."),
        ("ids.tsv", b"name;id\na;conv_1\n", "can't be read: the header has no _id or id column."),
        (
            "ids.csv",
            b"sep=;\nname,id\na,conv_1\n",
            "can't be read: the header has no _id or id column.",
        ),
        (
            "ids.csv",
            b'"Nr";"Name"\n"1";"x"\n',
            "can't be read: the header has no _id or id column.",
        ),
        ("ids.csv", b'"Nr"|"Name"\n', "can't be read: the header has no _id or id column."),
        ("ids.csv", b'sep=,\n"Nr";"Name"\n', "can't be read: it is not CSV (',' expected"),
        ("ids.csv", b'"Nr" ;"Name"\n', "can't be read: it is not CSV (',' expected"),
        ("ids", b'name;id\n"a"b;conv_1\n', "can't be read: it is not CSV ("),
        ("ids", b'"id"x\nconv_1\n', "can't be read: line 1 is not an ID."),
        ("ids.csv", b'"id"x\nconv_1\n', "can't be read: it is not CSV ("),
        ("ids.jsonl", b"name,id\na,conv_1\n", "can't be read: line 1 is not JSON"),
        (
            "ids.csv",
            b"id,_id\nconv_a,conv_a\nb,c\n",
            "row 2 has both an _id and a different id: remove",
        ),
        (
            "ids.parquet",
            b"PAR1\x15\xff",
            "can't be read: Parquet isn't supported here. If it is an export, convert it to CSV, for",
        ),
        (
            "ids.XLSX",
            b"PK\x03\x04\xff",
            "can't be read: workbooks aren't supported here. Save the sheet as CSV in UTF-8, or",
        ),
        (
            "ids.csv.gz",
            b"\x1f\x8b",
            "can't be read: compressed files aren't supported here. Unpack it first, for example",
        ),
        ("ids.zip", b"PK", "compressed files aren't supported here. Unpack it first.\n"),
        ("ids.parquet", None, "ids.parquet can't be read: No such file or directory."),
        (
            "ids",
            b"conv_1\n# conv_2\n",
            "can't be read: line 2 is not an ID. Write one ID per line",
        ),
        ("ids", b"conv_1,conv_2\n", "can't be read: line 1 is not an ID."),
        ("ids", b"conv_1 conv_2\n", "can't be read: line 1 is not an ID."),
        ("ids", b'"conv_1"\n', "can't be read: line 1 is not an ID."),
        ("ids", b"['conv_1']\n", "can't be read: line 1 is not an ID."),
        ("ids", b'{"_id": "conv_1"\n', "can't be read: line 1 is not JSON: Expecting"),
        ("ids.jsonl", b'{"_id": "conv_1,conv_2"}\n', "can't be read: line 1 is not an ID."),
        ("ids.csv", b"_id\nconv_1\n# conv_2\n", "can't be read: row 2 is not an ID."),
        ("ids.csv", b"name\nconv_1\n", "can't be read: the header has no _id or id column."),
        ("ids.csv", b"conv_1\n", "can't be read: the header has no _id or id column."),
        ("ids.csv", b'{"_id":"conv_1"}\n', "can't be read: the header has no _id or id column."),
        ("ids", b"id\nconv_1,conv_2\n", "row 1 has more cells than the header."),
        ("ids.csv", b"id;name\nconv_1;a;b\n", "row 1 has more cells than the header."),
        ("ids.csv", b"_id;title,id\nconv_1;a,5\n", "an ID column with more than one separator."),
        ("ids", b"id;a,_id\nconv_1;1,2\n", "an ID column with more than one separator."),
        ("ids", b"ID\nconv_1\n", "line 1 is the name of a column, not an ID."),
        ("ids", b"id\nconv_1\n_id\nconv_2\n", "row 2 is the name of a column, not an ID."),
        ("ids.csv", b'_id\n"conv_1', "can't be read: it is not CSV (unexpected end of data)."),
        ("ids.csv", b'"id","name"\n7,x\n', "row 1 has an ID that doesn't begin with conv_, but"),
        ("ids", b"conv_1\nmsg_1\n", "line 2 has an ID that doesn't begin with conv_, but"),
        ("ids", b'{"_id": "7"}\n', "If the ID is right, pass it as an argument, without --file."),
        ("ids.json", b'{\n  "_id": "conv_1"\n}\n', "add --jsonl to that command; otherwise,"),
        ("ids", b'\n{"_id":\n"conv_1"}\n', "Each object must be on a single line."),
        ("missing/ids", None, "can't be read: No such file or directory."),
    ],
)
def test_a_file_without_ids_is_an_error(
    *, piped: Command, tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    ended = piped("delete", "-y", "--file", str(file), "--base-url", "http://127.0.0.1:1")
    assert (ended.code, problem in ended.err) == (2, True), ended.err


def test_a_file_without_its_option_is_an_error(piped: Command, tmp_path: Path) -> None:
    file = tmp_path / "ids"
    with contextlib.chdir(tmp_path), ScriptedServer([]) as server:
        line = ("delete", "-y", file.name, "--base-url", server.url)
        assert "is the name of a file" not in piped(*line).err
        too_long = piped("delete", "-y", "x" * 5000, "--base-url", server.url)
        assert "File name too long" not in too_long.err
        file.touch()
        ended = piped(*line)
    problem = (
        "Error: One of the IDs is the name of a file. To delete the conversations whose IDs it "
        "contains, pass it with --file."
    )
    assert (ended.code, ended.err.splitlines()[0]) == (2, problem)


def test_the_limits_of_a_deletion(
    monkeypatch: pytest.MonkeyPatch, piped: Command, tmp_path: Path
) -> None:
    (file := tmp_path / "ids").write_text("conv_1\nconv_2\n")
    limits = ("--rate", "1000", "--max-in-flight", "2")
    runs: list[tuple[float | None, int]] = []
    delete = DeletionRun.delete

    def recorded(run: DeletionRun, client: Client) -> None:
        runs.append((run.rate, run.max_in_flight))
        delete(run, client)

    monkeypatch.setattr(DeletionRun, "delete", recorded)
    with ScriptedServer([answer(204, b"")] * 3) as server:
        for given in (("--file", str(file)), ("conv_3",)):
            assert piped("delete", "-y", *given, *limits, "--base-url", server.url).code == 0
    assert runs == [(1000.0, 2), (1000.0, 1)]


@pytest.mark.parametrize("line", ["{}", '{{"_id": "{}"}}'])
def test_a_byte_order_mark_in_concatenated_files(
    *, piped: Command, tmp_path: Path, line: str
) -> None:
    file = tmp_path / "ids"
    file.write_text("".join(f"\ufeff{line.format(each)}\n" for each in ("conv_1", "conv_2")))
    with ScriptedServer(itertools.repeat(GONE)) as server:
        ended = piped("delete", "-y", "--file", str(file), "--base-url", server.url)
    assert (ended.code, sorted(json.loads(ended.out))) == (0, ["conv_1", "conv_2"])


def test_delete_needs_ids(piped: Command) -> None:
    ended = piped("delete", "--yes")
    assert (
        ended.code,
        "Nothing to delete. Pass IDs, or a file of IDs with --file." in ended.err,
    ) == (2, True)

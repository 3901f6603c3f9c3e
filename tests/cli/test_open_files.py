"""Files that a command has open are not replaced."""

from pathlib import Path

import pytest
from command_line import SCRIPT, execute

pytest_plugins = ["command_line_fixtures"]
pytestmark = pytest.mark.usefixtures("environment")

REDIRECTED = 'log=$1; shift; exec 3>>"$log"; exec "$@" >>"$log"'


@pytest.mark.parametrize(
    ("line", "stream"),
    [
        ("import {rows} --results /dev/stdout", "stdout"),
        ("import {rows} --results /proc/self/fd/1", "stdout"),
        ("import {rows} --results {log}", "stdout"),
        ("import {rows} --results {link}", "stdout"),
        ("import {rows} --results /dev/stderr", "stderr"),
        ("import {rows} --results /dev/stdin", "stdin"),
        ("import {rows} --journal /dev/stdout", "stdout"),
        ("import {rows} --journal /dev/fd/9", "an open file"),
        ("export {link}", "stdout"),
        ("export {link} --messages", "stdout"),
        ("export {rows}.copy.jsonl --messages --journal /dev/stdout", "stdout"),
    ],
)
def test_an_open_file_is_not_replaced(tmp_path: Path, line: str, stream: str) -> None:
    rows, log, link = tmp_path / "rows.jsonl", tmp_path / "log", tmp_path / "link.jsonl"
    rows.write_text('{"displayName": "a"}\n')
    log.write_text("kept\n")
    link.symlink_to("/dev/stdout")
    words = line.format(rows=rows, log=log, link=link).split()
    ended = execute("/bin/sh", "-c", REDIRECTED, "sh", str(log), SCRIPT, *words)
    assert ended.code == 2
    assert f" is {stream} of this command, so it can't be " in ended.err
    assert log.read_text() == "kept\n"


def test_the_descriptor_of_another_file_is_not_replaced(tmp_path: Path) -> None:
    rows, log = tmp_path / "rows.jsonl", tmp_path / "log"
    rows.write_text('{"displayName": "a"}\n')
    log.write_text("kept\n")
    line = (SCRIPT, "import", str(rows), "--results", "/dev/fd/3")
    ended = execute("/bin/sh", "-c", 'exec 3>>"$1"; shift; exec "$@"', "sh", str(log), *line)
    assert (ended.code, log.read_text()) == (2, "kept\n")
    assert "/dev/fd/3 is an open file of this command" in ended.err


def test_closed_streams_are_no_open_files(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"displayName": "a"}\n')
    ended = execute("/bin/sh", "-c", 'exec "$@" <&- >&-', "sh", SCRIPT, "import", str(rows))
    assert (ended.code, ended.err) == (0, "")


def test_results_can_be_discarded_without_a_terminal(tmp_path: Path) -> None:
    """As under cron, where stdin is the null device."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"displayName": "a"}\n')
    line = (SCRIPT, "import", str(rows), "--results", "/dev/null")
    ended = execute("/bin/sh", "-c", 'exec "$@" </dev/null', "sh", *line)
    assert (ended.code, ended.err) == (0, "")


def test_results_can_go_to_a_process(tmp_path: Path) -> None:
    """As with the >(…) of a shell, which is a pipe below /dev/fd."""
    rows, results = tmp_path / "rows.jsonl", tmp_path / "results"
    rows.write_text('{"displayName": "a"}\n')
    line = (SCRIPT, "import", str(rows), "--results", "/dev/fd/3")
    script = 'out=$1; shift; { "$@" 3>&1 >&2; } | cat >"$out"'
    ended = execute("/bin/sh", "-c", script, "sh", str(results), *line)
    assert ended.code == 0
    assert '"status": "created"' in results.read_text()


def test_a_link_to_the_null_device(tmp_path: Path) -> None:
    rows, link = tmp_path / "rows.jsonl", tmp_path / "link"
    rows.write_text('{"displayName": "a"}\n')
    link.symlink_to("/dev/null")
    line = (SCRIPT, "import", str(rows), "--results", str(link))
    ended = execute("/bin/sh", "-c", 'exec "$@" </dev/null', "sh", *line)
    assert (ended.code, ended.err) == (0, "")

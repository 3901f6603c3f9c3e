"""Files are written completely or not at all."""

import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from conversations_client import Conversation
from conversations_client.bulk import export_file, partitions
from conversations_client.bulk._files import atomic_file as atomic_file_module
from conversations_client.bulk._files.atomic_file import atomic_file, check_writable, create_once

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes of POSIX")
NOT_ROOT = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root may do everything"
)


def replace(path: Path, content: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(content)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_of_the_user_is_not_changed(tmp_path: Path) -> None:
    own = tmp_path / "a.jsonl.part"
    own.write_text("mine")
    replace(tmp_path / "a.jsonl", "new")
    assert own.read_text() == "mine"
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a.jsonl", own]


def test_two_writers_do_not_interfere(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with atomic_file(path) as one, atomic_file(path) as other:
        one.write_text("one")
        other.write_text("other")
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_does_not_change_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(FileExistsError), atomic_file(path) as temporary:
        temporary.mkdir()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@POSIX
@pytest.mark.parametrize("before", [0o600, 0o640, 0o664, 0o755, 0o200])
def test_the_new_file_has_the_mode_of_the_old_one(tmp_path: Path, before: int) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(before)
    with atomic_file(path) as temporary:
        assert mode(temporary) == 0o600  # other users can't read a private file
        temporary.write_text("new")
    assert mode(path) == before


@POSIX
def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        replace(tmp_path / "a", "new")
    finally:
        os.umask(previous)
    assert mode(tmp_path / "a") == 0o640


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_the_new_file_has_the_owner_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    os.chown(path, 12345, 54321)
    path.chmod(0o640)
    replace(path, "new")
    found = path.stat()
    assert (found.st_uid, found.st_gid, mode(path)) == (12345, 54321, 0o640)


@POSIX
def test_an_owner_that_cannot_be_set_is_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    def stat_of_another(_: object) -> os.stat_result:
        return os.stat_result((*actual[:4], actual.st_uid + 1, *actual[5:]))

    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    actual = path.stat()
    monkeypatch.setattr(atomic_file_module, "_checked_stat", stat_of_another)
    monkeypatch.setattr(os, "chown", refuse)
    replace(path, "new")
    assert (path.read_text(), mode(path)) == ("new", 0o640)


@POSIX
def test_the_target_of_a_symbolic_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "a"
    target.write_text("old")
    link.symlink_to(Path("elsewhere") / "target")
    replace(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@POSIX
def test_the_missing_target_of_a_link_is_created(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("target")
    replace(tmp_path / "a", "new")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@POSIX
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_pipe_receives_an_export(tmp_path: Path, name: str) -> None:
    if name == "a.parquet":
        pytest.importorskip("pyarrow")
    pipe, received = tmp_path / name, list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    conversation = Conversation(
        id="conv_1", kind="conversation", display_name="a", created_at=1, updated_at=2
    )
    export_file([conversation], pipe)
    reader.join(10)
    (tmp_path / "files").mkdir()
    export_file([conversation], tmp_path / "files" / name)
    assert received == [(tmp_path / "files" / name).read_bytes()]


@POSIX
def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe, received = tmp_path / "a", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    check_writable(pipe)
    replace(pipe, "new")
    reader.join(10)
    assert received == ["new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_an_unwritable_location_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for name, error in {
        "missing/a": FileNotFoundError,
        "folder": IsADirectoryError,
        "file/a": NotADirectoryError,
        "a" * 300: OSError,
    }.items():
        path = tmp_path / name
        with pytest.raises(error) as raised, atomic_file(path):
            raise AssertionError("it must not come to this")
        assert raised.value.filename == str(path)
        with pytest.raises(error) as raised:
            check_writable(path)
        assert raised.value.filename == str(path)
    check_writable(tmp_path / "file")
    check_writable(tmp_path / "new")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]


@POSIX
def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        replace(tmp_path / "a", "new")


def test_a_write_protected_file_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        return False

    path = tmp_path / "a"
    path.write_text("old")
    monkeypatch.setattr(os, "access", refuse)  # as for users other than root
    with pytest.raises(PermissionError) as raised:
        replace(path, "new")
    assert raised.value.filename == str(path)
    assert path.read_text() == "old"


def test_the_longest_file_name_works(tmp_path: Path) -> None:
    for name in ("n" * 255, "\N{GRINNING FACE}" * 63):
        replace(tmp_path / name, "new")
        assert (tmp_path / name).read_text() == "new"


def test_a_file_is_created_once(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    for content in ("first", "second"):
        create_once(path, content)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_created_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "plan.json"
    for content in ("first", "second"):
        create_once(path, content)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_many_processes_plan_the_same_partitions(tmp_path: Path) -> None:
    """The first process decides, even if they request different plans."""
    file = tmp_path / "a.jsonl"
    file.write_text("{}\n" * 40)
    with ProcessPoolExecutor(4, mp_context=get_context("forkserver")) as processes:
        for turn in range(15):
            folder = tmp_path / f"journals {turn}"
            planned = [
                processes.submit(partitions, file, folder, rows=rows) for rows in (10, 20, 10, 20)
            ]
            found = [future.result(60) for future in planned]
            assert found == [found[0]] * 4
            assert [one.name for one in folder.iterdir()] == ["plan.json"]


def test_two_exports_to_the_same_file_do_not_interfere(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    ready = threading.Barrier(2, timeout=10)

    def conversations(name: str) -> Iterator[Conversation]:
        for number in range(1_000):
            if number in {0, 500}:
                ready.wait()
            yield Conversation(kind="conversation", display_name=name, created_at=1, updated_at=1)

    def export(name: str) -> None:
        export_file(conversations(name), path)

    threads = [threading.Thread(target=export, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    lines = path.read_text().splitlines()
    assert (len(lines), len(set(lines))) == (1_000, 1)
    assert list(tmp_path.iterdir()) == [path]

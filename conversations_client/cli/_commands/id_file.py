"""Reads the IDs in a file: one per line, JSON Lines or CSV."""

import csv
import io
import json
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from os.path import isfile
from pathlib import Path
from typing import Any, Final, cast

from conversations_client.cli._exit_codes import UsageError

STDIN: Final = Path("-")
"""The file name that stands for stdin."""

ID_PREFIX: Final = "conv_"
_ID_FIELDS: Final = ("_id", "id")  # in exports, and in the results of imports
_BYTE_ORDER_MARK: Final = "\ufeff"
_JSON_LINES: Final = (".jsonl", ".ndjson")
_SEPARATORS: Final = {".csv": ",;\t|", ".tsv": "\t"}
"""The possible separators of the columns in a file with one of these extensions."""
_INSTRUCTION: Final = re.compile(r'"?sep=([,;\t|])"?[\r\n]+', re.IGNORECASE)
_WORKBOOKS: Final = (".numbers", ".ods", ".xls", ".xlsb", ".xlsm", ".xlsx")
_UNPACK: Final = {".bz2": "bzip2 -dc", ".gz": "gzip -dc", ".xz": "xz -dc", ".zst": "zstd -dc"}
"""The command that unpacks files with an extension, from stdin to stdout."""
_NOT_IN_AN_ID: Final = re.compile(r"""[\s/,;#"'{}\[\]]""")
_ONE_LINE: Final = (
    "Each object must be on a single line. If it comes from a command such as `conversations "
    "create`, add --jsonl to that command; otherwise, convert the file, for example with jq -c"
)


def ids_of(file: Path) -> list[str]:
    """The IDs of a file or of stdin, in order.

    Raises:
        UsageError: The file can't be read, or contains something that is not an ID.
    """
    name = "stdin" if file == STDIN else str(file)
    try:
        content = sys.stdin.buffer.read() if file == STDIN else _content(file)
        return list(_read(content.decode("utf-8-sig"), file.suffix.lower()))
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{name} can't be read: it is not UTF-8.") from None
    except csv.Error as error:
        raise UsageError(f"{name} can't be read: it is not CSV ({error}).") from None
    except ValueError as error:
        raise UsageError(f"{name} can't be read: {error}.") from None


def check_ids(ids: Collection[str]) -> None:
    """Raise UsageError, without repeating the argument, if it can't be a single ID."""
    if "" in ids:
        raise UsageError("One of the IDs is empty. Pass the IDs that `conversations list` shows.")
    if any(map(_NOT_IN_AN_ID.search, ids)):
        raise UsageError(
            "An ID can't contain spaces, commas, quotes, slashes or brackets. Pass each ID as a "
            "separate argument, or a file of IDs with --file."
        )
    # Path.is_file() raises an error that contains the ID if the name is too long.
    if any(not each.startswith(ID_PREFIX) and isfile(each) for each in ids):  # noqa: PTH113
        raise UsageError(
            "One of the IDs is the name of a file. To delete the conversations whose IDs it "
            "contains, pass it with --file."
        )


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        if problem := _problem_of(file):
            raise UsageError(f"{file} can't be read: {problem}")
        return opened.read()


def _problem_of(file: Path) -> str:
    """Why a file with this extension isn't text, and what to do; empty if it may be text."""
    suffix = file.suffix.lower()
    if suffix in _WORKBOOKS:
        return (
            "workbooks aren't supported here. Save the sheet as CSV in UTF-8, or write one ID per "
            "line in a text file."
        )
    if suffix == ".parquet":
        return (
            "Parquet isn't supported here. If it is an export, convert it to CSV, for example "
            f"with: {_convert(file)}"
        )
    if suffix in _UNPACK:
        target = file.with_name(f"unpacked-{file.stem}")
        return (
            "compressed files aren't supported here. Unpack it first, for example with: "
            f"{_UNPACK[suffix]} < {shlex.quote(str(file))} > {shlex.quote(str(target))}"
        )
    return "compressed files aren't supported here. Unpack it first." if suffix == ".zip" else ""


def _convert(file: Path) -> str:
    """The command that writes the IDs of an exported Parquet file as CSV."""
    program = (
        "import pyarrow.csv as c, pyarrow.parquet as p; "
        f"c.write_csv(p.read_table({str(file)!r}, columns=['_id']), {f'{file}.csv'!r})"
    )
    return f"python -c {shlex.quote(program)}"


def _read(text: str, suffix: str) -> Iterator[str]:
    rows = None if suffix in _JSON_LINES else _rows(text, suffix)
    if rows is not None:
        for number, row in enumerate(rows, 1):
            yield from _id_of(_cells(row, f"row {number}"), f"row {number}")
        return
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        # In concatenated files, any line can start with a byte order mark.
        content, location = line.removeprefix(_BYTE_ORDER_MARK).strip(), f"line {number}"
        if _is_listing(content):
            raise ValueError(
                f"{location} looks like the beginning of a JSON array or a table. If it comes from "
                "`conversations list`, add --jsonl to that command"
            )
        if content.startswith("{") or (content and suffix in _JSON_LINES):
            yield from _id_of(_json(content, location), location)
        elif content:
            yield _checked(content, location)


def _is_listing(line: str) -> bool:
    """Whether a line begins the output of `conversations list` without --jsonl."""
    is_table = line.split() == ["ID", "Name", "Updated"]
    return is_table or line in {"[", "[]"} or line.startswith("[{")


def _rows(text: str, suffix: str) -> "csv.DictReader[str] | None":
    """The rows of CSV; None if neither the extension nor the header shows that it is CSV."""
    table, separators = text.lstrip("\r\n"), _SEPARATORS.get(suffix, _SEPARATORS[".csv"])
    instruction = _INSTRUCTION.match(table)
    if instruction is not None:
        table, separators = table[instruction.end() :], instruction[1]
    elif table.startswith("{") and suffix not in _SEPARATORS:
        return None

    def read(separator: str) -> "csv.DictReader[str]":
        return csv.DictReader(io.StringIO(table, newline=""), delimiter=separator, strict=True)

    found = [rows for rows in map(read, separators) if _has_ids(rows)]
    if len({tuple(rows.fieldnames or ()) for rows in found}) > 1:
        raise ValueError(
            "the header has an ID column with more than one separator. Put a line such as "
            "'sep=,' before the header"
        )
    if not found and suffix in _SEPARATORS and _has_header(map(read, separators)):
        raise ValueError(
            "the header has no _id or id column. The first line must name the columns. For a file "
            f"with one ID per line and no header, use a name that doesn't end in {suffix}"
        )
    return found[0] if found else None


def _has_header(readers: Iterable["csv.DictReader[str]"]) -> bool:
    """Whether the file isn't empty; raises csv.Error if its header is not CSV."""
    errors: list[csv.Error] = []
    for rows in readers:
        try:
            return bool(rows.fieldnames)
        except csv.Error as error:
            errors.append(error)
    raise errors[0]


def _has_ids(rows: "csv.DictReader[str]") -> bool:
    """Whether the header has a column of IDs."""
    try:
        names = [name.strip() for name in rows.fieldnames or ()]
    except csv.Error:  # quotes can be wrong only because the separator is
        return False
    rows.fieldnames = names
    if set(_ID_FIELDS).isdisjoint(names):
        return False
    _check_unique(names, "the header")
    return True


def _cells(row: Mapping[str | None, Any], location: str) -> dict[str, str]:
    """The cells of a row by column; the surplus ones are a list."""
    if any(map(str.strip, row.get(None, ()))):
        raise ValueError(f"{location} has more cells than the header")
    return {name: (cell or "").strip() for name, cell in row.items() if name is not None}


def _json(line: str, location: str) -> object:
    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _check_unique([name for name, _ in pairs], location)
        return dict(pairs)

    try:
        # A number is not an ID, and a float may have any number of digits.
        return json.loads(line, object_pairs_hook=check, parse_int=float)
    except json.JSONDecodeError as error:
        is_cut_off = line.startswith("{") and not line.endswith("}")
        advice = f". {_ONE_LINE}" if is_cut_off else ""
        raise ValueError(f"{location} is not JSON: {error.msg}{advice}") from None
    except RecursionError:
        raise ValueError(f"{location} is nested too deeply") from None


def _check_unique(names: Sequence[str], location: str) -> None:
    for name in _ID_FIELDS:
        if names.count(name) > 1:
            raise ValueError(f"{location} has {name} twice")


def _id_of(row: Any, location: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """The ID of a row, or nothing for a row of import results without a conversation."""
    fields = cast("dict[str, object]", row) if isinstance(row, dict) else {}
    values = [fields[name] for name in _ID_FIELDS if fields.get(name)]
    if len(values) > 1 and values[0] != values[1]:
        raise ValueError(f"{location} has both an _id and a different id: remove the wrong one")
    conversation_id = values[0] if values else None
    if isinstance(conversation_id, str):
        yield _checked(conversation_id, location)
    elif fields.get("status", "created") == "created":
        raise ValueError(f"{location} has no _id or id")


def _checked(conversation_id: str, location: str) -> str:
    if conversation_id.lower() in _ID_FIELDS:
        raise ValueError(f"{location} is the name of a column, not an ID")
    if _NOT_IN_AN_ID.search(conversation_id) or not conversation_id.isprintable():
        raise ValueError(
            f"{location} is not an ID. Write one ID per line without comments, or use JSON Lines "
            "or CSV with an _id or id field"
        )
    if not conversation_id.startswith(ID_PREFIX):
        raise ValueError(
            f"{location} has an ID that doesn't begin with {ID_PREFIX}, but the IDs of "
            "conversations do. If the ID is right, pass it as an argument, without --file"
        )
    return conversation_id

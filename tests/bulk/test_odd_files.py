"""Unusual small files with their outcomes: rows sent, rows failed, or an error."""

import bz2
import codecs
import csv
import datetime as dt
import gzip
import io
import json
import lzma
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import ScriptedServer, always

from conversations_client import Client
from conversations_client.bulk import BulkError, Journal, State, check_file, count_rows, import_file
from conversations_client.bulk._files.csv_reader import header, records
from conversations_client.bulk._files.rows import Unreadable

A, B = {"displayName": "a"}, {"displayName": "b"}
AGENT = {"metadata": {"entityId": "agent_1"}}
EMPTY = "The row has no values to import. Leave it, or fill in a field."
EMPTY_AT_THE_END = (
    "The row has no values to import. Leave it, fill in a field, or remove all such rows at the end "
    "of the file."
)
LONG = "x" * (csv.field_size_limit() + 1)


@frozen
class Case:
    """A file, and its outcome.

    Attributes:
        name: The name of the case.
        content: Its bytes, or a function that creates a pyarrow table.
        sent: The bodies that are sent, in order.
        failed: The error messages of the rows that fail, by number.
        refused: A part of the error message if the file is not imported.
        options: The options of the import.
        keys: The keys in the results.
    """

    name: str
    content: bytes | Callable[[Any], Any]
    sent: list[dict[str, Any]] = field(factory=list[dict[str, Any]])
    failed: dict[int, str] = field(factory=dict[int, str])
    refused: str | None = None
    options: dict[str, Any] = field(factory=dict[str, Any])
    keys: dict[int, Any] = field(factory=dict[int, Any])


def line(value: object) -> bytes:
    return f"{json.dumps(value)}\n".encode()


ENCODINGS = {
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "utf-32": "UTF-32",
    "utf-32-le": "UTF-32LE",
    "utf-32-be": "UTF-32BE",
}
OTHER_FILES = {
    b"PK\x03\x04\x14": "is not a text file: it is a ZIP archive, such as an Excel workbook. Unpack it, or save the sheet as CSV in UTF-8.",
    b"\xd0\xcf\x11\xe0\xa1": "is not a text file: it is an Excel workbook. Save the sheet as CSV in UTF-8.",
    **{
        content: f"is not a text file: it is compressed with {tool}. Unpack it first, for example with: {tool} -dc < ./"
        for tool, content in {
            "gzip": gzip.compress(b"displayName"),
            "bzip2": bz2.compress(b"displayName"),
            "xz": lzma.compress(b"displayName"),
            "zstd": b"\x28\xb5\x2f\xfd\x04",
        }.items()
    },
    b"PAR1\x15\x04": "is not a text file: it is Parquet. Give it a name that ends in .parquet.",
    b"SQLite format 3\0\x10": "is not a text file: it is a SQLite database. Export a table as CSV first.",
}
DOCUMENT = "is not JSON Lines: it is a single JSON document that spans several lines. Write each row on one line, for example with: jq -c "
LINES = [
    *(Case(message, content, refused=message) for content, message in OTHER_FILES.items()),
    Case("an array", b'[\n{"displayName": "a"},\n{"displayName": "b"}\n]\n', refused=f"{DOCUMENT}'.[]' ./a.jsonl > ./lines-a.jsonl"),
    Case("an array whose first row is on its first line", b'\n[{"displayName": "a"},\n{"displayName": "b"}]', refused=f"{DOCUMENT}'.[]'"),
    Case("an array on the first line, and rows after it", b'[{"displayName": "a"}]\n' + line(B), [B], failed={1: "The row is not a JSON object."}),
    Case("rows in a large object", b'{"data": [\n{"displayName": "a"},\n{"displayName": "b"}\n]}', refused=f"{DOCUMENT}."),
    Case("rows over several lines", json.dumps(A, indent=2).encode() + b"\n" + json.dumps(B, indent=2).encode(), refused=f"{DOCUMENT}."),
    Case("a first line that is cut off, before rows with spaces", b'{ "displayName":\n{ "displayName": "b" }\n', [B], failed={1: "The row is not JSON: Expecting value at character 18."}),
    Case("rows in an object, the last one with its end", b'{ "data": [\n{ "displayName": "a" },\n{ "displayName": "b" } ] }', refused=f"{DOCUMENT}."),
    Case("nothing but ignored metadata", line({"metadata": {"notes": 1}}) + line({"metadata": {"notes": 1}, **A}), [{"metadata": {}, **A}], failed={1: EMPTY}, options={"ignore": ["metadata.notes"]}),
    Case("metadata that is empty", line({"metadata": {}}), [{"metadata": {}}]),
    Case("ignored metadata that is not nested", line({**A, "metadata.model": "m"}) + line({"metadata": {"model": "m"}}) + line({**B, "metadata": {"model": "m"}}), [A, B], failed={2: EMPTY}, options={"ignore": ["metadata"]}),
    Case("a mapped field of ignored metadata", line({**A, "metadata": {"agent": "agent_1", "model": "m"}}), [A | AGENT], options={"columns": {"metadata.entityId": "metadata.agent"}, "ignore": ["metadata"]}),
    Case("a first line that is cut off", b'{"displayName":\n' + line(B), [B], failed={1: "The row is not JSON: Expecting value at character 17."}),
    Case("CSV", b"displayName\na\n", refused="Each line must be a JSON object, but none is. The first problem: The row is not JSON: Expecting value at character 1."),
    Case("lines that are objects, each with a fault", b'{"displayName": 5}\n{"displayName": "a", "displayName": "b"}\nx\n', failed={1: "displayName must be a string, not a number.", 2: "The row has the field 'displayName' twice. Remove one of them.", 3: "The row is not JSON: Expecting value at character 1."}),
    Case("a zero character in the first row", b'{"displayName": "a\0"}\n' + line(A), [A], failed={1: "The row is not JSON: Invalid control character at at character 19."}),
    Case("a key inside the metadata", line({**A, "metadata": {"entityId": "agent_1"}}) + line({**B, "metadata": None}) + line(A), [A | AGENT, A], failed={2: "metadata must be an object, not null."}, options={"key": "metadata.entityId"}, keys={1: "agent_1"}),
    Case("a key of your own inside the metadata", line({**A, "metadata": {"id": 7}}), [{**A, "metadata": {}}], options={"key": "metadata.id"}, keys={1: 7}),
    Case("an array on one line", b'[{"displayName": "a"}]\n\n', refused="a.jsonl is a JSON array. Write each row on one line, for example with: jq -c '.[]' ./a.jsonl > ./lines-a.jsonl"),
    Case("an array as the first row", b"[1]\n" + line(A), [A], failed={1: "The row is not a JSON object."}),
    Case("nothing", b""),
    Case("blank lines", b"\n \r\n\t\n"),
    Case("a mark", codecs.BOM_UTF8 + line(A), [A]),
    Case("only a mark", codecs.BOM_UTF8),
    Case("a mark in the middle, of files put together", line(A) + codecs.BOM_UTF8 + line(B), [A, B]),
    Case("line ends of Windows", b'{"displayName": "a"}\r\n{"displayName": "b"}\r\n', [A, B]),
    Case(
        "line ends of old Macs",
        b'{"displayName": "a"}\r{"displayName": "b"}',
        refused="Each line must be a JSON object, but none is. The first problem: The row is not JSON: Extra data at character 22.",
    ),
    Case("separators inside a text", '{"displayName": "a\u2028b\u0085"}'.encode(), [{"displayName": "a\u2028b\u0085"}]),
    Case("no line end at the end", b'{"displayName": "a"}', [A]),
    *(
        Case(f"in {encoding}", (json.dumps(A) + "\n" + json.dumps(B)).encode(encoding), refused=f"is {shown}, not UTF-8. Convert it first, for example with: iconv -f {shown} -t UTF-8 ./a.jsonl > ")
        for encoding, shown in ENCODINGS.items()
    ),
    Case("UTF-16 after blank lines", ("\n\n" + json.dumps(A)).encode("utf-16-be"), refused="is UTF-16BE, not UTF-8."),
    Case(
        "a row in Latin-1",
        line(A) + '{"displayName": "é"}\n'.encode("latin-1") + line(B),
        [A, B],
        failed={2: "The row is not UTF-8."},
    ),
    Case("in GB18030, with a row that looks like UTF-8", '{"displayName": "\u725b"}\n{"displayName": "\u4e2d\u6587"}\n{"displayName": "a"}\n'.encode("gb18030"), refused="a.jsonl is not UTF-8 (line 2). Convert it from the encoding in which it was written. For WINDOWS-1252,"),
    Case("a row in Latin-1 among rows in UTF-8", '{"displayName": "é"}\n\ufeff{"displayName": "a"}\n{"displayName": "ü"}\n'.encode() + '{"displayName": "é"}\n'.encode("latin-1"), [{"displayName": "é"}, A, {"displayName": "ü"}], failed={4: "The row is not UTF-8."}),
    Case(
        "other values than objects",
        b'[1]\nnull\n"a"\n5\n' + line(A),
        [A],
        failed=dict.fromkeys(range(1, 5), "The row is not a JSON object."),
    ),
    Case(
        "a line that is cut off",
        line(A) + b'{"displayName": "b',
        [A],
        failed={2: "The row is not JSON: Unterminated string starting at at character 17."},
    ),
    Case("an empty object asks for the defaults", b"{}\n", [{}]),
    Case(
        "nothing that is sent",
        line({"notes": 1}) + line({"_id": "conv_1", "createdAt": 1}) + line(A),
        [A],
        failed=dict.fromkeys((1, 2), EMPTY),
        options={"ignore": ["notes"]},
    ),
    Case("an empty name is an empty name", line({"displayName": ""}), [{"displayName": ""}]),
    Case(
        "null is not absent",
        line({"displayName": None}) + line({"metadata": {"entityId": None}}),
        [{"metadata": {"entityId": None}}],
        failed={1: "displayName can't be null: omit it."},
    ),
    Case(
        "a doubled field",
        b'{"displayName": "a", "displayName": "b"}\n{"metadata": {"model": "a", "model": "b"}}\n' + line(A),
        [A],
        failed={
            1: "The row has the field 'displayName' twice. Remove one of them.",
            2: "The row has the field 'model' twice. Remove one of them.",
        },
    ),
    Case(
        "nested in a field that is sent",
        line({"displayName": ["a"]}) + line({"metadata": {"model": {}}}) + line({"metadata": "m"}) + line(A),
        [A],
        failed={
            1: "displayName must be a single value, not an array.",
            2: "metadata.model must be a single value, not an object.",
            3: "metadata must be an object, not a string.",
        },
    ),
    *(
        Case(
            f"nested {depth} deep in a field that is sent",
            b'{"displayName": ' + b"[" * depth + b"]" * depth + b"}\n" + line(B),
            [B],
            failed={1: "displayName must be a single value, not an array."},
        )
        for depth in (1, 500, 900)
    ),
    Case(
        "nested too deeply to be read",
        b'{"displayName": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n" + line(B),
        [B],
        failed={1: "The row is nested too deeply."},
    ),
    Case("nested in a field that is not sent", b'{"displayName": "a", "_id": ' + b"[" * 900 + b"]" * 900 + b"}", [A]),
    Case(
        "a number with too many digits",
        b'{"displayName": ' + b"9" * 5_000 + b"}\n" + line(A),
        [A],
        failed={1: "The row has a number with too many digits."},
    ),
    Case("a long text in a field that is not sent", line({**A, "createdById": LONG}), [A]),
    Case(
        "a long name",
        line({"displayName": "x" * 101}) + line(A),
        [A],
        failed={1: "displayName has 101 characters; the API allows at most 100: shorten it."},
    ),
    Case(
        "half a surrogate pair",
        b'{"displayName": "\\ud800"}\n' + line(A),
        [A],
        failed={
            1: "displayName contains half of a surrogate pair, which is not text: decode the source with the right encoding, or replace the character."
        },
    ),
    Case(
        "a field that no row can have",
        line({**A, "title": "a"}) + line({**B, "title": "b"}),
        refused="Unknown field 'title'. The fields are displayName, projectId, metadata.entityId",
    ),
    Case(
        "a field with a similar name",
        line({"display_name": "a"}) + line([]) + line({"display_name": "b"}),
        refused="Unknown field 'display_name'. Did you mean 'displayName'?",
    ),
    Case(
        "a field of the metadata",
        line({"metadata": {"entityID": "a"}}),
        refused="Unknown field 'metadata.entityID'. Did you mean 'metadata.entityId'?",
    ),
    Case(
        "a field that one row can't have",
        line(A) + line({"name": "b"}) + line({**B, "x" * 99: 1}),
        [A],
        failed={
            2: "Unknown field 'name'. Did you mean 'displayName'? The fields are displayName, projectId, metadata.entityId, metadata.generatingTitle, metadata.model. Rename the column, map it with columns={'displayName': 'name'}, or ignore it with ignore=['name'].",
            3: f"Unknown field '{'x' * 60}…'. The fields are displayName, projectId, metadata.entityId, metadata.generatingTitle, metadata.model. Rename the column, or ignore it with ignore=['{'x' * 60}…'].",
        },
    ),
    Case("fields that are ignored", line({**A, "notes": [["a"]], "metadata": 5}), [A], options={"ignore": ["notes", "metadata"]}),
    Case(
        "fields with other names",
        line({"title": "a", "agent": "agent_1"}),
        [A | AGENT],
        options={"columns": {"displayName": "title", "metadata.entityId": "agent"}},
    ),
    Case(
        "both names of a field",
        line({"title": "a", "displayName": "b"}) + line({"title": "b"}),
        [B],
        failed={1: "Two columns of the row map to 'displayName'. Ignore one of them."},
        options={"columns": {"displayName": "title"}},
    ),
    Case(
        "a column that no row has",
        line({"titel": "a"}) + line({"titel": "b"}),
        refused="There is no column 'title'. Did you mean 'titel'?",
        options={"columns": {"displayName": "title"}, "ignore": ["titel"]},
    ),
    Case("a key that no row has", line(A), refused="There is no column 'id'.", options={"key": "id"}),
    Case(
        "a key that is no single value",
        line({**A, "id": [1]}) + line({**B, "id": 2}),
        [B],
        failed={1: "The key must be a single value, not an array."},
        options={"key": "id"},
        keys={2: 2},
    ),
    Case(
        "keys of all kinds, also of a row that fails",
        line({**A, "id": "x"}) + line({"displayName": 5, "id": True}) + line({**B, "id": None}) + line(B),
        [A, B, B],
        failed={2: "displayName must be a string, not a number."},
        options={"key": "id"},
        keys={1: "x", 2: True},
    ),
    Case("a key that is sent too", line(A), [A], options={"key": "displayName"}, keys={1: "a"}),
    Case("a key that the service set", line({**A, "_id": "conv_1"}), [A], options={"key": "_id"}, keys={1: "conv_1"}),
]  # fmt: skip

TABLES = [
    Case("nothing", b"", refused="a.csv has no header line. Its first line must contain the column names."),
    Case("only blank lines", b"\n\r\n", refused="a.csv has no header line."),
    Case("short rows with a key", b"id,displayName\n7\n8,b,c\n", failed={1: "The row has 1 cell, but the header has 2.", 2: "The row has 3 cells, but the header has 2."}, options={"key": "id"}, keys={1: "7", 2: "8"}),
    Case("a mapped column with a long name", f"title\n{'x' * 101}\n".encode(), failed={1: "title has 101 characters; the API allows at most 100: shorten it."}, options={"columns": {"displayName": "title"}}),
    Case("a mapped column with no flag", b"flag\nmaybe\n", failed={1: "flag must be true or false, not 'maybe'."}, options={"columns": {"metadata.generatingTitle": "flag"}}),
    Case("a name that is a part of a field", b"displayName,a title\na,b\n", refused="Unknown field 'a title'. The fields are"),
    Case("a name that is meant", b"displayName,agent\na,b\n", refused="Did you mean 'metadata.entityId'? The fields are"),
    Case("only a header", b"displayName\n"),
    Case("blank lines", b"\n\ndisplayName\n\na\n\r\n\nb\n", [A, B]),
    Case("a mark", codecs.BOM_UTF8 + b"displayName\na\n", [A]),
    Case("a mark before a quoted header", codecs.BOM_UTF8 + b'"displayName"\n"a"\n', [A]),
    Case("line ends of Windows", b"displayName\r\na\r\nb\r\n", [A, B]),
    Case("line ends of old Macs", b"displayName\ra\rb\r", [A, B]),
    Case("mixed line ends", b"displayName\r\na\rb", [A, B]),
    Case(
        "quotes, commas and line ends in a cell",
        b'displayName,projectId\n"a ""b"", c\r\nd",p\n',
        [{"displayName": 'a "b", c\r\nd', "projectId": "p"}],
    ),
    Case("a quote inside a cell", b'displayName\n5" disk\n', [{"displayName": '5" disk'}]),
    Case("text after a quoted cell", b'displayName\na\n"b"c\n', refused="is not CSV: in the row that starts on line 3, text follows a closing quote. In a quoted cell, each quote must be doubled, and the cell must end with a quote."),
    Case("a quote that is not closed", b'displayName\na\n"b\nc\n', refused="is not CSV: a quotation mark in the row that starts on line 3 is never closed."),
    Case("Latin-1", "displayName\na\né\n".encode("latin-1"), refused='is not UTF-8 (line 3). In a spreadsheet, save it as "CSV UTF-8". Convert it from the encoding in which it was written. For WINDOWS-1252, which is common in Western Europe and the Americas, use: iconv -f WINDOWS-1252 -t UTF-8 ./a.csv > ./utf-8-a.csv'),
    Case("Latin-1 far from the start, with all line ends", b"displayName\r\n" + b"a\r\rb\n" * 3000 + b"\xe9", refused="is not UTF-8 (line 9002)."),
    Case("Latin-1 in the header", "displayName,naïve\n".encode("latin-1"), refused="is not UTF-8 (line 1)."),
    Case("a character that is cut off", b"displayName\na\xc3", refused="is not UTF-8 (line 2)."),
    *(Case(message, content, refused=message) for content, message in OTHER_FILES.items()),
    Case("a zero character", b"displayName\na\0b\n", [{"displayName": "a\0b"}]),
    Case("a repeated header, of files put together", b"displayName,projectId\na,p\ndisplayName,projectId\nb,p\n", [A | {"projectId": "p"}, B | {"projectId": "p"}], failed={2: "The row repeats the header. Leave it, or replace it with a new row."}),
    *(
        Case(f"the first line {first!r} before {rest!r}", first + rest, [A | {"projectId": "p"}])
        for first, rest in (
            (b"sep=;\n", b"displayName;projectId\na;p\n"),
            (b"\r\nsep=,\r\n\r\n", b"displayName,projectId\r\na,p\r\n"),
            (b'"sep=,"\n', b'"displayName","projectId"\n"a","p"\n'),
            (b"SEP=|\r", b"displayName|projectId\ra|p\r"),
            (b"\xef\xbb\xbfsep=\t\n", b"displayName\tprojectId\na\tp\n"),
        )
    ),
    *(
        Case(f"the first line {first!r}", first + b"\ndisplayName,projectId\na,p\n", refused="The first line is an instruction for Excel, but doesn't name a supported separator. Separate the columns with commas, semicolons, tabs or vertical bars.")
        for first in (b"sep=", b"sep=:", b'"sep="', b"\xef\xbb\xbfSep=#")
    ),
    Case("ignored metadata beside semicolons", b"metadata.model;displayName\nm/x;a\n", [A], options={"ignore": ["metadata"]}),
    Case("ignored metadata with a semicolon in its name", b"displayName,metadata.a;b\na,1\n", [A], options={"ignore": ["metadata"]}),
    Case("only an instruction for Excel", b"sep=;\n", refused="has no header line"),
    Case("an instruction that is wrong", b"sep=;\ndisplayName,projectId\na,p\n", refused="The fields are displayName, projectId, metadata.entityId, metadata.generatingTitle, metadata.model. Rename the column, map it with columns={'displayName': 'displayName,projectId'}, or ignore it with ignore=['displayName,projectId']. The first line of the file states that semicolons separate the columns."),
    Case("an instruction that only a map needs", b"sep=;\nName, kurz;Kunde\na;p\n", [A], options={"columns": {"displayName": "Name, kurz"}, "key": "Kunde"}, keys={1: "p"}),
    Case("an instruction that decides", b"sep=;\ndisplayName,projectId;displayName\na,p;a\n", [A], options={"ignore": ["displayName,projectId"]}),
    Case("an instruction and broken quotes", b'sep=;\n"displayName"x\na\n', refused="is not CSV: in the row that starts on line 2, text follows a closing quote."),
    Case("an instruction and Latin-1", "sep=;\ndisplayName;x\na;é\n".encode("latin-1"), refused="is not UTF-8 (line 3)."),
    Case("an instruction repeated, of files put together", b"sep=;\ndisplayName;projectId\na;p\n\xef\xbb\xbfsep=;\ndisplayName;projectId\nb;p\n", [A | {"projectId": "p"}, B | {"projectId": "p"}], failed=dict.fromkeys((2, 3), "The row repeats the header. Leave it, or replace it with a new row.")),
    Case("a name that looks like an instruction", b"displayName;projectId\nsep=;p\nsep=;\n", [{"displayName": "sep=", "projectId": "p"}, {"displayName": "sep="}]),
    *(
        Case(f"the header {header!r}", header + b"\n" + row + b"\n", [A | {"projectId": "p"}])
        for header, row in (
            (b"displayName;projectId", b"a;p"),
            (b"displayName\tprojectId", b"a\tp"),
            (b"displayName|projectId", b"a|p"),
            (b'"displayName";"projectId"', b'"a";"p"'),
            (b'\xef\xbb\xbf"displayName";projectId', b'a;"p"'),
            (b'_id;"displayName";"projectId"', b"x,y;a;p"),
        )
    ),
    Case("semicolons between columns of other names", b"title;id\na;1\n", [A], options={"columns": {"displayName": "title"}, "key": "id"}, keys={1: "1"}),
    Case("semicolons and a column with a comma", b"displayName;Name, kurz\na;b\n", [A], options={"ignore": ["Name, kurz"]}),
    Case("semicolons and a known column after a comma", b"Name, kurz;displayName\nb;a\n", [A], options={"ignore": ["Name, kurz"]}),
    Case("commas and a column with a semicolon", b"displayName,b;c\na,d\n", [A], options={"ignore": ["b;c"]}),
    Case("commas and a known name inside quotes", b'title,"projectId;displayName;x"\na,b\n', [A], options={"columns": {"displayName": "title"}, "ignore": ["projectId;displayName;x"]}),
    Case("semicolons inside a quoted column", b'"displayName";"a;b\n,c"\na;"b;\n"\n', [A], options={"ignore": ["a;b\n,c"]}),
    Case("a column of its own with semicolons", b'"a;b"\na\n', [A], options={"columns": {"displayName": "a;b"}}),
    Case(
        "semicolons, quotes, commas and line ends in a cell",
        b'displayName;projectId\r\n"a ""b"", c;\r\nd";p\r\n',
        [{"displayName": 'a "b", c;\r\nd', "projectId": "p"}],
    ),
    Case("a comma in a row between semicolons", b"displayName;projectId\na,b;p\n", [{"displayName": "a,b", "projectId": "p"}]),
    Case("rows with commas below a header with semicolons", b"displayName;projectId\na,p\n", failed={1: "The row has 1 cell, but the header has 2."}),
    Case("a long cell between semicolons", f'displayName;projectId\n"a,""{LONG};\r\n";p\nb;p\n'.encode(), [B | {"projectId": "p"}], failed={1: "A cell in the row has more than 131,072 characters. Shorten it, or check for a missing quote."}),
    Case("a repeated header with semicolons", b"displayName;projectId\na;p\ndisplayName;projectId\n", [A | {"projectId": "p"}], failed={2: "The row repeats the header. Leave it, or replace it with a new row."}),
    Case("text after a quoted cell, with semicolons", b'displayName;projectId\na;p\n"b"c;p\n', refused="is not CSV: in the row that starts on line 3, text follows a closing quote."),
    Case("an export that a spreadsheet saved with semicolons", b"_id;kind;displayName;createdAt;updatedAt;formulasEscaped\r\nc;conversation;'=a;1;1;TRUE\r\n", [{"displayName": "=a"}]),
    Case("semicolons between unknown columns", b"Name;Kunde;Notiz\nAlpha;1;x\n", refused="a.csv: Unknown fields: 'Name' (did you mean 'displayName'?), 'Kunde', 'Notiz'."),
    Case("tabs between unknown columns", b"Name\tKunde\nAlpha\t1\n", refused="a.csv: Unknown fields: 'Name' (did you mean 'displayName'?), 'Kunde'."),
    Case("an unclear separator", b"Name, kurz;Kunde\na;p\n", refused="or ignore them, for example with ignore=['Name']. If semicolons separate the columns, put the line sep=; before the header."),
    Case("an unclear separator, which may be a tab", b"Name, kurz\tKunde\na\tp\n", refused="If tabs separate the columns, give the file a name that ends in .tsv."),
    Case("an unclear separator and a mapped column", b"Name, kurz;Kunde\na;p\n", [A], options={"columns": {"displayName": "Name, kurz"}, "ignore": ["Kunde"]}),
    Case("an unclear separator and a column that is not there", b"Name, kurz;Kunde\na;p\n", refused="a.csv: There is no column 'Kunden'. If semicolons separate the columns, put the line sep=; before the header.", options={"columns": {"displayName": "Kunden"}}),
    Case("a comma at the end of the header", b"displayName,\na,\n", refused="If the header ends with a separator, remove the separator."),
    Case("a semicolon at the end of the header", b"displayName;\na;\n", refused="If the header ends with a separator, remove the separator."),
    Case("text after a quoted column", b'"displayName"x\na\n', refused="is not CSV: in the row that starts on line 1, text follows"),
    *(
        Case(f"in {encoding}", "displayName\na\n".encode(encoding), refused=f"is {shown}, not UTF-8.")
        for encoding, shown in ENCODINGS.items()
    ),
    Case("a column with a semicolon in its name", b"a;b\na\n", [A], options={"columns": {"displayName": "a;b"}}),
    Case(
        "lines of empty cells",
        b'displayName,projectId\n,\na,\n"",""\nb,\n',
        [A, B],
        failed={1: EMPTY, 3: EMPTY},
    ),
    Case("lines of empty cells at the end", b'displayName,projectId\na,\n,\n"",""\n\n,,,\n', [A]),
    Case("only lines of empty cells", b"displayName,projectId\n,\n"),
    Case("spaces at the end", b"displayName,projectId\n,\n ,\n,\n", [{"displayName": " "}], failed={1: EMPTY}),
    Case("a row of an ignored column at the end", b"displayName,note\na,\n,\n,n\n,\n", [A], failed={2: EMPTY_AT_THE_END, 3: EMPTY_AT_THE_END}, options={"ignore": ["note"]}),
    Case("an empty line before another failed row", b"displayName,projectId\n,\na,b,c\n", failed={1: EMPTY, 2: "The row has 3 cells, but the header has 2."}),
    Case(
        "an empty name beside something else",
        b"displayName,metadata.entityId\n,agent_1\n",
        [{"displayName": ""} | AGENT],
    ),
    Case("an empty name in an export", b"_id,displayName,kind\nconv_1,,conversation\n", [{"displayName": ""}]),
    Case("no name in a file without names", b"metadata.entityId\nagent_1\n", [AGENT]),
    Case(
        "empty cells of other fields are absent",
        b"displayName,projectId,metadata.entityId,metadata.generatingTitle,metadata.model\na,,,,\n",
        [A],
    ),
    Case("a doubled header", b"displayName,displayName\na,\n", refused="There are two columns named 'displayName'. Remove one of them."),
    Case(
        "a doubled header of columns that are not sent",
        b"_id,displayName,_id\nx,a,y\n",
        refused="There are two columns named '_id'. Remove one of them.",
    ),
    Case("a doubled header that is ignored", b"x,displayName,x\nx,a,y\n", [A], options={"ignore": ["x"]}),
    Case(
        "two columns for one field",
        b"title,displayName\na,b\n",
        refused="Two columns map to displayName. Ignore one of them.",
        options={"columns": {"displayName": "title"}},
    ),
    Case("one of two columns for a field", b"title,displayName\na,b\n", [A], options={"columns": {"displayName": "title"}, "ignore": ["displayName"]}),
    Case("no column that is sent", b"_id,createdAt\nconv_1,1\n", refused="No column matches a field. The fields are displayName"),
    Case("a header without a name", b"displayName,\na,\n", refused="The column '' is not a field."),
    Case(
        "the index of pandas",
        b",displayName\n0,a\n",
        refused="If pandas wrote it as the index, write the file with index=False, or ignore the column with ignore=['']. If the header ends with a separator, remove the separator.",
    ),
    Case(
        "the index of pandas, read and written again",
        b"Unnamed: 0,displayName\n0,a\n",
        refused="If pandas wrote it as the index, write the file with index=False, or ignore the column with ignore=['Unnamed: 0'].",
    ),
    Case(
        "several unknown columns",
        b",notes,title,displayName,model name\n0,a,b,c,d\n",
        refused="Unknown fields: '', 'notes', 'title', 'model name' (did you mean 'metadata.model'?). The fields are displayName, projectId, metadata.entityId, metadata.generatingTitle, metadata.model. Rename the columns, map them, for example with columns={'metadata.model': 'model name'}, or ignore them, for example with ignore=['']. If pandas wrote '' as the index, write the file with index=False.",
    ),
    Case(
        "many unknown columns",
        b"displayName,a,b,c,d,e,f,g\n",
        refused="Unknown fields: 'a', 'b', 'c', 'd', 'e' and 2 more. The fields are",
    ),
    Case(
        "unknown columns and semicolons",
        b"a,b;displayName\n",
        refused="Unknown field 'a,b'.",
    ),
    Case(
        "a column to ignore that is missing",
        b"displayName,note\na,b\n",
        options={"ignore": ["notes"]},
        refused="There is no column 'notes' to ignore. Did you mean 'note'?",
    ),
    Case(
        "a column to ignore and semicolons",
        b"displayName;notes\na;b\n",
        [A],
        options={"ignore": ["notes"]},
    ),
    Case("metadata to ignore", b"displayName,metadata.x,metadata.entityId\na,b,c\n,b,c\n", [A], failed={2: EMPTY_AT_THE_END}, options={"ignore": ["metadata"]}),
    Case("a mapped field of ignored metadata", b"displayName,metadata.agent,metadata.model\na,agent_1,m\n,agent_1,m\n", [A | AGENT, {"displayName": ""} | AGENT], options={"columns": {"metadata.entityId": "metadata.agent"}, "ignore": ["metadata"]}),
    Case("a doubled key that is ignored", b"id,displayName,id\n1,a,2\n", refused="There are two columns named 'id'. Remove one of them.", options={"key": "id", "ignore": ["id"]}),
    *(
        Case(f"a header repeated as {mark + header!r}", b"displayName,projectId\na,p\n" + mark + header + b",projectId\nb,p\n", [A | {"projectId": "p"}, B | {"projectId": "p"}], failed={2: "The row repeats the header. Leave it, or replace it with a new row."})
        for mark, header in ((b"", b'"displayName"'), (codecs.BOM_UTF8, b"displayName"), (codecs.BOM_UTF8, b'"displayName"'))
    ),
    Case("an index that is ignored", b",displayName\n0,a\n", [A], options={"ignore": [""]}),
    Case("spaces in the header", b"displayName, projectId\na,p\n", refused="Unknown field ' projectId'. Did you mean 'projectId'?"),
    Case("metadata as a text", b'displayName,metadata\na,"{}"\n', refused="Unknown field 'metadata'"),
    Case(
        "too many cells and too few",
        b"metadata.entityId,displayName\nagent_1\nagent_1,a,b\nagent_1,a\n",
        [A | AGENT],
        failed={1: "The row has 1 cell, but the header has 2.", 2: "The row has 3 cells, but the header has 2."},
    ),
    Case(
        "a long cell",
        f'displayName,projectId\na,p\n{LONG},p\nb,"{LONG},""\n"\n"b",p\n'.encode(),
        [A | {"projectId": "p"}, B | {"projectId": "p"}],
        failed=dict.fromkeys((2, 3), "A cell in the row has more than 131,072 characters. Shorten it, or check for a missing quote."),
    ),
    Case(
        "a long cell in quotes, with quotes, separators and line ends",
        f'displayName,projectId\n"a,""{LONG}\r\n",p,"x""\n"\n"b",p\n'.encode(),
        [B | {"projectId": "p"}],
        failed={1: "A cell in the row has more than 131,072 characters. Shorten it, or check for a missing quote."},
    ),
    Case("a long cell that is not closed", f'displayName\na\n"{LONG}\n'.encode(), refused="a quotation mark in the row that starts on line 3 is never closed"),
    Case("a long header", f"displayName,{LONG}\na,b\n".encode(), refused="has no header: A cell in the row has more than"),
    Case(
        "flags",
        b"displayName,metadata.generatingTitle\na,TRUE\na,false\na,yes\n",
        [A | {"metadata": {"generatingTitle": flag}} for flag in (True, False)],
        failed={3: "metadata.generatingTitle must be true or false, not 'yes'."},
    ),
    Case("a flag of a German spreadsheet", b"metadata.generatingTitle\nWAHR\n", failed={1: "metadata.generatingTitle must be true or false, not 'WAHR'."}),
    Case("a long flag with a key", f"id,metadata.generatingTitle\n7,{'x' * 100}\n".encode(), failed={1: f"metadata.generatingTitle must be true or false, not '{'x' * 60}…'."}, options={"key": "id"}, keys={1: "7"}),
    Case("a key", b"id,displayName\n7,a\n,b\n", [A, B], options={"key": "id"}, keys={1: "7", 2: ""}),
    Case("a row with nothing but its key", b"id,displayName\n7,\n", failed={1: EMPTY_AT_THE_END}, options={"key": "id"}, keys={1: "7"}),
    Case("a key that is not there", b"ID,displayName\n7,a\n", refused="There is no column 'id'. Did you mean 'ID'?", options={"key": "id", "ignore": ["ID"]}),
]  # fmt: skip


def table(pa: Any, *, names: list[str] | None = None, **columns: Any) -> Any:
    """A table; `names` are for columns whose names are not Python identifiers."""
    made = pa.table(columns)
    return made if names is None else made.rename_columns(names)


def keys_of_type(kind: str, value: int) -> Callable[[Any], Any]:
    """A table whose key column has the given type."""
    return lambda pa: table(
        pa, displayName=["a", "b"], id=pa.array([value, 0], pa.type_for_alias(kind))
    )


NS = dt.datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001 - without a time zone
PARQUET = [
    Case("no rows", lambda pa: pa.table({"displayName": pa.array([], pa.string())})),
    Case("no rows and no columns", lambda pa: pa.table({})),
    Case("texts", lambda pa: table(pa, displayName=["a", "b"]), [A, B]),
    Case("large texts", lambda pa: table(pa, displayName=pa.array(["a"], pa.large_string())), [A]),
    Case("a dictionary column", lambda pa: table(pa, displayName=pa.array(["a", "b", "a"]).dictionary_encode()), [A, B, A]),
    Case("nulls", lambda pa: table(pa, displayName=[None, "a"], projectId=[None, None]), [A], failed={1: EMPTY}),
    Case("nulls at the end", lambda pa: table(pa, displayName=["a", None]), [A], failed={2: EMPTY_AT_THE_END}),
    Case("a flag of a German spreadsheet", lambda pa: table(pa, x=["WAHR", ""], names=["metadata.generatingTitle"]), failed={n: f"metadata.generatingTitle must be true or false, not '{text}'." for n, text in ((1, "WAHR"), (2, ""))}),
    Case("a flag of a German spreadsheet in nested metadata", lambda pa: table(pa, displayName=["a"], metadata=[{"generatingTitle": "WAHR"}]), failed={1: "metadata.generatingTitle must be true or false, not 'WAHR'."}),
    Case("a number as a flag", lambda pa: table(pa, displayName=["a"], metadata=[{"generatingTitle": 1}]), failed={1: "metadata.generatingTitle must be true or false, not a number."}),
    Case("a null beside something else", lambda pa: table(pa, displayName=[None], names=None, projectId=["p"]), [{"projectId": "p"}]),
    Case("an empty name", lambda pa: table(pa, displayName=["", "a"]), [{"displayName": ""}, A]),
    Case("a column of nulls", lambda pa: table(pa, displayName=["a"], projectId=pa.nulls(1)), [A]),
    Case(
        "nested metadata",
        lambda pa: table(pa, displayName=["a", "a"], metadata=[{"entityId": "agent_1", "model": None}, None]),
        [A | AGENT, A],
    ),
    Case(
        "flat metadata",
        lambda pa: table(pa, displayName=["a"], x=["agent_1"], names=["displayName", "metadata.entityId"]),
        [A | AGENT],
    ),
    Case(
        "nested and flat metadata",
        lambda pa: table(pa, metadata=[{"entityId": "agent_1"}], x=["m"], names=["metadata", "metadata.model"]),
        [{"metadata": {"entityId": "agent_1", "model": "m"}}],
    ),
    Case(
        "nested and flat metadata of one name",
        lambda pa: table(pa, metadata=[{"model": "a"}], x=["m"], names=["metadata", "metadata.model"]),
        refused="There are two columns named 'metadata.model'. Remove one of them.",
    ),
    Case(
        "a column to ignore that is missing",
        lambda pa: table(pa, displayName=["a"], metadata=[{"model": "m"}]),
        options={"ignore": ["metadata", "x"]},
        refused="There is no column 'x' to ignore.",
    ),
    Case("unknown metadata", lambda pa: table(pa, metadata=[{"other": "a"}]), refused="Unknown field 'metadata.other'"),
    Case("ignored metadata, nested and flat", lambda pa: table(pa, displayName=["a"], metadata=[{"entityId": "agent_1"}], x=["m"], names=["displayName", "metadata", "metadata.model"]), [A], options={"ignore": ["metadata"]}),
    Case("a mapped field of ignored metadata", lambda pa: table(pa, displayName=["a"], metadata=[{"agent": "agent_1", "model": "m"}]), [A | AGENT], options={"columns": {"metadata.entityId": "metadata.agent"}, "ignore": ["metadata"]}),
    Case(
        "nanoseconds in ignored metadata",
        lambda pa: table(pa, metadata=pa.StructArray.from_arrays([pa.array(["agent_1"]), pa.array([1_234_567_891], pa.timestamp("ns"))], ["entityId", "at"])),
        [AGENT],
        options={"ignore": ["metadata.at"]},
    ),
    Case("a doubled key that is ignored", lambda pa: table(pa, a=["a"], b=[1], c=[2], names=["displayName", "id", "id"]), refused="There are two columns named 'id'. Remove one of them.", options={"key": "id", "ignore": ["id"]}),
    Case("metadata as a text", lambda pa: table(pa, displayName=["a"], metadata=["{}"]), refused="Unknown field 'metadata'"),
    Case("a doubled column", lambda pa: table(pa, a=["a"], b=[""], names=["displayName"] * 2), refused="There are two columns named 'displayName'."),
    Case(
        "the index of pandas",
        lambda pa: table(pa, displayName=["a"], __index_level_0__=[0]),
        refused="The column '__index_level_0__' is not a field. If pandas wrote it as the index",
    ),
    Case("an index that is ignored", lambda pa: table(pa, displayName=["a"], __index_level_0__=[0]), [A], options={"ignore": ["__index_level_0__"]}),
    Case(
        "nanoseconds in a column that is not sent",
        lambda pa: table(pa, displayName=["a"], createdAt=pa.array([1_234_567_891], pa.timestamp("ns"))),
        [A],
    ),
    Case(
        "nanoseconds in a column that is sent",
        lambda pa: table(pa, displayName=pa.array([1_234_567_891, None], pa.timestamp("ns")), projectId=["p", "p"]),
        [{"projectId": "p"}],
        failed={1: "The value of 'displayName' can't be read."},
    ),
    Case(
        "a time that Python has not",
        lambda pa: table(pa, displayName=["a"], updatedAt=pa.array([2**62], pa.timestamp("us"))),
        [A],
    ),
    Case(
        "values of other types",
        lambda pa: table(pa, displayName=[5]),
        failed={1: "displayName must be a string, not a number."},
    ),
    Case(
        "bytes",
        lambda pa: table(pa, displayName=[b"a"]),
        failed={1: "displayName must be a string, not bytes."},
    ),
    Case(
        "decimals and lists",
        lambda pa: table(pa, displayName=[["a"]], projectId=[Decimal("1.5")]),
        failed={1: "displayName must be a single value, not an array."},
    ),
    Case(
        "a text that is not UTF-8",
        lambda pa: table(pa, displayName=pa.array([b"a", b"\xff"]).view(pa.string())),
        [A],
        failed={2: "The value of 'displayName' can't be read."},
    ),
    Case("a key inside the metadata", lambda pa: table(pa, displayName=["a"] * 2, metadata=[{"entityId": "agent_1"}, None]), [A | AGENT, A], options={"key": "metadata.entityId"}, keys={1: "agent_1"}),
    Case("a key of your own inside the metadata", lambda pa: table(pa, displayName=["a"], metadata=[{"entityId": "agent_1", "id": 7}]), [A], options={"key": "metadata.id", "ignore": ["metadata"]}, keys={1: 7}),
    Case("a key with a dot", lambda pa: table(pa, displayName=["a"], x=["k"], names=["displayName", "metadata.id"]), [A], options={"key": "metadata.id"}, keys={1: "k"}),
    Case("keys that are UUIDs", lambda pa: table(pa, displayName=["a"], id=pa.array([bytes(16)], pa.uuid())), [A], options={"key": "id"}, keys={1: "00000000-0000-0000-0000-000000000000"}),
    *(
        Case(
            f"keys of type {kind} that Python can't hold",
            keys_of_type(kind, value),
            [B],
            failed={1: "The value of 'id' can't be read."},
            options={"key": "id"},
            keys={2: zero},
        )
        for kind, value, zero in (
            ("timestamp[us]", 2**62, "1970-01-01 00:00:00.000000"),
            ("date32", 2**30, "1970-01-01"),
            ("duration[s]", 2**50, "0:00:00"),
        )
    ),
    Case("keys in an unknown time zone", lambda pa: table(pa, displayName=["a"], id=pa.array([1], pa.timestamp("us", "Nowhere/City"))), failed={1: "The value of 'id' can't be read."}, options={"key": "id"}),
    Case("keys that are durations", lambda pa: table(pa, displayName=["a"], id=pa.array([90], pa.duration("s"))), [A], options={"key": "id"}, keys={1: "0:01:30"}),
    Case(
        "a key with nanoseconds",
        lambda pa: table(pa, displayName=["a"], id=pa.array([1_234_567_891], pa.timestamp("ns"))),
        [A],
        options={"key": "id"},
        keys={1: "1970-01-01 00:00:01.234567891"},
    ),
    Case(
        "keys that are decimals, dates and none",
        lambda pa: table(pa, displayName=["a"] * 2, id=pa.array([Decimal("1.50"), None])),
        [A, A],
        options={"key": "id"},
        keys={1: "1.50"},
    ),
    Case(
        "a key that is no single value",
        lambda pa: table(pa, displayName=["a"], id=[[1]]),
        failed={1: "The key must be a single value, not an array."},
        options={"key": "id"},
    ),
    Case(
        "a key that can't be read",
        lambda pa: table(pa, displayName=["a"], id=pa.array([b"\xff"]).view(pa.string())),
        failed={1: "The value of 'id' can't be read."},
        options={"key": "id"},
    ),
    Case("a key that is sent too", lambda pa: table(pa, displayName=["a"]), [A], options={"key": "displayName"}, keys={1: "a"}),
    Case("a key that the service set", lambda pa: table(pa, displayName=["a"], _id=["conv_1"]), [A], options={"key": "_id"}, keys={1: "conv_1"}),
    Case("flags", lambda pa: table(pa, x=[True, False, None], y=["a"] * 3, names=["metadata.generatingTitle", "displayName"]), [A | {"metadata": {"generatingTitle": True}}, A | {"metadata": {"generatingTitle": False}}, A]),
]  # fmt: skip


def written(path: Path, content: bytes | Callable[[Any], Any]) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(content(pa), path, row_group_size=1)
    return path


TABS = [
    Case("tabs", b"displayName\tprojectId\r\na\tp\r\n", [A | {"projectId": "p"}]),
    Case("tabs, with a mark", codecs.BOM_UTF8 + b'"displayName"\tprojectId\n"a"\tp\n', [A | {"projectId": "p"}]),
    Case("one column", b"displayName\na\n", [A]),
    Case("one column with commas", b"Name, kurz;1\na\n", [A], options={"columns": {"displayName": "Name, kurz;1"}}),
    Case("tabs and a column with a comma and a known name", b"displayName,projectId\ttitle\nx\ta\n", [A], options={"columns": {"displayName": "title"}, "ignore": ["displayName,projectId"]}),
    Case("tabs and line ends in a cell", b'projectId\tdisplayName\np\t"a\t\r\n,b;c"\n', [{"displayName": "a\t\r\n,b;c", "projectId": "p"}]),
    Case("a header repeated", b"displayName\tprojectId\na\tp\ndisplayName\tprojectId\n", [A | {"projectId": "p"}], failed={2: "The row repeats the header. Leave it, or replace it with a new row."}),
    Case("commas", b"displayName,projectId\na,p\n", refused="If commas separate the columns, put the line sep=, before the header."),
    Case("commas that are stated", b"sep=,\ndisplayName,projectId\na,p\n", [A | {"projectId": "p"}]),
    Case("UTF-16", "displayName\tprojectId\n".encode("utf-16"), refused='is UTF-16, not UTF-8. In a spreadsheet, save it as "CSV UTF-8". Convert it first, for example with: iconv -f UTF-16 -t UTF-8 ./a.tsv > ./utf-8-a.tsv'),
]  # fmt: skip


CASES = [
    pytest.param(f"a{ending}", case, id=f"{ending[1:]}: {case.name}")
    for ending, cases in (
        (".jsonl", LINES),
        (".csv", TABLES),
        (".tsv", TABS),
        (".parquet", PARQUET),
    )
    for case in cases
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_an_odd_file(name: str, case: Case, tmp_path: Path) -> None:
    path = written(tmp_path / name, case.content)
    with (
        ScriptedServer(always()) as server,
        Client("k", base_url=server.url) as client,
        Journal(tmp_path / "journal") as journal,
    ):
        if case.refused is not None:
            with pytest.raises(BulkError) as raised:
                import_file(client, path, journal, **case.options)
            assert case.refused in str(raised.value)
            with pytest.raises(BulkError):
                check_file(path, **case.options)
            assert server.seen == []
            return
        report = import_file(client, path, journal, max_in_flight=1, **case.options)
        assert [json.loads(seen.body) for seen in server.seen] == case.sent
        entries = {entry.number: entry for entry in journal.entries()}
    assert check_file(path, **case.options) == count_rows(path) == len(entries)
    failed = {number: each.detail for number, each in entries.items() if each.state is State.FAILED}
    assert failed == case.failed
    assert {
        number: each.key for number, each in entries.items() if each.key is not None
    } == case.keys
    assert (report.created, report.failed) == (len(case.sent), len(case.failed))


def test_a_pipe_is_rejected_before_it_is_opened(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.csv", "a.parquet"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(BulkError, match=f"{name} is a pipe"):
            check_file(tmp_path / name)


@pytest.mark.parametrize("claimed", [6, 8])
def test_parquet_with_a_wrong_number_of_rows(claimed: int, tmp_path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(table(pa, displayName=["a"] * 7), path)
    content = path.read_bytes()
    # The number of all rows, before the list of row groups.
    before, after = (b"\x16%c\x19\x1c" % (2 * number) for number in (7, claimed))
    assert content.count(before) == 1
    path.write_bytes(content.replace(before, after))
    with pytest.raises(BulkError, match="is damaged"):
        check_file(path)


class Growing(io.BytesIO):
    """A file to which another process appends as soon as it has been read to its end."""

    def read1(self, size: int | None = -1, /) -> bytes:
        content = super().read1(size)
        if not content:
            self.write("é".encode()[1:])
        return content


def test_a_csv_file_that_grows_by_half_a_character() -> None:
    file = Growing("displayName\na\né".encode()[:-1])
    with pytest.raises(BulkError, match=r"a\.csv changed while it was being read\."):
        list(records(file, "a.csv", header(file, "a.csv", bool)))


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", line(A))
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "a.jsonl")
    assert check_file(tmp_path / "b.jsonl") == 1


@pytest.fixture
def small_cells() -> Iterator[int]:
    """Limit CSV cells to 6 characters."""
    limit = csv.field_size_limit(6)
    yield 6
    csv.field_size_limit(limit)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    rows=st.lists(st.lists(st.text('a",;\r\n', max_size=9), min_size=2, max_size=2), max_size=8),
    separator=st.sampled_from(",;\t|"),
    form=st.sampled_from(
        [
            *((csv.QUOTE_ALL, end) for end in ("\n", "\r\n", "\r")),
            (csv.QUOTE_MINIMAL, "\r\n"),  # Python quotes only the characters of its own line ending
        ]
    ),
)
def test_a_long_cell_fails_only_its_row(
    *,
    rows: list[list[str]],
    separator: str,
    form: tuple[Literal[0, 1], str],
    small_cells: int,
) -> None:
    quoting, end = form
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end).writerows(
        [["a", "b"], *rows]
    )
    file = io.BytesIO(text.getvalue().encode())
    found = [row for _, _, row in records(file, "a.csv", header(file, "a.csv", "a".__eq__))]
    while rows and not any(rows[-1]):  # ignored
        del rows[-1]
    assert len(found) == len(rows)
    for row, record in zip(rows, found, strict=True):
        is_long = any(len(cell) > small_cells for cell in row)
        assert isinstance(record, Unreadable) if is_long else record == row

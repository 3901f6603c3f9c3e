"""Imports conversations from files, and exports conversations to files.

    from conversations_client import Client
    from conversations_client.bulk import Journal, import_file

    with Client() as client, Journal("conversations.jsonl.journal") as journal:
        report = import_file(client, "conversations.jsonl", journal)

Parquet needs the `bulk` extra: `pip install "conversations-client[bulk]"`.
"""

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._exports.export_file import export_file
from conversations_client.bulk._exports.message_export import export_with_messages
from conversations_client.bulk._exports.report import ExportFailure, ExportReport
from conversations_client.bulk._files.readers import check_file, count_rows
from conversations_client.bulk._imports.destination import Destination
from conversations_client.bulk._imports.entry import Entry, State
from conversations_client.bulk._imports.import_file import import_file
from conversations_client.bulk._imports.journal import Journal
from conversations_client.bulk._imports.partitions import Partition, entries_of, partitions
from conversations_client.bulk._imports.report import Report, total
from conversations_client.bulk._imports.results import write_results
from conversations_client.bulk._imports.stopped import ImportStoppedError

__all__ = [
    "BulkError",
    "Destination",
    "Entry",
    "ExportFailure",
    "ExportReport",
    "ImportStoppedError",
    "Journal",
    "Partition",
    "Report",
    "State",
    "check_file",
    "count_rows",
    "entries_of",
    "export_file",
    "export_with_messages",
    "import_file",
    "partitions",
    "total",
    "write_results",
]

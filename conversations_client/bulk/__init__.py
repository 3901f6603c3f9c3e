"""Whole files of conversations, into the service and out of it.

    from conversations_client import Client
    from conversations_client.bulk import Journal, import_file

    with Client() as client, Journal("conversations.jsonl.journal") as journal:
        report = import_file(client, "conversations.jsonl", journal)

Parquet needs the `bulk` extra: `pip install "conversations-client[bulk]"`.
"""

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._export import export_file
from conversations_client.bulk._export_journal import ExportJournal
from conversations_client.bulk._import import Report, import_file
from conversations_client.bulk._journal import Entry, Journal, State
from conversations_client.bulk._message_export import ExportReport, export_with_messages
from conversations_client.bulk._partitions import Partition, entries_of, partitions, total
from conversations_client.bulk._readers import count_rows
from conversations_client.bulk._results import write_results

__all__ = [
    "BulkError",
    "Entry",
    "ExportJournal",
    "ExportReport",
    "Journal",
    "Partition",
    "Report",
    "State",
    "count_rows",
    "entries_of",
    "export_file",
    "export_with_messages",
    "import_file",
    "partitions",
    "total",
    "write_results",
]

"""Runs an export in a separate process, which can be killed."""

from pathlib import Path

from killable_process import run_process

from conversations_client import Client
from conversations_client.bulk import export_with_messages


def run_export(
    path: Path,
    *,
    api_key: str,
    url: str,
    killed_after: float | None,
    entity_ids: tuple[str | None, ...] = (None,),
    rate: float | None = None,
) -> int:
    """Export to a file with a journal next to it and return the exit code.

    Args:
        path: The file.
        api_key: The service's key.
        url: The service's URL.
        killed_after: Seconds from the start of the export to SIGKILL; None for no kill.
        entity_ids: The listings.
        rate: The maximum number of conversations to retrieve per second.
    """
    return run_process(
        _export,
        killed_after=killed_after,
        path=path,
        api_key=api_key,
        url=url,
        entity_ids=entity_ids,
        rate=rate,
    )


def _export(
    *,
    path: Path,
    api_key: str,
    url: str,
    entity_ids: tuple[str | None, ...],
    rate: float | None,
) -> None:
    with Client(api_key, base_url=url) as client:
        export_with_messages(client, path, entity_ids=entity_ids, max_in_flight=4, rate=rate)

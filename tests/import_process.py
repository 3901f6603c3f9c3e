"""Runs an import in a separate process, which can be killed."""

from pathlib import Path

from killable_process import run_process

from conversations_client import Client, Retry
from conversations_client.bulk import Journal, import_file


def run_import(
    path: Path,
    *,
    api_key: str,
    url: str,
    keys_are_trusted: bool,
    killed_after: float | None,
    rate: float | None = None,
) -> int:
    """Import a file with a journal next to it and return the exit code.

    Args:
        path: The file.
        api_key: The service's key.
        url: The service's URL.
        keys_are_trusted: Whether the client trusts the service's idempotency keys.
        killed_after: Seconds from the start of the import to SIGKILL; None for no kill.
        rate: The maximum number of rows per second.
    """
    return run_process(
        _import,
        killed_after=killed_after,
        path=path,
        api_key=api_key,
        url=url,
        keys_are_trusted=keys_are_trusted,
        rate=rate,
    )


def _import(
    *, path: Path, api_key: str, url: str, keys_are_trusted: bool, rate: float | None
) -> None:
    retry = Retry(trust_idempotency_key=keys_are_trusted)
    with (
        Client(api_key, base_url=url, retry=retry) as client,
        Journal(f"{path}.journal") as journal,
    ):
        import_file(client, path, journal, max_in_flight=4, rate=rate)

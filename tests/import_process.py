"""Runs an import in a process of its own, which can be killed."""

from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from conversations_client import Client, Retry
from conversations_client.bulk import Journal, import_file

_FORKSERVER = get_context("forkserver")
# What is imported once need not be imported by each process.
_PRELOADED = ("_client.many.sync_outcomes", "_http.sync_pool", "_http.transport", "_json.converter")
_FORKSERVER.set_forkserver_preload(
    ["__main__", "import_process", *(f"conversations_client.{name}" for name in _PRELOADED)]
)


def run_import(
    path: Path,
    *,
    api_key: str,
    url: str,
    keys_are_trusted: bool,
    killed_after: float | None,
    rate: float | None = None,
) -> int:
    """Import a file with the journal beside it, and return the exit code.

    Args:
        path: The file.
        api_key: The service's key.
        url: The service's URL.
        keys_are_trusted: Whether the client trusts the service's idempotency keys.
        killed_after: Seconds from the start of the import to a SIGKILL; None for no kill.
        rate: The most rows per second.
    """
    begun, tell = _FORKSERVER.Pipe(duplex=False)
    how = {
        "api_key": api_key,
        "url": url,
        "keys_are_trusted": keys_are_trusted,
        "rate": rate,
    }
    process = _FORKSERVER.Process(target=_import, args=(tell, path), kwargs=how)
    process.start()
    begun.recv()
    process.join(killed_after)
    process.kill()
    process.join(timeout=60)
    assert process.exitcode is not None
    return process.exitcode


def _import(
    tell: Connection,
    path: Path,
    *,
    api_key: str,
    url: str,
    keys_are_trusted: bool,
    rate: float | None,
) -> None:
    tell.send("begun")  # before the journal is opened, which is a moment like any other
    retry = Retry(trust_idempotency_key=keys_are_trusted)
    with (
        Client(api_key, base_url=url, retry=retry) as client,
        Journal(f"{path}.journal") as journal,
    ):
        import_file(client, path, journal, max_in_flight=4, rate=rate)

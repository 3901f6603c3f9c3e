"""An export in a process of its own, to be killed."""

from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from conversations_client import Client
from conversations_client.bulk import export_with_messages

_FORKSERVER = get_context("forkserver")
# What is imported once need not be imported by each process.
_PRELOADED = ("_client.many.sync_outcomes", "_http.sync_pool", "_http.transport", "_json.converter")
_FORKSERVER.set_forkserver_preload(
    ["__main__", "export_process", *(f"conversations_client.{name}" for name in _PRELOADED)]
)


def run_export(
    path: Path,
    *,
    api_key: str,
    url: str,
    killed_after: float | None,
    entity_ids: tuple[str | None, ...] = (None,),
    rate: float | None = None,
) -> int:
    """Export to a file with the journal beside it; returns the exit code.

    Args:
        path: The file.
        api_key: The service's key.
        url: The service's URL.
        killed_after: Seconds from the start of the export to SIGKILL; None to let it end.
        entity_ids: The listings.
        rate: The most conversations to retrieve per second.
    """
    begun, tell = _FORKSERVER.Pipe(duplex=False)
    service = {"api_key": api_key, "url": url}
    process = _FORKSERVER.Process(target=_export, args=(tell, path, service, entity_ids, rate))
    process.start()
    assert begun.poll(60)
    process.join(60 if killed_after is None else killed_after)
    process.kill()
    process.join(timeout=60)
    assert process.exitcode is not None
    return process.exitcode


def _export(
    tell: Connection,
    path: Path,
    service: dict[str, str],
    entity_ids: tuple[str | None, ...],
    rate: float | None,
) -> None:
    tell.send("begun")
    with Client(service["api_key"], base_url=service["url"]) as client:
        export_with_messages(client, path, entity_ids=entity_ids, max_in_flight=4, rate=rate)

"""Runs a function in a separate process, which can be killed."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection

_FORKSERVER = get_context("forkserver")
# Imported once, before the processes are forked.
_PRELOADED = ("_client.many.sync_outcomes", "_http.sync_pool", "_http.transport", "_json.converter")
_FORKSERVER.set_forkserver_preload(
    [
        "__main__",
        "export_process",
        "import_process",
        *(f"conversations_client.{name}" for name in _PRELOADED),
    ]
)


def run_process(
    function: Callable[..., object], *, killed_after: float | None, **arguments: object
) -> int:
    """Run a function in another process and return its exit code.

    Args:
        function: A module-level function.
        killed_after: Seconds from the start of the function to SIGKILL; None for no kill.
        **arguments: The arguments of the function.
    """
    receiver, sender = _FORKSERVER.Pipe(duplex=False)
    process = _FORKSERVER.Process(target=_run, args=(sender, function), kwargs=arguments)
    process.start()
    assert receiver.poll(60)
    process.join(200 if killed_after is None else killed_after)
    process.kill()
    process.join(timeout=60)
    assert process.exitcode is not None
    return process.exitcode


def _run(sender: Connection, function: Callable[..., object], **arguments: object) -> None:
    sender.send("started")
    function(**arguments)

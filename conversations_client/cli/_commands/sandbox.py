"""`conversations sandbox`: runs the sandbox in the foreground."""

import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Event
from typing import Annotated

from attrs import evolve
from cyclopts import Parameter

from conversations_client._sandbox_options import SandboxOptions, print_variables
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._local_sandbox import default_db, local_sandbox
from conversations_client.cli._session import Injected


def sandbox(
    *,
    options: Annotated[SandboxOptions, Parameter(name="*")] = SandboxOptions(),  # noqa: B008 - frozen
    session: Injected,
) -> None:
    """Run the API on this machine until you press Ctrl-C.

    Args:
        options: The options of the sandbox.
        session: The common options and the output.
    """
    key = session.options.api_key
    db = options.db or default_db(options.revision)
    with (
        _stop_signal() as stop,
        local_sandbox(evolve(options, db=db), api_key=key) as running,
        suppress(KeyboardInterrupt),
    ):
        # A key that the user chose isn't printed.
        generated_key = {} if key else {"ORQ_API_KEY": running.api_key}
        variables = {"ORQ_BASE_URL": running.url, **generated_key}
        if session.options.json or session.options.jsonl:
            session.output.json(variables)
        else:
            print_variables(variables, f" Its data is in {one_line(str(db))}.")
        stop.wait()


@contextmanager
def _stop_signal() -> Generator[Event, None, None]:
    """An event that SIGTERM sets; service managers and container runtimes send SIGTERM."""
    stop = Event()
    previous_handler = signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, previous_handler)

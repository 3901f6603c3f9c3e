"""`conversations sandbox`: the sandbox in the foreground."""

import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

from conversations_client.cli._display.printable import one_line
from conversations_client.cli._local_sandbox import default_db, local_sandbox
from conversations_client.cli._session import Injected


def sandbox(*, port: int = 8765, db: Path | None = None, session: Injected) -> None:
    """Run the API on this machine, until Ctrl-C.

    Args:
        port: The port to listen on; 0 takes a free one.
        db: The SQLite file with all data; default: the one that --sandbox uses.
        session: The common options and the output.
    """
    key = session.options.api_key
    path = db or default_db()
    with (
        _stop_signal() as stop,
        local_sandbox(port=port, db=path, api_key=key) as running,
        suppress(KeyboardInterrupt),
    ):
        # A key that the user has chosen isn't printed.
        random_key = {} if key else {"ORQ_API_KEY": running.api_key}
        variables = {"ORQ_BASE_URL": running.url, **random_key}
        if session.output.is_for_people:
            session.output.out.print(
                f"The sandbox runs at {running.url} until Ctrl-C. Its data is in "
                f"{one_line(str(path))}. In another terminal:\n",
                soft_wrap=True,
            )
            for name, value in variables.items():
                session.output.out.print(f"export {name}={value}", soft_wrap=True)
        else:
            session.output.json(variables)
        stop.wait()


@contextmanager
def _stop_signal() -> Generator[Event, None, None]:
    """An event that SIGTERM sets, as service managers and containers send it."""
    stop = Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)

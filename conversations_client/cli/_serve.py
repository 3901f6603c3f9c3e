"""`conversations sandbox`: the sandbox in the foreground."""

from contextlib import suppress
from pathlib import Path
from threading import Event

from conversations_client.cli._local_sandbox import default_db, local_sandbox
from conversations_client.cli._printable import one_line
from conversations_client.cli._session import Injected


def sandbox(*, port: int = 8765, db: Path | None = None, session: Injected) -> None:
    """Run the API on this machine, until Ctrl-C.

    Args:
        port: The port to listen on; 0 takes a free one.
        db: The SQLite file to keep everything in; if left out, the one that --sandbox uses.
        session: What it is run with.
    """
    given = session.options.api_key
    kept = db or default_db()
    with local_sandbox(port=port, db=kept, api_key=given) as running, suppress(KeyboardInterrupt):
        # A key that was given is the user's own, and stays with them.
        made_up = {} if given else {"ORQ_API_KEY": running.api_key}
        variables = {"ORQ_BASE_URL": running.url, **made_up}
        if session.output.is_for_people:
            session.output.out.print(
                f"The sandbox answers at {running.url} until Ctrl-C and keeps everything in "
                f"{one_line(str(kept))}. In another terminal:\n",
                soft_wrap=True,
            )
            for name, value in variables.items():
                session.output.out.print(f"export {name}={value}", soft_wrap=True)
        else:
            session.output.json(variables)
        Event().wait()

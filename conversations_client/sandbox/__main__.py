"""`python -m conversations_client.sandbox`: the sandbox in the foreground, until Ctrl-C."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from conversations_client._standard_streams import output_failure, protect_standard_streams
from conversations_client.sandbox import Sandbox


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until Ctrl-C or SIGTERM.

    Args:
        arguments: The command line; None for that of the process.

    Returns:
        The exit code: 0 after Ctrl-C or SIGTERM, 2 if the sandbox couldn't start.
    """
    options = _parser().parse_args(arguments)
    stop = _stop_signal()
    try:
        sandbox = Sandbox(
            port=options.port,
            db=options.db,
            api_key=options.api_key,
            pace=options.pace,
            revision=options.revision,
            models=options.model,
            host=options.host,
            allowed_hosts=options.allow_host,
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with sandbox:
        # The user has a key of their own already, and may not want it in the terminal.
        key = f"export ORQ_API_KEY={sandbox.api_key}\n" if options.api_key is None else ""
        sys.stdout.write(
            f"The sandbox is running at {sandbox.url} until Ctrl-C. In another terminal:\n\n"
            f"export ORQ_BASE_URL={sandbox.url}\n{key}"
        )
        sys.stdout.flush()
        if failure := output_failure():
            sys.stderr.write(f"The address could not be written: {failure.strerror}.\n")
        stop.wait()
    return 0


def _stop_signal() -> threading.Event:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m conversations_client.sandbox",
        description="The Conversations API on this machine.",
    )
    add = parser.add_argument
    add("--port", type=int, default=8765, help="default 8765; 0 chooses a free port")
    add("--db", help="the SQLite file that stores everything; default: memory")
    add("--api-key", help="the key that callers must send; default: one is generated and printed")
    add("--pace", type=float, default=0.0, help="seconds between two events of a stream; default 0")
    add("--revision", type=int, default=2, help="the revision of the API, 1 or 2; default 2")
    add(
        "--model",
        action="append",
        metavar="PROVIDER/MODEL_ID",
        help="a model that exists besides the sandbox's own, can be repeated; default: all exist",
    )
    add("--host", default="127.0.0.1", help="the address to listen on; default 127.0.0.1")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name in the Host header besides localhost, can be repeated",
    )
    return parser


if __name__ == "__main__":
    protect_standard_streams()
    sys.exit(main())

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
    """Run the sandbox until it is told to stop.

    Args:
        arguments: The command line; None takes the process's own.

    Returns:
        The exit code: 0 after Ctrl-C or SIGTERM, 2 if it couldn't start.
    """
    options = _parser().parse_args(arguments)
    stop = _told_to_stop()
    try:
        sandbox = Sandbox(
            port=options.port, db=options.db, api_key=options.api_key, pace=options.pace
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with sandbox:
        # A key that was given is the user's own, and stays with them.
        key = f"export ORQ_API_KEY={sandbox.api_key}\n" if options.api_key is None else ""
        sys.stdout.write(
            f"The sandbox answers at {sandbox.url} until Ctrl-C. In another terminal:\n\n"
            f"export ORQ_BASE_URL={sandbox.url}\n{key}"
        )
        sys.stdout.flush()
        if failure := output_failure():
            sys.stderr.write(f"The address could not be written: {failure.strerror}.\n")
        stop.wait()
    return 0


def _told_to_stop() -> threading.Event:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m conversations_client.sandbox", description="The Conversations API, locally."
    )
    parser.add_argument("--port", type=int, default=8765, help="default 8765; 0 takes a free one")
    parser.add_argument("--db", help="the SQLite file to keep everything in; default: memory")
    parser.add_argument(
        "--api-key", help="what callers must send; default: one that is made up and printed"
    )
    parser.add_argument(
        "--pace", type=float, default=0.0, help="seconds between two events of a stream; default 0"
    )
    return parser


if __name__ == "__main__":
    protect_standard_streams()
    sys.exit(main())

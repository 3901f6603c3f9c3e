"""`python -m conversations_client.sandbox` runs the sandbox until you press Ctrl-C."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from conversations_client._sandbox_options import (
    add_options,
    parsed_options,
    print_variables,
    with_options,
)
from conversations_client._standard_streams import output_failure, protect_standard_streams
from conversations_client.sandbox import Sandbox


def main(line: Sequence[str] | None = None) -> int:
    """Run the sandbox until you press Ctrl-C or the process receives SIGTERM.

    Args:
        line: The command-line arguments; None for those of the process.

    Returns:
        The exit code: 0 after Ctrl-C or SIGTERM, 2 if the sandbox couldn't start.
    """
    arguments = vars(_parser().parse_args(line))
    api_key: str | None = arguments["api_key"]
    stop = _stop_signal()
    try:
        sandbox = Sandbox(api_key=api_key, **parsed_options(arguments).settings())
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{with_options(str(error))}\n")
        return 2
    with sandbox:
        # The user already has the key and may not want it in the terminal.
        key = {"ORQ_API_KEY": sandbox.api_key} if api_key is None else {}
        print_variables({"ORQ_BASE_URL": sandbox.url, **key})
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
        description="Run the Conversations API on this machine.",
    )
    add_options(parser)
    parser.add_argument(
        "--api-key",
        help="The key that callers must send. Default: a generated key, which is printed.",
    )
    return parser


if __name__ == "__main__":
    protect_standard_streams()
    sys.exit(main())

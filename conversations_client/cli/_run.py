"""Runs a command line. Every error becomes a message and an exit code."""

import sys
import traceback
from collections.abc import Sequence
from contextvars import copy_context

from cyclopts import CycloptsError
from rich.console import Console

from conversations_client import ConversationsError
from conversations_client._standard_streams import discard_output, output_failure
from conversations_client.cli._app import app
from conversations_client.cli._display.output import print_error, print_message
from conversations_client.cli._exit_codes import ADVICE, ExitCode, UsageError, exit_code
from conversations_client.cli._option_names import explain
from conversations_client.cli._os_errors import describe_os_error
from conversations_client.cli._signals import SIGNALED, StopSignalError
from conversations_client.cli._usage_errors import describe_usage_error


def run(arguments: Sequence[str]) -> int:
    """Run a command line.

    Args:
        arguments: The arguments after the name `conversations`.

    Returns:
        The exit code.
    """
    try:
        # The command may set context variables.
        return _after_output(copy_context().run(_run, arguments))
    except StopSignalError as stop:
        discard_output()
        return ExitCode(SIGNALED + stop.number)
    except KeyboardInterrupt:
        discard_output()
        # The terminal has printed "^C", and the shell's prompt needs a new line.
        sys.stderr.write("\n")
        return ExitCode.INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    try:
        code = app.meta(arguments, console=Console())
    except SystemExit as error:  # from the completion installer
        return error.code if isinstance(error.code, int) else ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - Python would exit with 1, which means "not done"
        code, message = describe_failure(error)
        advice = " Choose another file with --output." if _installs(arguments, error) else ""
        print_error(f"{message}{advice}")
    return code if isinstance(code, ExitCode) else ExitCode.DONE


def _installs(arguments: Sequence[str], error: Exception) -> bool:
    """Whether the completion script could not be written."""
    return "--install-completion" in arguments and isinstance(error, OSError)


def describe_failure(error: Exception) -> tuple[ExitCode, str]:
    """The exit code and the message for an error."""
    match error:
        case CycloptsError():
            return ExitCode.USAGE, describe_usage_error(error)
        case UsageError():
            return ExitCode.USAGE, str(error)
        case ConversationsError():
            code = exit_code(error)
            return code, explain(error, ADVICE.get(code, ""))
        case OSError():
            return ExitCode.FAILED, describe_os_error(error)
        case _:
            print_message("".join(traceback.format_exception(error)))
            return ExitCode.UNKNOWN, f"This is a bug. {ADVICE[ExitCode.UNKNOWN]}"


def _after_output(code: int) -> int:
    """Flush the output and return the exit code."""
    sys.stdout.flush()
    failure = output_failure()
    if failure is None:
        return code
    print_error(f"The output could not be written: {describe_os_error(failure)}")
    return code or ExitCode.OUTPUT_LOST

"""The exit codes of the command line."""

import errno
from enum import IntEnum
from typing import Final

from conversations_client import (
    ConfigurationError,
    ConversationsError,
    InvalidArgumentError,
    NotFoundError,
    TransportError,
)
from conversations_client.bulk import BulkError
from conversations_client.cli._option_names import may_have_changed_something


class ExitCode(IntEnum):
    """The exit code of a command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    UNKNOWN = 5
    OUTPUT_LOST = 6
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """The meaning, for the help text."""
        return _MEANINGS[self]


_MEANINGS: Final = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: (
        "not done: the service rejected the request or failed, the disk is full, a check failed, "
        "or you answered no"
    ),
    ExitCode.USAGE: "not done: the command, an option or the configuration is wrong",
    ExitCode.NOT_FOUND: "not done: there is no such conversation",
    ExitCode.UNREACHABLE: "not done: the service could not be reached",
    ExitCode.UNKNOWN: "unclear: the service may have acted; check before you repeat a change",
    ExitCode.OUTPUT_LOST: "done, but the output could not be written",
    ExitCode.HUNG_UP: "stopped by SIGHUP",
    ExitCode.INTERRUPTED: "stopped with Ctrl-C",
    ExitCode.TERMINATED: "stopped by SIGTERM",
}


ADVICE: Final = {
    ExitCode.UNREACHABLE: "Run `conversations doctor` to find the cause.",
    ExitCode.UNKNOWN: "Check whether the change was made before you repeat it.",
}
"""What to do after an error, by exit code."""


class UsageError(Exception):
    """The command can't run with these options or this input. The message explains what to do."""


def exit_code(error: ConversationsError) -> ExitCode:
    """The exit code for an error from the client."""
    if may_have_changed_something(error):
        return ExitCode.UNKNOWN
    match error:
        case BulkError(__cause__=OSError(errno=errno.ENOSPC)):
            return ExitCode.FAILED
        case ConfigurationError() | InvalidArgumentError():
            return ExitCode.USAGE
        # A path without an ID is missing only if the URL of the service is wrong.
        case NotFoundError(template=template) if template is None or "{" in template:
            return ExitCode.NOT_FOUND
        case TransportError():
            return ExitCode.UNREACHABLE
        case _:
            return ExitCode.FAILED

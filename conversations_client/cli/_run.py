"""Runs a command line, and ends it with a sentence and an exit code whatever happens."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Final

from cyclopts import CycloptsError

from conversations_client import ConversationsError
from conversations_client.cli._app import app
from conversations_client.cli._exit_codes import ExitCode, UsageError, exit_code
from conversations_client.cli._output import PatientConsole, print_error
from conversations_client.cli._words import in_words

_NEXT: Final = {
    ExitCode.UNREACHABLE: "`conversations doctor` looks for the cause.",
    ExitCode.UNKNOWN: "Look whether it was done before you repeat a change.",
}


def run(arguments: Sequence[str]) -> int:
    """Run a command line.

    Args:
        arguments: What comes after the command's name.

    Returns:
        The exit code.
    """
    _prepare_stdout()
    try:
        code = app.meta(arguments, console=PatientConsole())
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_stdout()
        return ExitCode.DONE
    except KeyboardInterrupt:
        # The terminal has shown "^C", and the shell's prompt wants a line of its own.
        sys.stderr.write("\n")
        return ExitCode.INTERRUPTED
    except (CycloptsError, UsageError, ConversationsError, OSError) as error:
        code, words = ending(error)
        print_error(words)
    return code if isinstance(code, ExitCode) else ExitCode.DONE


def ending(error: Exception) -> tuple[ExitCode, str]:
    """The exit code for an error, and what to tell people."""
    match error:
        case CycloptsError():
            # `--apikey=…` may hold a key: an option is named without its value.
            words = re.sub(r"(--?[\w-]+)=\S*", r"\1=…", _with_all_commands(str(error)))
            return ExitCode.USAGE, _sentences(words, "See `conversations --help`.")
        case UsageError():
            return ExitCode.USAGE, str(error)
        case ConversationsError():
            code = exit_code(error)
            return code, _sentences(in_words(error), _NEXT.get(code, ""))
        case _:
            return ExitCode.FAILED, str(error)


def _with_all_commands(words: str) -> str:
    # cyclopts names the first few.
    unknown, names_some, _ = words.partition("Available commands: ")
    if not names_some:
        return words
    return f"{unknown}The commands are {', '.join(n for n in app if not n.startswith('-'))}."


def _sentences(first: str, second: str) -> str:
    ended = first if first.endswith("?") else f"{first.rstrip('.')}."
    return f"{ended} {second}".rstrip()


def _prepare_stdout() -> None:
    # Whatever stands in for it in somebody's program may know no encodings.
    reconfigure: Callable[..., None] | None = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        # JSON is UTF-8 wherever it goes, and half a surrogate pair is written as JSON escapes it.
        encoding = None if sys.stdout.isatty() else "utf-8"
        reconfigure(encoding=encoding, errors="backslashreplace")


def _let_go_of_stdout() -> None:
    # Whoever read has had enough. What is still buffered must go somewhere at exit.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())

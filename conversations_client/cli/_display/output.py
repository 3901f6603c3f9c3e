"""Prints results as tables or JSON."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from enum import Enum
from typing import Final, TypeVar

from attrs import field, frozen
from rich.console import Console, RenderableType

from conversations_client import unstructure
from conversations_client._standard_streams import output_is_lost
from conversations_client.cli._display.printable import escaped_json, printable

T = TypeVar("T")

_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)
_YES: Final = frozenset({"y", "yes"})
_NO: Final = frozenset({"", "n", "no"})


class Format(Enum):
    """The format of the results."""

    PEOPLE = "people"
    JSON = "json"
    JSONL = "jsonl"
    NONE = "none"
    """Print no results."""


def chosen_format(
    *, as_json: bool, as_jsonl: bool, is_terminal: bool, is_optional: bool = False
) -> Format:
    """The format that an option selects; otherwise tables in a terminal, JSON elsewhere.

    Args:
        as_json: Whether the user passes --json.
        as_jsonl: Whether the user passes --jsonl.
        is_terminal: Whether stdout is a terminal.
        is_optional: Whether nothing is printed if no option selects a format.
    """
    if as_jsonl:
        return Format.JSONL
    if as_json:
        return Format.JSON
    if is_optional:
        return Format.NONE
    return Format.PEOPLE if is_terminal else Format.JSON


def new_console(*, stderr: bool) -> Console:
    """A console that prints text from the service as it is, without markup."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def _now() -> float:
    return time.time() * 1000


@frozen
class Output:
    """Prints results to stdout and messages about them to stderr."""

    format: Format
    now: Callable[[], float] = _now
    out: Console = field(factory=lambda: new_console(stderr=False))

    @property
    def is_for_people(self) -> bool:
        """Whether a person reads the output."""
        return self.format is Format.PEOPLE

    def one(self, value: T, view: Callable[[T, float], RenderableType]) -> None:
        """Print a result: `view(value, now)` for people, otherwise its JSON."""
        if self.is_for_people:
            self._print(view(value, self.now()))
        else:
            self.json(unstructure(value))

    def several(
        self, values: Iterable[T], view: Callable[[list[T], float], RenderableType]
    ) -> None:
        """Print results: JSON Lines one at a time, other formats when all have arrived."""
        if self.format is Format.JSONL:
            self._lines(values)
            return
        all_values = list(values)
        if self.is_for_people:
            self._print(view(all_values, self.now()))
        else:
            self.json([unstructure(value) for value in all_values])

    def _print(self, view: RenderableType) -> None:
        # The terminal wraps plain text itself, so that copying it adds no line breaks.
        self.out.print(view, soft_wrap=isinstance(view, str))

    def _lines(self, values: Iterable[object]) -> None:
        for value in values:
            self.json(unstructure(value))
            if output_is_lost():
                return

    def json(self, value: object) -> None:
        """Print JSON: on one line for JSON Lines, indented otherwise."""
        if self.format is Format.NONE:
            return
        indent = None if self.format is Format.JSONL else 2
        document = escaped_json(json.dumps(value, ensure_ascii=False, indent=indent))
        sys.stdout.write(f"{document}\n")
        # The reader of a pipe gets each line as soon as it is written.
        sys.stdout.flush()


def set_quiet(*, quiet: bool) -> None:
    """Set whether the command prints notes and progress bars to stderr."""
    _is_quiet.set(quiet)


def is_quiet() -> bool:
    """Whether the user wants neither notes nor progress bars."""
    return _is_quiet.get()


def print_note(message: str) -> None:
    """Print a message to stderr unless the user passes --quiet."""
    if not is_quiet():
        print_message(message)


def print_message(message: str) -> None:
    """Print a message about the command to stderr."""
    new_console(stderr=True).print(printable(message), soft_wrap=True)


def print_error(message: str) -> None:
    """Print an error to stderr."""
    console = new_console(stderr=True)
    console.print("Error:", style="bold red", end=" ")
    console.print(printable(message), soft_wrap=True)


def confirm(question: str) -> bool:
    """Ask on stderr. Only "y" and "yes" on stdin mean yes; Ctrl-D means no."""
    while True:
        sys.stderr.write(f"{printable(question)} [y/N] ")
        sys.stderr.flush()
        try:
            reply = sys.stdin.readline()
        except (OSError, UnicodeDecodeError):
            reply = ""
        if not reply.endswith("\n"):
            sys.stderr.write("\n")
        word = reply.strip().lower()
        if word in _YES or word in _NO or not reply.endswith("\n"):
            return word in _YES
        print_message('Answer "y" or "n".')

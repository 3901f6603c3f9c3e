"""Where results go, and in which form."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum
from typing import TypeVar

from attrs import field, frozen
from rich.console import Console, RenderableType

from conversations_client import unstructure
from conversations_client.cli._printable import printable

T = TypeVar("T")


class Format(Enum):
    """The forms that a result can have."""

    PEOPLE = "people"
    JSON = "json"
    JSONL = "jsonl"


def chosen_format(*, as_json: bool, as_jsonl: bool, is_terminal: bool) -> Format:
    """The form that was asked for; without a wish, what suits the reader."""
    if as_jsonl:
        return Format.JSONL
    return Format.PEOPLE if is_terminal and not as_json else Format.JSON


class PatientConsole(Console):
    """A console that leaves it to the end of the command what becomes of a reader who left."""

    def on_broken_pipe(self) -> None:
        """Where rich would end the process on the spot, with 1."""
        raise BrokenPipeError


def new_console(*, stderr: bool) -> Console:
    """A console for other people's text: it takes nothing in there for markup."""
    return PatientConsole(stderr=stderr, markup=False, emoji=False, highlight=False)


def _now() -> float:
    return time.time() * 1000


@frozen
class Output:
    """Prints results to stdout, and what is about them to stderr."""

    format: Format
    now: Callable[[], float] = _now
    out: Console = field(factory=lambda: new_console(stderr=False))

    @property
    def is_for_people(self) -> bool:
        """Whether somebody reads along."""
        return self.format is Format.PEOPLE

    def one(self, value: T, view: Callable[[T, float], RenderableType]) -> None:
        """Print a result: `view(value, now)` for people, else its JSON."""
        if self.is_for_people:
            self.out.print(view(value, self.now()))
        else:
            self.json(unstructure(value))

    def several(
        self, values: Iterable[T], view: Callable[[list[T], float], RenderableType]
    ) -> None:
        """Print results: JSON Lines as they come, all else when there are no more."""
        if self.format is Format.JSONL:
            for value in values:
                self.json(unstructure(value))
            return
        everything = list(values)
        if self.is_for_people:
            self.out.print(view(everything, self.now()))
        else:
            self.json([unstructure(value) for value in everything])

    def json(self, value: object) -> None:
        """Print JSON: on one line for JSON Lines, indented otherwise."""
        indent = None if self.format is Format.JSONL else 2
        sys.stdout.write(f"{json.dumps(value, ensure_ascii=False, indent=indent)}\n")
        # A reader of lines gets each when it is there.
        sys.stdout.flush()


def print_error(message: str) -> None:
    """Tell on stderr what went wrong, if anybody reads it."""
    console = new_console(stderr=True)
    with suppress(BrokenPipeError):
        console.print("Error:", style="bold red", end=" ")
        console.print(printable(message), soft_wrap=True)

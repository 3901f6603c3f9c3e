"""A progress bar on stderr."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from attrs import frozen
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TimeRemainingColumn,
)
from rich.text import Text

from conversations_client.cli._display.output import is_quiet, new_console
from conversations_client.cli._signals import before_forced_end


class Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        """The current rate; empty until it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", "progress.data.speed")


@frozen
class Bar:
    """A progress bar."""

    _progress: Progress
    _task: TaskID

    def advance(self, _row: object) -> None:
        """Count a row."""
        self._progress.advance(self._task)

    def update(self, done: int, total: int | None) -> None:
        """Show the number of finished rows and the total."""
        self._progress.update(self._task, completed=done, total=total)

    def stop(self) -> None:
        """Stop updating the bar, so that messages can be printed below it."""
        if self._progress.live.is_started:
            self._progress.stop()


@contextmanager
def progress_bar(total: int | None, *, done: int = 0) -> Generator[Bar, None, None]:
    """A progress bar on stderr, if stderr is a terminal and the user doesn't want quiet.

    Args:
        total: The number of rows; None if it is unknown.
        done: The number of rows that earlier runs finished. They don't affect the rate.
    """
    columns = (BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(compact=True))
    with (
        Progress(
            *columns,
            console=new_console(stderr=True),
            disable=is_quiet() or not sys.stderr.isatty(),
            redirect_stdout=sys.stdout.isatty(),  # otherwise, stdout would be printed to stderr
        ) as progress,
        before_forced_end(progress.stop),  # shows the cursor again
    ):
        yield Bar(progress, progress.add_task("", total=total, completed=done))

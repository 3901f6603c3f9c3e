"""A progress bar on stderr."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from attrs import frozen
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
)
from rich.text import Text

from conversations_client.cli._display.output import is_quiet, new_console
from conversations_client.cli._signals import before_forced_end

_MIN_SECONDS: Final = 3.0  # before that, the rate says little about the rest
_FEW: Final = 10


class Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        """The rate; empty until it is known."""
        rate = _rate(task)
        style = "progress.data.speed"
        return Text("" if rate is None else f"{rate:,.{int(rate < _FEW)}f}/s", style)


class TimeLeft(ProgressColumn):
    """The time until the last row, at the rate so far."""

    def render(self, task: Task) -> Text:
        """The time as MM:SS or H:MM:SS; empty if the total is unknown."""
        if task.remaining is None:
            return Text("")
        rate = _rate(task)
        if rate is None:
            return Text("--:--", "progress.remaining")
        minutes, seconds = divmod(int(task.remaining / rate), 60)
        hours, minutes = divmod(minutes, 60)
        start = f"{hours}:{minutes:02}" if hours else f"{minutes:02}"
        return Text(f"{start}:{seconds:02}", "progress.remaining")


def _rate(task: Task) -> float | None:
    """The rows per second since the start, including pauses; None if it is not known yet."""
    seconds = task.elapsed if task.finished_time is None else task.finished_time
    done: int = task.fields.get("done", 0)
    rows = task.completed - done
    if not seconds or rows <= 0 or (seconds < _MIN_SECONDS and not task.finished):
        return None
    return rows / seconds


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
        (task,) = self._progress.tasks
        if total is not None and task.total is None:  # the rows are of a different kind now
            self._progress.reset(self._task, total=total, completed=done, done=done)
        else:
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
    columns = (BarColumn(), MofNCompleteColumn(), Rate(), TimeLeft())
    with (
        Progress(
            *columns,
            console=new_console(stderr=True),
            disable=is_quiet() or not sys.stderr.isatty(),
            redirect_stdout=sys.stdout.isatty(),  # otherwise, stdout would be printed to stderr
        ) as progress,
        before_forced_end(progress.stop),  # shows the cursor again
    ):
        yield Bar(progress, progress.add_task("", total=total, completed=done, done=done))

"""Runs a scenario again and again, and raises KeyboardInterrupt at every line of the package in turn."""

import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

import conversations_client

PACKAGE: Final = f"{Path(conversations_client.__file__).parent}/"
LIMIT_SECONDS: Final = 10.0


@frozen(order=True)
class Point:
    """Where an interrupt comes: before a line, or before an instruction of it."""

    file: str
    line: int
    instruction: int
    """The offset of an instruction; -1 for the line itself."""
    hit: int
    """How often execution came here before."""

    def __str__(self) -> str:
        where = "" if self.instruction < 0 else f"+{self.instruction}"
        return f"{self.file}:{self.line}{where} #{self.hit}"


class HungError(BaseException):
    """A scenario did not end in time."""


Key: TypeAlias = tuple[CodeType, int, int]


@define
class Tracer:
    """Notes every point that a block of code comes to, and raises at one of them.

    Finalizers are left out: Python itself swallows what is raised in them.
    """

    at: Point | None = None
    instructions: Callable[[str], bool] = field(default=lambda _: False)
    points: list[Point] = field(factory=list[Point])
    raised: bool = False
    _hits: dict[Key, int] = field(factory=dict[Key, int])
    _names: dict[CodeType, str | None] = field(factory=dict[CodeType, str | None])

    @contextmanager
    def tracing(self) -> Generator[None]:
        before = sys.gettrace()
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(before)

    def _call(self, frame: FrameType, event: str, _: Any) -> Any:
        name = self._name(frame.f_code)
        if name is None:
            return None
        frame.f_trace_opcodes = self.instructions(name)
        return self._local

    def _local(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self._come(frame, -1)
        elif event == "opcode":
            self._come(frame, frame.f_lasti)
        return self._local

    def _come(self, frame: FrameType, instruction: int) -> None:
        code = frame.f_code
        key = (code, frame.f_lineno, instruction)
        hit = self._hits[key] = self._hits.get(key, -1) + 1
        at = self.at
        if at is None:
            name = self._names[code]
            assert name is not None
            self.points.append(Point(name, frame.f_lineno, instruction, hit))
        elif at == Point(self._names[code] or "", frame.f_lineno, instruction, hit):
            self.raised = True
            sys.settrace(None)
            raise KeyboardInterrupt

    def _name(self, code: CodeType) -> str | None:
        try:
            return self._names[code]
        except KeyError:
            name = None
            if code.co_filename.startswith(PACKAGE) and code.co_name != "__del__":
                name = code.co_filename.removeprefix(PACKAGE)
            self._names[code] = name
            return name


@contextmanager
def time_limit(seconds: float) -> Generator[None]:
    """End a block that hangs; raises HungError. In the main thread alone."""

    def hung(*_: object) -> None:
        raise HungError

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def few(points: list[Point], *, hits: int) -> Iterator[Point]:
    """The points that execution came to no more than so many times before."""
    return (point for point in points if point.hit < hits)

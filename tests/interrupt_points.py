"""Runs scenarios repeatedly, with a KeyboardInterrupt at each line of the package in turn."""

import gc
import os
import signal
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, BinaryIO, Final, TypeAlias

from attrs import define, field, frozen
from scripted import CONVERSATION, answer, read_request
from serving import AnsweringServer
from variants import KEY

import conversations_client
from conversations_client import (
    Client,
    CreateOutcome,
    NotFoundError,
    RetrieveOutcome,
    StreamClosedError,
    Timeout,
)
from conversations_client._engine.environment import Environment
from conversations_client.bulk import BulkError, Journal, import_file
from conversations_client.bulk._imports.entry import State

PACKAGE: Final = f"{Path(conversations_client.__file__).parent}/"
LIMIT_SECONDS: Final = 5.0
TIMEOUT: Final = Timeout(total=2)


@frozen(order=True)
class Point:
    """The point of an interrupt: before a line, or before an instruction."""

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


def interrupt() -> None:
    """Do what Ctrl-C does."""
    raise KeyboardInterrupt


Key: TypeAlias = tuple[CodeType, int, int]


@define
class Tracer:
    """Records every point that a block of code reaches, and raises at one of them.

    It skips finalizers, because Python suppresses their exceptions.
    """

    at: Point | None = None
    instructions: Callable[[str], bool] = field(default=lambda _: False)
    action: Callable[[], object] = field(default=interrupt)
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
            self.action()

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
    """Raise HungError in a block that hangs; only for the main thread."""

    def hung(*_: object) -> None:
        raise HungError

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Server(AnsweringServer):
    """Rejects or drops every second request for two of the conversations."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Counter[str] = Counter()

    def _serve(self, connection: socket.socket) -> None:
        # Thousands of connections would be too many to keep until the end.
        super()._serve(connection)
        self._open.remove(connection)
        connection.close()

    def _converse(self, connection: socket.socket, stream: BinaryIO) -> None:
        while (seen := read_request(stream)) is not None:
            self.seen.append(seen)
            name = seen.target.rpartition("/")[2]
            self._counts[name] += 1
            is_odd = self._counts[name] % 2 == 1
            if name == "conv_busy" and is_odd:
                connection.sendall(answer(503, {}, Retry_After="0"))
            elif name == "conv_dropped" and is_odd:
                return
            else:
                connection.sendall(self.response_to(seen))


def create(client: Client, _: Path) -> None:
    client.conversations.create()


def create_twice(client: Client, _: Path) -> None:
    client.conversations.create()
    client.conversations.create()


def retry_busy(client: Client, _: Path) -> None:
    client.conversations.retrieve("conv_busy")


def retry_dropped(client: Client, _: Path) -> None:
    client.conversations.retrieve("conv_dropped")


def fail(client: Client, _: Path) -> None:
    with suppress(NotFoundError):
        client.conversations.retrieve("conv_of_nobody")


def stream(client: Client, _: Path) -> None:
    with client.conversations.responses.stream("conv_1", message="Hi", model="a/b") as events:
        for _event in events:
            pass


def stream_text(client: Client, _: Path) -> None:
    with client.conversations.responses.stream("conv_1", message="Hi", model="a/b") as events:
        assert "".join(events.text_deltas()) == "One two "


def stream_resumed(client: Client, _: Path) -> None:
    """Continue after the interrupt: all text arrives, or an error reports that it may not."""
    found: list[str] = []
    interrupt: KeyboardInterrupt | None = None
    with client.conversations.responses.stream("conv_1", message="Hi", model="a/b") as events:
        for _attempt in range(2):
            try:
                found.extend(iter(events.text_deltas()))
            except KeyboardInterrupt as error:
                interrupt = error
            except StreamClosedError:
                assert interrupt is not None or _attempt
            else:
                assert "".join(found) == "One two "
    if interrupt is not None:
        raise interrupt


def stream_left_early(client: Client, _: Path) -> None:
    with client.conversations.responses.stream("conv_1", message="Hi", model="a/b") as events:
        next(events)


def collect(client: Client, _: Path) -> None:
    client.conversations.responses.create("conv_1", message="Hi", model="a/b")


def list_all(client: Client, _: Path) -> None:
    for _conversation in client.conversations.list():
        pass


def list_pages(client: Client, _: Path) -> None:
    for _page in client.conversations.list().pages():
        pass


def create_many(client: Client, _: Path) -> None:
    with client.conversations.create_many([{}, {}, {}], max_in_flight=2) as outcomes:
        for _outcome in outcomes:
            pass


def create_many_resumed(client: Client, _: Path) -> None:
    """Continue after the interrupt, as an import does, without losing an outcome."""
    found: list[CreateOutcome] = []
    interrupt: KeyboardInterrupt | None = None
    with client.conversations.create_many([{}, {}, {}], max_in_flight=2, ordered=True) as outcomes:
        for _attempt in range(2):
            try:
                found.extend(outcomes)
            except KeyboardInterrupt as error:
                interrupt = error
        assert [outcome.index for outcome in found] == [0, 1, 2]
    if interrupt is not None:
        raise interrupt


def stop_many_resumed(client: Client, _: Path) -> None:
    """Stop while requests are throttled, again after the interrupt, without losing an outcome."""
    found: list[RetrieveOutcome] = []
    interrupt: KeyboardInterrupt | None = None
    ids = iter(["conv_1", *["conv_busy"] * 5])
    with client.conversations.retrieve_many(ids, max_in_flight=2) as outcomes:
        for _attempt in range(2):
            try:
                for outcome in outcomes:
                    found.append(outcome)
                    outcomes.stop()
            except KeyboardInterrupt as error:
                interrupt = error
        read = 6 - len(list(ids))
        assert sorted(outcome.index for outcome in found) == list(range(read)), found
    if interrupt is not None:
        raise interrupt


def copy(client: Client, _: Path) -> None:
    with client.with_options(timeout=TIMEOUT) as other:
        other.conversations.create()


def with_block(client: Client, _: Path) -> None:
    with Client(KEY, base_url=client.base_url, max_connections=1, timeout=TIMEOUT) as other:
        other.conversations.create()


def close(client: Client, _: Path) -> None:
    """Close again after the interrupt, which must leave no connection open."""
    other = Client(KEY, base_url=client.base_url, max_connections=1, timeout=TIMEOUT)
    try:
        other.conversations.create()
        other.close()
    finally:
        other.close()
        _check_closed(other)


def close_during_stream(client: Client, _: Path) -> None:
    other = Client(KEY, base_url=client.base_url, max_connections=1, timeout=TIMEOUT)
    try:
        with other.conversations.responses.stream("conv_1", message="Hi", model="a/b") as events:
            next(events)
            other.close()
    finally:
        other.close()
        _check_closed(other)


def _check_closed(client: Client) -> None:
    connections: Any = client._connections
    for pool in connections._by_pid.values():
        assert not pool._slots._idle
        for slot in pool._slots._empty:
            stream = slot.connection and slot.connection._stream
            assert stream is None or stream._socket.fileno() < 0


def import_rows(client: Client, folder: Path) -> None:
    (folder / "rows.jsonl").write_text('{"displayName": "a"}\n' * 3)
    with Journal(folder / "journal", import_id="one") as journal:
        import_file(client, folder / "rows.jsonl", journal, max_in_flight=2)


def check_import(client: Client, folder: Path) -> None:
    """Check that no row is doubtful, and that the next run creates the rest."""
    if not (folder / "rows.jsonl").exists():
        return
    with _journal_of(folder) as journal:
        counts = journal.counts()
        assert counts[State.SENT] == counts[State.DOUBTFUL] == counts[State.FAILED] == 0, counts
        report = import_file(client, folder / "rows.jsonl", journal, max_in_flight=2)
        assert (report.created, report.doubtful) == (3, 0), report


def _journal_of(folder: Path) -> Journal:
    try:
        return Journal(folder / "journal", import_id="one")
    except BulkError:
        gc.collect()  # SQLite connections are in reference cycles, so one may still be open
        return Journal(folder / "journal", import_id="one")


@frozen
class Scenario:
    """Code to interrupt, and a check to run afterwards; the next call must work in any case."""

    run: Callable[[Client, Path], None]
    check: Callable[[Client, Path], None] = lambda client, folder: None
    is_warm: bool = False


SCENARIOS: Final = {
    "a call": Scenario(create),
    "a call over a connection that is open": Scenario(create, is_warm=True),
    "two calls": Scenario(create_twice),
    "a call that fails": Scenario(fail),
    "a call that is retried after a 503": Scenario(retry_busy),
    "a call that is retried after a lost connection": Scenario(retry_dropped, is_warm=True),
    "a stream": Scenario(stream),
    "the text of a stream": Scenario(stream_text),
    "a stream that continues": Scenario(stream_resumed),
    "a stream that is left early": Scenario(stream_left_early),
    "a stream that is collected": Scenario(collect, is_warm=True),
    "a listing": Scenario(list_all),
    "the pages of a listing": Scenario(list_pages, is_warm=True),
    "create_many": Scenario(create_many),
    "create_many that continues": Scenario(create_many_resumed),
    "retrieve_many that is stopped": Scenario(stop_many_resumed),
    "a copy": Scenario(copy),
    "a with block": Scenario(with_block),
    "close": Scenario(close),
    "close during a stream": Scenario(close_during_stream),
    "an import": Scenario(import_rows, check_import),
}


@frozen
class Failure:
    """A failure after an interrupt."""

    point: Point | None
    problem: str


def points(scenario: Scenario, server: Server, **options: Any) -> list[Point]:
    """Every point that a scenario reaches, in order."""
    _attempt(scenario, server, Tracer())  # imports and caches
    tracer = Tracer(**options)
    failure = _attempt(scenario, server, tracer)
    assert failure is None, failure
    return tracer.points


def failures(
    scenario: Scenario, server: Server, interrupted: Iterable[Point], **options: Any
) -> Iterator[Failure]:
    """Interrupt the scenario at each of these points in turn."""
    for point in interrupted:
        failure = _attempt(scenario, server, Tracer(at=point, **options))
        if failure is not None:
            yield failure


def _attempt(scenario: Scenario, server: Server, tracer: Tracer) -> Failure | None:
    with tempfile.TemporaryDirectory() as folder:
        client = Client(KEY, base_url=server.url, max_connections=1, timeout=TIMEOUT)
        client._environment = Environment(sleep=lambda _, wakeup: wakeup.wait(0))
        try:
            with time_limit(LIMIT_SECONDS):
                if scenario.is_warm:
                    client.conversations.create()
                _interrupt(scenario, client, Path(folder), tracer)
            with time_limit(LIMIT_SECONDS):
                scenario.check(client, Path(folder))
                _check_slots(client)
                client.close()
        except BaseException as error:  # noqa: BLE001 - it is reported
            return Failure(tracer.at, f"{type(error).__name__}: {error}")
    return None


def _interrupt(scenario: Scenario, client: Client, folder: Path, tracer: Tracer) -> None:
    try:
        with tracer.tracing():
            scenario.run(client, folder)
    except KeyboardInterrupt:
        return
    assert not tracer.raised, "the interrupt did not come out"


def _check_slots(client: Client) -> None:
    for _ in range(2):
        assert client.conversations.create().id == CONVERSATION["_id"]
    connections: Any = client._connections
    pool = connections._by_pid[os.getpid()]._slots
    assert len(pool._idle) + len(pool._empty) == 1
    assert not pool._claims
    assert not pool._waiting


def few(found: list[Point], *, hits: int) -> list[Point]:
    """The points of each line, limited to the first executions."""
    return [point for point in found if point.hit < hits]


def sample(found: list[Point], known: set[tuple[str, int]]) -> list[Point]:
    """The first point of each new line, and one in ten points of lines in other samples.

    Args:
        found: All points of a scenario.
        known: The lines of other samples; the lines of this sample are added.
    """
    first = few(found, hits=1)
    new = [point for point in first if (point.file, point.line) not in known]
    known.update((point.file, point.line) for point in new)
    return [*new, *[point for point in first if point not in set(new)][::10]]

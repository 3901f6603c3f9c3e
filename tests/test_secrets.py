"""The key is in no log, message, traceback, pickle or warning."""

import logging
import pickle
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen
from fault_table import CHUNKED, FAULTS, HEAD, Fault
from faulty import FaultyServer, Step, Visit, receive, silence
from rich.traceback import Traceback
from scripted import answer
from streaming import STARTED, chunk, event, head, word
from variants import Variant, World

import conversations_client
from conversations_client import (
    AsyncHooks,
    ConversationsError,
    DecodeError,
    Hooks,
    ResponseFailedError,
    StreamTruncatedError,
    converter,
)
from conversations_client._sse import event_stream

PACKAGE = str(Path(conversations_client.__file__).parent)
MARK = "Mark-0123456789-and-quite-some-more"
PIECE = "mark-01234"  # of the mark; found in any letter case, complete or truncated


def create(client: Any) -> Any:
    return client.conversations.create(display_name="Product Feature Discussion")


def respond(client: Any) -> Any:
    return client.conversations.responses.create("conv_1", message="Hello", model="a/b")


@frozen
class Tallies:
    """A custom response class whose field names come from the service."""

    counts: Mapping[str, int]


def count(client: Any) -> Any:
    return client.request("GET", "/tallies", returns=Tallies)


@define
class Capture:
    """Captures everything that a call reveals, except the variables of its caller."""

    log: pytest.LogCaptureFixture
    infos: list[Any] = field(factory=list[Any])
    warned: list[warnings.WarningMessage] = field(factory=list[warnings.WarningMessage])
    raised: ConversationsError | None = None

    def hooks(self, variant: Variant) -> Any:
        async def record(info: Any) -> None:
            self.infos.append(info)

        if variant.name == "sync":
            return Hooks(on_request=self.infos.append, on_response=self.infos.append)
        return AsyncHooks(on_request=record, on_response=record)

    def texts_of_libraries(self) -> Iterator[str]:
        for record in self.log.records:
            yield logging.Formatter("%(name)s %(message)s").format(record)
            yield repr(vars(record))
        for warning in self.warned:
            yield str(warning)

    def texts_of_package(self) -> Iterator[str]:
        for record in self.log.records:
            if record.name == "conversations_client":
                yield record.getMessage() + repr(vars(record))
        error = self.raised
        assert error is not None
        yield repr(self.infos) + repr(error) + str(error) + repr(vars(error))
        yield pickle.dumps(error).decode("latin-1")
        yield from traceback.TracebackException.from_exception(error, capture_locals=True).format()
        yield rich(error)


def rich(error: BaseException) -> str:
    """Every local variable of the package, as rich shows it in a traceback."""
    frames = error.__traceback__
    while frames is not None and not frames.tb_frame.f_code.co_filename.startswith(PACKAGE):
        frames = frames.tb_next
    trace = Traceback.extract(type(error), error, frames, show_locals=True, locals_max_string=10**6)
    shown = [
        f"{name}={value}"
        for stack in trace.stacks
        for frame in stack.frames
        for name, value in (frame.locals or {}).items()
    ]
    assert shown
    return "\n".join(shown)


@pytest.fixture
def capture(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Capture:
    # From the environment, so that no variable of the tests has the key.
    monkeypatch.setenv("ORQ_API_KEY", MARK)
    caplog.set_level(logging.DEBUG)
    return Capture(caplog)


def capture_call(
    capture: Capture,
    variant: Variant,
    steps: list[Step],
    call: Callable[[Any], Any],
    **options: Any,
) -> None:
    with FaultyServer(steps) as server, warnings.catch_warnings(record=True) as capture.warned:
        warnings.simplefilter("always")
        with pytest.raises(ConversationsError) as raised:
            variant.run(
                call, world=World(), base_url=server.url, hooks=capture.hooks(variant), **options
            )
    assert all(seen.headers["authorization"] == f"Bearer {MARK}" for seen in server.seen)
    capture.raised = raised.value


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_key_is_never_revealed(variant: Variant, capture: Capture, fault: Fault) -> None:
    capture_call(capture, variant, fault.steps, create, **fault.options)
    assert (
        PIECE not in "".join([*capture.texts_of_libraries(), *capture.texts_of_package()]).lower()
    )
    assert "conversations_client" in {record.name for record in capture.log.records}
    assert len(capture.infos) == 2


def test_the_key_is_not_revealed_by_a_timeout(variant: Variant, capture: Capture) -> None:
    capture_call(capture, variant, [receive, HEAD, silence], create, timeout=0.1)
    assert (
        PIECE not in "".join([*capture.texts_of_libraries(), *capture.texts_of_package()]).lower()
    )


def echoed(template: bytes) -> Callable[[Visit], None]:
    """Echo the received key."""

    def step(visit: Visit) -> None:
        key = visit.server.seen[-1].headers["authorization"].removeprefix("Bearer ").encode()
        visit.connection.sendall(template.replace(b"KEY", key))

    return step


def spellings_of(key: str) -> bytes:
    return "".join(f"\\u{ord(letter):04x}" for letter in key).encode()


def events(*pieces: bytes) -> bytes:
    """A stream that ends with the connection, because a chunk would need its length."""
    return head(Transfer_Encoding=None, Connection="close") + b"".join(pieces)


SHUT = b"Connection: close\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad\r\n"
ECHOES = {
    "the message": BAD + SHUT + b'{"message": "KEY is no key"}',
    "the message in other letters": BAD + SHUT + b'{"message": "' + spellings_of(MARK) + b'"}',
    "the message where it is cut off": BAD + SHUT + b'{"message": "' + b"x" * 485 + spellings_of(MARK) + b'"}',
    "an error's body": BAD + SHUT + b"<p>KEY</p>",
    "an error's names": BAD + SHUT + b'{"KEY": "KEY"}',
    "an error's header": BAD + b"X-Key: KEY\r\n" + SHUT,
    "the name of a header": BAD + b"KEY: 1\r\n" + SHUT,
    "the request id": BAD + b"X-Request-Id: KEY\r\n" + SHUT,
    "the reason": b"HTTP/1.1 400 KEY\r\n" + SHUT,
    "where to go": b"HTTP/1.1 307 Gone\r\nLocation: https://elsewhere.example/KEY\r\n" + SHUT,
    "when to come again": b"HTTP/1.1 429 Slow\r\nRetry-After: KEY\r\n" + SHUT,
    "the type of the content": HEAD + b"Content-Type: KEY\r\n" + SHUT + b"KEY",
    "the request id of a success": HEAD + b"X-Request-Id: KEY\r\n" + SHUT + b"KEY",
    "the encoding": HEAD + b"Content-Encoding: KEY\r\n" + SHUT + b"KEY",
    "what is no status line": b"KEY\r\n\r\n",
    "what is no header": HEAD + b"KEY\r\n\r\n",
    "what is no length": HEAD + b"Content-Length: KEY\r\n\r\n",
    "what is no chunk": CHUNKED + b"KEY\r\n",
    "a JSON key": HEAD + SHUT + b'{"KEY": "KEY"}',
    "a field of another type": HEAD + SHUT + b'{"_id": {"KEY": "KEY"}, "kind": ["KEY"]}',
}  # fmt: skip
OWN = {
    "a name in a path": HEAD + SHUT + b'{"counts": {"KEY": "KEY"}}',
}
STREAMED = {
    "what is no stream": HEAD + b"Content-Type: text/KEY\r\n" + SHUT,
    "a stream's request id": head(X_Request_Id="KEY") + chunk(word("One")),
    "what is no chunk of a stream": head() + chunk(word("One")) + b"KEY\r\n",
    "what is no event": events(b"data: KEY\n\n"),
    "what is not yet an event": events(b"data: KEY"),
    "an event of other fields": events(event("part.delta", partId={"KEY": "KEY"})),
    "a field that nobody knows": events(event("part.delta", KEY="KEY")),
    "an event that nobody knows": events(event("KEY", KEY="KEY")),
    "what failed": events(event("response.failed", error="KEY failed", code=1)),
    "what failed in other letters": events(
        event("response.failed", error="KEY failed", code=1).replace(b"KEY", spellings_of(MARK))
    ),
    "the words so far": events(word("It is KEY. "), word("As I said")),
    "the words so far in pieces": events(*map(word, MARK)),
    "the thoughts so far": events(
        event("part.delta", partId="KEY", delta={"kind": "reasoning", "reasoning": "KEY", "signature": "KEY"})
    ),
    "a file": events(
        event("part.done", partId="1", part={"kind": "file", "file": {"uri": "KEY", "name": "KEY", "KEY": 1}})
    ),
    "data": events(
        event("part.done", partId="1", part={"kind": "data", "data": {"KEY": ["KEY", None, 1]}, "metadata": {"KEY": "KEY"}})
    ),
    "a part that nobody knows": events(event("part.done", partId="1", part={"kind": "KEY", "KEY": "KEY"})),
    "what the response is called": events(STARTED.replace(b"resp_1", b"KEY").replace(b"a/b", b"KEY")),
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "call"),
    [(template, create) for template in ECHOES.values()]
    + [(template, respond) for template in STREAMED.values()]
    + [(template, count) for template in OWN.values()],
    ids=[*ECHOES, *STREAMED, *OWN],
)
def test_a_key_that_the_service_echoes_is_not_revealed(
    variant: Variant, capture: Capture, template: bytes, call: Callable[[Any], Any]
) -> None:
    capture_call(capture, variant, [receive, echoed(template)], call)
    assert PIECE not in "".join(capture.texts_of_package()).lower()
    if template in STREAMED.values():
        assert type(capture.raised) is (
            ResponseFailedError if b"response.failed" in template else StreamTruncatedError
        )


def test_messages_about_the_key_are_readable(variant: Variant, capture: Capture) -> None:
    failed = [word("It is KEY"), event("response.failed", error="KEY failed", code=1)]
    capture_call(capture, variant, [receive, echoed(events(*failed))], respond)
    assert isinstance(capture.raised, ResponseFailedError)
    assert capture.raised.service_message == "[redacted] failed"
    assert capture.raised.partial.text == "It is [redacted]"
    capture_call(capture, variant, [receive, echoed(OWN["a name in a path"])], count)
    assert isinstance(capture.raised, DecodeError)
    assert [fault.path for fault in capture.raised.faults] == ["$.counts['[redacted]']"]


def test_a_key_in_the_path_of_an_event_error(
    variant: Variant, capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "Event", Tallies)

    def structure_tallies(value: object) -> Tallies:
        return converter.structure(value, Tallies)

    monkeypatch.setattr(event_stream, "structure_event", structure_tallies)
    capture_call(
        capture, variant, [receive, echoed(events(b'data: {"counts": {"KEY": ""}}\n\n'))], respond
    )
    assert isinstance(capture.raised, StreamTruncatedError)
    assert "$.counts['[redacted]']" in str(capture.raised)
    assert PIECE not in "".join(capture.texts_of_package()).lower()


def test_a_request_id_fits_on_a_log_line(variant: Variant, capture: Capture) -> None:
    reply = answer(400, b"", X_Request_Id="\x1b[31m\u2028re" + "d" * 9999)
    capture_call(capture, variant, [receive, reply], create)
    assert capture.raised is not None
    assert capture.raised.request_id == " [31m re" + "d" * 492 + "…"
    (line,) = [r.getMessage() for r in capture.log.records if r.name == "conversations_client"]
    assert line.isprintable()
    assert len(line) < 700

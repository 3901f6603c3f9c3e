"""The key in no log, message, traceback, pickle or warning, whatever goes wrong."""

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
from faulty import FaultyServer, Step, Visit, asked, silence
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
PIECE = "mark-01234"  # of the mark, as it is looked for: whatever the case, and cut off or not


def create(client: Any) -> Any:
    return client.conversations.create(display_name="Product Feature Discussion")


def respond(client: Any) -> Any:
    return client.conversations.responses.create("conv_1", message="Hello", model="a/b")


@frozen
class Tallies:
    """An answer of whose names the service makes some up, as a class of a user's own may be."""

    counts: Mapping[str, int]


def count(client: Any) -> Any:
    return client.request("GET", "/tallies", returns=Tallies)


@define
class Ear:
    """Hears all that is said of a call, but what its caller keeps in variables of their own."""

    log: pytest.LogCaptureFixture
    told: list[Any] = field(factory=list[Any])
    warned: list[warnings.WarningMessage] = field(factory=list[warnings.WarningMessage])
    raised: ConversationsError | None = None

    def hooks(self, variant: Variant) -> Any:
        async def told(info: Any) -> None:
            self.told.append(info)

        if variant.name == "sync":
            return Hooks(on_request=self.told.append, on_response=self.told.append)
        return AsyncHooks(on_request=told, on_response=told)

    def of_others(self) -> Iterator[str]:
        for record in self.log.records:
            yield logging.Formatter("%(name)s %(message)s").format(record)
            yield repr(vars(record))
        for warning in self.warned:
            yield str(warning)

    def of_ours(self) -> Iterator[str]:
        for record in self.log.records:
            if record.name == "conversations_client":
                yield record.getMessage() + repr(vars(record))
        error = self.raised
        assert error is not None
        yield repr(self.told) + repr(error) + str(error) + repr(vars(error))
        yield pickle.dumps(error).decode("latin-1")
        yield from traceback.TracebackException.from_exception(error, capture_locals=True).format()
        yield rich(error)


def rich(error: BaseException) -> str:
    """Every local variable of the package as rich shows it in a traceback."""
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
def ear(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Ear:
    # From the environment, so that no variable of these tests holds it.
    monkeypatch.setenv("ORQ_API_KEY", MARK)
    caplog.set_level(logging.DEBUG)
    return Ear(caplog)


def hear(
    ear: Ear, variant: Variant, steps: list[Step], call: Callable[[Any], Any], **options: Any
) -> None:
    with FaultyServer(steps) as server, warnings.catch_warnings(record=True) as ear.warned:
        warnings.simplefilter("always")
        with pytest.raises(ConversationsError) as raised:
            variant.run(
                call, world=World(), base_url=server.url, hooks=ear.hooks(variant), **options
            )
    assert all(seen.headers["authorization"] == f"Bearer {MARK}" for seen in server.seen)
    ear.raised = raised.value


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_key_is_told_to_nobody(variant: Variant, ear: Ear, fault: Fault) -> None:
    hear(ear, variant, fault.steps, create, **fault.options)
    assert PIECE not in "".join([*ear.of_others(), *ear.of_ours()]).lower()
    assert "conversations_client" in {record.name for record in ear.log.records}
    assert len(ear.told) == 2


def test_the_key_is_not_told_when_time_is_up(variant: Variant, ear: Ear) -> None:
    hear(ear, variant, [asked, HEAD, silence], create, timeout=0.1)
    assert PIECE not in "".join([*ear.of_others(), *ear.of_ours()]).lower()


def echoed(template: bytes) -> Callable[[Visit], None]:
    """Say back what came as the key."""

    def step(visit: Visit) -> None:
        key = visit.server.seen[-1].headers["authorization"].removeprefix("Bearer ").encode()
        visit.connection.sendall(template.replace(b"KEY", key))

    return step


def spelt(key: str) -> bytes:
    return "".join(f"\\u{ord(letter):04x}" for letter in key).encode()


def events(*pieces: bytes) -> bytes:
    """A stream that the end of the connection ends, for a chunk would have to know its length."""
    return head(Transfer_Encoding=None, Connection="close") + b"".join(pieces)


SHUT = b"Connection: close\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad\r\n"
ECHOES = {
    "the message": BAD + SHUT + b'{"message": "KEY is no key"}',
    "the message in other letters": BAD + SHUT + b'{"message": "' + spelt(MARK) + b'"}',
    "the message where it is cut off": BAD + SHUT + b'{"message": "' + b"x" * 485 + spelt(MARK) + b'"}',
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
        event("response.failed", error="KEY failed", code=1).replace(b"KEY", spelt(MARK))
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
def test_a_key_that_the_service_says_back_is_not_told_either(
    variant: Variant, ear: Ear, template: bytes, call: Callable[[Any], Any]
) -> None:
    hear(ear, variant, [asked, echoed(template)], call)
    assert PIECE not in "".join(ear.of_ours()).lower()
    if template in STREAMED.values():
        assert type(ear.raised) is (
            ResponseFailedError if b"response.failed" in template else StreamTruncatedError
        )


def test_what_is_said_of_the_key_is_still_readable(variant: Variant, ear: Ear) -> None:
    failed = [word("It is KEY"), event("response.failed", error="KEY failed", code=1)]
    hear(ear, variant, [asked, echoed(events(*failed))], respond)
    assert isinstance(ear.raised, ResponseFailedError)
    assert ear.raised.service_message == "[redacted] failed"
    assert ear.raised.partial.text == "It is [redacted]"
    hear(ear, variant, [asked, echoed(OWN["a name in a path"])], count)
    assert isinstance(ear.raised, DecodeError)
    assert [fault.path for fault in ear.raised.faults] == ["$.counts['[redacted]']"]


def test_a_name_in_the_path_of_an_event(
    variant: Variant, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "Event", Tallies)

    def structure_tallies(value: object) -> Tallies:
        return converter.structure(value, Tallies)

    monkeypatch.setattr(event_stream, "structure_event", structure_tallies)
    hear(ear, variant, [asked, echoed(events(b'data: {"counts": {"KEY": ""}}\n\n'))], respond)
    assert isinstance(ear.raised, StreamTruncatedError)
    assert "$.counts['[redacted]']" in str(ear.raised)
    assert PIECE not in "".join(ear.of_ours()).lower()


def test_what_a_service_calls_an_exchange_is_fit_for_a_line_of_log(
    variant: Variant, ear: Ear
) -> None:
    reply = answer(400, b"", X_Request_Id="\x1b[31m\u2028re" + "d" * 9999)
    hear(ear, variant, [asked, reply], create)
    assert ear.raised is not None
    assert ear.raised.request_id == " [31m re" + "d" * 492 + "…"
    (line,) = [r.getMessage() for r in ear.log.records if r.name == "conversations_client"]
    assert line.isprintable()
    assert len(line) < 700

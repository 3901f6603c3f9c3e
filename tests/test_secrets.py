"""The key in no log, message, traceback, pickle or warning, whatever goes wrong."""

import logging
import pickle
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from colours import Colour, World
from fault_table import CHUNKED, FAULTS, HEAD, Fault
from faulty import FaultyServer, Step, Visit, asked, silence
from rich.traceback import Traceback
from scripted import answer
from streaming import chunk, event, head, word

import conversations_client
from conversations_client import AsyncHooks, ConversationsError, Hooks, ResponseFailedError

PACKAGE = str(Path(conversations_client.__file__).parent)
MARK = "mark-0123456789-and-quite-some-more"


def create(client: Any) -> Any:
    return client.conversations.create(display_name="Product Feature Discussion")


def respond(client: Any) -> Any:
    return client.conversations.responses.create("conv_1", message="Hello", model="a/b")


@define
class Ear:
    """Hears all that is said of a call, but what its caller keeps in variables of their own."""

    log: pytest.LogCaptureFixture
    told: list[Any] = field(factory=list[Any])
    warned: list[warnings.WarningMessage] = field(factory=list[warnings.WarningMessage])
    raised: ConversationsError | None = None

    def hooks(self, colour: Colour) -> Any:
        async def told(info: Any) -> None:
            self.told.append(info)

        if colour.name == "sync":
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
    ear: Ear, colour: Colour, steps: list[Step], call: Callable[[Any], Any], **options: Any
) -> None:
    with FaultyServer(steps) as server, warnings.catch_warnings(record=True) as ear.warned:
        warnings.simplefilter("always")
        with pytest.raises(ConversationsError) as raised:
            colour.run(call, world=World(), base_url=server.url, hooks=ear.hooks(colour), **options)
    assert all(seen.headers["authorization"] == f"Bearer {MARK}" for seen in server.seen)
    ear.raised = raised.value


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_key_is_told_to_nobody(colour: Colour, ear: Ear, fault: Fault) -> None:
    hear(ear, colour, fault.steps, create, **fault.options)
    assert MARK not in "".join([*ear.of_others(), *ear.of_ours()])
    assert "conversations_client" in {record.name for record in ear.log.records}
    assert len(ear.told) == 2


def test_the_key_is_not_told_when_time_is_up(colour: Colour, ear: Ear) -> None:
    hear(ear, colour, [asked, HEAD, silence], create, timeout=0.1)
    assert MARK not in "".join([*ear.of_others(), *ear.of_ours()])


def echoed(template: bytes) -> Callable[[Visit], None]:
    """Say back what came as the key."""

    def step(visit: Visit) -> None:
        key = visit.server.seen[-1].headers["authorization"].removeprefix("Bearer ").encode()
        visit.connection.sendall(template.replace(b"KEY", key))

    return step


def spelt(key: str) -> bytes:
    return "".join(f"\\u{ord(letter):04x}" for letter in key).encode()


SHUT = b"Connection: close\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad\r\n"
ECHOES = {
    "the message": BAD + SHUT + b'{"message": "KEY is no key"}',
    "the message in other letters": BAD + SHUT + b'{"message": "' + spelt(MARK) + b'"}',
    "an error's body": BAD + SHUT + b"<p>KEY</p>",
    "an error's header": BAD + b"X-Key: KEY\r\n" + SHUT,
    "the request id": BAD + b"X-Request-Id: KEY\r\n" + SHUT,
    "the reason": b"HTTP/1.1 400 KEY\r\n" + SHUT,
    "where to go": b"HTTP/1.1 307 Gone\r\nLocation: https://elsewhere.example/KEY\r\n" + SHUT,
    "the type of the content": HEAD + b"Content-Type: KEY\r\n" + SHUT + b"KEY",
    "the request id of a success": HEAD + b"X-Request-Id: KEY\r\n" + SHUT + b"KEY",
    "the encoding": HEAD + b"Content-Encoding: KEY\r\n" + SHUT + b"KEY",
    "what is no status line": b"KEY\r\n\r\n",
    "what is no header": HEAD + b"KEY\r\n\r\n",
    "what is no chunk": CHUNKED + b"KEY\r\n",
    "a JSON key": HEAD + SHUT + b'{"KEY": "KEY"}',
}
STREAMED = {
    "what is no stream": HEAD + b"Content-Type: text/KEY\r\n" + SHUT,
    "a stream's request id": head(X_Request_Id="KEY") + chunk(word("One")),
    "what is no chunk of a stream": head() + chunk(word("One")) + b"KEY\r\n",
    "what is no event": head() + chunk(b"data: KEY\n\n"),
    "an event of other fields": head() + chunk(event("part.delta", partId={"KEY": "KEY"})),
    "why it failed": head() + chunk(event("response.failed", error="KEY failed", code=1)),
}


@pytest.mark.parametrize(
    ("template", "call"),
    [(t, create) for t in ECHOES.values()] + [(t, respond) for t in STREAMED.values()],
    ids=[*ECHOES, *STREAMED],
)
def test_a_key_that_the_service_says_back_is_not_told_either(
    colour: Colour, ear: Ear, template: bytes, call: Callable[[Any], Any]
) -> None:
    hear(ear, colour, [asked, echoed(template)], call)
    assert MARK not in "".join(ear.of_ours())
    if isinstance(ear.raised, ResponseFailedError):
        assert ear.raised.service_message == "[redacted] failed"


def test_what_a_service_calls_an_exchange_is_fit_for_a_line_of_log(
    colour: Colour, ear: Ear
) -> None:
    reply = answer(400, b"", X_Request_Id="\x1b[31m\u2028re" + "d" * 9999)
    hear(ear, colour, [asked, reply], create)
    assert ear.raised is not None
    assert ear.raised.request_id == " [31m re" + "d" * 492 + "…"
    (line,) = [r.getMessage() for r in ear.log.records if r.name == "conversations_client"]
    assert line.isprintable()
    assert len(line) < 700

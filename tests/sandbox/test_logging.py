"""The log records of a sandbox in the program that runs it."""

import logging
import socket

import pytest

from conversations_client.sandbox import Sandbox

SANDBOX = "conversations_client.sandbox"


def talk_nonsense(sandbox: Sandbox) -> None:
    address = ("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1]))
    with socket.create_connection(address) as connection:
        connection.sendall(b"\x16\x03 is no HTTP\r\n\r\n")
        while connection.recv(4096):
            pass


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (logging.DEBUG, {"DEBUG", "WARNING"}),
        (logging.INFO, {"WARNING"}),
        (logging.ERROR, set[str]()),
    ],
)
def test_it_logs_under_its_own_name(
    caplog: pytest.LogCaptureFixture, level: int, said: set[str]
) -> None:
    caplog.set_level(level, logger=SANDBOX)
    caplog.set_level(logging.DEBUG)  # all other loggers, and the handlers
    with Sandbox() as sandbox:
        talk_nonsense(sandbox)
        logging.getLogger("uvicorn.error").info("another server of the same program")
    others = [record for record in caplog.records if record.name != SANDBOX]
    assert {record.levelname for record in caplog.records if record.name == SANDBOX} == said
    assert [record.getMessage() for record in others if record.name.startswith("uvicorn")] == [
        "another server of the same program"
    ]


def test_it_restores_the_logging_configuration() -> None:
    before = list(logging.getLogger("uvicorn.error").filters)
    with Sandbox(), Sandbox():
        pass
    assert logging.getLogger("uvicorn.error").filters == before

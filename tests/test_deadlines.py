"""Every wait of a connection has a limit, and keeps to it: lookups, handshakes, writes, reads."""

import contextlib
import socket
from typing import Any

import httpcore
import pytest

from conversations_client._http.connections import addresses, sync_connection
from conversations_client._http.connections.limits import countdown

# Several addresses of one host.

ADDRESSES = ["2001:db8::1", "192.0.2.1", "192.0.2.2"]


class Network:
    """Answers each attempt to connect with the next outcome."""

    def __init__(self, *outcomes: Any) -> None:
        self.attempts: list[tuple[str, float | None]] = []
        self._outcomes = iter(outcomes)

    def connect(self, address: tuple[str, int], timeout: float | None) -> Any:
        self.attempts.append((address[0], timeout))
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


SILENT, REFUSING = TimeoutError(), ConnectionRefusedError()


@pytest.mark.parametrize(
    ("outcomes", "limit", "shares", "expected"),
    [
        ([SILENT, REFUSING, "socket"], 6.0, [2.0, 3.0, 6.0], None),
        ([REFUSING, "socket"], 6.0, [2.0, 3.0], None),
        ([SILENT, SILENT, REFUSING], 6.0, [2.0, 3.0, 6.0], httpcore.ConnectError),
        ([REFUSING, REFUSING, SILENT], 6.0, [2.0, 3.0, 6.0], httpcore.ConnectTimeout),
        ([REFUSING, "socket"], None, [None, None], None),
        ([], 1e-9, [], httpcore.ConnectTimeout),
    ],
)
def test_each_address_of_a_host_has_a_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
    outcomes: list[Any],
    limit: float | None,
    shares: list[float | None],
    expected: type[Exception] | None,
) -> None:
    network = Network(*[unconnected() if each == "socket" else each for each in outcomes])
    monkeypatch.setattr(socket, "create_connection", network.connect)
    monkeypatch.setattr(addresses, "_look_up", lambda *_: ADDRESSES)
    with pytest.raises(expected) if expected else contextlib.nullcontext():
        sync_connection._connect_tcp("api.invalid", 443, countdown(limit)).close()
    assert [host for host, _ in network.attempts] == ADDRESSES[: len(shares)]
    for (_, given), share in zip(network.attempts, shares, strict=True):
        assert given == (None if share is None else pytest.approx(share, abs=0.5))


def unconnected() -> socket.socket:
    return socket.socket()

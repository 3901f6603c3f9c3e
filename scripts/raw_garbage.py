"""Sends malformed requests to a sandbox and checks that it doesn't fail.

    python scripts/raw_garbage.py URL API_KEY [--seconds 60] [--seed 6]

Exits with code 1 if a response is a 5xx, or if the sandbox no longer works afterwards.
"""

import argparse
import itertools
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from conversations_client import Client

_PATIENCE: Final = 10.0  # seconds to wait for a response


def requests(key: str, draw: random.Random) -> Iterator[bytes]:
    """Yield malformed requests: first a fixed list, then endless random requests."""
    valid = _request(key, b'{"displayName": "x"}')
    yield from (
        b"",
        b"\0" * 5000,
        b"GET\r\n\r\n",
        b"\r\n\r\n" * 500,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 100_000 + b"\r\n",
        b"GET /v2/conversations/%00%ff/../..%2f HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://elsewhere.example/v2/conversations HTTP/1.1\r\nHost: localhost\r\n\r\n",
        valid.replace(b"Content-Length: 20", b"Content-Length: -1"),
        valid.replace(b"Content-Length: 20", b"Content-Length: 99999999999999999999"),
        valid.replace(b"Content-Length: 20", b"Content-Length: 20\r\nTransfer-Encoding: chunked"),
        valid.replace(b"Content-Length: 20", b"Transfer-Encoding: gzip, chunked"),
        valid.replace(f"Bearer {key}".encode(), b"Bearer \xff\xfe"),
        valid.replace(f"Bearer {key}".encode(), b"Bearer " + b"x" * 60_000),
        _request(key, b"[" * 100_000),
        _request(key, b'{"displayName": "\\ud800"}'),
        _request(key, b'{"displayName": NaN}'),
        _request(key, b'{"displayName": 1e999}'),
        _request(key, b'{"displayName": ' + b"1" * 100_000 + b"}"),
        _request(key, b'{"displayName": "\xff"}'),
        _request(key, b'{"displayName": "' + b"x" * 34_000_000 + b'"}'),
        _request(key, b'{"displayName": "\\u0000"}'),
    )
    while True:
        yield _corrupt(valid, draw)


def _request(key: str, body: bytes) -> bytes:
    return (
        b"POST /v2/conversations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
        % (key.encode(), len(body), body)
    )


def _corrupt(request: bytes, draw: random.Random) -> bytes:
    corrupted = bytearray(request)
    for _ in range(draw.randint(1, 8)):
        position = draw.randrange(len(corrupted) + 1)
        corrupted[position : position + draw.choice((0, 0, 1, 20))] = draw.randbytes(
            draw.randint(0, 5)
        )
    return bytes(corrupted)


def send(url: str, key: str, *, keep_going: Callable[[int], bool], seed: int) -> Counter[str]:
    """Send garbage while `keep_going(requests sent)` is true; return a count for each status."""
    statuses: Counter[str] = Counter()
    garbage = requests(key, random.Random(seed))  # noqa: S311 - repeatable, no secret
    for sent in itertools.takewhile(keep_going, itertools.count()):
        statuses[_status(url, next(garbage))] += 1
        if sent % 100 == 0:
            _check_health(url, key)
    _check_health(url, key)
    return statuses


def _status(url: str, garbage: bytes) -> str:
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    try:
        with socket.create_connection(address, timeout=_PATIENCE) as connection:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(12).removeprefix(b"HTTP/1.1 ").decode("latin-1") or "closed"
    except TimeoutError:
        return "no response"
    except OSError:
        return "closed"


def _check_health(url: str, key: str) -> None:
    with Client(key, base_url=url) as client:
        conversation = client.conversations.create(display_name="Health check")
        client.conversations.delete(conversation.id or "")


def main() -> int:
    """Send garbage and print the count for each status."""
    parser = argparse.ArgumentParser(description="Send malformed requests to a sandbox.")
    parser.add_argument("url")
    parser.add_argument("api_key")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=6)
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    statuses = send(
        options.url, options.api_key, keep_going=lambda _: time.monotonic() < end, seed=options.seed
    )
    print(", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))
    return 1 if any(status.startswith("5") for status in statuses) else 0


if __name__ == "__main__":
    sys.exit(main())

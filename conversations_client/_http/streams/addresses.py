"""Looks up the addresses of a host within a time limit."""

import os
import socket
import threading
from typing import Final

from conversations_client._base.hosts import ip_address, is_loopback
from conversations_client._base.wakeup import short_waits

from .errors import ConnectError, ConnectTimeout
from .interfaces import Limit
from .limits import seconds_left


def addresses(host: str, port: int, limit: Limit) -> list[str]:
    """The addresses of a host, in the system's order; raises ConnectError and ConnectTimeout.

    The system's lookup can't be interrupted, so it runs in a separate thread, which may outlive the
    limit. There is at most one thread for each host and port.
    """
    if ip_address(host) is not None:
        return [host]
    # A DNS server may resolve a name such as `api.localhost` to any address.
    name = "localhost" if is_loopback(host) else host
    seconds = seconds_left(limit, ConnectTimeout)
    try:
        return _look_up(name, port) if seconds is None else _shared_lookup(name, port, seconds)
    except OSError as error:
        raise ConnectError(str(error)) from error


def _look_up(host: str, port: int) -> list[str]:
    results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in results))


def _shared_lookup(host: str, port: int, seconds: float) -> list[str]:
    # A forked child doesn't have its parent's threads.
    key = (os.getpid(), host, port)
    new = _Lookup(key)
    try:
        lookup = _lookups.setdefault(key, new)
        if lookup is new:
            threading.Thread(target=new.run, name="name lookup", daemon=True).start()
    except RuntimeError:
        # No thread can be started: the interpreter is shutting down, or there are too many threads.
        new.run()
        return new.result(0)
    except BaseException:
        _lookups.pop(key, None)
        raise
    return lookup.result(seconds)


class _Lookup:
    """A lookup, shared by all threads that need it at the same time."""

    def __init__(self, key: tuple[int, str, int]) -> None:
        self._key = key
        self._is_done = threading.Event()
        self._addresses: list[str] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        _, host, port = self._key
        try:
            self._addresses = _look_up(host, port)
        except BaseException as error:  # noqa: BLE001 - raised by result()
            self._error = error
        finally:
            _lookups.pop(self._key, None)
            self._is_done.set()

    def result(self, seconds: float) -> list[str]:
        if not any(map(self._is_done.wait, short_waits(seconds))):
            raise ConnectTimeout("name lookup")
        if self._error is not None:
            raise self._error
        return self._addresses


_lookups: Final[dict[tuple[int, str, int], _Lookup]] = {}

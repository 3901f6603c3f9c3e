"""The addresses of a host, looked up within a limit."""

import os
import socket
import threading
from typing import Final

from conversations_client._base.hosts import ip_address, is_loopback

from .errors import ConnectError, ConnectTimeout
from .interfaces import Limit
from .limits import seconds_left


def addresses(host: str, port: int, limit: Limit) -> list[str]:
    """The addresses of a host, in the system's order; raises ConnectError and ConnectTimeout.

    The system's lookup can't be interrupted, so it runs in a thread of its own. If it takes too
    long, that thread is left to end by itself; there is at most one for each host and port.
    """
    if ip_address(host) is not None:
        return [host]
    # A DNS server may give a name such as `api.localhost` any address.
    name = "localhost" if is_loopback(host) else host
    seconds = seconds_left(limit, ConnectTimeout)
    try:
        return _look_up(name, port) if seconds is None else _shared_lookup(name, port, seconds)
    except OSError as error:
        raise ConnectError(str(error)) from error


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _shared_lookup(host: str, port: int, seconds: float) -> list[str]:
    # A forked child has none of its parent's threads.
    key = (os.getpid(), host, port)
    own = _Lookup(key)
    try:
        lookup = _lookups.setdefault(key, own)
        if lookup is own:
            threading.Thread(target=own.run, name="name lookup", daemon=True).start()
    except RuntimeError:
        # No thread can be started: the interpreter is shutting down, or there are too many.
        own.run()
        return own.result(0)
    except BaseException:
        _lookups.pop(key, None)
        raise
    return lookup.result(seconds)


class _Lookup:
    """One lookup, for every thread that needs it meanwhile."""

    def __init__(self, key: tuple[int, str, int]) -> None:
        self._key = key
        self._is_done = threading.Event()
        self._addresses: list[str] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        _, host, port = self._key
        try:
            self._addresses = _look_up(host, port)
        except BaseException as error:  # noqa: BLE001 - raised where the result is
            self._error = error
        finally:
            _lookups.pop(self._key, None)
            self._is_done.set()

    def result(self, seconds: float) -> list[str]:
        if not self._is_done.wait(seconds):
            raise ConnectTimeout("name lookup")
        if self._error is not None:
            raise self._error
        return self._addresses


_lookups: Final[dict[tuple[int, str, int], _Lookup]] = {}

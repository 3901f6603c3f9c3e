"""Parses JSON documents, strictly by RFC 8259."""

import json
import math
from collections.abc import Callable
from typing import Any, Final, NoReturn

from conversations_client.errors import DecodeError, Fault

from .mismatch import Mismatch

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def parse(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything until it is structured
    """The value of a JSON document; raises DecodeError."""
    # What the quick parser refuses is read again, or refused with a message.
    try:
        return quick(body.removeprefix(_BYTE_ORDER_MARK))
    except Exception:  # noqa: BLE001, S110 - as above
        pass
    try:
        # RFC 8259 lets a reader skip a byte order mark.
        return _decoder.decode(body.removeprefix(_BYTE_ORDER_MARK).decode())
    except UnicodeDecodeError:
        problem = "not UTF-8"
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg} at byte {error.pos} of {len(body)}"
    except Mismatch as error:
        problem = str(error)
    except ValueError:
        problem = "holds a number too long to read"
    except (RecursionError, MemoryError):
        problem = "nested too deeply"
    raise DecodeError((Fault("$", problem),))


def _constant(name: str) -> NoReturn:
    raise Mismatch(f"holds {name}, which is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Mismatch("holds a number too large to read")
    return number


_decoder: Final = json.JSONDecoder(parse_constant=_constant, parse_float=_finite)
_scan_once: Final[Callable[[str, int], tuple[Any, int]]] = vars(_decoder)["scan_once"]


def scan(body: bytes) -> Any:  # noqa: ANN401 - as above
    """The value of a document without white space around it; raises anything if it has some."""
    text = body.decode()
    # Without the decoder's own search for white space, which takes as long as a small document.
    value, end = _scan_once(text, 0)
    if end != len(text):
        raise ValueError
    return value


def _quickest() -> Callable[[bytes], Any]:
    # msgspec reads everything that the standard library reads, with the same result, or refuses it.
    try:
        from msgspec.json import Decoder
    except ImportError:
        return scan
    return Decoder().decode


def has_speedups() -> bool:
    """Whether the extra `speedups` is installed."""
    return quick is not scan


quick: Callable[[bytes], Any] = _quickest()
"""Reads most documents; in a third of the time where the extra `speedups` is installed."""

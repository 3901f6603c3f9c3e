"""JSON documents as Python values, by the letter of the standard."""

import json
import math
from collections.abc import Callable
from typing import Any, Final, NoReturn

from conversations_client.errors import DecodeError, Fault

from .mismatch import Mismatch

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def parse(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything until it is structured
    """The value of a JSON document; raises DecodeError."""
    if quick is not None:
        try:
            return quick(body.removeprefix(_BYTE_ORDER_MARK))
        except Exception:  # noqa: BLE001, S110 - what it refuses is read again, or refused in words
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


def _quickest() -> Callable[[bytes], Any] | None:
    # It reads all that the standard library reads as that does, or refuses it.
    try:
        from msgspec.json import Decoder
    except ImportError:
        return None
    return Decoder().decode


quick: Callable[[bytes], Any] | None = _quickest()
"""Reads most documents in half the time, where the extra `speedups` is installed."""

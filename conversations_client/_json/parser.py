"""Parses JSON documents strictly, as RFC 8259 defines them."""

import json
import math
from collections.abc import Callable
from typing import Any, Final, NoReturn

from conversations_client.errors import DecodeError, Fault

from .mismatch import Mismatch

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def parse(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything until it is structured
    """The value of a JSON document; raises DecodeError."""
    # If the fast parser fails, the strict one either succeeds or reports what is wrong.
    try:
        return parse_fast(body.removeprefix(_BYTE_ORDER_MARK))
    except Exception:  # noqa: BLE001, S110 - as above
        pass
    try:
        # RFC 8259 allows parsers to ignore a byte order mark.
        return _decoder.decode(body.removeprefix(_BYTE_ORDER_MARK).decode())
    except UnicodeDecodeError:
        problem = "not UTF-8"
    except json.JSONDecodeError as error:
        rest = error.doc[error.pos :].encode()
        problem = f"not JSON: {error.msg} at byte {len(body) - len(rest)} of {len(body)}"
    except Mismatch as error:
        problem = str(error)
    except ValueError:
        problem = "contains a number with too many digits"
    except (RecursionError, MemoryError):
        problem = "nested too deeply"
    raise DecodeError((Fault("$", problem),))


def _constant(name: str) -> NoReturn:
    raise Mismatch(f"contains {name}, which is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise Mismatch("contains a number that is too large")
    return number


_decoder: Final = json.JSONDecoder(parse_constant=_constant, parse_float=_finite)
_scan_once: Final[Callable[[str, int], tuple[Any, int]]] = vars(_decoder)["scan_once"]


def scan(body: bytes) -> Any:  # noqa: ANN401 - as above
    """The value of a valid document without surrounding whitespace; raises an exception if not."""
    text = body.decode()
    # JSONDecoder.decode() also looks for whitespace, which doubles the time for small documents.
    value, end = _scan_once(text, 0)
    if end != len(text):
        raise ValueError
    return value


def _fastest() -> Callable[[bytes], Any]:
    # msgspec returns what the standard library returns, or raises an exception.
    try:
        from msgspec.json import Decoder
    except ImportError:
        return scan
    return Decoder().decode


def has_speedups() -> bool:
    """Whether the `speedups` extra is installed."""
    return parse_fast is not scan


parse_fast: Callable[[bytes], Any] = _fastest()
"""Parses most documents, three times as fast with the `speedups` extra."""

"""JSON as the sandbox writes it."""

import json


def encode(value: object) -> bytes:
    """Write JSON.

    Args:
        value: Any JSON value.

    Returns:
        UTF-8, without spaces.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

"""Encodes JSON."""

import json


def encode(value: object) -> bytes:
    """Encode a JSON value.

    Args:
        value: Any JSON value.

    Returns:
        Compact JSON in UTF-8.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

"""Monotonic ULIDs: 26 lower-case characters of Crockford's Base32 that sort by creation time."""

from typing import Final

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
PATTERN: Final = "[0-7][0-9a-hjkmnp-tv-z]{25}"

_LENGTH: Final = 26
_BITS_PER_CHARACTER: Final = 5
_RANDOM_BITS: Final = 80
_LIMIT: Final = 1 << 128


def encode(value: int) -> str:
    """Encode a 128-bit number as a ULID.

    Args:
        value: The number, at least 0 and below 2**128.

    Returns:
        26 characters that sort in the order of the numbers.

    Raises:
        OverflowError: The number doesn't fit.
    """
    if not 0 <= value < _LIMIT:
        raise OverflowError("a ULID has 128 bits")
    shifts = range((_LENGTH - 1) * _BITS_PER_CHARACTER, -1, -_BITS_PER_CHARACTER)
    return "".join(ALPHABET[value >> shift & 31] for shift in shifts)


def decode(ulid: str) -> int:
    """Decode a ULID into its 128-bit number.

    Args:
        ulid: 26 characters, as from `encode`.

    Returns:
        The number.

    Raises:
        ValueError: A character isn't part of the alphabet.
    """
    value = 0
    for character in ulid:
        value = value << _BITS_PER_CHARACTER | ALPHABET.index(character)
    return value


def successor(last: str | None, *, now: int, randomness: int) -> str:
    """Generate the next ULID, even if the clock was set back.

    Args:
        last: The largest ULID so far; None if there is none.
        now: Unix time in milliseconds.
        randomness: 80 random bits for the part after the time.

    Returns:
        A ULID for this millisecond, or `last` plus one if that is larger.

    Raises:
        OverflowError: There is no larger ULID.
    """
    fresh = now << _RANDOM_BITS | randomness
    return encode(fresh if last is None else max(fresh, decode(last) + 1))

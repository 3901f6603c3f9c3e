"""Text that UTF-8 can't encode. No I/O."""


def without_surrogates(text: str) -> str:
    """The text with escape sequences instead of lone surrogates, which UTF-8 can't encode."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()

"""The API key, in a wrapper that doesn't show it."""

from typing import Final, TypeVar

_TextOrBytes = TypeVar("_TextOrBytes", str, bytes)

_SHORTEST: Final = 8  # what is no longer may be any word, and is no key


class Secret:
    """A text that shows in no repr, message or dict of attributes; `reveal()` gives it."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        def reveal() -> str:
            return value

        # In a closure, where neither vars() nor a debugger's list of attributes finds it.
        self._reveal = reveal

    def reveal(self) -> str:
        """The text itself."""
        return self._reveal()

    def redact(self, text: _TextOrBytes) -> _TextOrBytes:
        """A text without the secret, should it be in there."""
        if len(self._reveal()) < _SHORTEST:
            return text
        if isinstance(text, bytes):
            return text.replace(self._reveal().encode(), b"[redacted]")
        return text.replace(self._reveal(), "[redacted]")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.reveal()

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __repr__(self) -> str:
        return "Secret(…)"
